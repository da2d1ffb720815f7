"""How much room artefacts take on a server, in Python and on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher import mirror
from hatcher.api import BroodClient
from hatcher.errors import InvalidArgumentError, NotFoundError, PermissionDeniedError
from hatcher.testing import BroodServer, FaultyGateway, write_bundle, write_egg, write_runtime

from ..cli.conftest import Cli, command_line
from .conftest import PLATFORM, answered, refused

SOME = {"platforms": [PLATFORM, "win-x86_64"], "python_tags": ["cp311", "cp38"]}
OPTIONS = ("-p", PLATFORM, "-p", "win-x86_64", "-t", "cp311", "-t", "cp38")

#: Place, name, python tag, bytes of its payload.
EGGS = [
    (f"acme/dev/{PLATFORM}", "Numpy", "cp311", 40_000),
    (f"acme/dev/{PLATFORM}", "pure", None, 1000),
    ("acme/dev/win-x86_64", "numpy", "cp38", 30_000),
    (f"acme/prod/{PLATFORM}", "numpy", "cp311", 50_000),
    (f"bulk/dev/{PLATFORM}", "spam", "cp311", 500_000),
]


@pytest.fixture(scope="module")
def sized(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BroodServer, dict[str, int]]]:
    """A server, and the sizes of its eggs by place and name."""
    folder, sizes = tmp_path_factory.mktemp("files"), {}
    with BroodServer() as server:
        client = server.client(api_version=1)
        for organization in ("acme", "bulk"):
            made = client.create_organization(organization, "-")
            for repository in ("dev", "prod"):
                made.create_repository(repository, "-")
        for place, name, tag, size in EGGS:
            egg = write_egg(folder, name, python_tag=tag, payload_bytes=size)
            client.platform(place).upload_egg(egg)
            sizes[f"{place}/{name}"] = egg.stat().st_size
        dev = client.repository("acme/dev")
        dev.upload_runtime(write_runtime(folder))
        dev.upload_bundle(write_bundle(folder))
        yield server, sizes


@pytest.fixture
def client(sized: tuple[BroodServer, dict[str, int]]) -> BroodClient:
    return sized[0].client(api_version=1)


@pytest.fixture
def cli(sized: tuple[BroodServer, dict[str, int]], tmp_path: Path) -> Iterator[Cli]:
    with command_line(sized[0], tmp_path) as made:
        yield made


def added_up(sizes: dict[str, int], groups: dict[str, str]) -> list[tuple[str, int]]:
    """Each group with the sizes of what begins with one of the words that it is given."""
    return [
        (name, sum(size for path, size in sizes.items() if word in path.lower()))
        for name, word in groups.items()
    ]


@pytest.mark.parametrize(
    ("place", "by", "groups"),
    [
        ("", None, {"bulk": "bulk/", "acme": "acme/"}),
        ("", "repository", {"bulk/dev": "bulk/dev", "acme/dev": "acme/dev", "acme/prod": "prod"}),
        ("", "name", {"spam": "spam", "numpy": "numpy", "pure": "pure"}),
        ("acme", None, {"acme/dev": "acme/dev", "acme/prod": "acme/prod"}),
        ("acme", "organization", {"acme": "acme/"}),
        ("acme/dev", None, {PLATFORM: f"acme/dev/{PLATFORM}", "win-x86_64": "win"}),
        (f"acme/dev/{PLATFORM}", None, {"numpy": "rh8-x86_64/numpy", "pure": "pure"}),
    ],
)
def test_sizes_are_added_up(sized, client, cli, place, by, groups):
    wanted = added_up({p: s for p, s in sized[1].items() if p.startswith(place)}, groups)
    used = mirror.usage(client.at(place) if place else client, by=by, kinds=["eggs"], **SOME)
    assert [(share.name, share.size) for share in used.shares] == wanted
    assert used and (used.total.size, used.total.unsized) == (sum(s for _, s in wanted), 0)
    asked = [*([place] if place else []), *(["--by", by] if by else []), "--kind", "eggs"]
    shown = cli("du", *asked, *OPTIONS, "-o", "json")
    assert shown.data == used.document()["shares"]


def test_what_no_index_tells_the_size_of_is_counted(client, cli):
    used = mirror.usage(client.repository("acme/dev"), **SOME)
    assert (used.total.artefacts, used.total.unsized) == (5, 2)
    first, second = used.shares
    assert (first.artefacts, first.unsized, second.artefacts) == (4, 2, 1)
    told = cli("du", "acme/dev", *OPTIONS)
    assert told.out == (
        "Name          Artefacts     Size\n"
        "----------  -----------  -------\n"
        "rh8-x86_64            4  43.0 kB\n"
        "win-x86_64            1  31.0 kB\n"
    )
    assert told.err == f"{used}.\n" and "does not say the size of 2" in told.err


def test_an_empty_place(cli):
    empty = cli("du", "bulk/prod", *OPTIONS)
    assert (empty.code, empty.out) == (0, "") and "bulk/prod" in empty.err
    assert cli("du", "bulk/prod", *OPTIONS, "-o", "csv").out == "name,artefacts,size,unsized\n"


def test_what_cannot_be_read_is_told_and_not_counted(sized, cli):
    server, _ = sized
    for fault, place in (
        (refused("*/indices/acme/dev/*", 403), "acme/dev"),
        (answered("*/indices/acme/dev/win*/cp38/eggs", [7]), "acme/dev/win-x86_64 eggs"),
    ):
        with FaultyGateway(server.url, fault) as gateway:
            client = server.client(url=gateway.url, api_version=1)
            used = mirror.usage(client.organization("acme"), **SOME)
            assert not used and [problem.place for problem in used.problems] == [place]
            assert "acme/prod" in [share.name for share in used.shares]
            assert f"problem: {place}: " in str(used)
            told = cli("--url", gateway.url, "du", "acme", *OPTIONS, "-o", "json")
            assert told.code == 7 and f"problem: {place}: " in told.err
            assert json.loads(told.out) == used.document()["shares"]
    with FaultyGateway(server.url, refused("*/indices/*", 403)) as gateway:
        with pytest.raises(PermissionDeniedError):
            mirror.usage(server.client(url=gateway.url).organization("acme"), **SOME)
        assert cli("--url", gateway.url, "du", *OPTIONS).code == 3


def test_bad_arguments(client, cli):
    for asked, said in (
        ({"by": "size"}, "by is 'size'; choose of: organization, repository, platform, name"),
        ({"by": 7}, "choose of"),
        ({"kinds": ["egg"]}, "no kind 'egg'"),
        ({"python_tags": "cp311"}, "takes a list"),
        ({"concurrency": 0}, "concurrency is 0"),
    ):
        with pytest.raises(InvalidArgumentError, match=said):
            mirror.usage(client, **asked)
    with pytest.raises(NotFoundError, match="acme"):
        mirror.usage(client.organization("acne"), **SOME)
    cli.fails(4, "Did you mean 'acme'?", "du", "acne", *OPTIONS)
    cli.fails(4, "Did you mean 'dev'?", "du", "acme/dve", *OPTIONS)
    for wrong in ("", " ", "a//b", "a/b/c/d", "a\nb", "..", "acme/\x1b"):
        assert cli("du", wrong, *OPTIONS).code == 2, wrong
    cli.fails(2, "'size' is not one of", "du", "--by", "size")
