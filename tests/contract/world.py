"""A Brood with something of everything, and for each operation a request that it can answer.

Three organizations, with accounts of every level of access in one of them, and public repositories
in another. What names one place is in no other, so that it can be told when an answer says too much.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tempfile
from contextlib import closing
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
from attrs import asdict, frozen

from hatcher.server.access import GROUPS, Access
from hatcher.server.description import Description
from hatcher.testing import write_app, write_bundle, write_egg, write_legacy_runtime, write_runtime

PLATFORM = "rh8-x86_64"
PYTHON_TAG = "cp311"
DESCRIPTION = Description.installed()
OPERATIONS = {operation.operation_id: operation for operation in DESCRIPTION.operations}

#: Who is answered 401, whatever they ask for.
UNKNOWN = ("wrong_token",)
#: Every kind of caller, from none at all to the server's administrator.
LEVELS = (*UNKNOWN, *(level.name for level in Access))

_FRESH = count()


@frozen
class Place:
    """A repository and what belongs to it.

    Attributes
    ----------
    organization, repository : str
    team, email : str
        A team with access to the repository, and a user in it.
    egg, app, bundle, version : str
        What the artefacts in it are called; each has the version with the build number 1.
    public : str or None
        The access that everybody has to it.
    """

    organization: str
    repository: str
    team: str
    email: str
    egg: str
    app: str
    bundle: str
    version: str
    public: str | None = None

    @property
    def full_version(self) -> str:
        """The version of everything in it but runtimes of v1."""
        return f"{self.version}-1"

    @property
    def runtime_version(self) -> str:
        """The version of its runtime of v1."""
        return f"{self.version}+1"

    @property
    def names(self) -> set[str]:
        """What an answer may hold only for those who may see the place (without the organization)."""
        return {
            value for key, value in asdict(self).items() if key not in ("organization", "public")
        }


#: Where the levels are given, another repository there, and those of other organizations; of the
#: last ones everybody may read everything, or the index.
OWN = Place(
    "acme", "forge", "smiths", "ada@acme.example", "Anvil", "acme.tongs", "Hammers", "3.8.17"
)
BESIDE = Place(
    "acme", "attic", "heirs", "bea@acme.example", "Bellows", "acme.chest", "Cradles", "3.9.18"
)
ELSEWHERE = Place(
    "zanzibar", "vault", "cabal", "mole@spy.example", "Xanadu", "zz.loot", "Jewels", "3.10.13"
)
OPEN = Place(
    "plaza", "well", "keepers", "kim@plaza.example", "Quarry", "pz.pump", "Buckets", "3.12.4",
    "read_repository",
)  # fmt: skip
LISTED = Place(
    "plaza", "window", "glaziers", "lee@plaza.example", "Yarrow", "pz.pane", "Frames", "3.13.1",
    "read_index",
)  # fmt: skip
PLACES = (OWN, BESIDE, ELSEWHERE, OPEN, LISTED)


class World:
    """A Brood with all of `PLACES`, and who may do what in them.

    Parameters
    ----------
    url : str
        A running server without content.
    data : pathlib.Path
        Its data.
    administrator : tuple of str
        The administrator's address and password.
    """

    def __init__(self, url: str, data: Path, administrator: tuple[str, str]) -> None:
        self.url = url
        self._data = data
        self.administrator_email, self.administrator_password = administrator
        self.administrator = httpx.Client(base_url=url, auth=administrator, timeout=60)
        for place in PLACES:
            self.fill(place)
        self.people = {level: self._person(level) for level in LEVELS}

    def close(self) -> None:
        """Close the connections."""
        for client in (self.administrator, *self.people.values()):
            client.close()

    # What is there

    def fill(self, place: Place) -> None:
        """Make whatever is missing in a place."""
        self._found(place)
        for operation_id in UPLOADS:
            self._upload(operation_id, place)

    def restore(self, operation_id: str, place: Place) -> None:
        """Make again what an operation has deleted."""
        upload = operation_id.replace("delete", "upload")
        if upload in UPLOADS:
            self._upload(upload, place)
        elif operation_id.endswith("delete_repository"):
            self.fill(place)
        else:
            self._found(place)

    def _found(self, place: Place) -> None:
        organization = f"admin/organizations/{place.organization}"
        self._ensure("POST", "admin/organizations", {"name": place.organization})
        repository = {"name": place.repository}
        if place.public is not None:
            repository["public"] = place.public
        self._ensure("POST", f"{organization}/repositories", repository)
        group = "upload_repository"
        self._ensure("POST", f"{organization}/teams", {"name": place.team, "group": group})
        user = f"/api/v1/json/admin/users/{place.organization}/{place.email}"
        # A new user's password takes time, and so it does for one that exists.
        if self.administrator.get(user).status_code == 404:
            self._ensure("POST", f"{organization}/users", {"email": place.email})
        team = f"admin/teams/{place.organization}/{place.team}"
        self._ensure("PUT", f"{team}/members/{place.email}")
        for name in (place.team, *(GROUPS if place is OWN else ())):
            self._ensure("PUT", f"admin/teams/{place.organization}/{name}/repositories", last=place)

    def _upload(self, operation_id: str, place: Place) -> None:
        method, url, options = self.request(operation_id, place)
        answer = self.administrator.request(method, url, **options)
        assert answer.is_success, answer.text

    def _ensure(
        self,
        method: str,
        path: str,
        document: dict[str, Any] | None = None,
        last: Place | None = None,
    ) -> None:
        url = f"/api/v1/json/{path}" + (f"/{last.repository}" if last else "")
        answer = self.administrator.request(method, url, json=document)
        # The teams of the levels come only after the first place.
        assert answer.is_success or answer.status_code == 409 or last is OWN, answer.text

    def _person(self, level: str) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=60)
        if level == "anonymous":
            return client
        if level == "wrong_token":
            client.headers["Authorization"] = "Bearer brood_api_of-nobody"
            return client
        if level == "server_administrator":
            client.auth = self.administrator.auth
        else:
            email = f"{level}@people.example"
            organization = f"admin/organizations/{OWN.organization}"
            teams = [level] if level in GROUPS else []
            for team in teams:
                self._ensure("POST", f"{organization}/teams", {"name": team, "group": team})
                self._ensure(
                    "PUT", f"admin/teams/{OWN.organization}/{team}/repositories/{OWN.repository}"
                )
            created = self.administrator.post(
                f"/api/v1/json/{organization}/users", json={"email": email, "teams": teams}
            )
            client.auth = httpx.BasicAuth(email, created.json()["one_time_password"])
        # A token, since passwords take their time.
        token = client.post("/api/v1/json/auth/tokens/api", json={"name": f"key of {level}"})
        client.auth = None
        client.headers["Authorization"] = f"Bearer {token.json()['token']}"
        return client

    def snapshot(self) -> list[str]:
        """Return all that the server knows, but for tokens, which are used all the time."""
        with closing(sqlite3.connect(self._data / "brood.sqlite3")) as database:
            return [line for line in database.iterdump() if "_tokens" not in line]

    # Requests

    def request(
        self, operation_id: str, place: Place, **changes: str
    ) -> tuple[str, str, dict[str, Any]]:
        """Return a request that the operation answers with success.

        Parameters
        ----------
        operation_id : str
        place : Place
            Where to.
        **changes : str
            Parameters of the path that are to be others.

        Returns
        -------
        method, url : str
        options : dict
            The rest of what `httpx.Client.request` takes.

        Raises
        ------
        KeyError
            Nobody has said how to call the operation.
        """
        operation = OPERATIONS[operation_id]
        known = {**parameters(operation_id, place), **changes}
        url = operation.path.format_map({name: quote(known[name], "") for name in known})
        return operation.method, url, self.body(operation_id, place)

    def body(self, operation_id: str, place: Place) -> dict[str, Any]:
        """Return the body of a request, as `httpx.Client.request` takes it."""
        if OPERATIONS[operation_id].check_body is None:
            return {}
        name = operation_id[3:]
        if operation_id in UPLOADS:
            filename, content, told = self.file(operation_id, place)
            data = json.dumps({"sha256": hashlib.sha256(content).hexdigest(), **told})
            return {
                "files": [
                    ("file", (filename, content, "")),
                    ("data", ("", data, "application/json; charset=UTF-8")),
                ]
            }
        fresh = f"new{next(_FRESH)}"
        return {
            "json": {
                "create_api_token": {"name": fresh},
                "create_organization": {"name": fresh},
                "create_repository": {"name": fresh, "description": "Made by a test"},
                "create_team": {"name": fresh, "group": "read_index"},
                "create_user": {"email": f"{fresh}@example.com"},
                "reindex_eggs": {
                    "eggs": [
                        {
                            "name": place.egg.lower(),
                            "version": place.full_version,
                            "python_tag": PYTHON_TAG,
                        }
                    ]
                },
            }[name]
        }

    def file(self, operation_id: str, place: Place) -> tuple[str, bytes, dict[str, Any]]:
        """Return what an upload sends: the file's name and content, and what is said of it."""
        return self._files[operation_id, place]

    @cached_property
    def _files(self) -> dict[tuple[str, Place], tuple[str, bytes, dict[str, Any]]]:
        made = {}
        for operation_id, make in UPLOADS.items():
            for place in PLACES:
                with tempfile.TemporaryDirectory() as folder:
                    path, told = make(place, Path(folder))
                    made[operation_id, place] = (path.name, path.read_bytes(), told)
        return made


def parameters(operation_id: str, place: Place) -> dict[str, str]:
    """Return the parameters of an operation's path that lead to what is in a place."""
    kind = OPERATIONS[operation_id].path
    version = place.full_version
    name = place.egg
    python_tag = PYTHON_TAG
    if "/runtimes/" in kind:
        python_tag = _tag_of(place)
        version = version if operation_id.startswith("v0") else place.runtime_version
    elif "/bundles/" in kind:
        name = place.bundle
    elif "/tokens/" in kind:
        name = "spare"
    return {
        "organization": place.organization,
        "repository": place.repository,
        "platform": PLATFORM,
        "python_tag": python_tag,
        "name": name,
        "version": version,
        "implementation": "cpython",
        "app_id": place.app,
        "filename": f"{place.egg}-{place.full_version}.egg",
        "email": place.email,
        "team": place.team,
    }


def _tag_of(place: Place) -> str:
    return "cp" + "".join(place.version.split(".")[:2])


def _egg(place: Place, folder: Path) -> tuple[Path, dict[str, Any]]:
    egg = write_egg(folder, place.egg, place.version, platform=PLATFORM, python_tag=PYTHON_TAG)
    return egg, {}


def _app(place: Place, folder: Path) -> tuple[Path, dict[str, Any]]:
    described = {"id": place.app, "version": place.version, "build": 1, "python_tag": PYTHON_TAG}
    return write_app(folder, **described), {}


def _runtime(place: Place, folder: Path) -> tuple[Path, dict[str, Any]]:
    return write_runtime(folder, version=place.runtime_version, language_version=place.version), {}


def _runtime_v0(place: Place, folder: Path) -> tuple[Path, dict[str, Any]]:
    path = write_legacy_runtime(folder, version=place.version)
    return path, {"language": "python", "version": place.version, "build": 1, "filename": path.name}


def _bundle(place: Place, folder: Path) -> tuple[Path, dict[str, Any]]:
    runtime = {"implementation": "cpython", "platform": PLATFORM, "version": "3.11.9+1"}
    path = write_bundle(folder, place.bundle, place.version, runtime=runtime)
    return path, {"bundle_name": place.bundle, "bundle_version": place.version, "bundle_build": 1}


#: What makes the file of each upload.
UPLOADS = {
    "v0_upload_egg": _egg,
    "v1_upload_egg": _egg,
    "v0_upload_app": _app,
    "v1_upload_app": _app,
    "v0_upload_runtime": _runtime_v0,
    "v1_upload_runtime": _runtime,
    "v1_upload_bundle": _bundle,
}
