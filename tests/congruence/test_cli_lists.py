"""Lists, indices and metadata are those of the existing command line, byte for byte.

There are scripts that cut them up. Which there are, is taken from the existing command line itself.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hatcher.testing import (
    BroodServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

from ..cli.conftest import command_line
from ..cli.test_schemas import READING, READING_0, furnished
from ..interop.conftest import CommandLine, processes  # noqa: F401 - a fixture
from ..interop.environments import NEWEST, WITH_TEAMS, Commands, Release, python_of
from .intended_commands import WORKFLOWS
from .test_cli_tree import tree_of

#: What commands that only show something are called.
SHOWING = {"list", "index", "metadata", "query"}
#: Those that are called otherwise.
ALSO = {"user repositories"}

#: What they are asked besides, each for one that is asked something already.
MORE = (
    *("eggs list acme dev rh8-x86_64 cp38", "eggs list acme other rh8-x86_64 cp311"),
    *("bundles list acme other rh8-x86_64", "bundles index acme other rh8-x86_64"),
    *("runtimes list acme other rh8-x86_64", "apps list acme other rh8-x86_64"),
    *("teams members list acme doomed", "teams members query acme builders grace@example.com"),
    *("teams repositories query acme builders other", "teams list beta"),
    *("repositories list beta", "user repositories", "python-tags list"),
)

#: How one command line is told from another, where it is meant to be.
INTENDED = {difference.what for difference in WORKFLOWS}

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.long,
    pytest.mark.programs,
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BroodServer]:
    """A Brood with many versions of everything, in an order that is none."""
    folder = tmp_path_factory.mktemp("lists")
    with furnished(folder) as (server, _):
        client = server.client(api_version=1)
        for name in ("Zeta", "beta"):
            client.create_organization(name, "-")
        acme = client.organization("acme")
        acme.create_repository("Beta", "-")
        acme.create_team("Alpha", "read_index")
        repository = acme.repository("dev")
        platform = repository.platform("rh8-x86_64")
        for name, version, build in (
            ("nose", "1.10.0", 1),
            ("nose", "1.9.0", 10),
            ("nose", "1.9.0", 2),
            ("Zope", "2.0rc1", 1),
            ("zope", "2.0", 1),
            ("aaa", "2014b", 1),
            ("aaa", "2014.1.dev3", 1),
            ("two_words", "1.0.post2", 1),
        ):
            tag = None if name == "nose" else "cp311"
            made = write_egg(folder, name, version, build, platform="rh8-x86_64", python_tag=tag)
            platform.upload_egg(made)
            repository.upload_bundle(write_bundle(folder, name, version, build))
            app = {"id": f"com.example.{name}", "version": version, "build": build}
            repository.upload_app(write_app(folder, **app))
        for version in ("3.8.9+1", "3.8.17+10", "3.8.17+2"):
            repository.upload_runtime(write_runtime(folder, version=version))
        pypy = write_runtime(folder, implementation="pypy", version="3.8.1+1", python_tag="pp38")
        repository.upload_runtime(pypy)
        legacy = server.client(api_version=0).organization("acme").repository("dev")
        for version, build in (("2.7.9", 2), ("2.7.10", 10), ("2.7.9", 10), ("3.4.1", 1)):
            made = write_legacy_runtime(folder, version=version, build=build)
            legacy.upload_runtime(made)
        yield server


def asked(release: Release, api_version: int) -> dict[str, list[str]]:
    """What is asked of each command of a release that shows something."""
    tree = tree_of(python_of(release), api_version)
    arguments = READING if api_version == 1 else READING | READING_0
    return {
        name: [f"{name} {arguments[name]}", *(more for more in MORE if more.startswith(name))]
        for name, command in tree.items()
        if not command["is_group"] and (name.split()[-1] in SHOWING or name in ALSO)
    }


@pytest.mark.parametrize("api_version", [0, 1], ids=["v0", "v1"])
@pytest.mark.parametrize("release", [NEWEST, WITH_TEAMS], ids=lambda release: release.version)
def test_they_are_the_same(server, processes, release, api_version, tmp_path):  # noqa: F811
    theirs = CommandLine(processes(Commands, release), server, api_version, tmp_path)
    told = asked(release, api_version)
    assert len(told) >= 10
    with command_line(server, tmp_path) as ours:
        for name, lines in told.items():
            for line in lines:
                old = theirs(*line.split())
                new = ours("--api-version", api_version, *line.split())
                assert (old.returncode == 0) is (new.code == 0), f"{line}\n{old}\n{new}"
                is_meant = f"{name}: words" in INTENDED
                assert (new.out != old.stdout) is is_meant, f"{line}\n{old.stdout}\n{new.out}"


@pytest.mark.parametrize("release", [NEWEST, WITH_TEAMS], ids=lambda release: release.version)
@pytest.mark.parametrize("debugging", [("--debug",), ()], ids=["option", "variable"])
def test_debugging(server, processes, release, debugging, tmp_path):  # noqa: F811
    """Both show where an error is from; ours also what was asked, and returns the usual code."""
    who = {"USERNAME": server.admin_email, "PASSWORD": server.admin_password, "URL": server.url}
    environment = {f"HATCHER_{name}": value for name, value in who.items()}
    if not debugging:
        environment["HATCHER_DEBUG"] = "1"
    nobody = (*debugging, "repositories", "list", "nobody")
    line = CommandLine(processes(Commands, release), server, 1, tmp_path)
    theirs = line(*nobody, environment=environment)
    assert (theirs.returncode, "Traceback" in theirs.stderr) == (1, True)
    with command_line(server, tmp_path) as cli:
        ours = cli.process(*nobody, env=environment)
    assert (ours.code, "Traceback" in ours.err, theirs.stdout, ours.out) == (4, True, "", "")
    assert " 404 " in ours.err and "Error: Could not list repositories" in ours.err
