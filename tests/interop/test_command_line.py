"""The existing client's command line works against our server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hatcher.testing import build_egg, write_egg

from .conftest import CommandLine

PLATFORM = "rh8-x86_64"
WHERE = ("acme", "dev", PLATFORM)


def rows(table: str) -> list[list[str]]:
    """The words of a table, without its header."""
    return [line.split() for line in table.splitlines()[2:]]


def test_a_whole_day(command_line: CommandLine, tmp_path: Path) -> None:
    def hatcher(*args: object) -> str:
        done = command_line(*args)
        assert done.returncode == 0, done
        return done.stdout

    hatcher("organizations", "create", "acme", "Road runner traps")
    assert hatcher("organizations", "list") == "acme\n"
    hatcher("repositories", "create", "acme", "dev", "Not yet exploded")
    assert hatcher("repositories", "list", "acme") == "dev\n"
    assert rows(hatcher("user", "repositories")) == [["acme/dev"]]
    assert ["cp311"] in rows(hatcher("python-tags", "list"))
    assert hatcher("platforms", "list").startswith("Platforms\n")

    eggs, downloads = tmp_path / "eggs", tmp_path / "downloads"
    eggs.mkdir()
    downloads.mkdir()
    attrs = build_egg("attrs", eggs, platform=PLATFORM, python_tag="cp311")
    version = attrs.name.removeprefix("attrs-").removesuffix(".egg")
    hatcher("eggs", "upload", *WHERE, attrs)
    hatcher("eggs", "upload", "--verify", *WHERE, attrs)
    assert rows(hatcher("eggs", "list", *WHERE, "cp311")) == [[attrs.name, "cp311"]]
    metadata = json.loads(hatcher("eggs", "metadata", *WHERE, "cp311", "attrs", version))
    assert metadata["sha256"] == hashlib.sha256(attrs.read_bytes()).hexdigest()
    hatcher("eggs", "download", *WHERE, "cp311", "attrs", version, downloads)
    assert (downloads / attrs.name).read_bytes() == attrs.read_bytes()

    # A batch is uploaded disabled, looked at again, and then enabled at once.
    batch = [
        build_egg("idna", eggs, platform=PLATFORM, python_tag="cp311"),
        build_egg("certifi", eggs, platform=PLATFORM),
    ]
    hatcher("eggs", "batch-upload", *WHERE, *batch)
    listed = rows(hatcher("eggs", "list", *WHERE, "cp311"))
    assert sorted(row[0] for row in listed) == sorted(egg.name for egg in [attrs, *batch])
    more = build_egg("packaging", eggs, platform=PLATFORM, python_tag="cp311")
    hatcher("eggs", "batch-upload", "--no-index", *WHERE, more)
    assert more.name not in hatcher("eggs", "list", *WHERE, "cp311")
    hatcher("eggs", "update-index", *WHERE, more)
    assert more.name in hatcher("eggs", "list", *WHERE, "cp311")

    other = write_egg(
        eggs, "packaging", more.name.split("-")[1], platform=PLATFORM, python_tag="cp311"
    )
    hatcher("eggs", "upload", "--force", *WHERE, other)
    hatcher("eggs", "delete", "-y", *WHERE, "cp311", "attrs", version)
    assert attrs.name not in hatcher("eggs", "list", *WHERE, "cp311")

    hatcher("users", "create", "acme", "coyote@example.com")
    hatcher("users", "delete", "-y", "acme", "coyote@example.com")
    hatcher("repositories", "delete", "-y", "--force", "acme", "dev")
    assert hatcher("repositories", "list", "acme").strip() == ""


def test_api_tokens(command_line: CommandLine) -> None:
    (created,) = rows(command_line("api-tokens", "create", "laptop").stdout)
    name, token = created
    assert name == "laptop"

    listed = command_line("api-tokens", "list", auth=["-t", token])
    assert [row[0] for row in rows(listed.stdout)] == ["laptop"]
    assert token not in listed.stdout

    assert command_line("api-tokens", "delete", "-y", "laptop").returncode == 0
    done = command_line("api-tokens", "list", auth=["-t", token])
    assert done.returncode == 255
    assert done.stderr.strip()


def test_errors_are_shown_in_the_words_of_the_server(
    command_line: CommandLine, tmp_path: Path
) -> None:
    """It shows them only when they come as it expects; a traceback and status 1 otherwise."""
    egg = write_egg(tmp_path, platform=PLATFORM, python_tag="cp311")
    command_line("organizations", "create", "acme", "Road runner traps")
    for args in (
        ("organizations", "create", "acme", "again"),
        ("repositories", "list", "nobody"),
        ("repositories", "create", "acme", "..", "no name"),
        ("eggs", "upload", *WHERE, egg),
        ("eggs", "list", *WHERE, "cp311"),
        ("eggs", "metadata", *WHERE, "cp311", "spam", "1.0-1"),
    ):
        done = command_line(*args)
        assert done.returncode == 255, done
        assert done.stderr.strip(), done
        assert "Traceback" not in done.stderr
    done = command_line("organizations", "list", auth=["-U", "nobody@example.com", "-p", "x"])
    assert (done.returncode, "Traceback" in done.stderr) == (255, False)
