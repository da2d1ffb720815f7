"""The existing client's command line works against our server."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

from hatcher.testing import (
    build_egg,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

from .conftest import CommandLine

pytestmark = pytest.mark.long

PLATFORM = "rh8-x86_64"
REPOSITORY = ("acme", "dev")
WHERE = (*REPOSITORY, PLATFORM)


def rows(table: str) -> list[list[str]]:
    """The words of a table, without its header."""
    return [line.split() for line in table.splitlines()[2:]]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Hatcher:
    """The command line, where every command must succeed."""

    def __init__(self, command_line: CommandLine) -> None:
        self.command_line = command_line
        self.folder = command_line.folder
        self.used: set[str] = set()

    def __call__(self, *args: object, typed: str = "") -> str:
        """Run a command; return what it wrote."""
        done = self.command_line(*args, typed=typed)
        assert done.returncode == 0, done
        words = [str(arg) for arg in args]
        self.used |= {words[0], " ".join(words[:2])}
        return done.stdout

    def all_commands(self) -> set[str]:
        """What there is, as ``--command-tree`` shows it."""
        commands, group = set(), ""
        tree = self.command_line("--command-tree", auth=[]).stdout
        for line in tree.splitlines()[1:]:
            indent, name, is_command = re.match(r"( *)(\S+) *(\[OPTIONS])?", line).groups()
            if len(indent) == 4:
                group = name
            if is_command:
                commands.add(name if len(indent) == 4 else f"{group} {name}")
        return commands


@pytest.fixture
def hatcher(command_line: CommandLine) -> Hatcher:
    """With the repository acme/dev."""
    hatcher = Hatcher(command_line)
    hatcher("organizations", "create", "acme", "Road runner traps")
    hatcher("repositories", "create", *REPOSITORY, "Not yet exploded")
    return hatcher


def test_every_command(hatcher: Hatcher, api_version: int) -> None:
    what_the_server_knows(hatcher)
    eggs(hatcher)
    (runtimes if api_version == 1 else legacy_runtimes)(hatcher)
    users(hatcher)
    tokens(hatcher)
    hatcher("export", "-r", "acme/dev", "-p", PLATFORM, "-t", "cp311", hatcher.folder / "out")
    if api_version == 1:
        bundles(hatcher)
        hatcher("import", hatcher.folder / "out")
    hatcher("repositories", "delete", "--force", *REPOSITORY, typed="n\n")
    assert hatcher("repositories", "list", "acme") == "dev\n"
    hatcher("repositories", "delete", "-y", "--force", *REPOSITORY)
    assert hatcher("repositories", "list", "acme").strip() == ""

    assert hatcher.all_commands() <= hatcher.used


def what_the_server_knows(hatcher: Hatcher) -> None:
    assert hatcher("organizations", "list") == "acme\n"
    assert hatcher("repositories", "list", "acme") == "dev\n"
    assert rows(hatcher("user", "repositories")) == [["acme/dev"]]
    assert rows(hatcher("user", "repositories", "--include-indexable")) == [["acme/dev"]]
    tags = rows(hatcher("python-tags", "list"))
    assert ["cp311"] in tags
    assert ["py2.py3"] not in tags
    assert ["py2.py3"] in rows(hatcher("python-tags", "list", "--all"))
    assert [PLATFORM] in rows(hatcher("platforms", "list"))


def eggs(hatcher: Hatcher) -> None:
    folder, downloads = hatcher.folder / "eggs", hatcher.folder / "downloads"
    folder.mkdir()
    downloads.mkdir()
    attrs = build_egg("attrs", folder, platform=PLATFORM, python_tag="cp311")
    version = attrs.name.removeprefix("attrs-").removesuffix(".egg")
    hatcher("eggs", "upload", *WHERE, attrs)
    hatcher("eggs", "upload", "--verify", *WHERE, attrs)
    assert rows(hatcher("eggs", "list", *WHERE, "cp311")) == [[attrs.name, "cp311"]]
    metadata = json.loads(hatcher("eggs", "metadata", *WHERE, "cp311", "attrs", version))
    assert metadata["sha256"] == sha256(attrs)
    hatcher("eggs", "download", *WHERE, "cp311", "attrs", version, downloads)
    assert (downloads / attrs.name).read_bytes() == attrs.read_bytes()

    # A batch is uploaded disabled, looked at again, and then enabled at once.
    batch = [
        build_egg("idna", folder, platform=PLATFORM, python_tag="cp311"),
        build_egg("certifi", folder, platform=PLATFORM),
    ]
    hatcher("eggs", "batch-upload", *WHERE, *batch)
    listed = rows(hatcher("eggs", "list", *WHERE, "cp311"))
    assert sorted(row[0] for row in listed) == sorted(egg.name for egg in [attrs, *batch])
    more = build_egg("packaging", folder, platform=PLATFORM, python_tag="cp311")
    hatcher("eggs", "batch-upload", "--no-index", *WHERE, more)
    assert more.name not in hatcher("eggs", "list", *WHERE, "cp311")
    hatcher("eggs", "update-index", *WHERE, more)
    assert more.name in hatcher("eggs", "list", *WHERE, "cp311")

    other = write_egg(
        folder, "packaging", more.name.split("-")[1], platform=PLATFORM, python_tag="cp311"
    )
    hatcher("eggs", "upload", "--force", *WHERE, other)
    hatcher("eggs", "delete", *WHERE, "cp311", "attrs", version, typed="n\n")
    assert attrs.name in hatcher("eggs", "list", *WHERE, "cp311")
    hatcher("eggs", "delete", *WHERE, "cp311", "attrs", version, typed="y\n")
    assert attrs.name not in hatcher("eggs", "list", *WHERE, "cp311")


def runtimes(hatcher: Hatcher) -> None:
    runtime = write_runtime(hatcher.folder)
    later = write_runtime(hatcher.folder, version="3.11.9+2", language_version="3.11.9")
    for file in (later, runtime):
        hatcher("runtimes", "upload", *REPOSITORY, file)
    hatcher("runtimes", "upload", "--verify", *REPOSITORY, runtime)
    listed = rows(hatcher("runtimes", "list", *WHERE))
    assert listed == [["cpython", "3.8.17+1"], ["cpython", "3.11.9+2"]]
    metadata = json.loads(hatcher("runtimes", "metadata", *WHERE, "cpython", "3.8.17+1"))
    assert (metadata["sha256"], metadata["filename"]) == (sha256(runtime), runtime.name)

    changed = write_runtime(hatcher.folder, build_revision="2.1.1")
    refused = hatcher.command_line("runtimes", "upload", "--verify", *REPOSITORY, changed)
    assert refused.returncode == 255
    assert "different content" in refused.stderr
    assert hatcher.command_line("runtimes", "upload", *REPOSITORY, changed).returncode == 255
    hatcher("runtimes", "upload", "--force", *REPOSITORY, changed)

    downloads = hatcher.folder / "downloads"
    hatcher("runtimes", "download", *WHERE, "cpython", "3.8.17+1", downloads)
    assert (downloads / runtime.name).read_bytes() == changed.read_bytes()
    done = hatcher("runtimes", "delete", "-y", *WHERE, "cpython", "3.8.17+1")
    assert "Successfully deleted" in done
    assert rows(hatcher("runtimes", "list", *WHERE)) == [["cpython", "3.11.9+2"]]


def legacy_runtimes(hatcher: Hatcher) -> None:
    runtime = write_legacy_runtime(hatcher.folder)
    hatcher("runtimes", "upload", *REPOSITORY, runtime)
    hatcher("runtimes", "upload", "--verify", *REPOSITORY, runtime)
    hatcher("runtimes", "upload", "--force", *REPOSITORY, runtime)
    assert rows(hatcher("runtimes", "list", *WHERE)) == [["python", "2.7.10-1", "cp27"]]
    metadata = json.loads(hatcher("runtimes", "metadata", *WHERE, "cp27", "2.7.10-1"))
    assert metadata["sha256"] == sha256(runtime)
    downloads = hatcher.folder / "downloads"
    hatcher("runtimes", "download", *WHERE, "cp27", "2.7.10-1", downloads)
    assert (downloads / runtime.name).read_bytes() == runtime.read_bytes()


def bundles(hatcher: Hatcher) -> None:
    bundle = write_bundle(hatcher.folder)
    hatcher("bundles", "upload", *REPOSITORY, bundle)
    assert rows(hatcher("bundles", "list", *WHERE)) == [["tools", "1.0.0-1", "cp38"]]
    index = json.loads(hatcher("bundles", "index", *WHERE))
    assert index["cp38"]["tools"]["1.0.0"]["1"]["full_version"] == "1.0.0-1"
    metadata = json.loads(hatcher("bundles", "metadata", *WHERE, "cp38", "tools", "1.0.0-1"))
    assert metadata["data"] == json.loads(bundle.read_text())

    downloads = hatcher.folder / "downloads"
    hatcher("bundles", "download", *WHERE, "cp38", "tools", "1.0.0-1", downloads)
    assert json.loads((downloads / bundle.name).read_text()) == json.loads(bundle.read_text())

    changed = write_bundle(hatcher.folder, mark="changed")
    assert hatcher.command_line("bundles", "upload", *REPOSITORY, changed).returncode == 255
    hatcher("bundles", "upload", "--force", *REPOSITORY, changed)
    hatcher("bundles", "delete", *WHERE, "cp38", "tools", "1.0.0-1")
    assert rows(hatcher("bundles", "list", *WHERE)) == []


def users(hatcher: Hatcher) -> None:
    hatcher("users", "create", "acme", "coyote@example.com")
    hatcher("users", "delete", "acme", "coyote@example.com", typed="y\n")
    done = hatcher.command_line("users", "delete", "-y", "acme", "coyote@example.com")
    assert done.returncode == 255


def tokens(hatcher: Hatcher) -> None:
    ((name, token),) = rows(hatcher("api-tokens", "create", "laptop"))
    assert name == "laptop"
    listed = hatcher.command_line("api-tokens", "list", auth=["-t", token])
    assert [row[0] for row in rows(listed.stdout)] == ["laptop"]
    assert token not in hatcher("api-tokens", "list")

    hatcher("api-tokens", "delete", "-y", "laptop")
    done = hatcher.command_line("api-tokens", "list", auth=["-t", token])
    assert done.returncode == 255
    assert done.stderr.strip()


def test_export_and_import(hatcher: Hatcher, api_version: int) -> None:
    """All that is exported of one repository is imported into another, and is the same there."""
    folder = hatcher.folder / "artefacts"
    folder.mkdir()
    eggs = [
        write_egg(folder, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311"),
        write_egg(folder, "spam", "2.0", platform=PLATFORM, python_tag="cp38"),
        write_egg(folder, "any", "1.0", platform=PLATFORM),
    ]
    for egg in eggs:
        hatcher("eggs", "upload", *WHERE, egg)
    runtimes = [write_runtime(folder)] if api_version == 1 else []  # which v0 does not export
    for runtime in runtimes:
        hatcher("runtimes", "upload", *REPOSITORY, runtime)

    some = ["-p", PLATFORM, "-t", "cp311", "-t", "cp38"]
    hatcher("export", "-r", "acme/dev", *some, "out")
    out = hatcher.folder / "out" / f"v{api_version}" / "acme"
    assert files(out) == {
        f"dev/{PLATFORM}/eggs/cp311/{eggs[0].name}": eggs[0].read_bytes(),
        f"dev/{PLATFORM}/eggs/cp38/{eggs[1].name}": eggs[1].read_bytes(),
        f"dev/{PLATFORM}/eggs/None/{eggs[2].name}": eggs[2].read_bytes(),
        **{f"dev/{PLATFORM}/runtimes/{file.name}": file.read_bytes() for file in runtimes},
    }
    # Once more, over what is there, and for everything that there is.
    before = files(out)
    hatcher("export", "-r", "acme/dev", *some, "out")
    hatcher("export", "-a", "runtimes", "out")
    assert files(out) == before
    if api_version == 0:
        return  # which has no import

    (out / "dev").rename(out / "copy")
    done = hatcher.command_line("import", "out")
    assert (done.returncode, "`acme/copy` do not exist" in done.stderr) == (0, True)
    hatcher("import", "--create-missing", "out")
    assert sorted(hatcher("repositories", "list", "acme").split()) == ["copy", "dev"]
    for tag in ("cp311", "cp38"):
        copied = hatcher("eggs", "list", "acme", "copy", PLATFORM, tag)
        assert copied == hatcher("eggs", "list", *WHERE, tag)
    hatcher("import", "out")  # nothing to do
    hatcher("import", "--force", "-r", "acme/copy", "-p", PLATFORM, "out")

    hatcher("export", "-r", "acme/copy", *some, "again")
    assert files(hatcher.folder / "again" / "v1" / "acme") == files(out)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_errors_are_shown_in_the_words_of_the_server(hatcher: Hatcher, api_version: int) -> None:
    """It shows them only when they come as it expects; a traceback and status 1 otherwise."""
    command_line = hatcher.command_line
    egg = write_egg(hatcher.folder, platform=PLATFORM, python_tag="cp311")
    nowhere = ("acme", "nowhere", PLATFORM)
    commands: list[tuple[object, ...]] = [
        ("organizations", "create", "acme", "again"),
        ("repositories", "list", "nobody"),
        ("repositories", "create", "acme", "..", "no name"),
        ("eggs", "upload", *nowhere, egg),
        ("eggs", "list", *nowhere, "cp311"),
        ("eggs", "metadata", *WHERE, "cp311", "spam", "1.0-1"),
        ("runtimes", "list", *nowhere),
        ("runtimes", "metadata", *WHERE, "cpython", "1.0"),
        ("users", "create", "acme", "no e-mail address"),
        ("users", "delete", "-y", "acme", "nobody@example.com"),
        ("api-tokens", "delete", "-y", "nothing"),
    ]
    if api_version == 1:
        commands += [
            ("bundles", "metadata", *WHERE, "cp38", "tools", "1.0.0-1"),
            ("bundles", "delete", *WHERE, "cp38", "tools", "1.0.0-1"),
            ("runtimes", "delete", "-y", *WHERE, "cpython", "3.8.17+1"),
        ]
    for args in commands:
        done = command_line(*args)
        assert done.returncode == 255, done
        assert done.stderr.strip(), done
        assert "Traceback" not in done.stderr
    done = command_line("organizations", "list", auth=["-U", "nobody@example.com", "-p", "x"])
    assert (done.returncode, "Traceback" in done.stderr) == (255, False)
