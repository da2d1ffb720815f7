"""Lists look as those of the existing command line, which scripts cut up."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from hatcher.testing import write_bundle, write_egg, write_legacy_runtime, write_runtime

from ..interop.environments import NEWEST, python_of
from .conftest import Cli

EGGS = ("eggs", "list", "acme", "dev", "rh8-x86_64", "cp311")
RUNTIMES = ("runtimes", "list", "acme", "dev", "rh8_x86_64")
LEGACY_RUNTIMES = ("--api-version", "0", "runtimes", "list", "acme", "dev", "rh8-64")
BUNDLES = ("bundles", "list", "acme", "dev", "rh8_x86_64")


@pytest.fixture(scope="module")
def existing() -> Path:
    """The Python of the existing command line."""
    return python_of(NEWEST)


def lines(cli: Cli, existing: Path, *arguments: str) -> list[str]:
    """What both say; blanks at the ends of lines cannot be seen."""
    ours = cli(*arguments)
    assert (ours.code, ours.err) == (0, "")
    theirs = subprocess.run(
        [existing, "-I", "-m", "hatcher", *arguments],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HATCHER_TOKEN": ""},
    ).stdout
    shown = ours.out.splitlines()
    assert shown == [line.rstrip() for line in theirs.splitlines()]
    return shown


@pytest.mark.usefixtures("dev")
@pytest.mark.long
def test_lists_are_those_of_the_existing_command_line(cli, existing, tmp_path):
    for arguments in (EGGS, RUNTIMES, LEGACY_RUNTIMES, BUNDLES):
        assert len(lines(cli, existing, *arguments)) == 2

    for name, version, build in (
        ("nose", "1.10.0", 1),
        ("nose", "1.9.0", 2),
        ("nose", "1.9.0", 10),
        ("Zope", "2.0rc1", 1),
        ("zope", "2.0", 1),
        ("aaa", "2014b", 1),
        ("aaa", "2014.1.dev3", 1),
        ("two_words", "1.0.post2", 1),
    ):
        write_egg(tmp_path, name, version, build, platform="rh8-x86_64")
    write_egg(tmp_path, "cext", "1.0", platform="rh8-x86_64", python_tag="cp311")
    for version in ("3.8.9+1", "3.8.17+2", "3.8.17+1"):
        write_runtime(tmp_path, version=version)
    write_runtime(tmp_path, implementation="pypy", version="3.8.1+1", python_tag="pp38")
    for name, version, build in (
        ("tools", "1.10.0", 1),
        ("tools", "1.9.0", 2),
        ("Basics", "1", 10),
    ):
        write_bundle(tmp_path, name, version, build)
    legacy = [
        write_legacy_runtime(tmp_path, version=version, build=build)
        for version, build in (("2.7.9", 2), ("2.7.10", 1), ("2.7.9", 10), ("3.4.1", 1))
    ]
    for command in (
        ["eggs", "batch-upload", "acme", "dev", "rh8-x86_64", tmp_path],
        ["runtimes", "batch-upload", "acme", "dev", *tmp_path.glob("*.runtime")],
        ["--api-version", "0", "runtimes", "batch-upload", "acme", "dev", *legacy],
        ["bundles", "batch-upload", "acme", "dev", tmp_path],
    ):
        assert cli(*command).code == 0

    assert [line.split()[0] for line in lines(cli, existing, *EGGS)[2:]] == [
        "aaa-2014b-1.egg",
        "aaa-2014.1.dev3-1.egg",
        "cext-1.0-1.egg",
        "nose-1.9.0-2.egg",
        "nose-1.9.0-10.egg",
        "nose-1.10.0-1.egg",
        "two_words-1.0.post2-1.egg",
        "Zope-2.0rc1-1.egg",
        "zope-2.0-1.egg",
    ]
    assert len(lines(cli, existing, "--api-version", "0", *EGGS)) == 11
    assert len(lines(cli, existing, *RUNTIMES)) == 6
    assert len(lines(cli, existing, *LEGACY_RUNTIMES)) == 6
    assert len(lines(cli, existing, *BUNDLES)) == 5
