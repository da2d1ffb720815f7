"""Out of a server, into a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hatcher import errors, mirror
from hatcher.api import BroodClient

from .conftest import (
    EGG,
    PLATFORM,
    SOME,
    answered,
    egg,
    files,
    nowhere,
    outcomes,
    places,
    refused,
)

ALL = ("eggs", "runtimes", "bundles")
ONE: dict[str, Any] = {"kinds": ["eggs"], "platforms": [PLATFORM], "python_tags": ["cp311"]}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "out"


def test_everything(lab, out):
    report = mirror.export(lab.client, out, kinds=ALL)
    assert files(out) == lab.expected
    assert outcomes(report) == dict.fromkeys(sorted(lab.expected), "downloaded")
    sizes = {result.name: result.size for result in report.results}
    assert sizes == {name: len(content) for name, content in lab.expected.items()}
    report.raise_for_failures()
    again = mirror.export(lab.client, out, kinds=ALL, **SOME)
    assert str(again) == "7 files: 7 already there"


def test_a_changed_file_is_replaced_and_others_are_left_alone(lab, out):
    mirror.export(lab.client, out, kinds=ALL, **SOME)
    changed = out / "v1/acme/dev" / EGG
    status = changed.stat()
    changed.write_bytes(b"x" * status.st_size)
    os.utime(changed, ns=(status.st_atime_ns, status.st_mtime_ns))
    (changed.parent / "of-mine.egg").write_text("mine")
    report = mirror.export(lab.client, out, kinds=ALL, **SOME)
    assert [result.path for result in report.downloaded] == [changed]
    mine = (changed.parent / "of-mine.egg").relative_to(out).as_posix()
    assert files(out) == {**lab.expected, mine: b"mine"}


def test_dry_run_writes_nothing(lab, out):
    report = mirror.export(lab.client, out, kinds=ALL, dry_run=True, **SOME)
    assert outcomes(report) == dict.fromkeys(sorted(lab.expected), "would download")
    assert not out.exists()
    mirror.export(lab.client, out, platforms=[PLATFORM])
    report = mirror.export(lab.client, out, dry_run=True, **SOME)
    would = [name for name, outcome in outcomes(report).items() if outcome == "would download"]
    assert would == [path for path in lab.expected if "win-x86_64" in path]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (SOME, lambda path: "/bundles/" not in path),  # as the existing client does
        ({"kinds": ["runtimes"]}, lambda path: "/runtimes/" in path),
        ({"kinds": ["bundles"], "python_tags": ["cp311"]}, lambda path: False),
        ({"platforms": ["win-x86_64"]}, lambda path: "/win-x86_64/" in path),
        (
            {"python_tags": ["cp311"]},
            lambda path: "/cp311/" in path or "/None/" in path or "3.11.9" in path,
        ),
        ({"python_tags": ["cp38", "cp311"], "kinds": ALL}, lambda path: True),
        ({"repositories": ["acme/other"], **SOME}, lambda path: False),
    ],
)
def test_some_of_it(lab, out, options, wanted):
    lab.new("other")
    mirror.export(lab.client, out, **options)
    assert sorted(files(out)) == sorted(filter(wanted, lab.expected))


def test_one_read_of_an_index_for_each_platform_and_tag(lab, out):
    some = {**SOME, "repositories": ["acme/dev"], "platforms": [PLATFORM]}
    client = BroodClient(lab.behind()._session)
    mirror.export(client, out, **some)
    asked = sorted(f"{passage.method} {passage.path}" for passage in lab.gateway.requests)
    indices = [
        f"GET /api/v1/json/indices/acme/dev/{PLATFORM}/{what}"
        for what in ("cp311/eggs", "cp38/eggs", "runtimes")
    ]
    assert [request for request in asked if "/indices/" in request] == indices
    assert not [request for request in asked if "/metadata/" in request]
    # An egg without a tag is in both indices, and comes once.
    assert len([request for request in asked if "/data/" in request]) == 5
    before = len(lab.gateway.requests)
    mirror.export(client, out, **some)
    assert len(lab.gateway.requests) - before == len(indices)


def test_what_fails_does_not_stop_the_others(lab, out):
    faults = refused("*/data/*/MyEgg/*"), refused(f"*/indices/*/{PLATFORM}/runtimes")
    client = BroodClient(lab.behind(*faults)._session)
    report = mirror.export(client, out, kinds=["eggs", "runtimes"], **SOME)
    assert [result.name for result in report.failed] == [f"v1/acme/dev/{EGG}"]
    assert places(report) == [f"acme/dev/{PLATFORM} runtimes"]
    assert not report
    with pytest.raises(errors.BatchError) as raised:
        report.raise_for_failures()
    assert raised.value.report is report
    assert f"problem: acme/dev/{PLATFORM} runtimes: " in str(report)
    assert sorted(files(out)) == sorted(
        path for path in lab.expected if "/eggs/" in path and "MyEgg" not in path
    )
    lab.gateway.clear()
    client = lab.server.client(url=lab.gateway.url)
    mirror.export(client, out, kinds=ALL, **SOME).raise_for_failures()
    assert files(out) == lab.expected


def test_a_repository_that_is_not_there(lab, out):
    report = mirror.export(lab.client, out, repositories=["acme/dev", "acme/dve"], **SOME)
    assert places(report) == ["acme/dve"]
    assert len(report.downloaded) == 6
    with pytest.raises(errors.NotFoundError):
        mirror.export(lab.client, out, repositories=["acme/dve"], **SOME)


def test_what_a_user_may_see(lab, out, tmp_path):
    """Of what is only listed to a user, nothing is exported."""
    lab.new("hidden")
    lab.new("listed").platform(PLATFORM).upload_egg(egg(tmp_path, "listed"))
    for group, repository in [("read_repository", "dev"), ("read_index", "listed")]:
        lab.acme.create_team(group, group).add_repository(repository)
    created = lab.acme.create_user("ada@example.com", ["read_repository", "read_index"])
    user = lab.server.client(auth=("ada@example.com", created.one_time_password))
    mirror.export(user, out, kinds=ALL, **SOME).raise_for_failures()
    assert files(out) == lab.expected
    report = mirror.export(user, out, repositories=["acme/listed"], **SOME)
    (failed,) = report.failed
    assert isinstance(failed.error, errors.PermissionDeniedError)


def test_an_old_index_says_neither_hash_nor_tag(lab, out):
    """Then, and only then, the metadata of each egg are asked for."""
    old = {
        "MyEgg-1.0-1.egg": {"name": "myegg", "version": "1.0", "build": 1, "python": "3.11"},
        "pure-1.0-1.egg": {"name": "pure", "version": "1.0", "build": 1, "python": None},
    }
    client = BroodClient(lab.behind(answered("*/indices/*", old))._session)
    for count in (2, 4):
        mirror.export(client, out, repositories=["acme/dev"], **ONE).raise_for_failures()
        wanted = (f"v1/acme/dev/{path}" for path in (EGG, f"{PLATFORM}/eggs/None/pure-1.0-1.egg"))
        assert files(out) == {path: lab.expected[path] for path in wanted}
        assert lab.gateway.sent("GET", "*/metadata/*/eggs/*") == count
        assert lab.gateway.sent("GET", "*/data/*") == 2


def test_names_that_lead_elsewhere_are_not_written(lab, out, tmp_path):
    index = {
        "../../../../../../evil-1.0-1.egg": {"python_tag": "cp311"},
        "fine-1.0-1.egg": {"python_tag": "../../.."},
        "no egg": {"python_tag": None},
    }
    client = BroodClient(lab.behind(answered("*/indices/*", index))._session)
    report = mirror.export(client, out, repositories=["acme/dev"], **ONE)
    assert len(report.failed) == 3
    assert lab.gateway.sent("GET", "*/data/*") == 0
    assert files(out) == {}
    assert not list(tmp_path.rglob("*evil*"))


def test_arguments_that_cannot_be(lab, out, tmp_path):
    for options in (
        {"repositories": ["acme"]},
        {"repositories": ["a/b/c"]},
        {"repositories": "acme/dev"},
        {"python_tags": ["py3"]},
        {"kinds": ["wheels"]},
        {"concurrency": 0},
    ):
        with pytest.raises(errors.InvalidArgumentError):
            mirror.export(lab.client, out, **options)
    (tmp_path / "file").touch()
    with pytest.raises(errors.InvalidDestinationError):
        mirror.export(lab.client, tmp_path / "file" / "out")
    with pytest.raises(errors.NotConnectedError):
        mirror.export(nowhere(), out, repositories=["a/b"], platforms=["p"], python_tags=["cp311"])


def test_a_folder_that_cannot_be_made(lab, out):
    """What belongs into others is written."""
    in_the_way = out / "v1" / "acme" / "dev" / PLATFORM
    in_the_way.parent.mkdir(parents=True)
    in_the_way.touch()
    report = mirror.export(lab.client, out, kinds=["eggs"], **SOME)
    assert [type(result.error) for result in report.failed] == [errors.InvalidDestinationError] * 3
    assert [result.path.name for result in report.downloaded] == ["win-1.0-1.egg"]


def test_version_0_has_eggs_only(lab, out):
    client = lab.server.client(api_version=0)
    mirror.export(client, out, platforms=SOME["platforms"]).raise_for_failures()
    assert files(out) == {
        path.replace("v1/", "v0/", 1): content
        for path, content in lab.expected.items()
        if "/eggs/" in path
    }
    with pytest.raises(errors.UnsupportedAPIVersionError, match="runtimes"):
        mirror.export(client, out, kinds=["runtimes"])


def test_ctrl_c_tells_of_all_that_was_done(lab, out, tmp_path):
    one, other = lab.new("one"), lab.new("other")
    for number, place in enumerate([one, other, other, other]):
        place.platform(PLATFORM).upload_egg(egg(tmp_path, f"egg{number}", 300_000))
    told: list[int] = []

    def interrupt(done: int, total: int | None, phase: str) -> None:
        told.append(done)
        if len(told) > 1 and done < told[-2]:  # the second repository begins
            raise KeyboardInterrupt

    some = {**ONE, "repositories": ["acme/one", "acme/other"]}
    with pytest.raises(errors.BatchInterrupted) as stop:
        mirror.export(lab.client, out, **some, progress=interrupt)
    results = stop.value.report.results
    assert len(results) == 4
    assert results[0].name.startswith("v1/acme/one/")
    assert results[0].outcome == "downloaded"
    mirror.export(lab.client, out, **some).raise_for_failures()
    assert len(files(out)) == 4
