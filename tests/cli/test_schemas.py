"""Every command with data gives what its schema says, in each format; the others give none."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from hatcher.cli.data import Document, declared_by
from hatcher.cli.groups import walk
from hatcher.mirror import export
from hatcher.testing import (
    BroodServer,
    FaultyGateway,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

from .conftest import Cli, command_line
from .test_tree import root

#: What commands are asked that change nothing which another one is about.
READING = {
    "access export": "acme",
    "access plan": "{people}",
    "access show": "acme/dev",
    "api-tokens list": "",
    "apps index": "acme dev rh8-x86_64",
    "apps list": "acme dev rh8-x86_64",
    "apps metadata": "acme dev rh8-x86_64 cp38 com.example.viewer 1.10-2",
    "bundles batch-download": "acme dev rh8-x86_64",
    "bundles check": "acme dev rh8-x86_64 cp38 tools 1.0.0-1",
    "bundles check-file": "{bundle} --in acme/dev",
    "bundles index": "acme dev rh8-x86_64",
    "bundles list": "acme dev rh8-x86_64",
    "bundles metadata": "acme dev rh8-x86_64 cp38 tools 1.0.0-1",
    "cache show": "",
    "config get": "url",
    "config list": "",
    "config path": "",
    "diff": "acme/dev {exported}/ -p rh8-x86_64 --kind apps",
    "du": "acme/dev/rh8-x86_64",
    "eggs batch-download": "acme dev rh8-x86_64 cp311",
    "eggs download": "acme dev rh8-x86_64 none spam 1.0.0-1",
    "eggs index": "acme dev rh8-x86_64 cp311",
    "eggs list": "acme dev rh8-x86_64 cp311",
    "eggs metadata": "acme dev rh8-x86_64 none spam 1.0.0-1",
    "eggs why": "acme dev rh8-x86_64 cp311 spam",
    "export": "exported -p rh8-x86_64 -t cp311",
    "mirror manifest": "{exported}",
    "mirror plan": "acme/dev {exported}/ --all -p rh8-x86_64 -t cp311 --kind eggs",
    "mirror verify": "{exported}",
    "organizations list": "",
    "platforms list": "",
    "python-tags list": "--all",
    "repositories list": "acme",
    "repositories metadata": "acme dev",
    "runtimes batch-download": "acme dev rh8-x86_64",
    "runtimes download": "acme dev rh8-x86_64 cpython 3.8.17+1",
    "runtimes index": "acme dev rh8-x86_64",
    "runtimes list": "acme dev rh8-x86_64",
    "runtimes metadata": "acme dev rh8-x86_64 cpython 3.8.17+1",
    "schema": "eggs list",
    "search": "'*' acme/dev -p rh8-x86_64",
    "teams list": "acme",
    "teams members list": "acme builders",
    "teams members query": "acme builders ada@example.com",
    "teams metadata": "acme builders",
    "teams repositories list": "acme builders",
    "teams repositories query": "acme builders dev",
    "user repositories": "--include-indexable",
    "users list": "acme",
    "users metadata": "acme ada@example.com",
    "whoami": "",
}

#: The same, of those that are others in version 0 of the API.
READING_0 = {
    "runtimes download": "acme dev rh8-64 cp27 2.7.10-1",
    "runtimes list": "acme dev rh8-64",
    "runtimes metadata": "acme dev rh8-64 cp27 2.7.10-1",
}

#: What commands are asked that change something: each of them something else.
CHANGING = {
    "access apply": "{people}",
    "api-tokens create": "weekly",
    "api-tokens delete": "doomed -y",
    "apps batch-upload": "acme dev {app}",
    "apps upload": "acme dev {app}",
    "bundles batch-upload": "acme dev {bundle}",
    "bundles delete": "acme dev rh8-x86_64 cp38 doomed 1.0.0-1 -y",
    "bundles download": "acme dev rh8-x86_64 cp38 tools 1.0.0-1 .",
    "bundles fetch": "acme dev rh8-x86_64 cp38 tools 1.0.0-1 fetched",
    "bundles upload": "acme dev {bundle}",
    "cache clear": "",
    "cache prune": "--limit 1GiB",
    "cache verify": "",
    "config set": "username ada@example.com",
    "config unset": "url",
    "config use": "kept",
    "eggs batch-delete": "acme dev rh8-x86_64 cp311 'doomed_too-*' -y",
    "eggs batch-upload": "acme dev rh8-x86_64 {egg}",
    "eggs build": "idna --destination built",
    "eggs prune": "acme/dev/rh8-x86_64 --keep 1 -t cp311 -y",
    "eggs delete": "acme dev rh8-x86_64 none doomed 1.0.0-1 -y",
    "eggs update-index": "acme dev rh8-x86_64 {egg}",
    "eggs upload": "acme dev rh8-x86_64 {egg}",
    "import": "{exported}",
    "login": "{url} --insecure-storage --profile made",
    "logout": "",
    "mirror apply": "acme/dev ./mirrored -p rh8-x86_64 -t cp311",
    "mirror pack": "acme/dev delta.zip -p rh8-x86_64 -t cp311",
    "organizations create": "bulk Others",
    "promote app": "acme dev rh8-x86_64 cp38 com.example.viewer 1.10-2 --to acme/other",
    "promote bundle": "acme dev rh8-x86_64 cp38 tools 1.0.0-1 --closure --to acme/other",
    "promote egg": "acme dev rh8-x86_64 none spam 1.0.0-1 --to acme/other",
    "promote runtime": "acme dev rh8-x86_64 cpython 3.8.17+1 --to acme/other",
    "repositories create": "acme prod Releases",
    "repositories delete": "acme doomed -y",
    "runtimes batch-upload": "acme dev {runtime}",
    "runtimes delete": "acme dev rh8-x86_64 cpython 3.9.1+1 -y",
    "runtimes upload": "acme dev {runtime}",
    "teams create": "acme others read_index",
    "teams delete": "acme doomed -y",
    "teams members add": "acme leavers ada@example.com",
    "teams members remove": "acme leavers grace@example.com",
    "teams repositories add": "acme leavers other",
    "teams repositories remove": "acme leavers dev",
    "users create": "acme barbara@example.com",
    "users delete": "acme doomed@example.com -y",
}

#: Who is to do what: something new for a server that has all the rest.
PEOPLE = """\
organizations:
  acme:
    repositories:
      docs: {description: The manual}
    teams:
      writers:
        group: upload_repository
        members: [ada@example.com, katherine@example.com]
        repositories: [docs]
"""

#: What runs until it is stopped, or writes what is no data but a program.
OTHERS = {"completion": "a program for a shell", "serve": "a server"}


@contextmanager
def furnished(parent: Path) -> Iterator[tuple[BroodServer, dict[str, object]]]:
    """A server with something of everything, and something of everything to be deleted.

    With it comes what the names in braces stand for, in folders below another one.
    """
    folder, doomed, exported = (parent / name for name in ("files", "doomed-files", "exported"))
    for path in (folder, doomed):
        path.mkdir()
    files = {
        "app": write_app(folder),
        "bundle": write_bundle(folder),
        "egg": write_egg(folder),
        "runtime": write_runtime(folder),
    }
    with BroodServer() as server:
        client = server.client(api_version=1)
        organization = client.create_organization("acme", "Makers of everything")
        for name in ("dev", "other", "doomed"):
            organization.create_repository(name, "Builds of the night")
        for name in ("builders", "leavers", "doomed"):
            organization.create_team(name, "upload_repository")
        for name, team in (("ada", "builders"), ("grace", "leavers"), ("doomed", "doomed")):
            organization.create_user(f"{name}@example.com", [team])
        organization.team("doomed").remove_user("doomed@example.com")
        for team in ("builders", "leavers"):
            organization.team(team).add_repository("dev")
        for name in ("nightly", "doomed"):
            client.create_api_token(name)

        repository = organization.repository("dev")
        platform = repository.platform("rh8-x86_64")
        for egg in (files["egg"], *(write_egg(doomed, name) for name in ("doomed", "doomed_too"))):
            platform.upload_egg(egg)
        for runtime in (files["runtime"], write_runtime(doomed, version="3.9.1+1")):
            repository.upload_runtime(runtime)
        for bundle in (files["bundle"], write_bundle(doomed, "doomed")):
            repository.upload_bundle(bundle)
        repository.upload_app(files["app"])
        legacy = server.client(api_version=0).organization("acme").repository("dev")
        files["legacy_runtime"] = write_legacy_runtime(folder)
        legacy.upload_runtime(files["legacy_runtime"])

        files["people"] = folder / "people.yaml"
        files["people"].write_text(PEOPLE)
        some = {"platforms": ["rh8-x86_64"], "python_tags": ["cp311"]}
        export(server.client(), exported, **some).raise_for_failures()
        yield server, {**files, "exported": exported, "url": server.url}


@pytest.fixture(scope="module")
def furniture(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[BroodServer, dict[str, object]]]:
    with furnished(tmp_path_factory.mktemp("furnished")) as furniture:
        yield furniture


@pytest.fixture(scope="module")
def world(furniture: tuple[BroodServer, dict[str, object]]) -> BroodServer:
    """The server."""
    return furniture[0]


@pytest.fixture(scope="module")
def known(furniture: tuple[BroodServer, dict[str, object]]) -> dict[str, object]:
    """What the names in braces stand for."""
    return furniture[1]


@pytest.fixture
def cli(world: BroodServer, tmp_path: Path) -> Iterator[Cli]:
    """`hatcher` with a profile."""
    with command_line(world, tmp_path) as made:
        for words in (("set", "url", world.url, "--profile", "kept"), ("use", "kept")):
            assert made("config", *words).code == 0
        yield made


def commands_of(api_version: int) -> dict[str, click.Command]:
    """Every command but for groups, by its name."""
    found = {ctx.command_path: ctx.command for ctx in walk(root(str(api_version)))}
    return {
        path.removeprefix("hatcher "): command
        for path, command in found.items()
        if not isinstance(command, click.Group)
    }


def test_every_command_is_asked_something():
    now, before = commands_of(1), commands_of(0)
    assert now.keys() == READING.keys() | CHANGING.keys() | OTHERS.keys()
    assert not READING.keys() & CHANGING.keys()
    others = {name for name, command in before.items() if now.get(name) is not command}
    assert others == READING_0.keys()


@pytest.mark.parametrize(
    ("api_version", "name", "asked"),
    [(1, *item) for item in READING.items()] + [(0, *item) for item in READING_0.items()],
)
@pytest.mark.sampled(2)
def test_a_command_that_reads(cli, known, api_version, name, asked):
    hatcher_of = ("--api-version", str(api_version))
    command = commands_of(api_version)[name]
    declared = declared_by(command)
    assert declared is not None, "A command with data declares them: see hatcher.cli.data."
    schema = cli(*hatcher_of, "schema", *name.split()).data
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)

    asking = (*hatcher_of, *name.split(), *shlex.split(asked.format_map(known)))
    told = cli(*asking, "-o", "json")
    assert told.code in {0, 8}, told.err
    data = json.loads(told.out)
    assert data, "There is something of everything."
    validator.validate(data)

    lines = cli(*asking, "-o", "jsonl").out.splitlines()
    table = cli(*asking, "-o", "table", "--verbose").out
    rows = list(csv.DictReader(io.StringIO(cli(*asking, "-o", "csv").out)))
    if isinstance(declared, Document) and declared.rows:
        assert [list(json.loads(line)) for line in lines] == [list(row) for row in rows]
    elif isinstance(declared, Document):
        (line,) = map(json.loads, lines)
        validator.validate(line)
        assert line.keys() == data.keys()
        (row,) = rows
        assert set(row) == data.keys()
    else:
        of_a_line = Draft202012Validator(schema["items"])
        for line in lines:
            of_a_line.validate(json.loads(line))
        assert len(lines) == len(rows) == len(data)
        assert all(list(row) == [field.key for field in declared.fields] for row in rows)
    assert table.strip()


def written(cli: Cli) -> dict[Path, bytes]:
    """The user's files, but for caches."""
    below = (path for path in cli.home.parent.rglob("*") if cli.home / "cache" not in path.parents)
    return {path: path.read_bytes() for path in below if path.is_file()}


@pytest.mark.parametrize(("name", "asked"), CHANGING.items())
def test_a_command_that_changes_something(cli, known, name, asked):
    command = commands_of(1)[name]
    asking = [*name.split(), *shlex.split(asked.format_map(known))]
    options = {option for param in command.params for option in param.opts}
    assert "--dry-run" in options
    before = written(cli)
    with FaultyGateway(cli.server.url) as gateway:
        cli.setenv("HATCHER_URL", gateway.url)
        through = shlex.split(asked.format_map({**known, "url": gateway.url}))
        rehearsed = cli(*name.split(), *through, "--dry-run")
    cli.setenv("HATCHER_URL", cli.server.url)
    assert rehearsed.code == 0, rehearsed.err
    assert rehearsed.err, "It says what it would do."
    sent = {(passage.method, passage.path.rpartition("/")[2]) for passage in gateway.requests}
    assert {method for method, what in sent if what != "auth"} <= {"GET", "HEAD"}
    assert written(cli) == before
    if declared_by(command) is None:
        assert "--output" not in options
        done = cli(*asking)
        assert done.code == 0, done.err
        assert done.out == "", "A command with data declares them: see hatcher.cli.data."
        return
    schema = cli("schema", *name.split()).data
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(cli(*asking, "-o", "json").data)
