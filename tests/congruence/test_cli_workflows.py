"""What people do with the existing command line, done with both: the servers end up alike.

Each works in a folder of its own, on a server of its own. What a command writes to standard output
is compared too, and whether it says that it has failed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from hatcher.api import BroodClient
from hatcher.errors import NotFoundError
from hatcher.testing import (
    BroodServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

from ..cli.conftest import Cli
from ..interop.conftest import CommandLine, Processes, processes  # noqa: F401 - a fixture
from ..interop.environments import NEWEST, WITH_TEAMS, Commands, Release, python_of
from .intended_commands import WORKFLOWS
from .test_cli_tree import tree_of

PLATFORM = "rh8-x86_64"
TAGS = ("cp311", "cp38", "none")
REPOSITORY = ("acme", "dev")
WHERE = (*REPOSITORY, PLATFORM)
PEOPLE = ("coyote@example.com", "runner@example.com")

#: What tells when something happened, or who was asked.
TIMES = {"change_date", "created", "last_used", "mtime"}
_TIME_IN_JSON = re.compile(rf'"({"|".join(sorted(TIMES))})": [^,\n]+')

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.long]


@frozen
class Done:
    """What became of a command."""

    failed: bool
    out: str
    err: str


@frozen
class Side:
    """A command line, the server that it works on, and its folder.

    Given an environment, it is told by that alone where to go, and as whom.
    """

    run: Callable[..., Done]
    server: BroodServer
    folder: Path

    def client(self, api_version: int) -> BroodClient:
        return self.server.client(api_version=api_version)


@frozen
class Both:
    """The two command lines; called, they do the same, and are compared."""

    theirs: Side
    ours: Side
    api_version: int
    differing: set[str]

    def __call__(self, *args: object, typed: str = "", fails: bool = False) -> str:
        """Run a command with each; return what ours wrote."""
        theirs, ours = (side.run(*args, typed=typed) for side in (self.theirs, self.ours))
        step = " ".join(map(str, args))
        intended = {
            difference.what.rpartition(": ")[2]
            for difference in WORKFLOWS
            if step.startswith(difference.what.rpartition(": ")[0])
        }
        told = set()
        if theirs.failed != ours.failed:
            told.add("exit code")
        if len({_TIME_IN_JSON.sub(r"\1", done.out) for done in (theirs, ours)}) > 1:
            told.add("words")
        assert told <= intended, f"$ hatcher {step}\n{theirs}\n{ours}"
        self.differing.update(f"{step}: {what}" for what in told)
        assert ours.failed is fails, f"$ hatcher {step}\n{ours}"
        return ours.out

    def write(self, make: Callable[..., Path], *args: Any, **options: Any) -> str:
        """Write the same file into both folders; return its name."""
        made = [make(side.folder, *args, **options) for side in (self.theirs, self.ours)]
        assert made[0].read_bytes() == made[1].read_bytes()
        return made[0].name

    def make(self, folder: str) -> None:
        """Make the same folder in both."""
        for side in (self.theirs, self.ours):
            (side.folder / folder).mkdir()

    def check(self, but: tuple[str, str] | None = None) -> dict[str, Any]:
        """Hold both servers and both folders against each other; return ours.

        Parameters
        ----------
        but : tuple of (str, str), optional
            A repository, and what of its metadata may differ.
        """
        theirs, ours = (
            state_of(side.client(self.api_version)) for side in (self.theirs, self.ours)
        )
        if but is not None:
            repository, key = but
            assert theirs[repository].pop(key) and ours[repository].pop(key)
        assert ours == theirs
        written = files(self.ours.folder)
        for path in [path for path in written if path.endswith("manifest.json")]:
            del written[path]
            self.differing.add("export: manifest.json")
        assert written == files(self.theirs.folder)
        return ours


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: timeless(item) for key, item in value.items() if key not in TIMES}
    if isinstance(value, list):
        return [timeless(item) for item in value]
    return value


def state_of(client: BroodClient) -> dict[str, Any]:
    """All that a server keeps, but for times and passwords."""
    version = client.api_version
    state: dict[str, Any] = {"tokens": sorted(token["name"] for token in client.list_api_tokens())}
    for name in client.list_organizations():
        organization = client.organization(name)
        state[name] = {
            team["name"]: {
                "access": team["group"],
                "members": sorted(organization.team(team["name"]).list_users()),
                "repositories": sorted(organization.team(team["name"]).list_repositories()),
            }
            for team in organization.list_teams()
        }
        for email in PEOPLE:
            try:
                state[f"{name} {email}"] = organization.user(email).metadata()
            except NotFoundError:
                state[f"{name} {email}"] = None
        for repository in map(organization.repository, organization.list_repositories()):
            state[str(repository)] = repository.metadata()
            platform = repository.platform(PLATFORM)
            state[str(platform)] = {
                "eggs": {tag: dict(platform.egg_index(tag)) for tag in TAGS},
                "runtimes": dict(platform.runtime_index()),
                "bundles": platform.bundle_index() if version == 1 else None,
                "apps": dict(platform.app_index()),
            }
    return timeless(state)


def credentials(server: BroodServer, api_version: int) -> list[str]:
    who = ["--username", server.admin_email, "--password", server.admin_password]
    return ["--url", server.url, *who, "--api-version", str(api_version)]


@pytest.fixture(params=[0, 1], ids=["v0", "v1"])
def api_version(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture
def release() -> Release:
    """The release of the existing client; other tests have another one."""
    return NEWEST


@pytest.fixture
def both(
    api_version: int,
    release: Release,
    tmp_path: Path,
    processes: Processes,  # noqa: F811
) -> Iterator[Both]:
    folders = [tmp_path / name for name in ("theirs", "ours", "home")]
    for folder in folders:
        folder.mkdir()
    with BroodServer() as one, BroodServer() as other, pytest.MonkeyPatch.context() as patch:
        line = CommandLine(processes(Commands, release), one, api_version, folders[0])
        cli = Cli(other, folders[2], folders[1], patch)

        def theirs(
            *args: object, typed: str = "", environment: dict[str, str] | None = None
        ) -> Done:
            done = line(*args, typed=typed, environment=environment)
            # Where it does not expect what the server says, it fails in another way.
            assert "Traceback" not in done.stderr, done
            return Done(done.returncode != 0, done.stdout, done.stderr)

        def ours(*args: object, typed: str = "", environment: dict[str, str] | None = None) -> Done:
            if environment is None:
                done = cli(*credentials(other, api_version), *args, input=typed)
            else:
                with pytest.MonkeyPatch.context() as variables:
                    for name in ("URL", "USERNAME", "PASSWORD"):
                        variables.delenv(f"HATCHER_{name}")
                    for name, value in environment.items():
                        variables.setenv(name, value)
                    done = cli(*args, input=typed)
            return Done(done.code != 0, done.out, done.err)

        yield Both(Side(theirs, one, folders[0]), Side(ours, other, folders[1]), api_version, set())


@pytest.fixture
def dev(both: Both) -> Both:
    """With the repository acme/dev."""
    both("organizations", "create", "acme", "Road runner traps")
    both("repositories", "create", *REPOSITORY, "Not yet exploded")
    return both


def test_organizations_and_repositories(dev):
    assert dev("organizations", "list") == "acme\n"
    dev("organizations", "create", "acme", "again", fails=True)
    dev("repositories", "create", "acme", "prod", "What customers get")
    assert dev("repositories", "list", "acme") == "dev\nprod\n"
    dev("repositories", "list", "nobody", fails=True)
    dev("user", "repositories")
    dev("user", "repositories", "--include-indexable")
    dev("repositories", "delete", "acme", "prod", typed="n\n")
    assert "acme/prod" in dev.check()
    dev("repositories", "delete", "acme", "prod", typed="y\n")
    dev("repositories", "delete", "--yes", "acme", "prod", fails=True)
    assert "acme/prod" not in dev.check()


@pytest.mark.parametrize("version", [0, 1], ids=["v0", "v1"])
def test_every_command_is_called_here(version):
    text = Path(__file__).read_text(encoding="utf-8")
    tree = tree_of(python_of(NEWEST), version)
    commands = [path.split() for path, command in tree.items() if not command["is_group"]]
    assert ["eggs", "upload"] in commands
    quoted = [", ".join(f'"{word}"' for word in command) for command in commands]
    assert [command for command in quoted if command not in text] == []


def test_what_is_not_there(dev, api_version):
    egg = dev.write(write_egg, platform=PLATFORM)
    nowhere = ("acme", "nowhere", PLATFORM)
    dev("repositories", "create", "acme", "..", "no name", fails=True)
    dev("eggs", "upload", *nowhere, egg, fails=True)
    dev("eggs", "list", *nowhere, "cp311", fails=True)
    dev("runtimes", "list", *nowhere, fails=True)
    dev("runtimes", "metadata", *WHERE, "cpython", "1.0", fails=True)
    if api_version == 1:
        dev("bundles", "metadata", *WHERE, "cp38", "tools", "1.0.0-1", fails=True)


def test_what_the_server_knows(both):
    assert "cp311" in both("python-tags", "list")
    assert "py2.py3" in both("python-tags", "list", "--all")
    assert PLATFORM in both("platforms", "list")
    both("organizations", "list")


def test_an_egg(dev):
    egg = dev.write(write_egg, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311")
    dev("eggs", "upload", *WHERE, egg)
    dev("eggs", "upload", *WHERE, egg)  # it is there
    dev("eggs", "upload", "--verify", *WHERE, egg)
    assert egg in dev("eggs", "list", *WHERE, "cp311")
    dev("eggs", "list", *WHERE, "cp38")
    dev("eggs", "metadata", *WHERE, "cp311", "MyEgg", "1.0-1")
    dev("eggs", "metadata", *WHERE, "cp311", "MyEgg", "2.0-1", fails=True)

    dev.make("downloads")
    dev("eggs", "download", *WHERE, "cp311", "MyEgg", "1.0-1", "downloads")
    dev("eggs", "download", *WHERE, "cp311", "MyEgg", "1.0-1", "downloads")
    assert f"downloads/{egg}" in files(dev.ours.folder)

    dev.write(write_egg, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311", payload_bytes=99)
    dev("eggs", "upload", "--verify", *WHERE, egg, fails=True)
    dev("eggs", "upload", *WHERE, egg, fails=True)
    dev("eggs", "upload", "--force", *WHERE, egg)
    dev("eggs", "download", *WHERE, "cp311", "MyEgg", "1.0-1")
    dev.check()
    dev("eggs", "delete", *WHERE, "cp311", "MyEgg", "1.0-1", typed="n\n")
    assert egg in dev.check()[f"acme/dev/{PLATFORM}"]["eggs"]["cp311"]
    dev("eggs", "delete", *WHERE, "cp311", "MyEgg", "1.0-1", typed="y\n")
    assert dev.check()[f"acme/dev/{PLATFORM}"]["eggs"]["cp311"] == {}


def test_many_eggs(dev):
    """They are uploaded out of sight, and appear together."""
    some = [dev.write(write_egg, f"egg{n}", "1.0", platform=PLATFORM) for n in range(10, 7, -1)]
    dev("eggs", "batch-upload", *WHERE, *some)
    dev("eggs", "list", *WHERE, "cp311")
    dev("eggs", "batch-upload", *WHERE, *some)  # they are there
    more = dev.write(write_egg, "later", "1.0", platform=PLATFORM)
    dev("eggs", "batch-upload", "--no-index", *WHERE, more)
    assert more not in dev("eggs", "list", *WHERE, "cp311")
    dev.check()
    dev("eggs", "update-index", *WHERE, more)
    assert more in dev("eggs", "list", *WHERE, "cp311")
    dev.check()

    changed = dev.write(write_egg, "later", "1.0", platform=PLATFORM, payload_bytes=99)
    dev("eggs", "batch-upload", *WHERE, changed, fails=True)
    dev.check()
    dev("eggs", "batch-upload", "--force", "--index_timeout", 5, *WHERE, changed)
    dev("eggs", "batch-upload", *WHERE, "missing.egg", fails=True)
    dev("eggs", "batch-upload", *WHERE)
    assert len(dev.check()[f"acme/dev/{PLATFORM}"]["eggs"]["none"]) == 4


def test_runtimes(dev, api_version):
    if api_version == 0:
        runtime = dev.write(write_legacy_runtime)
        place = (*WHERE, "cp27", "2.7.10-1")
    else:
        later = dev.write(write_runtime, version="3.11.9+2", language_version="3.11.9")
        dev("runtimes", "upload", *REPOSITORY, later)
        runtime = dev.write(write_runtime)
        place = (*WHERE, "cpython", "3.8.17+1")
    dev("runtimes", "upload", *REPOSITORY, runtime)
    dev("runtimes", "upload", "--verify", *REPOSITORY, runtime)
    dev("runtimes", "upload", *REPOSITORY, runtime)
    if api_version == 1:
        dev.write(write_runtime, build_revision="2.1.1")
        dev("runtimes", "upload", "--verify", *REPOSITORY, runtime, fails=True)
        dev("runtimes", "upload", *REPOSITORY, runtime, fails=True)
    dev("runtimes", "upload", "--force", *REPOSITORY, runtime)
    dev("runtimes", "list", *WHERE)
    dev("runtimes", "metadata", *place)
    dev.make("downloads")
    dev("runtimes", "download", *place, "downloads")
    assert f"downloads/{runtime}" in files(dev.ours.folder)
    dev.check()
    if api_version == 1:
        dev("runtimes", "delete", *place, typed="n\n")
        dev("runtimes", "delete", "-y", *place)
        dev("runtimes", "delete", "-y", *place, fails=True)
        assert len(dev("runtimes", "list", *WHERE).splitlines()) == 3
        dev.check()


@pytest.mark.parametrize("api_version", [1], ids=["v1"])
def test_bundles(dev):
    bundle = dev.write(write_bundle)
    place = (*WHERE, "cp38", "tools", "1.0.0-1")
    dev("bundles", "upload", *REPOSITORY, bundle)
    dev("bundles", "list", *WHERE)
    dev("bundles", "index", *WHERE)
    dev("bundles", "metadata", *place)
    dev.make("downloads")
    dev("bundles", "download", *place, "downloads")
    dev("bundles", "download", *place, "downloads", fails=True)
    dev("bundles", "download", "--force", *place, "downloads")
    dev.check()
    dev.write(write_bundle, mark="changed")
    dev("bundles", "upload", *REPOSITORY, bundle, fails=True)
    dev("bundles", "upload", "--force", *REPOSITORY, bundle)
    assert dev.check()[f"acme/dev/{PLATFORM}"]["bundles"]
    dev("bundles", "delete", *place)  # which asks nobody
    dev("bundles", "delete", *place, fails=True)
    dev("bundles", "list", *WHERE)
    assert dev.check()[f"acme/dev/{PLATFORM}"]["bundles"] == {}


def test_users(dev):
    dev("users", "create", "acme", PEOPLE[0])
    dev("users", "create", "acme", PEOPLE[1])
    dev("users", "delete", "acme", PEOPLE[0], typed="y\n")
    dev("users", "delete", "acme", PEOPLE[1], typed="n\n")
    dev("users", "delete", "-y", "acme", PEOPLE[0], fails=True)
    dev("users", "create", "acme", "no e-mail address", fails=True)
    state = dev.check()
    assert (state[f"acme {PEOPLE[0]}"], state[f"acme {PEOPLE[1]}"] is None) == (None, False)


def test_tokens(dev):
    """A token works; what it is differs, as do times."""
    for side in (dev.theirs, dev.ours):
        headings, _, row = side.run("api-tokens", "create", "laptop").out.splitlines()
        assert headings.split() == ["New", "Token", "Name", "New", "Token"]
        name, token = row.split()
        assert name == "laptop"
        table = side.run("api-tokens", "list").out.splitlines()
        assert table[0].split() == ["Name", "Created", "Last", "Used"]
        assert token not in "".join(table)
    assert dev.check()["tokens"] == ["laptop"]
    dev("api-tokens", "delete", "laptop", typed="n\n")
    assert dev.check()["tokens"] == ["laptop"]
    dev("api-tokens", "delete", "-y", "laptop")
    dev("api-tokens", "delete", "-y", "laptop", fails=True)
    assert dev.check()["tokens"] == []


@pytest.mark.programs
@pytest.mark.parametrize("release", [WITH_TEAMS], ids=["0.10.5"])
def test_teams(dev):
    builders = ("acme", "builders")
    dev("teams", "create", *builders, "upload_repository")
    dev("teams", "create", *builders, "upload_repository", fails=True)
    dev("teams", "create", "acme", "others", "no such level", fails=True)
    assert "builders\n" in dev("teams", "list", "acme")
    dev("teams", "metadata", *builders)
    dev("users", "create", "acme", PEOPLE[0])
    for kind, what in (("repositories", "dev"), ("members", PEOPLE[0])):
        dev("teams", kind, "query", *builders, what, fails=True)
        dev("teams", kind, "add", *builders, what)
        assert dev("teams", kind, "list", *builders) == f"{what}\n"
        dev("teams", kind, "query", *builders, what)
        dev("teams", kind, "add", *builders, "nobody@example.com", fails=True)
    assert dev.check()["acme"]["builders"] == {
        "access": "upload_repository",
        "members": [PEOPLE[0]],
        "repositories": ["dev"],
    }
    for kind, what in (("repositories", "dev"), ("members", PEOPLE[0])):
        dev("teams", kind, "remove", *builders, what)
        dev("teams", kind, "list", *builders)
    dev.check()
    dev("teams", "delete", *builders)  # which asks nobody
    dev("teams", "metadata", *builders, fails=True)
    assert "builders" not in dev.check()["acme"]


@pytest.mark.programs
@pytest.mark.parametrize("release", [WITH_TEAMS], ids=["0.10.5"])
@pytest.mark.parametrize("api_version", [0], ids=["v0"])
def test_apps(dev):
    app = dev.write(write_app, platform=PLATFORM)
    dev("apps", "upload", *REPOSITORY, app)
    dev("apps", "upload", *REPOSITORY, app)
    dev.write(write_app, platform=PLATFORM, description="Another one")
    dev("apps", "upload", *REPOSITORY, app, fails=True)
    dev("apps", "upload", "--force", *REPOSITORY, app)
    assert dev.check()[f"acme/dev/{PLATFORM}"]["apps"]


@pytest.mark.programs
@pytest.mark.parametrize("release", [WITH_TEAMS], ids=["0.10.5"])
@pytest.mark.parametrize("api_version", [0], ids=["v0"])
def test_deletes_of_before_there_were_questions(dev):
    """Ours asks what newer releases ask: it deletes nothing without an answer, or -y."""
    egg = dev.write(write_egg, "MyEgg", "1.0", platform=PLATFORM)
    for side in (dev.theirs, dev.ours):
        side.client(0).at("/".join(WHERE)).upload_egg(side.folder / egg)
    dev("users", "create", "acme", PEOPLE[0])
    for deletion in (
        ("eggs", "delete", *WHERE, "none", "MyEgg", "1.0-1"),
        ("users", "delete", "acme", PEOPLE[0]),
        ("repositories", "delete", *REPOSITORY),
    ):
        theirs, ours = (side.run(*deletion) for side in (dev.theirs, dev.ours))
        assert (theirs.failed, ours.failed) == (False, True)
        assert "--yes" in ours.err
        assert not dev.ours.run(*deletion, "-y").failed
    dev.check()


def test_export_and_import(dev, api_version):
    eggs = [
        dev.write(write_egg, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311"),
        dev.write(write_egg, "spam", "2.0", platform=PLATFORM, python_tag="cp38"),
        dev.write(write_egg, "any", "1.0", platform=PLATFORM),
    ]
    for egg in eggs:
        dev("eggs", "upload", *WHERE, egg)
    if api_version == 1:
        dev("runtimes", "upload", *REPOSITORY, dev.write(write_runtime))
    some = ("-p", PLATFORM, "-t", "cp311", "-t", "cp38")
    dev("export", "-r", "acme/dev", *some, "out")
    out = files(dev.ours.folder / "out" / f"v{api_version}" / "acme" / "dev" / PLATFORM)
    assert {f"eggs/cp311/{eggs[0]}", f"eggs/cp38/{eggs[1]}", f"eggs/None/{eggs[2]}"} <= out.keys()
    dev("export", "-r", "acme/dev", *some, "out")  # over what is there
    dev("export", "-a", "eggs", "-r", "acme/dev", *some, "eggs-only")
    dev("export", "-r", "acme", "nothing", fails=True)
    dev.check()
    if api_version == 0:
        return  # which has no import

    for side in (dev.theirs, dev.ours):
        (side.folder / "out" / "v1" / "acme" / "dev").rename(
            side.folder / "out" / "v1" / "acme" / "copy"
        )
    dev("import", "out", fails=True)  # nowhere to put it
    assert "acme/copy" not in dev.check()
    dev("import", "--create-missing", "out")
    dev("repositories", "list", "acme")
    for tag in ("cp311", "cp38"):
        dev("eggs", "list", "acme", "copy", PLATFORM, tag)
    dev("runtimes", "list", "acme", "copy", PLATFORM)
    dev("import", "out")  # nothing to do
    dev("import", "--force", "-r", "acme/copy", "-p", PLATFORM, "out")
    # Each says in its own words who has made the repository.
    state = dev.check(but=("acme/copy", "description"))
    assert state[f"acme/copy/{PLATFORM}"]["eggs"] == state[f"acme/dev/{PLATFORM}"]["eggs"]


def test_the_environment(dev, api_version):
    """Everything is said by variables, and nothing on the command line."""
    egg = dev.write(write_egg, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311")
    tokens = {
        side: side.client(api_version).create_api_token("night")["token"]
        for side in (dev.theirs, dev.ours)
    }

    def run(*args: str, token: bool = False, **variables: str) -> list[Done]:
        done = []
        for side in (dev.theirs, dev.ours):
            who = {
                "HATCHER_USERNAME": side.server.admin_email,
                "HATCHER_PASSWORD": side.server.admin_password,
            }
            if token:
                who = {"HATCHER_TOKEN": tokens[side]}
            where = {"HATCHER_URL": side.server.url, "HATCHER_API_VERSION": str(api_version)}
            done.append(side.run(*args, environment={**where, **who, **variables}))
        return done

    def succeed(*args: str, **options: Any) -> list[str]:
        done = run(*args, **options)
        assert not any(each.failed for each in done), done
        return [each.out for each in done]

    def fail(*args: str, **variables: str) -> None:
        done = run(*args, **variables)
        assert all(each.failed for each in done), done

    assert succeed("organizations", "list") == ["acme\n"] * 2
    for out in succeed("runtimes", "metadata", "--help"):
        assert ("PYTHON_TAG VERSION" in out) is (api_version == 0)
    succeed("organizations", "list", HATCHER_INSECURE="1")
    fail("organizations", "list", HATCHER_PASSWORD="wrong")
    fail("organizations", "list", HATCHER_URL="http://127.0.0.1:9")
    fail("organizations", "list", HATCHER_API_VERSION="2")

    succeed("eggs", "upload", *WHERE, egg)
    dev.write(write_egg, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311", payload_bytes=99)
    fail("eggs", "upload", *WHERE, egg)
    succeed("eggs", "upload", *WHERE, egg, HATCHER_EGGS_UPLOAD_FORCE="1")
    succeed("eggs", "upload", *WHERE, egg, HATCHER_EGGS_UPLOAD_VERIFY="true")
    fail("eggs", "delete", *WHERE, "cp311", "MyEgg", "1.0-1")  # there is nobody to answer
    dev.check()
    succeed("eggs", "delete", *WHERE, "cp311", "MyEgg", "1.0-1", HATCHER_EGGS_DELETE_ASSUME_YES="1")
    dev.check()

    assert succeed("organizations", "list", token=True) == ["acme\n"] * 2
