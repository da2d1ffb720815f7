"""Every help ends with examples, and every example does what it promises."""

from __future__ import annotations

import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hatcher.cli.groups import Group
from hatcher.cli.refusals import ExitCode
from hatcher.testing import BroodServer, write_egg

from ..examples import SERVER
from .conftest import Cli, Result, command_line, keep
from .test_schemas import READING, READING_0, commands_of, furnished
from .test_tree import every_command, root

#: What is so after an example: it is done, or what was looked for is found.
WELL = {ExitCode.DONE, ExitCode.DIFFERENCES}

#: The examples of each command that has its own, by its name.
EXAMPLES = {
    "hatcher": root("1").command.examples,
    **{name: command.examples for name, command in commands_of(1).items()},
    **{f"{name} (API version 0)": commands_of(0)[name].examples for name in READING_0},
}


@contextmanager
def filled(parent: Path) -> Iterator[tuple[BroodServer, Path]]:
    """A server with all that the examples name; and a folder with all files that they name."""
    with furnished(parent) as (server, _):
        files = parent / "files"
        (parent / "exported").rename(files / "exported")
        for folder in ("eggs", "downloads"):
            (files / folder).mkdir()
        (files / "token.txt").write_text(server.client().create_api_token("kept")["token"])
        organization = server.client(api_version=1).organization("acme")
        organization.create_repository("old", "Builds of last year")
        platform = organization.repository("dev").platform("rh8-x86_64")
        for name, version, packages in (
            ("mkl", "2023.1", []),
            ("numpy", "1.26.4", ["mkl 2023.1-1"]),
            ("numpy", "2.1.0", ["mkl 2023.1-1"]),
            ("scipy", "1.13.1", ["numpy 1.26.4-1"]),
        ):
            made = {"platform": "rh8-x86_64", "python_tag": "cp311", "packages": packages}
            platform.upload_egg(write_egg(files, name, version, **made))
        shutil.copy(files / "scipy-1.13.1-1.egg", files / "eggs")
        yield server, files


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[BroodServer, Path]]:
    """Such a server, for examples that change nothing."""
    with filled(tmp_path_factory.mktemp("unchanged")) as server_and_files:
        yield server_and_files


@pytest.fixture
def cli(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cli]:
    """`hatcher` with the profile 'site', in a folder with the files."""
    with (
        filled_for(name, request, tmp_path) as (server, files),
        command_line(server, tmp_path) as made,
    ):
        shutil.copytree(files, Path.cwd(), dirs_exist_ok=True)
        keep(made, server, "site")
        yield made


@contextmanager
def filled_for(
    name: str, request: pytest.FixtureRequest, folder: Path
) -> Iterator[tuple[BroodServer, Path]]:
    """The server that the examples of a command may use: one of their own, if they change it."""
    if name.partition(" (")[0] in READING:
        yield request.getfixturevalue("unchanged")
        return
    (folder / "server").mkdir()
    with filled(folder / "server") as own:
        yield own


def run(cli: Cli, example: str) -> Result:
    """Run an example, as in a shell where it needs one."""
    line = example.replace(SERVER, cli.server.url)
    if set(line).isdisjoint("<>|$"):
        return cli(*shlex.split(line)[1:], input="y\n" * 5)
    function = f'hatcher() {{ {shlex.quote(sys.executable)} -m hatcher "$@"; }}'
    done = subprocess.run(
        ["sh", "-c", f"{function}\n{line}"], capture_output=True, text=True, timeout=120
    )
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "serve"])
def test_the_examples_of_a_help_run(cli, name):
    for example in EXAMPLES[name]:
        done = run(cli, example)
        assert done.code in WELL, f"{example}\n{done.out}{done.err}"


@pytest.mark.parametrize("example", EXAMPLES["serve"])
def test_a_server_is_run(example, tmp_path):
    line = [sys.executable, "-m", *shlex.split(example), "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        assert "http://" in process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == ExitCode.DONE


def test_every_help_ends_with_examples():
    for ctx in every_command():
        examples = ctx.command.examples_of(ctx)
        assert examples, f"{ctx.command_path} has none: its docstring should end with one."
        words = [word for word in shlex.split(examples[0]) if word not in ("--api-version", "0")]
        assert " ".join(words).startswith(ctx.command_path), ctx.command_path
        shown = "".join(f"  {example}\n" for example in examples)
        assert ctx.get_help().endswith(f"\nFor example:\n{shown}".rstrip())
        if isinstance(ctx.command, Group) and ctx.parent is not None:
            assert len(examples) == len(ctx.command.list_commands(ctx))
