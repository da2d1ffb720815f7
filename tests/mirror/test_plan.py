"""What would have to be done, so that one place has what another one has."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository
from hatcher.artefacts.python_tags import preference, usable_tags
from hatcher.errors import InvalidArgumentError, NotFoundError, UnsupportedAPIVersionError
from hatcher.mirror.contents import digest
from hatcher.mirror.selection import select
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_bundle,
    write_egg,
    write_runtime,
)

from .conftest import PLATFORM, fill, make_repository

PLACES: dict[str, Any] = {
    "platforms": (PLATFORM, "win-x86_64"),
    "python_tags": ("cp311", "cp38"),
}
SOME: dict[str, Any] = {"kinds": ("eggs", "runtimes", "bundles"), **PLACES}
EGG = f"{PLATFORM}/eggs/cp311/MyEgg-1.0-1.egg"


def actions(plan: mirror.Plan) -> dict[str, str]:
    return {step.path: step.action for step in plan.steps}


@pytest.fixture
def expected(repository: Repository, tmp_path: Path) -> dict[str, bytes]:
    """What acme/dev has, by the path below it."""
    everything = fill(repository, tmp_path / "artefacts")
    return {path.removeprefix("v1/acme/dev/"): content for path, content in everything.items()}


@pytest.fixture
def copy(
    client: BroodClient, repository: Repository, expected: dict[str, bytes], tmp_path: Path
) -> Repository:
    """acme/copy, with the same as acme/dev but for apps."""
    copy = make_repository(client, "copy")
    mirror.export(
        client,
        tmp_path / "moving",
        repositories=["acme/dev"],
        **SOME,
    ).raise_for_failures()
    root = tmp_path / "moving" / "v1" / "acme"
    (root / "dev").rename(root / "copy")
    mirror.import_(client, tmp_path / "moving").raise_for_failures()
    return copy


def test_an_empty_target_lacks_everything(
    client: BroodClient, repository: Repository, expected: dict[str, bytes], tmp_path: Path
) -> None:
    empty = make_repository(client, "empty")
    for target in (empty, tmp_path / "nothing"):
        plan = mirror.plan(repository, target, **SOME)
        assert actions(plan) == dict.fromkeys(sorted(expected), "copy")
        assert plan
        sizes = {step.path: step.size for step in plan.steps if "/eggs/" in step.path}
        assert sizes == {path: len(expected[path]) for path in sizes}
        assert str(plan).startswith(f"7 artefacts: 7 copy; {plan.bytes:,} bytes to move\n")
    assert not mirror.plan(empty, repository, **SOME)
    assert actions(mirror.plan(empty, repository, prune=True, **SOME)) == dict.fromkeys(
        sorted(expected), "delete"
    )


def test_equal_places(
    repository: Repository, copy: Repository, client: BroodClient, expected: dict[str, bytes]
) -> None:
    for source, target in [(repository, copy), (copy, repository)]:
        plan = mirror.plan(source, target, prune=True, **SOME)
        assert actions(plan) == dict.fromkeys(sorted(expected), "skip")
        assert not plan
        assert str(plan) == "7 artefacts: 7 skip"
    organization = client.organization("acme")
    plan = mirror.plan(organization, organization, **SOME)
    assert {path.split("/")[0] for path in actions(plan)} == {"copy", "dev"}
    assert not plan
    platform = repository.platform(PLATFORM)
    kinds = SOME["kinds"]
    tags = SOME["python_tags"]
    plan = mirror.plan(platform, copy.platform(PLATFORM), kinds=kinds, python_tags=tags)
    assert set(actions(plan)) == {
        path.removeprefix(f"{PLATFORM}/") for path in expected if path.startswith(PLATFORM)
    }


def test_a_folder_is_an_end_too(
    client: BroodClient,
    repository: Repository,
    copy: Repository,
    tmp_path: Path,
    expected: dict[str, bytes],
) -> None:
    """An export of acme/copy is compared with acme/copy, of acme/dev it has nothing."""
    folder = tmp_path / "moving"
    for source, target in [(copy, folder), (folder, copy)]:
        plan = mirror.plan(source, str(target) if target is folder else target, prune=True, **SOME)
        assert actions(plan) == dict.fromkeys(sorted(expected), "skip")
    assert set(actions(mirror.plan(repository, folder, **SOME)).values()) == {"copy"}
    (folder / "v1" / "acme" / "copy" / EGG).write_bytes(b"other")
    (folder / "v1" / "acme" / "copy" / PLATFORM / "bundles/cp38/tools-1.0.0-1.bundle").unlink()
    plan = mirror.plan(copy, folder, **SOME)
    assert {step.action for step in plan.steps} == {"skip", "copy", "update"}
    assert [step.path for step in plan.those("update")] == [EGG]
    assert [step.path for step in plan.those("copy")] == [
        f"{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle"
    ]


def test_eggs_for_several_pythons_are_in_a_folder_too(
    client: BroodClient, repository: Repository, tmp_path: Path
) -> None:
    """The index of one python tag shows them: they must not be deleted for want of them."""
    platform = repository.platform(PLATFORM)
    for tag in ("cp311", "cp310", "py38", "py311", None):
        name = f"for_{(tag or 'any').replace('.', '_')}"
        platform.upload_egg(write_egg(tmp_path, name, platform=PLATFORM, python_tag=tag))
    folder = tmp_path / "folder"
    some: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": ["cp311"]}
    mirror.export(client, folder, repositories=["acme/dev"], **some).raise_for_failures()
    others = folder / "v1" / "acme" / "dev" / PLATFORM / "eggs"
    for tag in ("cp310", "py312", "py2"):
        (others / tag).mkdir()
        (others / tag / "other-1.0.0-1.egg").write_bytes(b"of another Python")
    for source, target in [(folder, repository), (repository, folder)]:
        plan = mirror.plan(source, target, kinds=["eggs"], prune=True, **some)
        assert len(plan.steps) == 4
        assert {step.action for step in plan.steps} == {"skip"}


@pytest.mark.parametrize("asked", ["cp311", "cp38", "cp27", "pp27"])
def test_a_folder_shows_what_an_index_would(asked: str) -> None:
    selection = select(["eggs"], None, None, [asked])
    usable = usable_tags(asked)
    for tag in ("cp311", "cp38", "cp27", "py3", "py2", "py2.py3", "py38", "py312", "py27", "pp27"):
        assert selection.takes_egg(tag) == (preference(tag, usable) is not None), tag
    assert selection.takes_egg(None)


def test_every_difference(repository: Repository, copy: Repository, tmp_path: Path) -> None:
    here = copy.platform(PLATFORM)
    here.upload_egg(
        write_egg(tmp_path, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311", payload_bytes=1),
        overwrite=True,
    )
    copy.upload_runtime(write_runtime(tmp_path, build_revision="2.2.2"), overwrite=True)
    copy.upload_bundle(write_bundle(tmp_path, mark="other"), overwrite=True)
    here.delete_egg("cp38", "old", "1.0-1")
    here.upload_egg(write_egg(tmp_path, "extra", platform=PLATFORM, python_tag="cp38"))
    plan = mirror.plan(repository, copy, prune=True, **SOME)
    assert {path: action for path, action in actions(plan).items() if action != "skip"} == {
        EGG: "update",
        f"{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle": "update",
        f"{PLATFORM}/eggs/cp38/extra-1.0.0-1.egg": "delete",
        f"{PLATFORM}/eggs/cp38/old-1.0-1.egg": "copy",
        f"{PLATFORM}/runtimes/cpython-3.8.17+1-rh8_x86_64-gnu.runtime": "update",
    }
    assert not mirror.plan(repository, copy, **SOME).those("delete")
    document = json.loads(json.dumps(plan.document()))
    new = json.loads(write_bundle(tmp_path).read_text())
    old = {**new, "mark": "other"}
    assert document["steps"][0] == {
        "action": "update",
        "path": f"{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle",
        "size": len(json.dumps(new, indent=2)),
        "sha256": digest(new),
        "replaces": digest(old),
        "reason": None,
    }
    assert document["source"].startswith("acme/dev on http://127.0.0.1:")
    assert mirror.Plan.from_document(document, repository, copy) == plan


def test_nothing_is_deleted_when_the_source_could_not_be_read_whole(
    brood_server: BroodServer,
    repository: Repository,
    copy: Repository,
    faulty_gateway: Callable[..., FaultyGateway],
) -> None:
    gone = Answer(404, body=b'{"error": "gone"}', headers={"Content-Type": "application/json"})
    gateway = faulty_gateway(
        RequestFault("replace", path=f"*/indices/acme/dev/{PLATFORM}/*/eggs", answer=gone, times=99)
    )
    auth = (brood_server.admin_email, brood_server.admin_password)
    through = BroodClient.from_url(gateway.url, auth=auth, api_version=1)
    source = through.organization("acme").repository("dev")
    plan = mirror.plan(source, copy, prune=True, **SOME)
    assert [problem.place for problem in plan.problems] == [f"acme/dev/{PLATFORM} eggs"]
    assert not plan.those("delete")
    assert plan
    assert gateway.sent("DELETE") == gateway.sent("POST", "*/data/*") == 0


def test_no_question_for_what_the_indices_say(
    brood_server: BroodServer,
    repository: Repository,
    copy: Repository,
    faulty_gateway: Callable[..., FaultyGateway],
) -> None:
    gateway = faulty_gateway()
    auth = (brood_server.admin_email, brood_server.admin_password)
    through = BroodClient.from_url(gateway.url, auth=auth, api_version=1)
    acme = through.organization("acme")
    assert not mirror.plan(
        acme.repository("dev"), acme.repository("copy"), **{**SOME, "kinds": ["eggs", "runtimes"]}
    )
    asked = [passage.path for passage in gateway.requests if "/auth/" not in passage.path]
    # Two places, with two platforms each: the eggs of two tags, and the runtimes.
    assert len(asked) == len(set(asked)) == 2 * 2 * 3
    assert all("/indices/" in path for path in asked)


def test_two_files_that_would_be_one(
    repository: Repository, copy: Repository, tmp_path: Path
) -> None:
    root = tmp_path / "moving"
    deeper = (root / "v1/acme/copy" / EGG).parent / "deeper"
    deeper.mkdir()
    (deeper / "MyEgg-1.0-1.egg").write_bytes((root / "v1/acme/copy" / EGG).read_bytes())
    assert not mirror.plan(root, copy, **SOME)
    (deeper / "MyEgg-1.0-1.egg").write_bytes(b"other")
    with pytest.raises(InvalidArgumentError, match="one artefact"):
        mirror.plan(root, copy, **SOME)


def test_what_cannot_be_compared(
    client: BroodClient, repository: Repository, tmp_path: Path
) -> None:
    for source, target in [
        (tmp_path, tmp_path),
        (repository, repository.platform(PLATFORM)),
        (client.organization("acme"), repository),
    ]:
        with pytest.raises(InvalidArgumentError, match="compared"):
            mirror.plan(source, target)
    with pytest.raises(UnsupportedAPIVersionError):
        mirror.plan(repository, mirror.Folder(tmp_path, api_version=0), kinds=["runtimes"])
    nowhere = client.organization("acme").repository("nowhere")
    with pytest.raises(NotFoundError):
        mirror.plan(nowhere, repository, **SOME)
    with pytest.raises(InvalidArgumentError, match="'v1/acme/dev/'"):
        mirror.plan(tmp_path, repository, **SOME)
