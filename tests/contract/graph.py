"""Which operations each method of the graph uses: found out by calling every one of them."""

from __future__ import annotations

import inspect
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any

import httpx

from brood_api.operations import OPERATIONS
from hatcher.api import BroodClient, BroodClientAuth, SinglePlatformRepository
from hatcher.core.node import Node
from hatcher.errors import HatcherException, UnsupportedAPIVersionError
from hatcher.testing import Answer, ScriptedServer
from hatcher.transport.session import Session
from hatcher.transport.urls import ServerURL

from ..described import operation_of
from .world import OWN, PLATFORM, PYTHON_TAG, UPLOADS, World

#: How to get to each kind of place.
NODES: dict[str, Callable[[BroodClient], Any]] = {
    "BroodClient": lambda client: client,
    "Organization": lambda client: client.organization(OWN.organization),
    "Team": lambda client: client.organization(OWN.organization).team(OWN.team),
    "User": lambda client: client.organization(OWN.organization).user(OWN.email),
    "Repository": lambda client: client.organization(OWN.organization).repository(OWN.repository),
    "SinglePlatformRepository": lambda client: platform(client),
    "Egg": lambda client: platform(client).egg(PYTHON_TAG, OWN.egg, OWN.full_version),
    "App": lambda client: platform(client).app(PYTHON_TAG, OWN.app, OWN.full_version),
    "Runtime": lambda client: platform(client).runtime(*runtime(client)),
    "BundleCollection": lambda client: platform(client).bundles,
    "Bundle": lambda client: platform(client).bundle(PYTHON_TAG, OWN.bundle, OWN.full_version),
    "LocalBundle": lambda client: platform(client).bundles.from_file(_BUNDLE),
}

#: A bundle's file, in the folder that is worked in.
_BUNDLE = f"{OWN.bundle}-{OWN.full_version}.bundle"

#: Methods that have nothing to ask a server for.
_CLOSING = ("close",)


def platform(client: BroodClient) -> SinglePlatformRepository:
    return client.organization(OWN.organization).repository(OWN.repository).platform(PLATFORM)


def runtime(client: BroodClient) -> tuple[str, str]:
    if client.api_version == 0:
        return "cp38", OWN.full_version
    return "cpython", OWN.runtime_version


def used(world: World) -> dict[str, set[str]]:
    """Return the graph's methods that use each operation.

    Every public method of every place is called twice, with the arguments that it needs and with
    all that it takes, and what is sent meanwhile is noted. Whether the server says yes does not
    matter here.

    Parameters
    ----------
    world : World
        A Brood with something of everything.

    Returns
    -------
    dict of str to set of str
        Such as ``Egg.delete``, by operationId.
    """
    methods: dict[str, set[str]] = defaultdict(set)
    sent: set[str] = set()

    def note(request: httpx.Request) -> None:
        scope = {"raw_path": request.url.raw_path.partition(b"?")[0], "method": request.method}
        sent.add(operation_of(scope)["operationId"])

    hooks = {"request": [note]}
    auth = world.administrator.auth
    with (
        tempfile.TemporaryDirectory() as folder,
        chdir(folder),
        httpx.Client(auth=auth, event_hooks=hooks, timeout=60) as http,
    ):
        Path(_BUNDLE).write_bytes(world.file("v1_upload_bundle", OWN)[1])
        for version in (0, 1):

            def client(version: int = version) -> BroodClient:
                # Not `from_session`: that looks for what may have been meant after a 404.
                session = Session(ServerURL.parse(world.url), api_version=version, client=http)
                return BroodClient(session)

            for node, find in NODES.items():
                try:
                    place = find(client())
                except UnsupportedAPIVersionError:
                    continue
                for name, call in _methods(place):
                    for arguments in _arguments(call, node, version, world):
                        sent.clear()
                        _call(getattr(find(client()), name), arguments)
                        for operation in set(sent):
                            methods[operation].add(f"{node}.{name}")
                            if OPERATIONS[operation].method == "DELETE":
                                world.restore(operation, OWN)
            sent.clear()
            credentials = (world.administrator_email, world.administrator_password)
            exchanging = client().with_auth(BroodClientAuth(world.url, credentials))
            exchanging.list_platforms()
            for operation in sent - {f"v{version}_list_platforms"}:
                methods[operation].add("BroodClientAuth")
        # Where the server does not know version 1, credentials are exchanged at version 0.
        token = Answer(200, {"Content-Type": "application/json"}, b'{"token": "one"}')
        with ScriptedServer(Answer(404), token) as old:
            sent.clear()
            session = Session(ServerURL.parse(old.url), api_version=0, client=http)
            exchanging = BroodClient(session).with_auth(BroodClientAuth(old.url, "token"))
            _call(exchanging.list_platforms, {})
            for operation in sent - {"v0_list_platforms"}:
                methods[operation].add("BroodClientAuth")
    assert methods.keys() <= OPERATIONS.keys()
    return methods


def _methods(place: Node) -> Iterator[tuple[str, Callable[..., Any]]]:
    for name in dir(type(place)):
        member = inspect.getattr_static(type(place), name)
        if not name.startswith("_") and inspect.isfunction(member) and name not in _CLOSING:
            yield name, member


def _arguments(
    call: Callable[..., Any], node: str, version: int, world: World
) -> list[dict[str, Any]]:
    taken = [*inspect.signature(call).parameters.values()][1:]
    # To search all platforms takes seconds.
    needed = [each for each in taken if each.default is each.empty or each.name == "platform"]
    known = _known(call.__name__, node, version, world)
    if any(each.name == "implementation" for each in taken):
        known["python_tag"] = None
    return [{each.name: known[each.name] for each in some} for some in (needed, taken)]


def _known(method: str, node: str, version: int, world: World) -> dict[str, Any]:
    """What to give for each parameter, by its name."""
    about = "bundle" if node.startswith("Bundle") else method
    kind = next((kind for kind in ("runtime", "app", "bundle") if kind in about), "egg")
    upload = f"v{version}_upload_{kind}"
    filename, content, _ = world.file(upload if upload in UPLOADS else f"v1_upload_{kind}", OWN)
    file = Path(filename)
    file.write_bytes(content)
    is_runtime_of_v1 = kind == "runtime" and version == 1
    known: dict[str, Any] = {
        "name": OWN.bundle if kind == "bundle" else OWN.egg,
        "description": "Made by a test",
        "path": f"{OWN.organization}/{OWN.repository}",
        "group_name": "read_index",
        "teams": [OWN.team],
        "team_name": OWN.team,
        **dict.fromkeys(("platform", "platform_name"), PLATFORM),
        "requirement": OWN.egg,
        "kind": kind,
        "eggs": [file.name],
        "repository": OWN.repository,
        "python_tag": PYTHON_TAG,
        "implementation": "cpython" if version == 1 else "cp38",
        "version": OWN.runtime_version if is_runtime_of_v1 else OWN.full_version,
        "app_id": OWN.app,
        "filename": None if "download" in method else file,
        "filepath": file,
        "paths": [file],
        "eggs_to_enable": [file],
        "concurrency": 2,
        "connections": 2,
        **{name: tempfile.mkdtemp(dir=".") for name in ("destination", "directory")},
    }
    known |= dict.fromkeys(("email", "user_email", "user"), OWN.email)
    for value, names in {
        None: ("runtime", "expected_sha256", "names", "journal", "progress", "auth"),
        False: ("dry_run", "exist_ok", "force", "missing_ok", "overwrite"),
        True: ("public", "enabled", "verify", "list_all", "include_indexable"),
    }.items():
        known |= dict.fromkeys(names, value)
    return known


def _call(method: Callable[..., Any], arguments: dict[str, Any]) -> None:
    try:
        result = method(**arguments)
        if isinstance(result, tuple) and isinstance(result[-1], Iterator):
            result = result[-1]
        if isinstance(result, Iterator):
            for _ in result:
                pass
    except (HatcherException, NotImplementedError):
        pass  # The question has been asked, or cannot be.
