"""The tree of commands: how it is shown, and what the help of each must say."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest

from hatcher.cli.groups import Argument, walk
from hatcher.cli.root import hatcher


def root(version: str) -> click.Context:
    at = click.Context(hatcher, info_name="hatcher")
    at.params["api_version"] = version
    return at


def every_command() -> Iterator[click.Context]:
    """Every command of every version of the API."""
    for version in "01":
        yield from walk(root(version))


def test_help_has_the_first_line_of_each_command():
    for version in "01":
        at = root(version)
        shown = {name: hatcher.homes[name].help for name in hatcher.list_commands(at)}
        found = {name: hatcher.get_command(at, name) for name in shown}
        assert shown == {name: command.help.splitlines()[0] for name, command in found.items()}


def test_every_argument_is_explained():
    count = 0
    for ctx in every_command():
        for argument in ctx.command.params:
            if isinstance(argument, click.Argument):
                count += 1
                assert isinstance(argument, Argument), f"{ctx.command_path}: {argument.name}"
                assert argument.explanation.endswith((".", "list"))
                assert argument.explanation in " ".join(ctx.get_help().split())
    assert count > 100


def test_every_option_and_command_is_explained():
    for ctx in every_command():
        assert ctx.command.help, ctx.command_path
        for parameter in ctx.command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{ctx.command_path}: {parameter.name}"


#: Arguments that are plain text, and yet not completed: no server knows them.
_NEW = {
    "api-tokens create name", "config set value", "eggs build distributions", "login url",
    "organizations create description",
    "organizations create name", "repositories create description",
    "repositories create repository", "search requirement", "teams create group", "teams create team",
    "users create email",
}  # fmt: skip


def test_every_name_is_completed():
    """What is plain text and not completed is new; all else, test_completion shows."""
    left_out = {
        f"{ctx.command_path} {parameter.name}".removeprefix("hatcher ")
        for ctx in every_command()
        for parameter in ctx.command.params
        if isinstance(parameter, Argument)
        and parameter.type is click.STRING
        and parameter._custom_shell_complete is None
    }
    assert left_out == _NEW


def test_the_tree(cli):
    root, *lines = cli("--command-tree").out.splitlines()
    assert (root, lines[0]) == ("hatcher", "    access")
    lines = lines[lines.index("    api-tokens") - 1 :]
    create, list_ = "        create", "        list"
    assert lines[2].startswith(create) and lines[2].endswith("   [OPTIONS] NAME")
    at = lines[2].index("[OPTIONS]")
    assert next(line[at:] for line in lines if line.startswith(list_)) == "[OPTIONS]"
    usages = [line for line in lines if "[OPTIONS]" in line]
    assert {line.index("[OPTIONS]") for line in usages} == {at}
    assert "            add          [OPTIONS] ORGANIZATION TEAM EMAIL" in lines


@pytest.mark.parametrize(("version", "argument"), [("0", "PYTHON_TAG"), ("1", "IMPLEMENTATION")])
def test_the_tree_is_that_of_the_version(cli, version, argument):
    tree = cli("--api-version", version, "--command-tree").out
    assert ("bundles" in tree) == ("import" in tree) == (version == "1")
    assert f"[OPTIONS] ORGANIZATION REPOSITORY PLATFORM {argument} VERSION" in tree
    cli.setenv("HATCHER_API_VERSION", version)
    assert cli("--command-tree").out == tree
