"""Places in one word: ``acme/dev/rh8-x86_64`` for ``acme dev rh8-x86_64``, in every command."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher.api import BroodClient, Repository, SinglePlatformRepository
from hatcher.cli.groups import place_of
from hatcher.cli.root import hatcher
from hatcher.errors import InvalidNameError
from hatcher.testing import BroodServer

from .conftest import Cli, command_line, furnish
from .test_completion import offered
from .test_schemas import CHANGING, READING, commands_of


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    folder = tmp_path_factory.mktemp("places")
    with BroodServer() as server, command_line(server, folder) as made:
        organization = server.client(api_version=1).create_organization("acme", "-")
        furnish(organization.create_repository("dev", "-"), folder, "nose")
        yield made


_PLATFORM = ("acme", "dev", "rh8-x86_64")


@pytest.mark.parametrize(
    ("command", "rest"),
    [
        (("repositories", "metadata"), ()),
        (("runtimes", "list"), ()),
        (("eggs", "list"), ("cp311",)),
        (("eggs", "metadata"), ("cp311", "nose", "1.0.0-1")),
        (("eggs", "batch-download"), ("cp311", "--dry-run", "-o", "json")),
    ],
)
def test_a_place_may_be_one_word(cli, command, rest):
    names = _PLATFORM[:2] if command[0] == "repositories" else _PLATFORM
    apart = cli(*command, *names, *rest)
    assert apart.code == 0, apart.err
    together = "/".join(names)
    for place in ((together,), (together.replace("/", " ", 1).split())):
        assert cli(*command, *place, *rest) == apart
    assert cli(*command, "-o", "json", together, *rest).data is not None


def test_every_command_with_a_place_takes_it(cli):
    """None has arguments between which a place could not be divided."""
    asked, parsing = READING | CHANGING, {"resilient_parsing": True, **hatcher.context_settings}
    count = 0
    for name, command in commands_of(1).items():
        if (number := len(place_of(command))) < 2 or "{" in asked[name]:
            continue
        count += 1
        words = asked[name].split()
        context = command.make_context(name, words.copy(), **parsing)
        place = "/".join(words[:number])
        same = command.make_context(name, [place, *words[number:]], **parsing)
        assert same.params == context.params
        said = " ".join(cli(*name.split(), "--help").out.split())
        assert (f"in one word: {'/'.join(_NAMES[:number])}." in said) == ("create" not in name)
    assert count > 20


_NAMES = ("ORGANIZATION", "REPOSITORY", "PLATFORM")


def test_files_behind_a_place(cli, tmp_path):
    for number in range(3):
        (tmp_path / f"{number}.egg").write_text("no egg")
    files = [tmp_path / f"{number}.egg" for number in range(3)]
    told = cli("eggs", "batch-upload", "acme/dev/rh8-x86_64", *files)
    assert told.code == 7 and "3 files: 3 failed" in told.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("acme/dev/rh8-x86_64/cp311",), "'acme/dev/rh8-x86_64/cp311' is no part of ORGANIZATION"),
        (("acme", "dev/rh8-x86_64/cp311"), "is no part of ORGANIZATION/REPOSITORY/PLATFORM"),
        (("acme//rh8-x86_64", "cp311"), "'acme//rh8-x86_64' is no part of"),
        (("/acme/dev", "cp311"), "'/acme/dev' is no part of"),
        (("acme/dev/", "cp311"), "'acme/dev/' is no part of"),
        (("acme/dev/rh8-x86_64",), "Missing argument 'PYTHON_TAG'"),
        (("acme/dev", "rh8-x86_64"), "Missing argument 'PYTHON_TAG'"),
        (("acme/dev/rh8-x86_64", "cp311", "more"), "unexpected extra argument (more)"),
        (("acme/\udcff/rh8-x86_64", "cp311"), "It holds bytes that are no text"),
        (("acme/../rh8-x86_64", "cp311"), "'..'"),
        (("acme/\x07/rh8-x86_64", "cp311"), "\\x07"),
        (("acme/deb/rh8-x86_64", "cp311"), "deb"),
    ],
)
def test_what_is_no_place(cli, words, said):
    told = cli("eggs", "list", *words)
    assert told.code in (2, 4) and told.out == ""
    assert said in told.err


def test_a_place_in_one_word_is_completed(cli, monkeypatch, tmp_path):
    monkeypatch.setenv("HATCHER_COMPLETION_TIMEOUT", "30")
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(tmp_path))
    asked = {
        "eggs list ac": ["acme"],
        "eggs list acme/": ["acme/dev"],
        "eggs list acme/d": ["acme/dev"],
        "eggs list acme/dev/rh8-x86_": ["acme/dev/rh8-x86_64"],
        "eggs list acme dev/rh8-x86_": ["dev/rh8-x86_64"],
        "eggs list acme/dev/rh8-x86_64/": [],
        "eggs list acme/nosuch": [],
        "eggs list acme/dev/rh8-x86_64 cp311": ["cp311"],
        "eggs metadata acme/dev/rh8-x86_64 cp311 n": ["nose"],
        "repositories delete acme/": ["acme/dev"],
        "repositories list acme/": [],
    }
    assert {line: offered(cli, line) for line in asked} == asked


def test_places_in_python(cli):
    client: BroodClient = cli.client()
    assert client.repository("acme/dev") == client.at("acme/dev")
    platform = client.platform("/acme/dev/rh8-x86_64/")
    assert platform == client.at("acme/dev/rh8-x86_64")
    assert isinstance(client.repository("acme/dev"), Repository)
    assert isinstance(platform, SinglePlatformRepository)
    for wrong in ("acme", "acme/dev/rh8-x86_64", "", "/", "acme//", "acme/..", None, 1, Path("a")):
        with pytest.raises(InvalidNameError, match=r"place|name|path"):
            client.repository(wrong)  # type: ignore[arg-type]
    for wrong in ("acme", "acme/dev", "acme/dev/rh8-x86_64/cp311", "acme/dev/", "acme//rh8", 3):
        with pytest.raises(InvalidNameError):
            client.platform(wrong)  # type: ignore[arg-type]
