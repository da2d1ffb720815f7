"""`hatcher search`, and 'latest' where a version is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from hatcher.cli.commands.searching import search
from hatcher.core.search import Kind
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

from .conftest import Cli, command_line
from .test_completion import offered

PLACE = ("acme", "dev", "rh8-x86_64")


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BroodServer]:
    """A server with two versions of everything."""
    folder = tmp_path_factory.mktemp("files")
    with BroodServer() as server:
        dev = server.client().create_organization("acme", "-").create_repository("dev", "-")
        for build in (9, 10):
            egg = write_egg(folder, "numpy", "1.9.0", build, python_tag="cp311", platform=PLACE[2])
            dev.platform(PLACE[2]).upload_egg(egg)
            dev.upload_runtime(write_runtime(folder, version=f"3.8.{build}+1"))
            dev.upload_app(write_app(folder, build=build))
            dev.upload_bundle(write_bundle(folder, build=build))
        legacy = server.client(api_version=0).at("acme/dev")
        legacy.upload_runtime(write_legacy_runtime(folder))
        yield server


@pytest.fixture
def cli(full: BroodServer, tmp_path: Path) -> Iterator[Cli]:
    """`hatcher`, with that server."""
    with command_line(full, tmp_path) as made:
        yield made


def test_people_see_a_table_in_the_order_of_versions(cli):
    done = cli("search", "numpy", "acme/dev", "-t", "cp311", "-p", "rh8-*")
    rows = [line.split() for line in done.out.splitlines()]
    assert rows[0][:2] == ["Name", "Version"]
    assert [row[1] for row in rows[2:]] == ["1.9.0-9", "1.9.0-10"]
    assert (done.code, done.err) == (0, "")


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("numpy acme/dev/rh8-x86_64 -t cp311", {"egg numpy 1.9.0-9", "egg numpy 1.9.0-10"}),
        ("c*>=3.8.10 acme/dev/rh8-x86_64", {"runtime cpython 3.8.10+1"}),
        (
            "* acme/dev -p rh8-x86_64 -a app -a bundle -t cp38",
            {
                "app com.example.viewer 1.10-9",
                "app com.example.viewer 1.10-10",
                "bundle tools 1.0.0-9",
                "bundle tools 1.0.0-10",
            },
        ),
    ],
)
def test_programs_get_records(cli, asked, found):
    pattern, *options = asked.split(" ")
    for output in ("json", "jsonl"):
        done = cli("search", pattern, *options, "-o", output)
        assert done.code == 0, done.err
    records = cli("search", pattern, *options, "-o", "json").data
    assert {f"{one['kind']} {one['name']} {one['version']}" for one in records} == found
    assert {one["place"] for one in records} == {"acme/dev/rh8-x86_64"}


@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        ("nunpy acme -p rh8-x86_64 -t cp311", 4, "Did you mean 'numpy'?"),
        ("numpy>2 acme/dev/rh8-x86_64 -t cp311", 4, "There are: 1.9.0-9, 1.9.0-10."),
        ("x acme/dev/rh8-x86_64 -t cp3111", 4, "Did you mean 'cp311'"),
        ("numpy acne -p rh8-x86_64", 4, "Did you mean 'acme'?"),
        ("numpy acme/dve/rh8-x86_64", 4, "Did you mean 'dev'?"),
        ("numpy acme -p rh99-*", 2, "is like 'rh99-*'"),
        ("numpy>=x acme", 2, "'x' is no version"),
        (">=1 acme", 2, "begins with no name"),
        ("numpy acme/dev/rh8-x86_64 -p rh8-*", 2, "Leave --platform out"),
        ("numpy acme/dev/rh8-x86_64/x", 2, "is no path"),
        ("numpy acme --kind eggs", 2, "'eggs' is not one of"),
        ("numpy acme -t cp-311", 2, "is no python tag"),
        ("numpy acme -p ", 2, "platform cannot be"),
    ],
)
def test_what_cannot_be_found(cli, asked, code, said):
    cli.fails(code, said, "search", *asked.split(" "))


def test_places_that_cannot_be_read_make_the_exit_code(cli, full):
    answer = Answer(403, {"Content-Type": "application/json"}, b'{"error": "no"}')
    fault = RequestFault("replace", at="request", path="*/apps", times=9, answer=answer)
    with FaultyGateway(full.url, fault) as gateway:
        done = cli("--url", gateway.url, "search", "numpy", "/".join(PLACE), "-t", "cp311")
    assert done.code == 7 and "1.9.0-10" in done.out
    assert "acme/dev/rh8-x86_64 apps" in done.err


def test_its_kinds_are_those_of_the_graph():
    (kinds,) = [each.type.choices for each in search.params if each.name == "kinds"]
    assert tuple(kinds) == get_args(Kind)


LATEST = [
    ("eggs metadata", "cp311 numpy latest", "1.9.0-10"),
    ("eggs metadata", "cp311 NumPy<1.9.1 latest", "1.9.0-10"),
    ("runtimes metadata", "cpython latest", "3.8.10+1"),
    ("apps metadata", "cp38 com.example.viewer latest", "1.10-10"),
    ("bundles metadata", "cp38 tools latest", "1.0.0-10"),
]


@pytest.mark.parametrize(("command", "named", "version"), LATEST)
def test_latest_is_the_newest_version(cli, command, named, version):
    said = cli(*command.split(), *PLACE, *named.split()).data
    upstream, build = version.replace("+", "-").split("-")
    told = str(said.get("full_version") or f"{said['version']}-{said.get('build')}")
    assert told in (version, f"{version}-None", f"{upstream}-{build}")


def test_latest_of_the_runtimes_of_version_0(cli):
    where = ("--api-version", "0", "runtimes", "metadata", "acme", "dev", "rh8-64")
    assert cli(*where, "cp27", "latest").data["full_version"] == "2.7.10-1"


def test_latest_is_downloaded(cli):
    done = cli("eggs", "download", *PLACE, "cp311", "numpy", "latest", ".", "-o", "json")
    assert [one["file"] for one in done.data] == ["numpy-1.9.0-10.egg"]


@pytest.mark.parametrize(
    ("command", "named", "code", "said"),
    [
        ("eggs metadata", "cp311 nunpy latest", 4, "Did you mean 'numpy'?"),
        ("eggs metadata", "cp311 num* latest", 2, "may be several"),
        ("eggs delete", "cp311 numpy latest -y", 2, "no version to delete"),
        ("runtimes delete", "cpython latest -y", 2, "no version to delete"),
        ("bundles delete", "cp38 tools latest --dry-run", 2, "no version to delete"),
    ],
)
def test_what_has_no_latest(cli, command, named, code, said):
    cli.fails(code, said, *command.split(), *PLACE, *named.split())


def test_versions_are_completed_the_newest_first_and_latest_before_them(cli, monkeypatch):
    monkeypatch.setenv("HATCHER_COMPLETION_TIMEOUT", "30")
    line = " ".join(PLACE)
    versions = ["1.9.0-10", "1.9.0-9"]
    assert offered(cli, f"eggs download {line} cp311 numpy ") == ["latest", *versions]
    assert offered(cli, f"eggs delete {line} cp311 numpy ") == versions
    assert offered(cli, f"runtimes metadata {line} cpython l") == ["latest"]
    assert offered(cli, "search numpy acme/dev -p rh8-x") == ["rh8-x86", "rh8-x86_64"]
