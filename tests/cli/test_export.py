"""`hatcher export`."""

from __future__ import annotations

import csv
import json
import os
import pty
import subprocess
from pathlib import Path

import pytest

from .conftest import Cli, furnish

PLATFORM = "rh8-x86_64"
SOME = ("-p", PLATFORM, "-t", "cp311")


def files(folder: Path) -> list[str]:
    """The artefacts in a folder; the manifest of them that stands beside is checked here."""
    found = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    if found:
        found.remove("manifest.json")
        manifest = json.loads((folder / "manifest.json").read_bytes())
        assert sorted(manifest["artefacts"]) == found
    return found


@pytest.fixture
def filled(cli: Cli, dev: str, tmp_path: Path) -> str:
    """The repository, with eggs, a runtime and a bundle."""
    furnish(cli.client().organization("acme").repository("dev"), tmp_path, "spam")
    return dev


def test_export(cli, filled):
    done = cli("export", "out")
    assert done.code == 0, done
    assert "3 files: 3 downloaded" in done.err
    place = f"v1/acme/dev/{PLATFORM}"
    assert files(Path("out")) == [
        f"{place}/eggs/None/pure-1.0.0-1.egg",
        f"{place}/eggs/cp311/spam-1.0.0-1.egg",
        f"{place}/runtimes/cpython-3.11.9+2-rh8_x86_64-gnu.runtime",
    ]
    again = cli("export", "-r", filled, *SOME, "out", "-o", "json")
    assert again.code == 0
    assert [record["outcome"] for record in again.data] == ["already there"] * 3
    assert [record["file"] for record in again.data] == files(Path("out"))
    assert all(Path(record["path"]).stat().st_size == record["size"] for record in again.data)


def test_long_options_and_environment_variables(cli, filled):
    cli.setenv("HATCHER_EXPORT_REPOSITORIES", filled)
    cli.setenv("HATCHER_EXPORT_ARTEFACT_KINDS", "bundles runtimes")
    done = cli("export", "--platforms", PLATFORM, "--python-tags", "cp38", "out")
    assert done.code == 0, done
    assert files(Path("out")) == [f"v1/acme/dev/{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle"]


def test_dry_run(cli, filled):
    done = cli("export", "-n", *SOME, "out", "--output", "csv")
    assert done.code == 0
    assert [row[1] for row in csv.reader(done.out.splitlines())] == [
        "outcome",
        *["would download"] * 3,
    ]
    assert not Path("out").exists()


def test_version_0_exports_no_runtimes_and_says_so(cli, filled):
    done = cli("--api-version", "0", "export", *SOME, "out")
    assert done.code == 0
    assert "With API version 0, runtimes cannot be exported" in done.err
    assert [path.split("/")[:4] for path in files(Path("out"))] == [
        ["v0", "acme", "dev", PLATFORM]
    ] * 2
    cli.fails(2, "--api-version 1", "--api-version", "0", "export", "-a", "runtimes", "out")


def test_something_is_missing(cli, filled):
    """The others are exported, and the exit code tells."""
    done = cli("export", "-r", filled, "-r", "acme/dve", *SOME, "out", "-o", "jsonl")
    assert done.code == 7
    assert len(done.out.splitlines()) == 3
    assert "acme/dve: " in done.err
    assert cli("export", "-r", "acme/dve", *SOME, "out").code == 4


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-r", "acme"], "organization/repository"),
        (["-t", "py3"], "'py3' is no python tag"),
        (["-a", "wheels"], "wheels"),
        (["--concurrency", "0"], "concurrency"),
        ([], "out"),
    ],
)
def test_usage(cli, arguments, said):
    """Nothing is sent: there is no server."""
    cli.setenv("HATCHER_URL", "http://127.0.0.1:9")
    if not arguments:
        Path("out").touch()
    done = cli("export", *arguments, "out")
    assert (done.code, done.out) == (2, "")
    assert said in done.err


def test_a_terminal_sees_a_bar(cli, filled):
    """And a pipe beside it the data alone."""
    cli.setenv("TERM", "xterm")
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        cli.command("export", *SOME, "out", "-o", "jsonl"), stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        out = process.communicate(timeout=120)[0].decode()
    err = os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert process.returncode == 0
    assert len(out.splitlines()) == 3
    assert "\x1b" not in out
    assert "Export downloading" in err
