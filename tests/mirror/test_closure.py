"""Bundles with all that belongs to them: looked for, and fetched."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher import errors, mirror
from hatcher.testing import BroodServer, FaultyGateway, write_bundle, write_egg, write_runtime

from .conftest import PLATFORM, Requiring, answered, files

PLACE = f"v1/acme/dev/{PLATFORM}"


@pytest.fixture
def changed(world: Requiring, tmp_path: Path) -> Callable[..., Path]:
    """Writes the bundle's file with something else in it."""

    def change(index: int | None = None, **fields: Any) -> Path:
        document = json.loads(json.dumps(world.document))
        if index is None:
            document |= fields
        else:
            document["requirements"][index] |= fields
        return write_bundle(tmp_path, **document)

    return change


def states(check: mirror.BundleCheck) -> dict[str, str]:
    return {entry.name: entry.state for entry in check.entries}


# -- looking ---------------------------------------------------------------------------------


def test_everything_is_there(world, changed):
    for bundle, place in [
        (world.bundle, None),
        (world.bundle, world.client),
        (changed(), world.client),
        (world.document, world.client),
    ]:
        check = mirror.check_bundle(bundle, place)
        assert check
        assert states(check) == dict.fromkeys(("cpython", "myegg", "pure", "old"), "present")
        assert [entry.repository for entry in check.entries] == ["acme/base"] + ["acme/dev"] * 3
    assert str(mirror.check_bundle(changed(), world.client)) == (
        "tools-1.0.0-1.bundle: 4 artefacts: 4 present"
    )


def test_another_repository(world, tmp_path):
    """Whatever the bundle names: whether it could go there."""
    prod = world.client.organization("acme").create_repository("prod", "What customers get")
    assert states(mirror.check_bundle(world.bundle, prod)) == dict.fromkeys(
        ("cpython", "myegg", "pure", "old"), "missing"
    )
    prod.upload_runtime(write_runtime(tmp_path))
    on = prod.platform(PLATFORM)
    on.upload_egg(
        write_egg(tmp_path, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp38"), enabled=False
    )
    on.upload_egg(write_egg(tmp_path, "pure", "1.0", platform=PLATFORM, payload_bytes=9))
    for place in (prod, prod.platform("rh8_x86_64")):
        check = mirror.check_bundle(world.bundle, place)
        assert not check
        assert states(check) == {
            "cpython": "present",
            "myegg": "disabled",
            "pure": "different",
            "old": "missing",
        }
    (different,) = check.those("different")
    assert different.sha256 == world.document["requirements"][1]["sha256"] != different.actual
    lines = str(check).splitlines()
    assert lines[0] == (
        f"acme/dev/{PLATFORM}/bundles/cp38/tools/1.0.0-1: "
        "4 artefacts: 1 present, 1 disabled, 1 different, 1 missing"
    )
    assert lines[1] == "disabled: egg myegg 1.0-1 in acme/prod"
    assert lines[2].startswith("different: egg pure 1.0-1 in acme/prod has the sha256 ")
    document = json.loads(json.dumps(check.document()))
    assert document["entries"][3] == {
        "state": "missing",
        "kind": "eggs",
        "name": "old",
        "version": "1.0-1",
        "repository": "acme/prod",
        "sha256": world.document["requirements"][2]["sha256"],
        "actual": None,
    }
    with pytest.raises(errors.InvalidArgumentError, match="is for rh8-x86_64"):
        mirror.check_bundle(world.bundle, prod.platform("win-x86_64"))


def test_repositories_that_cannot_be_read(world, changed):
    acme = world.client.organization("acme")
    with pytest.raises(errors.NotFoundError):
        mirror.check_bundle(world.bundle, acme.repository("nowhere"))
    bundle = changed(
        repositories={"packages": ["acme/nowhere", "acme/dev"]},
        requirements=[{"name": "pure", "version": "1.0-1"}],
    )
    check = mirror.check_bundle(bundle, world.client)
    assert check, "It is in the other one."
    assert [problem.place for problem in check.problems] == [f"acme/nowhere/{PLATFORM} eggs"]
    check = mirror.check_bundle(changed(repositories=[]), world.client)
    assert states(check) == {
        "cpython": "present",
        "myegg": "present",
        "pure": "missing",
        "old": "missing",
    }
    assert "missing: egg pure 1.0-1, of which the bundle names no repository" in str(check)


def test_one_question_for_each_index(world, changed):
    more = [{"name": "hidden", "version": "9-1"}, *world.document["requirements"]]
    with FaultyGateway(world.server.url) as gateway, world.behind(gateway) as through:
        mirror.check_bundle(changed(requirements=more), through.at("acme/dev"))
        asked = [passage.path.split("/json/")[1] for passage in gateway.requests]
    assert sorted(asked) == [
        f"indices/acme/dev/{PLATFORM}/cp38/eggs",
        f"indices/acme/dev/{PLATFORM}/runtimes",
        f"metadata/acme/dev/{PLATFORM}/cp38/eggs/hidden/9-1",
    ]


def test_indices_that_say_little(world, tmp_path):
    """Old ones have neither hashes nor tags: the artefacts are asked for."""
    eggs = {
        name: {key: value for key, value in entry.items() if key not in ("sha256", "python_tag")}
        for name, entry in world.dev.platform(PLATFORM).egg_index("cp38").items()
    }
    runtimes = world.client.at(f"acme/base/{PLATFORM}").runtime_index()
    for entry in runtimes["cpython"].values():
        del entry["sha256"]
    faults = [
        answered(f"*/indices/acme/dev/{PLATFORM}/cp38/eggs", eggs),
        answered(f"*/indices/acme/base/{PLATFORM}/runtimes", runtimes),
    ]
    with FaultyGateway(world.server.url, *faults) as gateway, world.behind(gateway) as through:
        bundle = through.at(f"acme/dev/{PLATFORM}").bundle("cp38", "tools", "1.0.0-1")
        assert mirror.check_bundle(bundle)
        # Those of which a repository is not known are looked for in both.
        assert gateway.sent("GET", "*/metadata/*/eggs/*") == 3 + 2
        mirror.fetch_bundle(bundle, tmp_path / "fetched").raise_for_failures()
    assert files(tmp_path / "fetched") == world.expected


@pytest.mark.parametrize(
    ("index", "fields", "said"),
    [
        (None, {"requirements": {"pure": "1.0"}}, "'requirements' is not a list"),
        (None, {"requirements": ["pure 1.0-1"]}, "requirement 1 has no name"),
        (1, {"version": None}, "requirement 2 has no version"),
        (2, {"sha256": "1234"}, "Requirement 3 of .* has the sha256 '1234'"),
        (0, {"repository": "acme"}, "is in 'acme', which is no repository"),
        (
            None,
            {"runtime": {"implementation": "julia", "platform": "rh8_x86_64", "version": "1.9"}},
            "is no Python that has a tag",
        ),
    ],
)
def test_bundles_that_cannot_be_understood(world, changed, index, fields, said):
    with pytest.raises(errors.InvalidBundle, match=said):
        mirror.check_bundle(changed(index, **fields), world.client)


def test_arguments(world, changed, tmp_path):
    gone = world.dev.platform(PLATFORM).bundle("cp38", "gone", "1.0.0-1")
    for error, said, arguments in [
        (errors.InvalidArgumentError, "a client", [changed()]),
        (errors.InvalidArgumentError, "no place", [changed(), "acme/dev"]),
        (errors.InvalidArgumentError, "no bundle", [17, world.client]),
        (errors.InvalidBundle, "", [tmp_path / "gone-1.0.0-1.bundle", world.client]),
        (errors.UnsupportedAPIVersionError, "", [changed(), world.server.client(api_version=0)]),
        (errors.NotFoundError, "", [gone]),
    ]:
        with pytest.raises(error, match=said or None):
            mirror.check_bundle(*arguments)
    with pytest.raises(errors.InvalidArgumentError, match="no name"):
        mirror.fetch_bundle(world.document, tmp_path, world.client)
    with pytest.raises(errors.InvalidArgumentError, match="no repository"):
        mirror.fetch_bundle(write_bundle(tmp_path), tmp_path / "out", world.client)
    (tmp_path / "file").touch()
    with pytest.raises(errors.InvalidDestinationError):
        mirror.fetch_bundle(world.bundle, tmp_path / "file")


# -- fetching --------------------------------------------------------------------------------


def test_fetched_and_imported(world, tmp_path):
    """What is fetched is all that another server needs."""
    folder = tmp_path / "fetched"
    would = mirror.fetch_bundle(world.bundle, folder, dry_run=True)
    assert not folder.exists()
    assert [result.outcome for result in would.results] == ["would download"] * 5
    report = mirror.fetch_bundle(world.bundle, folder)
    report.raise_for_failures()
    assert mirror.verify(folder), "It is written down what it is."
    assert files(folder) == world.expected
    assert [result.name for result in report.downloaded] == sorted(world.expected)
    again = mirror.fetch_bundle(world.bundle, folder)
    assert str(again) == "5 files: 5 already there"

    with BroodServer() as server:
        client = server.client(api_version=1)
        client.create_organization("acme", "Makers of everything")
        mirror.import_(client, folder, create_missing=True).raise_for_failures()
        bundle = client.at(f"acme/dev/{PLATFORM}").bundle("cp38", "tools", "1.0.0-1")
        assert mirror.check_bundle(bundle)


def test_a_file_of_a_bundle_and_a_cache(world, changed, tmp_path):
    """The second folder is filled without a download: there is no server any more."""
    cache = mirror.Cache(tmp_path / "cache")
    file = changed()
    mirror.fetch_bundle(file, tmp_path / "first", world.client, cache=cache).raise_for_failures()
    own = f"{PLACE.replace('dev', 'base')}/bundles/cp38/tools-1.0.0-1.bundle"
    expected = world.expected | {own: file.read_bytes()}
    del expected[f"{PLACE}/bundles/cp38/tools-1.0.0-1.bundle"]
    assert files(tmp_path / "first") == expected
    assert cache.usage().files == 4

    notes = []
    report = mirror.fetch_bundle(
        file,
        tmp_path / "second",
        world.client,
        cache=cache,
        progress=lambda *now: notes.append(now),
    )
    assert files(tmp_path / "second") == expected
    assert len(report.downloaded) == 5
    assert not [phase for _, _, phase in notes if phase == "downloading"]


def test_what_cannot_be_had_does_not_stop_the_others(world, changed, tmp_path):
    folder = tmp_path / "fetched"
    other = changed(
        requirements=[
            {"name": "pure", "version": "1.0-1", "sha256": "ab" * 32},
            {"name": "gone", "version": "1.0-1"},
            {"name": "old", "version": "1.0-1"},
        ]
    )
    report = mirror.fetch_bundle(other, folder, world.dev)
    failed = {Path(result.name).name: str(result.error) for result in report.failed}
    assert failed.keys() == {"cpython-3.8.17+1.runtime", "gone-1.0-1.egg", "pure-1.0-1.egg"}
    assert "acme/dev has another pure-1.0-1.egg" in failed["pure-1.0-1.egg"]
    assert "acme/dev has no egg gone 1.0-1" in failed["gone-1.0-1.egg"]
    assert sorted(files(folder)) == [
        f"{PLACE}/bundles/cp38/tools-1.0.0-1.bundle",
        f"{PLACE}/eggs/cp38/old-1.0-1.egg",
    ]
    assert not mirror.fetch_bundle(changed(repositories=[]), folder, world.client)
