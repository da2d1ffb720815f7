"""Out of a server, into a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository, RetryPolicy
from hatcher.errors import (
    BatchError,
    BatchInterrupted,
    InvalidArgumentError,
    InvalidDestinationError,
    NotConnectedError,
    NotFoundError,
    PermissionDeniedError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import Answer, BroodServer, FaultyGateway, RequestFault, write_egg

from .conftest import PLATFORM, files, fill, make_repository

ALL = ("eggs", "runtimes", "bundles")
#: Where all of it is: without this more than thousand indices are read, which are empty.
WHERE: dict[str, Any] = {
    "platforms": [PLATFORM, "win-x86_64"],
    "python_tags": ["cp38", "cp311"],
}


def outcomes(report: mirror.MirrorReport) -> dict[str, str]:
    return {result.name: result.outcome for result in report.results}


@pytest.fixture
def expected(repository: Repository, tmp_path: Path) -> dict[str, bytes]:
    return fill(repository, tmp_path / "artefacts")


def through(gateway: FaultyGateway, server: BroodServer) -> BroodClient:
    auth = (server.admin_email, server.admin_password)
    return BroodClient.from_url(gateway.url, auth=auth, api_version=1)


def test_everything(client: BroodClient, expected: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "deep" / "out"
    report = mirror.export(client, out, kinds=ALL)
    assert files(out) == expected
    assert outcomes(report) == dict.fromkeys(sorted(expected), "downloaded")
    assert [result.size for result in report.results] == [
        len(expected[name]) for name in sorted(expected)
    ]
    report.raise_for_failures()

    again = mirror.export(client, out, kinds=ALL, **WHERE)
    assert set(outcomes(again).values()) == {"already there"}
    assert str(again) == "7 files: 7 already there"


def test_the_usual_kinds_are_those_of_the_existing_client(
    client: BroodClient, expected: dict[str, bytes], tmp_path: Path
) -> None:
    mirror.export(client, tmp_path / "out", **WHERE)
    assert files(tmp_path / "out") == {
        path: content for path, content in expected.items() if "/bundles/" not in path
    }


def test_a_changed_file_is_replaced_and_others_are_left_alone(
    client: BroodClient, expected: dict[str, bytes], tmp_path: Path
) -> None:
    mirror.export(client, tmp_path / "out", kinds=ALL, **WHERE)
    changed = tmp_path / "out" / next(path for path in expected if "MyEgg" in path)
    status = changed.stat()
    changed.write_bytes(b"x" * status.st_size)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    (changed.parent / "of-mine.egg").write_text("mine")
    report = mirror.export(client, tmp_path / "out", kinds=ALL, **WHERE)
    assert [result.path for result in report.downloaded] == [changed]
    mine = (changed.parent / "of-mine.egg").relative_to(tmp_path / "out").as_posix()
    assert files(tmp_path / "out") == {**expected, mine: b"mine"}


def test_dry_run_writes_nothing(
    client: BroodClient, expected: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    report = mirror.export(client, out, kinds=ALL, dry_run=True, **WHERE)
    assert outcomes(report) == dict.fromkeys(sorted(expected), "would download")
    assert not out.exists()
    mirror.export(client, out, platforms=[PLATFORM])
    report = mirror.export(client, out, dry_run=True, **WHERE)
    assert [name for name, outcome in outcomes(report).items() if outcome == "would download"] == [
        path for path in expected if "win-x86_64" in path
    ]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"kinds": ["runtimes"]}, lambda path: "/runtimes/" in path),
        ({"kinds": ["bundles"], "python_tags": ["cp311"]}, lambda path: False),
        ({"platforms": ["win-x86_64"]}, lambda path: "/win-x86_64/" in path),
        (
            {"python_tags": ["cp311"]},
            lambda path: "/cp311/" in path or "/None/" in path or "3.11.9" in path,
        ),
        (
            {"python_tags": ["cp38", "cp311"], "kinds": ALL},
            lambda path: True,
        ),
        ({"repositories": ["acme/other"], **WHERE}, lambda path: False),
    ],
)
def test_some_of_it(
    client: BroodClient,
    expected: dict[str, bytes],
    tmp_path: Path,
    options: dict[str, Any],
    wanted: Callable[[str], bool],
) -> None:
    make_repository(client, "other")
    mirror.export(client, tmp_path / "out", **options)
    assert sorted(files(tmp_path / "out")) == sorted(filter(wanted, expected))


def test_one_read_of_an_index_for_each_platform_and_tag(
    brood_server: BroodServer,
    expected: dict[str, bytes],
    faulty_gateway: Callable[..., FaultyGateway],
    tmp_path: Path,
) -> None:
    gateway = faulty_gateway()
    client = through(gateway, brood_server)
    some: dict[str, Any] = {
        "repositories": ["acme/dev"],
        "platforms": [PLATFORM],
        "python_tags": ["cp38", "cp311"],
    }
    mirror.export(client, tmp_path / "out", **some)
    asked = sorted(f"{passage.method} {passage.path}" for passage in gateway.requests)
    indices = [
        f"GET /api/v1/json/indices/acme/dev/{PLATFORM}/{what}"
        for what in ("cp311/eggs", "cp38/eggs", "runtimes")
    ]
    assert [request for request in asked if "/indices/" in request] == indices
    assert not [request for request in asked if "/metadata/" in request]
    # An egg without a tag is in both indices, and comes once.
    assert len([request for request in asked if "/data/" in request]) == 5

    before = len(gateway.requests)
    mirror.export(client, tmp_path / "out", **some)
    assert len(gateway.requests) - before == len(indices)


def test_what_fails_does_not_stop_the_others(
    brood_server: BroodServer,
    expected: dict[str, bytes],
    faulty_gateway: Callable[..., FaultyGateway],
    tmp_path: Path,
) -> None:
    gone = Answer(404, body=b'{"error": "gone"}', headers={"Content-Type": "application/json"})
    gateway = faulty_gateway(
        RequestFault("replace", path="*/data/*/MyEgg/*", answer=gone, times=1000),
        RequestFault("replace", path=f"*/indices/*/{PLATFORM}/runtimes", answer=gone, times=1000),
    )
    report = mirror.export(
        through(gateway, brood_server), tmp_path / "out", kinds=["eggs", "runtimes"], **WHERE
    )
    (failed,) = report.failed
    assert failed.name.endswith("/cp311/MyEgg-1.0-1.egg")
    (problem,) = report.problems
    assert problem.place == f"acme/dev/{PLATFORM} runtimes"
    assert not report
    with pytest.raises(BatchError) as raised:
        report.raise_for_failures()
    assert raised.value.report is report
    assert f"problem: acme/dev/{PLATFORM} runtimes: " in str(report)
    assert sorted(files(tmp_path / "out")) == sorted(
        path for path in expected if "/eggs/" in path and "MyEgg" not in path
    )
    gateway.clear()
    client = through(gateway, brood_server)
    mirror.export(client, tmp_path / "out", kinds=ALL, **WHERE).raise_for_failures()
    assert files(tmp_path / "out") == expected


def test_a_repository_that_is_not_there(
    client: BroodClient, expected: dict[str, bytes], tmp_path: Path
) -> None:
    some: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": ["cp311", "cp38"]}
    report = mirror.export(client, tmp_path / "out", repositories=["acme/dev", "acme/dve"], **some)
    assert [problem.place for problem in report.problems] == ["acme/dve"]
    assert len(report.downloaded) == 5
    with pytest.raises(NotFoundError):
        mirror.export(client, tmp_path / "out", repositories=["acme/dve"], **some)


def test_what_a_user_may_see(
    brood_server: BroodServer, client: BroodClient, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """Of what is only listed to a user, nothing is exported."""
    organization = client.organization("acme")
    make_repository(client, "hidden")
    listed = make_repository(client, "listed")
    egg = write_egg(tmp_path, "listed", platform=PLATFORM)
    listed.platform(PLATFORM).upload_egg(egg)
    for group, repository in [("read_repository", "dev"), ("read_index", "listed")]:
        organization.create_team(group, group).add_repository(repository)
    created = organization.create_user("ada@example.com", ["read_repository", "read_index"])
    user = BroodClient.from_url(
        brood_server.url, auth=("ada@example.com", created.one_time_password), api_version=1
    )
    some: dict[str, Any] = {"platforms": [PLATFORM], "python_tags": ["cp311", "cp38"]}
    mirror.export(user, tmp_path / "out", kinds=ALL, **some).raise_for_failures()
    assert files(tmp_path / "out") == {
        path: content for path, content in expected.items() if PLATFORM in path
    }
    report = mirror.export(user, tmp_path / "out", repositories=["acme/listed"], **some)
    (failed,) = report.failed
    assert isinstance(failed.error, PermissionDeniedError)


def test_an_old_index_says_neither_hash_nor_tag(
    brood_server: BroodServer,
    expected: dict[str, bytes],
    faulty_gateway: Callable[..., FaultyGateway],
    tmp_path: Path,
) -> None:
    """Then, and only then, the metadata of each egg are asked for."""
    body = (
        b'{"MyEgg-1.0-1.egg": {"name": "myegg", "version": "1.0", "build": 1, "python": "3.11"},'
        b' "pure-1.0-1.egg": {"name": "pure", "version": "1.0", "build": 1, "python": null}}'
    )
    old = Answer(200, body=body, headers={"Content-Type": "application/json"})
    gateway = faulty_gateway(RequestFault("replace", path="*/indices/*", answer=old, times=1000))
    client = through(gateway, brood_server)
    for count in (2, 4):
        mirror.export(
            client,
            tmp_path / "out",
            kinds=["eggs"],
            repositories=["acme/dev"],
            platforms=[PLATFORM],
            python_tags=["cp311"],
        ).raise_for_failures()
        assert files(tmp_path / "out") == {
            path: content
            for path, content in expected.items()
            if PLATFORM in path and path.endswith(("MyEgg-1.0-1.egg", "pure-1.0-1.egg"))
        }
        assert gateway.sent("GET", "*/metadata/*/eggs/*") == count
        assert gateway.sent("GET", "*/data/*") == 2


def test_names_that_lead_elsewhere_are_not_written(
    brood_server: BroodServer,
    expected: dict[str, bytes],
    faulty_gateway: Callable[..., FaultyGateway],
    tmp_path: Path,
) -> None:
    body = (
        b'{"../../../../../../evil-1.0-1.egg": {"python_tag": "cp311"},'
        b' "fine-1.0-1.egg": {"python_tag": "../../.."}, "no egg": {"python_tag": null}}'
    )
    answer = Answer(200, body=body, headers={"Content-Type": "application/json"})
    gateway = faulty_gateway(RequestFault("replace", path="*/indices/*", answer=answer, times=1000))
    report = mirror.export(
        through(gateway, brood_server),
        tmp_path / "out",
        kinds=["eggs"],
        repositories=["acme/dev"],
        platforms=[PLATFORM],
        python_tags=["cp311"],
    )
    assert len(report.failed) == 3
    assert gateway.sent("GET", "*/data/*") == 0
    assert files(tmp_path / "out") == {}
    assert not list(tmp_path.rglob("*evil*"))


def test_arguments_that_cannot_be(client: BroodClient, tmp_path: Path) -> None:
    out = tmp_path / "out"
    for options in (
        {"repositories": ["acme"]},
        {"repositories": ["a/b/c"]},
        {"repositories": "acme/dev"},
        {"python_tags": ["py3"]},
        {"kinds": ["wheels"]},
        {"concurrency": 0},
    ):
        with pytest.raises(InvalidArgumentError):
            mirror.export(client, out, **options)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidDestinationError):
        mirror.export(client, tmp_path / "file" / "out")


def test_a_folder_that_cannot_be_made(
    client: BroodClient, expected: dict[str, bytes], tmp_path: Path
) -> None:
    """What belongs into others is written."""
    in_the_way = tmp_path / "out" / "v1" / "acme" / "dev" / PLATFORM
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    report = mirror.export(client, tmp_path / "out", kinds=["eggs"], **WHERE)
    assert len(report.failed) == 3
    assert all(isinstance(result.error, InvalidDestinationError) for result in report.failed)
    assert [result.path.name for result in report.downloaded] == ["win-1.0-1.egg"]


def test_version_0_has_eggs_only(
    brood_server: BroodServer, expected: dict[str, bytes], tmp_path: Path
) -> None:
    client = brood_server.client(api_version=0)
    mirror.export(client, tmp_path / "out", platforms=WHERE["platforms"]).raise_for_failures()
    assert files(tmp_path / "out") == {
        path.replace("v1/", "v0/", 1): content
        for path, content in expected.items()
        if "/eggs/" in path
    }
    with pytest.raises(UnsupportedAPIVersionError, match="runtimes"):
        mirror.export(client, tmp_path / "out", kinds=["runtimes"])


def test_no_server(tmp_path: Path) -> None:
    client = BroodClient.from_url(
        "http://127.0.0.1:9", auth=("a", "b"), api_version=1, retries=RetryPolicy(backoff=0)
    )
    with pytest.raises(NotConnectedError):
        mirror.export(
            client, tmp_path / "out", repositories=["a/b"], platforms=["p"], python_tags=["cp311"]
        )


def test_ctrl_c_tells_of_all_that_was_done(
    client: BroodClient, repository: Repository, tmp_path: Path
) -> None:
    other = make_repository(client, "other")
    for number, place in enumerate([repository, other, other, other]):
        egg = write_egg(tmp_path, f"egg{number}", platform=PLATFORM, payload_bytes=300_000)
        place.platform(PLATFORM).upload_egg(egg)
    told: list[int] = []

    def interrupt(done: int, total: int | None, phase: str) -> None:
        told.append(done)
        if len(told) > 1 and done < told[-2]:  # the second repository begins
            raise KeyboardInterrupt

    some: dict[str, Any] = {
        "kinds": ["eggs"],
        "platforms": [PLATFORM],
        "python_tags": ["cp311"],
    }
    with pytest.raises(BatchInterrupted) as stop:
        mirror.export(client, tmp_path / "out", **some, progress=interrupt)
    results = stop.value.report.results
    assert len(results) == 4
    assert results[0].name.startswith("v1/acme/dev/")
    assert results[0].outcome == "downloaded"
    mirror.export(client, tmp_path / "out", **some).raise_for_failures()
    assert len(files(tmp_path / "out")) == 4
