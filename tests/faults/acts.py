"""Every operation of the description, as a user calls it; and whether it was carried out.

Each act is on something of its own, so that none meets what another one has left.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from attrs import field, frozen

from hatcher.api import (
    BroodBearerTokenAuth,
    BroodClient,
    Organization,
    RetryPolicy,
    SinglePlatformRepository,
)
from hatcher.testing import (
    BroodServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

PLATFORM = "rh8-x86_64"
PYTHON_TAG = "cp311"
ADA = "ada@acme.example"


class Scene:
    """A Brood with something of everything, and room for what acts make.

    Parameters
    ----------
    server : BroodServer
        Without content.
    folder : pathlib.Path
        An empty folder.

    Attributes
    ----------
    auth : BroodBearerTokenAuth
        The administrator's; a token, since passwords take their time.
    brood : dict of int to BroodClient
        Clients of either version that no fault gets in the way of.
    """

    def __init__(self, server: BroodServer, folder: Path) -> None:
        self.url = server.url
        self.folder = folder
        token = server.client().create_api_token("the-key")["token"]
        self.auth = BroodBearerTokenAuth(token)
        self.token = token
        self.brood = {version: server.client(version, self.auth) for version in (0, 1)}
        self._http = httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"})
        self._numbers = count(1)
        self._fill()

    def close(self) -> None:
        self._http.close()

    def client(
        self, url: str, auth: Any, version: int, retries: RetryPolicy, **options: Any
    ) -> BroodClient:
        """A client of the server, or of what stands before it."""
        return BroodClient.from_url(
            url, auth=auth, api_version=version, retries=retries, cache=False, **options
        )

    def fresh(self) -> str:
        """A name that nothing has yet."""
        return f"fresh{next(self._numbers)}"

    def path(self, *names: str) -> Path:
        """A folder of one's own."""
        path = self.folder.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    def has(self, path: str, version: int = 1) -> bool:
        """Whether the server has something there; asked without our client."""
        answer = self._http.get(f"/api/v{version}/json/{path}")
        assert answer.status_code in (200, 204, 404), answer.text
        return answer.status_code != 404

    def list(self, path: str, name: str) -> list[Any]:
        """What the server lists there; asked without our client."""
        answer = self._http.get(f"/api/v1/json/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()[name]

    def index(self) -> dict[str, Any]:
        """The eggs that are shown where acts put theirs; asked without our client."""
        answer = self._http.get(f"/api/v1/json/indices/acme/room/{PLATFORM}/{PYTHON_TAG}/eggs")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def _fill(self) -> None:
        files = self.path("fixed")
        acme = self.brood[1].create_organization("acme", "-")
        dev = acme.create_repository("dev", "-")
        acme.create_repository("room", "-")
        self.egg = egg(files, "Anvil", payload_bytes=20_000)
        self.runtime = write_runtime(files, version="3.8.17+1", language_version="3.8.17")
        self.legacy_runtime = write_legacy_runtime(files, version="3.8.17")
        dev.platform(PLATFORM).upload_egg(self.egg)
        dev.upload_runtime(self.runtime)
        old = self.brood[0].at("acme/dev")
        old.upload_runtime(self.legacy_runtime)  # type: ignore[union-attr]
        dev.upload_app(app(files, "tongs"))
        dev.upload_bundle(bundle(files, "Hammers"))
        smiths = acme.create_team("smiths", "read_index")
        acme.create_user(ADA, [smiths])
        smiths.add_repository("dev")
        self.brood[1].create_api_token("fixed")


@frozen
class Act:
    """What a user does to have an operation sent.

    Attributes
    ----------
    call : callable
        Given a client, the scene and a name of one's own, does it.
    prepare : callable
        Given the scene and the name, makes what it takes.
    done : callable, optional
        Given the scene, the version and the name, asks the server how often it was carried out,
        with one's own name. None for what changes nothing.
    shows : str
        What the result of a call that has worked holds, as it is shown.
    """

    call: Callable[[BroodClient, Scene, str], Any]
    prepare: Callable[[Scene, str], Any] = lambda scene, name: None
    done: Callable[[Scene, int, str], int] | None = field(default=None)
    shows: str = ""


def acme(client: BroodClient) -> Organization:
    return client.organization("acme")


def dev(client: BroodClient) -> SinglePlatformRepository:
    return acme(client).repository("dev").platform(PLATFORM)


def room(client: BroodClient) -> SinglePlatformRepository:
    return acme(client).repository("room").platform(PLATFORM)


def egg(folder: Path, name: str, **options: Any) -> Path:
    return write_egg(folder, name, platform=PLATFORM, python_tag=PYTHON_TAG, **options)


def app(folder: Path, name: str) -> Path:
    described = {"id": f"acme.{name}", "version": "1.0.0", "build": 1, "python_tag": PYTHON_TAG}
    return write_app(folder, f"{name}.yaml", **described)


def bundle(folder: Path, name: str) -> Path:
    runtime = {"implementation": "cpython", "platform": PLATFORM, "version": "3.11.9+1"}
    return write_bundle(folder, name, runtime=runtime)


def number(name: str) -> str:
    return name.removeprefix("fresh")


# Artefacts of one's own


def new_egg(scene: Scene, name: str) -> Path:
    return egg(scene.path(name), name)


def new_runtime(scene: Scene, version: int, name: str) -> Path:
    patch = number(name)
    if version == 0:
        return write_legacy_runtime(scene.path(name), version=f"3.8.{patch}")
    described = {"version": f"3.8.{patch}+1", "language_version": f"3.8.{patch}"}
    return write_runtime(scene.path(name), **described)


def has_egg(scene: Scene, name: str) -> bool:
    return scene.has(f"metadata/acme/room/{PLATFORM}/{PYTHON_TAG}/eggs/{name}/1.0.0-1")


def has_runtime(scene: Scene, version: int, name: str) -> bool:
    patch = number(name)
    if version == 0:
        return scene.has(f"metadata/acme/room/{PLATFORM}/runtimes/cp38/3.8.{patch}-1", version)
    return scene.has(f"metadata/acme/room/{PLATFORM}/runtimes/cpython/3.8.{patch}+1")


def has_bundle(scene: Scene, name: str) -> bool:
    return scene.has(f"metadata/acme/room/{PLATFORM}/bundles/{PYTHON_TAG}/{name}/1.0.0-1")


def has_app(scene: Scene, name: str) -> bool:
    return scene.has(f"metadata/acme/room/{PLATFORM}/{PYTHON_TAG}/apps/acme.{name}/1.0.0-1")


# People of one's own


def user(name: str) -> str:
    return f"{name}@acme.example"


def team(scene: Scene, name: str, **parts: str) -> None:
    made = acme(scene.brood[1]).create_team(name, "read_index")
    if "repository" in parts:
        made.add_repository(parts["repository"])
    if "member" in parts:
        made.add_user(parts["member"])


def listed(scene: Scene, path: str, what: str, name: str) -> int:
    """How many of what the server lists are called so."""
    found = scene.list(path, what)
    return sum(name in (each, isinstance(each, dict) and each["name"]) for each in found)


ADMIN = "admin/organizations/acme"


def downloaded(path: Path, original: Path) -> str:
    """Tell that all of a file has arrived, and nothing beside it."""
    (only,) = path.iterdir()
    same = only.read_bytes() == original.read_bytes() and only.name == original.name
    return "downloaded" if same else "something else"


def download_egg(client: BroodClient, scene: Scene, name: str) -> str:
    sha256 = hashlib.sha256(scene.egg.read_bytes()).hexdigest()
    folder = scene.path(name, "downloads")
    dev(client).download_egg(PYTHON_TAG, "Anvil", "1.0.0-1", folder, sha256)
    return downloaded(folder, scene.egg)


def download_runtime(client: BroodClient, scene: Scene, name: str) -> str:
    old = client.api_version == 0
    original = scene.legacy_runtime if old else scene.runtime
    sha256 = hashlib.sha256(original.read_bytes()).hexdigest()
    folder = scene.path(name, "downloads")
    which = ("cp38", "3.8.17-1") if old else ("cpython", "3.8.17+1")
    dev(client).download_runtime(*which, folder, sha256)
    return downloaded(folder, original)


def runtime_metadata(client: BroodClient) -> Any:
    which = ("cp38", "3.8.17-1") if client.api_version == 0 else ("cpython", "3.8.17+1")
    return dev(client).runtime_metadata(*which)


#: By the operation's name without its version.
ACTS = {
    # What reads
    "list_platforms": Act(lambda c, s, n: c.list_platforms(), shows=PLATFORM),
    "list_python_tags": Act(lambda c, s, n: c.list_python_tags(), shows=PYTHON_TAG),
    "list_all_python_tags": Act(lambda c, s, n: c.list_python_tags(True), shows="py2.py3"),
    "list_organizations": Act(lambda c, s, n: c.list_organizations(), shows="'acme'"),
    "list_api_tokens": Act(lambda c, s, n: c.list_api_tokens(), shows="'fixed'"),
    "list_available_repositories": Act(
        lambda c, s, n: c.list_available_repositories(True), shows="'acme/dev'"
    ),
    "list_repositories": Act(lambda c, s, n: acme(c).list_repositories(), shows="'dev'"),
    "list_teams": Act(lambda c, s, n: acme(c).list_teams(), shows="'smiths'"),
    "get_team": Act(lambda c, s, n: acme(c).team("smiths").metadata(), shows="'smiths'"),
    "list_team_repositories": Act(
        lambda c, s, n: acme(c).team("smiths").list_repositories(), shows="'dev'"
    ),
    "get_team_repository": Act(
        lambda c, s, n: acme(c).team("smiths").query_repository_access("dev"), shows="True"
    ),
    "list_team_members": Act(lambda c, s, n: acme(c).team("smiths").list_users(), shows=ADA),
    "get_team_member": Act(
        lambda c, s, n: acme(c).team("smiths").query_user_access(ADA), shows="True"
    ),
    "get_user": Act(lambda c, s, n: acme(c).user(ADA).metadata(), shows=ADA),
    "get_egg_index": Act(lambda c, s, n: dev(c).egg_index(PYTHON_TAG), shows="'Anvil-1.0.0-1.egg'"),
    "get_egg_metadata": Act(
        lambda c, s, n: dev(c).egg_metadata(PYTHON_TAG, "Anvil", "1.0.0-1"), shows="'sha256'"
    ),
    "get_app_index": Act(lambda c, s, n: dev(c).app_index(), shows="'acme.tongs'"),
    "get_app_metadata": Act(
        lambda c, s, n: dev(c).app_metadata(PYTHON_TAG, "acme.tongs", "1.0.0-1"), shows="1.0.0"
    ),
    "get_runtime_index": Act(lambda c, s, n: dev(c).runtime_index(), shows="3.8.17"),
    "get_runtime_metadata": Act(lambda c, s, n: runtime_metadata(c), shows="'sha256'"),
    "get_bundle_index": Act(lambda c, s, n: dev(c).bundle_index(), shows="'Hammers'"),
    "get_bundle_metadata": Act(
        lambda c, s, n: dev(c).bundle_metadata(PYTHON_TAG, "Hammers", "1.0.0-1"), shows="'Hammers'"
    ),
    "download_egg": Act(download_egg, shows="downloaded"),
    "download_runtime": Act(download_runtime, shows="downloaded"),
    # The client has BroodClientAuth, which sends it.
    "create_session_token": Act(lambda c, s, n: c.list_platforms(), shows=PLATFORM),
    # What makes something
    "create_api_token": Act(
        lambda c, s, n: c.create_api_token(n),
        done=lambda s, v, n: listed(s, "auth/tokens/api", "tokens", n),
        shows="'token'",
    ),
    "create_organization": Act(
        lambda c, s, n: c.create_organization(n, "-"),
        done=lambda s, v, n: listed(s, "admin/organizations", "organizations", n),
        shows="fresh",
    ),
    "create_repository": Act(
        lambda c, s, n: acme(c).create_repository(n, "-"),
        done=lambda s, v, n: listed(s, f"{ADMIN}/repositories", "repositories", n),
        shows="fresh",
    ),
    "create_team": Act(
        lambda c, s, n: acme(c).create_team(n, "read_index"),
        done=lambda s, v, n: listed(s, f"{ADMIN}/teams", "teams", n),
        shows="fresh",
    ),
    "create_user": Act(
        lambda c, s, n: acme(c).create_user(user(n)),
        done=lambda s, v, n: s.has(f"admin/users/acme/{user(n)}"),
        shows="fresh",
    ),
    "upload_egg": Act(
        lambda c, s, n: room(c).upload_egg(s.path(n) / f"{n}-1.0.0-1.egg"),
        prepare=new_egg,
        done=lambda s, v, n: has_egg(s, n),
    ),
    "upload_app": Act(
        lambda c, s, n: acme(c).repository("room").upload_app(app(s.path(n), n)),
        done=lambda s, v, n: has_app(s, n),
    ),
    "upload_runtime": Act(
        lambda c, s, n: acme(c).repository("room").upload_runtime(new_runtime(s, c.api_version, n)),
        done=has_runtime,
    ),
    "upload_bundle": Act(
        lambda c, s, n: acme(c).repository("room").upload_bundle(bundle(s.path(n), n)),
        done=lambda s, v, n: has_bundle(s, n),
        shows="fresh",
    ),
    # What changes something
    "add_team_repository": Act(
        lambda c, s, n: acme(c).team(n).add_repository("room"),
        prepare=team,
        done=lambda s, v, n: s.has(f"admin/teams/acme/{n}/repositories/room"),
    ),
    "add_team_member": Act(
        lambda c, s, n: acme(c).team(n).add_user(ADA),
        prepare=team,
        done=lambda s, v, n: s.has(f"admin/teams/acme/{n}/members/{ADA}"),
    ),
    "reindex_eggs": Act(
        lambda c, s, n: room(c).reindex([s.path(n) / f"{n}-1.0.0-1.egg"]),
        prepare=lambda s, n: room(s.brood[1]).upload_egg(new_egg(s, n), enabled=False),
        done=lambda s, v, n: f"{n}-1.0.0-1.egg" in s.index(),
    ),
    # What deletes something
    "delete_api_token": Act(
        lambda c, s, n: c.delete_api_token(n),
        prepare=lambda s, n: s.brood[1].create_api_token(n),
        done=lambda s, v, n: not listed(s, "auth/tokens/api", "tokens", n),
    ),
    "delete_repository": Act(
        lambda c, s, n: acme(c).repository(n).delete(),
        prepare=lambda s, n: acme(s.brood[1]).create_repository(n, "-"),
        done=lambda s, v, n: not listed(s, f"{ADMIN}/repositories", "repositories", n),
    ),
    "delete_team": Act(
        lambda c, s, n: acme(c).team(n).delete(),
        prepare=team,
        done=lambda s, v, n: not s.has(f"admin/teams/acme/{n}"),
    ),
    "remove_team_repository": Act(
        lambda c, s, n: acme(c).team(n).remove_repository("room"),
        prepare=lambda s, n: team(s, n, repository="room"),
        done=lambda s, v, n: not s.has(f"admin/teams/acme/{n}/repositories/room"),
    ),
    "remove_team_member": Act(
        lambda c, s, n: acme(c).team(n).remove_user(ADA),
        prepare=lambda s, n: team(s, n, member=ADA),
        done=lambda s, v, n: not s.has(f"admin/teams/acme/{n}/members/{ADA}"),
    ),
    "delete_user": Act(
        lambda c, s, n: acme(c).user(user(n)).delete(),
        prepare=lambda s, n: acme(s.brood[1]).create_user(user(n)),
        done=lambda s, v, n: not s.has(f"admin/users/acme/{user(n)}"),
    ),
    "delete_egg": Act(
        lambda c, s, n: room(c).delete_egg(PYTHON_TAG, n, "1.0.0-1"),
        prepare=lambda s, n: room(s.brood[1]).upload_egg(new_egg(s, n)),
        done=lambda s, v, n: not has_egg(s, n),
    ),
    "delete_runtime": Act(
        lambda c, s, n: room(c).runtime_delete("cpython", f"3.8.{number(n)}+1"),
        prepare=lambda s, n: (
            acme(s.brood[1]).repository("room").upload_runtime(new_runtime(s, 1, n))
        ),
        done=lambda s, v, n: not has_runtime(s, 1, n),
    ),
    "delete_bundle": Act(
        lambda c, s, n: room(c).bundle_delete(PYTHON_TAG, n, "1.0.0-1"),
        prepare=lambda s, n: (
            acme(s.brood[1]).repository("room").upload_bundle(bundle(s.path(n), n))
        ),
        done=lambda s, v, n: not has_bundle(s, n),
    ),
}
