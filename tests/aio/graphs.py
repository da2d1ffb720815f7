"""Both graphs, each with a server of its own that has the same, and the table of calls."""

from __future__ import annotations

import inspect
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

import hatcher.access
import hatcher.mirror
from hatcher import aio
from hatcher.aio.graph import AsyncBroodClient
from hatcher.aio.twin import Iteration, Twin
from hatcher.api import BroodClient, BroodClientAuth, RequestEvent
from hatcher.testing import BroodServer, write_app, write_bundle, write_egg, write_runtime

from ..access.conftest import ADA, GRACE, wanted
from ..access.conftest import fill as people
from ..mirror.conftest import PLATFORM
from ..mirror.conftest import fill as artefacts

TAG, EGG, BUNDLE = "cp311", ("cp311", "MyEgg", "1.0-1"), ("cp38", "tools", "1.0.0-1")
APP, RUNTIME = ("cp38", "com.example.viewer", "1.10-2"), ("cpython", "3.8.17+1")
SOME = {"platforms": [PLATFORM], "python_tags": ["cp311", "cp38"]}
FILES = ("one-1.0-1.egg", "two-1.0-1.egg", "none-1.0-1.egg")

#: Stands for a progress that takes note.
PROGRESS = object()


class Graph:
    """One of the two graphs, with a client of the server's administrator.

    Attributes
    ----------
    organization : str
        The one that `acme` is; another one is not there.
    """

    def __init__(self, server: BroodServer, api_version: int, *, is_async: bool) -> None:
        self.server, self._version, self.organization = server, api_version, "acme"
        self.requests: list[str] = []
        self.told: dict[tuple[str, int | None], int] = {}
        self._kept: dict[str, Any] = {}
        self.client_class: Any = AsyncBroodClient if is_async else BroodClient
        self.mirror: Any = aio.mirror if is_async else hatcher.mirror
        self.access: Any = aio.access if is_async else hatcher.access
        self.cache_class: Any = aio.mirror.AsyncCache if is_async else hatcher.mirror.Cache
        self.plans: Any = (
            (aio.mirror.AsyncPlan, aio.mirror.AsyncPruning, aio.access.AsyncPlan)
            if is_async
            else (hatcher.mirror.Plan, hatcher.mirror.Pruning, hatcher.access.Plan)
        )
        self.client: Any = self.new_client()
        self.http = httpx.Client(auth=(server.admin_email, server.admin_password))

    def new_client(self, **options: Any) -> Any:
        auth = BroodClientAuth(
            self.server.url, (self.server.admin_email, self.server.admin_password)
        )
        return self.client_class.from_url(
            self.server.url, auth, api_version=self._version, on_request=self._note, **options
        )

    async def close(self) -> None:
        await settled(self.client.close())
        self.http.close()

    def _note(self, event: RequestEvent) -> None:
        self.requests.append(f"{event.method} {event.url.removeprefix(self.server.url)}")

    def progress(self, done: int, total: int | None, phase: str) -> None:
        self.told[phase, total] = max(done, self.told.get((phase, total), 0))

    @property
    def acme(self) -> Any:
        return self.client.organization(self.organization)

    @property
    def dev(self) -> Any:
        return self.acme.repository("dev")

    @property
    def prod(self) -> Any:
        return self.acme.repository("prod")

    @property
    def here(self) -> Any:
        return self.dev.platform(PLATFORM)

    @property
    def cache(self) -> Any:
        return self.cache_class("cached", 10**6)

    async def call(self, row: Row) -> Outcome:
        """Do what a row of the table says; nothing is raised."""
        self.requests, self.told = [], {}
        answer: Any
        try:
            answer, raised = await self._answer(row), False
        except AssertionError:
            raise
        except Exception as error:
            answer, raised = (type(error).__name__, str(error)), True
        if row.is_parallel or row.kind in PARALLEL:
            self.requests.sort()
            if raised and "was answered" in answer[1]:
                # Which one fails first, and how many others are under way, is left to chance.
                self.requests, answer = [], answer[0]
        requests = [self._scrubbed(each) for each in self.requests]
        return Outcome(self._scrubbed(answer), raised, requests, self.told)

    async def _answer(self, row: Row) -> Any:
        node = await self._found(row)
        if row.method == "__iter__":
            return shown(await exhausted(aiter(node) if isinstance(node, Twin) else iter(node)))
        member = getattr(node, row.method)
        if not callable(member):
            return shown(member)
        args = [await self._given(each) for each in row.args]
        named = {name: await self._given(each) for name, each in row.named.items()}
        before = len(self.requests)
        value = member(*args, **named)
        if isinstance(node, Twin):
            assert len(self.requests) == before, "it sends before it is awaited"
        value = await exhausted(await settled(value))
        return shown(await settled(row.then(value)) if row.then else value)

    async def _found(self, row: Row) -> Any:
        """Return what a row is about; what is only there after much asking, is asked for once."""
        if row.on or row.kind not in PARALLEL:
            return await settled((row.on or FINDERS[row.kind])(self))
        if row.kind not in self._kept:
            try:
                self._kept[row.kind] = await settled(FINDERS[row.kind](self))
            except Exception as error:
                self._kept[row.kind] = error
        if isinstance(self._kept[row.kind], Exception):
            raise self._kept[row.kind]
        return self._kept[row.kind]

    async def _given(self, value: Any) -> Any:
        if value is PROGRESS:
            return self.progress
        return await settled(value(self)) if inspect.isfunction(value) else value

    def _scrubbed(self, value: Any) -> str:
        """Return it without what differs from server to server and time to time."""
        text = value if isinstance(value, str) else repr(value)
        place = self.server.url.removeprefix("http://")
        for pattern, other in {
            re.escape(place): "SERVER",
            re.escape(str(Path.cwd())): "HERE",
            r"seconds=[\d.e-]+": "seconds=0",
            r"'(created|last_used|mtime|token)': ('[^']*'|[\d.]+)": r"'\1': 0",
            r"\d{4}-\d\d-\d\dT[\d:.]+(\+00:00|Z)?": "THEN",
            r"0x[0-9a-f]{6,}": "0x0",
            r"\bAsync(?=[A-Z])": "",
        }.items():
            text = re.sub(pattern, other, text)
        return text


class Outcome(NamedTuple):
    """What came of a call: the answer, or what it raised, the requests, and what was told."""

    answer: str
    raised: bool
    requests: list[str]
    told: dict[tuple[str, int | None], int]


async def settled(value: Any) -> Any:
    return await value if inspect.isawaitable(value) else value


async def exhausted(value: Any) -> Any:
    """Return what iterators and context managers give, in their stead."""
    if isinstance(value, tuple) and value and isinstance(value[-1], Iterator | AsyncIterator):
        return (*value[:-1], sum(await exhausted(value[-1])))
    if isinstance(value, AbstractAsyncContextManager) and not isinstance(value, Twin):
        async with value as entered:
            return entered
    if isinstance(value, Iteration):
        return sorted([each async for each in value])
    if isinstance(value, Iterator):
        return sorted(value)
    if isinstance(value, AbstractContextManager) and not isinstance(value, BroodClient):
        with value as entered:
            return entered
    return value


def shown(value: Any) -> Any:
    """Return what can be compared of a value: a twin counts as what it stands for."""
    if isinstance(value, Twin):
        assert type(value).__name__ == f"Async{type(value._sync).__name__}"
        return shown(value._sync)
    if isinstance(value, dict):
        return {key: shown(value[key]) for key in value}
    if type(value) in (list, tuple):
        return [shown(each) for each in value]
    if value is None or isinstance(value, str | int | float):
        return value
    if type(value).__module__ == "brood_api.client":
        return type(value).__name__
    return repr(value), str(value), bool(value)


class Row(NamedTuple):
    """A call of a method or a verb, or a look at an attribute.

    Attributes
    ----------
    kind, method : str
        The class, and what of it; of a verb, the module.
    args, named : tuple, dict
        Functions of the graph stand for what they return.
    on : callable, optional
        Returns the object, where it is not the one of `FINDERS`.
    then : callable, optional
        Returns what counts of what comes out.
    is_parallel : bool
        Whether the order of its requests is left to chance.
    """

    kind: str
    method: str
    args: tuple[Any, ...] = ()
    named: dict[str, Any] = {}  # noqa: RUF012 - never changed
    on: Callable[[Graph], Any] | None = None
    then: Callable[[Any], Any] | None = None
    is_parallel: bool = False

    def __str__(self) -> str:
        named = [f"{name}={given(each)}" for name, each in self.named.items()]
        return f"{self.kind}.{self.method}({', '.join([*map(given, self.args), *named])})"

    def spoiled(self) -> Iterator[Row]:
        """Yield calls with other things in the place of its arguments."""
        for number in range(len(self.args)):
            for wrong in (None, 5, ""):
                args = (*self.args[:number], wrong, *self.args[number + 1 :])
                yield self._replace(args=args)
        for name in self.named:
            yield self._replace(named={**self.named, name: 5.5})
        if self.args or self.named:
            yield self._replace(args=())
            yield self._replace(named={**self.named, "unheard_of": 1})


def given(value: Any) -> str:
    if value is PROGRESS or inspect.isfunction(value):
        return getattr(value, "__name__", "progress")
    return repr(value)


def dev(graph: Graph) -> Any:
    return graph.dev


def prod(graph: Graph) -> Any:
    return graph.prod


def here(graph: Graph) -> Any:
    return graph.here


def client(graph: Graph) -> Any:
    return graph.client


def cache(graph: Graph) -> Any:
    return graph.cache


def http(graph: Graph) -> httpx.Client:
    return graph.http


async def sha256(graph: Graph) -> Any:
    return await settled(graph.here.egg(*EGG).sha256())


def local_bundle(graph: Graph) -> Any:
    return graph.here.bundles.from_file("tools-1.0.0-1.bundle")


def found(graph: Graph) -> Any:
    return graph.here.search("*", python_tag=TAG, kind="egg")


async def first_found(graph: Graph) -> Any:
    return max(await exhausted(found(graph)))


def mirror_plan(graph: Graph) -> Any:
    return graph.mirror.plan(graph.dev, graph.prod, **SOME)


async def kept_plan(graph: Graph) -> Any:
    return (await settled(mirror_plan(graph))).document()


def pruning(graph: Graph) -> Any:
    return graph.mirror.prune(graph.dev, 1, **SOME)


async def kept_pruning(graph: Graph) -> Any:
    return (await settled(pruning(graph))).document()


def access_plan(graph: Graph) -> Any:
    return graph.access.plan(graph.client, wanted(builders=None), prune=True)


async def kept_access(graph: Graph) -> Any:
    return (await settled(access_plan(graph))).document()


#: How to get to an object of each class, and to each module of verbs.
FINDERS: dict[str, Callable[[Graph], Any]] = {
    "BroodClient": client,
    "Organization": lambda graph: graph.acme,
    "Team": lambda graph: graph.acme.team("builders"),
    "User": lambda graph: graph.acme.user(ADA),
    "Repository": dev,
    "SinglePlatformRepository": here,
    "Egg": lambda graph: graph.here.egg(*EGG),
    "Runtime": lambda graph: graph.here.runtime(*RUNTIME),
    "App": lambda graph: graph.here.app(*APP),
    "Bundle": lambda graph: graph.here.bundle(*BUNDLE),
    "BundleCollection": lambda graph: graph.here.bundles,
    "LocalBundle": local_bundle,
    "SearchResults": found,
    "SearchResult": first_found,
    "mirror": lambda graph: graph.mirror,
    "Cache": cache,
    "Plan": mirror_plan,
    "Pruning": pruning,
    "access": lambda graph: graph.access,
    "access.Plan": access_plan,
}


#: What is only there when much has been asked for at the same time.
PARALLEL = {"Plan", "Pruning", "SearchResult", "SearchResults", "access.Plan"}


def row(kind: str, method: str, /, *args: Any, **named: Any) -> Row:
    return Row(kind, method, args, named)


def several(kind: str, method: str, /, *args: Any, **named: Any) -> Row:
    """Return a call whose requests go out at the same time."""
    return Row(kind, method, args, named, is_parallel=True)


def looks(kind: str, *names: str) -> list[Row]:
    """Return a look at attributes, and calls without arguments."""
    return [Row(kind, name) for name in names]


def write_files() -> None:
    """Write the files that the calls name, into the current folder."""
    for filename in FILES[:2]:
        write_egg(".", filename[:3], "1.0", platform=PLATFORM, python_tag=TAG)
    write_runtime(".", version="3.11.9+3", language_version="3.11.9", python_tag="cp311")
    write_bundle(".")
    write_app(".")
    for name in ("into", "eggs", "some", "backup"):
        Path(name).mkdir()


def stock(server: BroodServer, folder: Path) -> None:
    """Put something of everything on a server."""
    artefacts(people(server.client()).repository("dev"), folder)


RUNTIME_FILE = "cpython-3.11.9+3-rh8_x86_64-gnu.runtime"
BUNDLE_FILE, APP_FILE = "tools-1.0.0-1.bundle", "viewer.yaml"

CLIENT = [
    *looks("BroodClient", "api_version", "url", "raw", "list_organizations", "list_platforms"),
    *looks("BroodClient", "list_python_tags", "list_available_repositories", "whoami"),
    row("BroodClient", "list_python_tags", True),
    row("BroodClient", "list_available_repositories", True),
    *(row("BroodClient", "at", path) for path in ("acme", "acme/dev", f"acme/dev/{PLATFORM}", "/")),
    row("BroodClient", "repository", "acme/dev"),
    row("BroodClient", "platform", f"acme/dev/{PLATFORM}"),
    row("BroodClient", "organization", "acme"),
    row("BroodClient", "organization", ".."),
    several("BroodClient", "search", "*", python_tag=TAG, platform=PLATFORM),
    several("BroodClient", "search", "myegg==2", python_tag=TAG, platform=PLATFORM, kind="egg"),
    row("BroodClient", "search", "a b c"),
    row("BroodClient", "create_organization", "globex", "Makers of nothing"),
    row("BroodClient", "create_organization", "globex", "Makers of nothing"),
    row("BroodClient", "create_organization", "globex", "", exist_ok=True),
    row("BroodClient", "list_api_tokens"),
    row("BroodClient", "create_api_token", "laptop"),
    row("BroodClient", "create_api_token", "laptop"),
    row("BroodClient", "delete_api_token", "laptop"),
    row("BroodClient", "delete_api_token", "laptop"),
    row("BroodClient", "delete_api_token", "laptop", missing_ok=True),
    Row("BroodClient", "with_auth", (None,), then=lambda made: made.list_organizations()),
    Row(
        "BroodClient",
        "from_url",
        ("http://127.0.0.1:9/prefix", ("ada", "secret")),
        {"api_version": 1, "headers": {"X-Team": "a"}},
        on=lambda graph: graph.client_class,
    ),
    Row("BroodClient", "from_url", ("ftp://x",), on=lambda graph: graph.client_class),
    Row(
        "BroodClient",
        "from_session",
        (lambda graph: graph.server.url, http),
        {"api_version": 1},
        on=lambda graph: graph.client_class,
        then=lambda made: made.list_organizations(),
    ),
    Row("BroodClient", "from_session", ("x", 5), on=lambda graph: graph.client_class),
    Row("BroodClient", "close", on=lambda graph: graph.new_client()),
]

ORGANIZATION = [
    *looks("Organization", "name", "list_repositories", "list_teams", "metadata", "delete"),
    several("Organization", "list_users"),
    row("Organization", "repository", "dev"),
    row("Organization", "team", "builders"),
    row("Organization", "user", ADA),
    several("Organization", "search", "*", python_tag=TAG, platform=PLATFORM),
    row("Organization", "create_repository", "new", "New", public=True),
    row("Organization", "create_repository", "new", "New"),
    row("Organization", "create_repository", "new", "New", public=True, exist_ok=True),
    row("Organization", "create_team", "new", "read_index"),
    row("Organization", "create_team", "new", "read_index"),
    row("Organization", "create_team", "new", "no such"),
    row("Organization", "create_team", "new", "read_index", exist_ok=True),
    Row(
        "Organization",
        "create_user",
        ("new@example.com", lambda graph: [graph.acme.team("new"), "readers"]),
        then=lambda user: len(user.one_time_password),
    ),
    row("Organization", "create_user", "new@example.com"),
    row("Organization", "create_user", "new@example.com", ["new"], exist_ok=True),
]

TEAM = [
    *looks("Team", "name", "organization_name", "metadata", "list_repositories", "list_users"),
    row("Team", "add_repository", prod),
    row("Team", "add_repository", "nowhere"),
    row("Team", "query_repository_access", prod),
    row("Team", "remove_repository", prod),
    row("Team", "remove_repository", prod),
    row("Team", "remove_repository", prod, missing_ok=True),
    row("Team", "add_user", lambda graph: graph.acme.user(GRACE)),
    row("Team", "query_user_access", GRACE),
    row("Team", "remove_user", GRACE),
    row("Team", "remove_user", GRACE, missing_ok=True),
]

USER = [
    *looks("User", "email", "organization_name", "one_time_password", "metadata"),
]

REPOSITORY = [
    *looks("Repository", "name", "organization_name", "metadata"),
    several("Repository", "list_platforms"),
    row("Repository", "platform", PLATFORM),
    several("Repository", "search", "*", python_tag=TAG, platform=PLATFORM),
    row("Repository", "upload_runtime", RUNTIME_FILE, progress=PROGRESS),
    row("Repository", "upload_runtime", RUNTIME_FILE, verify=True),
    row("Repository", "upload_runtime", FILES[0]),
    row("Repository", "upload_app", APP_FILE, progress=PROGRESS),
    row("Repository", "upload_bundle", BUNDLE_FILE, progress=PROGRESS),
    several("Repository", "upload_runtimes", [RUNTIME_FILE, FILES[2]], overwrite=True),
    several("Repository", "upload_apps", [APP_FILE], progress=PROGRESS),
    several("Repository", "upload_bundles", [BUNDLE_FILE], dry_run=True),
]

PLATFORM_ROWS = [
    *looks("SinglePlatformRepository", "name", "organization_name", "repository_name", "bundles"),
    *looks("SinglePlatformRepository", "runtime_index", "list_runtimes", "app_index", "list_apps"),
    *looks("SinglePlatformRepository", "bundle_index", "list_bundles", "bundle_list"),
    *(
        row("SinglePlatformRepository", method, tag)
        for method in ("egg_index", "list_eggs")
        for tag in (TAG, None)
    ),
    several("SinglePlatformRepository", "search", "*", python_tag=TAG),
    row("SinglePlatformRepository", "egg", *EGG),
    row("SinglePlatformRepository", "app", *APP),
    row("SinglePlatformRepository", "bundle", *BUNDLE),
    row("SinglePlatformRepository", "runtime", *RUNTIME),
    row("SinglePlatformRepository", "latest", "myegg", TAG),
    row("SinglePlatformRepository", "latest", "cpython", kind="runtime"),
    row("SinglePlatformRepository", "latest", "tools", kind="bundle"),
    row("SinglePlatformRepository", "latest", "com.example.viewer", kind="app"),
    row("SinglePlatformRepository", "latest", "no such", TAG),
    row("SinglePlatformRepository", "requirements_of", "myegg", TAG),
    row("SinglePlatformRepository", "dependents_of", "myegg", TAG),
    row("SinglePlatformRepository", "egg_metadata", *EGG),
    row("SinglePlatformRepository", "app_metadata", *APP),
    row("SinglePlatformRepository", "bundle_metadata", *BUNDLE),
    row("SinglePlatformRepository", "runtime_metadata", *RUNTIME),
    row("SinglePlatformRepository", "bundle_save", *BUNDLE, "into"),
    row("SinglePlatformRepository", "bundle_save", *BUNDLE, "into"),
    row("SinglePlatformRepository", "download_bundle", *BUNDLE, "into"),
    several("SinglePlatformRepository", "download_egg", *EGG, "into", progress=PROGRESS),
    several("SinglePlatformRepository", "download_egg", *EGG, "into/none"),
    several("SinglePlatformRepository", "iter_download_egg", *EGG, "into", None, "x.egg"),
    several("SinglePlatformRepository", "download_runtime", *RUNTIME, "into", progress=PROGRESS),
    several("SinglePlatformRepository", "iter_download_runtime", *RUNTIME, "into", "0" * 64, "x"),
    several("SinglePlatformRepository", "download_eggs", TAG, "eggs", progress=PROGRESS),
    several("SinglePlatformRepository", "download_eggs", TAG, "eggs", names=["My*", "no such"]),
    several("SinglePlatformRepository", "download_runtimes", "eggs", dry_run=True),
    several("SinglePlatformRepository", "download_bundles", "eggs", names=str.isascii),
    row("SinglePlatformRepository", "upload_egg", FILES[0], progress=PROGRESS),
    row("SinglePlatformRepository", "upload_egg", FILES[0], verify=True),
    row("SinglePlatformRepository", "upload_egg", FILES[1], enabled=False),
    row("SinglePlatformRepository", "upload_egg", FILES[2]),
    row("SinglePlatformRepository", "reindex", [FILES[1]]),
    several("SinglePlatformRepository", "upload_eggs", FILES[:2], progress=PROGRESS),
    several("SinglePlatformRepository", "upload_eggs", [FILES[2]], overwrite=True),
    several("SinglePlatformRepository", "upload_runtimes", [RUNTIME_FILE]),
    several("SinglePlatformRepository", "upload_bundles", [BUNDLE_FILE]),
    several(
        "SinglePlatformRepository",
        "delete_eggs",
        lambda graph: [graph.here.egg(*EGG)],
        dry_run=True,
    ),
    several("SinglePlatformRepository", "delete_eggs", ["one*"], TAG),
    row("SinglePlatformRepository", "delete_egg", TAG, "two", "1.0-1"),
    row("SinglePlatformRepository", "delete_egg", TAG, "two", "1.0-1"),
    row("SinglePlatformRepository", "delete_egg", TAG, "two", "1.0-1", missing_ok=True),
    row("SinglePlatformRepository", "delete_runtime", "cpython", "3.11.9+3"),
    row("SinglePlatformRepository", "runtime_delete", "cpython", "3.11.9+3"),
    row("SinglePlatformRepository", "delete_bundle", "cp38", "none", "1.0.0-1"),
    row("SinglePlatformRepository", "bundle_delete", "cp38", "none", "1.0.0-1", missing_ok=True),
]

SEARCHED = [
    *looks("SearchResults", "unreadable", "advice", "close"),
    *looks("SearchResult", "kind", "artefact", "name", "version", "python_tag", "size", "sha256"),
    *looks("SearchResult", "place"),
]

ARTEFACTS = [
    *looks("Egg", "python_tag", "name", "version", "metadata", "exists", "sha256"),
    *looks("Runtime", "version", "metadata", "exists", "sha256"),
    *looks("App", "python_tag", "app_id", "version", "metadata", "exists"),
    *looks("Bundle", "python_tag", "name", "version", "canonical_filename", "metadata", "exists"),
    *looks("LocalBundle", "bundle", "filepath", "name", "version", "python_tag", "metadata"),
    *looks("LocalBundle", "canonical_filename"),
    *looks("BundleCollection", "index", "list", "__iter__"),
    row("BundleCollection", "get", *BUNDLE),
    row("BundleCollection", "from_file", BUNDLE_FILE),
    row("BundleCollection", "from_file", BUNDLE_FILE, {"implementation": "pypy", "version": "2"}),
    row("BundleCollection", "from_file", "none-1.0-1.bundle"),
    several("Egg", "download", "some", progress=PROGRESS),
    several("Egg", "download", "some"),
    several("Egg", "iter_download", "some", filename="other.egg"),
    several("Runtime", "download", "some", connections=2),
    several("Runtime", "iter_download", "some", "0" * 64),
    row("Bundle", "save", "some"),
    row("Bundle", "save", "some"),
    row("Bundle", "download", "some"),
    row("LocalBundle", "save", "some", True),
    row("LocalBundle", "upload", progress=PROGRESS),
    row("LocalBundle", "upload", True),
]

MIRROR = [
    several("mirror", "plan", dev, prod, **SOME),
    several("mirror", "plan", dev, here, **SOME),
    several("mirror", "usage", dev, **SOME),
    several("mirror", "manifest", dev, **SOME),
    several("mirror", "check_bundle", lambda graph: graph.here.bundle(*BUNDLE), dev),
    several("mirror", "check_bundle", BUNDLE_FILE, client),
    several("mirror", "fetch_bundle", BUNDLE_FILE, "fetched", dev, cache=cache, progress=PROGRESS),
    several("mirror", "export", client, "backup", **SOME, progress=PROGRESS),
    several("mirror", "export", client, "backup", **SOME, repositories=["acme/none"]),
    several("mirror", "verify", "backup", progress=PROGRESS),
    several("mirror", "verify", dev, prod, **SOME),
    several("mirror", "diff", dev, prod, **SOME),
    several("mirror", "import_", client, "backup", dry_run=True),
    several("mirror", "import_", client, "into"),
    several("mirror", "pack", dev, "dev.zip", lacking=prod, **SOME, progress=PROGRESS),
    several("mirror", "verify", "dev.zip"),
    row("mirror", "read_manifest", "backup/manifest.json"),
    row("mirror", "read_manifest", "none.json"),
    several("mirror", "prune", dev, 1, **SOME),
    several("mirror", "promote", lambda graph: graph.here.egg(*EGG), prod, cache=cache),
    several(
        "mirror",
        "promote",
        lambda graph: [graph.here.egg(*EGG), graph.here.runtime(*RUNTIME)],
        prod,
        progress=PROGRESS,
    ),
    several("mirror", "promote", lambda graph: graph.here.egg(TAG, "none", "1.0-1"), prod),
    *looks("Plan", "source", "target", "steps", "problems", "selection", "prune", "max_deletes"),
    *looks("Plan", "bytes", "document"),
    row("Plan", "those", "copy"),
    several("Plan", "apply", dry_run=True),
    several("Plan", "apply", cache=cache, progress=PROGRESS),
    Row("Plan", "from_document", (kept_plan, dev, prod), on=lambda graph: graph.plans[0]),
    Row("Plan", "from_document", ({}, dev, prod), on=lambda graph: graph.plans[0]),
    *looks("Pruning", "source", "target", "steps", "problems", "selection", "prune", "bytes"),
    *looks("Pruning", "max_deletes", "document", "of_unknown_age"),
    row("Pruning", "those", "delete"),
    several("Pruning", "apply"),
    Row("Pruning", "read", (kept_pruning, dev), on=lambda graph: graph.plans[1]),
    Row("Pruning", "from_document", (kept_pruning, dev, dev), on=lambda graph: graph.plans[1]),
]

CACHE = [
    *looks("Cache", "folder", "limit", "usage"),
    row("Cache", "add", FILES[0], "0" * 64),
    *(
        row("Cache", method, *args, progress=PROGRESS)
        for digest in ("0" * 64, sha256)
        for method, args in {"get": [digest], "lend": [digest], "copy": [digest, "copied"]}.items()
    ),
    row("Cache", "verify", progress=PROGRESS),
    Row("Cache", "prune", (10,), then=lambda report: (sorted(report.removed), report.freed)),
    row("Cache", "prune", -1),
    row("Cache", "clear"),
]

ACCESS = [
    several("access", "read", lambda graph: graph.acme),
    several("access", "read", dev),
    row("access", "read"),
    several("access", "plan", client, wanted(builders=None), prune=True),
    row("access", "plan", client, "none.yaml"),
    *looks("access.Plan", "server", "steps", "problems", "wanted", "prune", "max_deletes"),
    *looks("access.Plan", "force", "caller", "removals", "document"),
    several("access.Plan", "apply", dry_run=True),
    several("access.Plan", "apply"),
    Row("access.Plan", "from_document", (kept_access, client), on=lambda graph: graph.plans[2]),
]

DELETIONS = [
    row("Bundle", "delete"),
    row("Bundle", "delete", True),
    row("Bundle", "delete", missing_ok=True),
    row("LocalBundle", "delete"),
    row("BundleCollection", "delete", *BUNDLE),
    row("BundleCollection", "delete", *BUNDLE, missing_ok=True),
    row("Egg", "delete"),
    row("Egg", "delete", missing_ok=True),
    row("Runtime", "delete"),
    row("Runtime", "delete"),
    row("Team", "delete"),
    row("Team", "delete", True),
    row("Team", "delete", missing_ok=True),
    row("User", "delete"),
    row("User", "delete", missing_ok=True),
    row("Repository", "delete"),
    row("Repository", "delete", True),
    row("Repository", "delete", missing_ok=True),
]

TABLE = [
    *(*CLIENT, *ORGANIZATION, *TEAM, *USER, *REPOSITORY, *PLATFORM_ROWS, *SEARCHED, *ARTEFACTS),
    *(*MIRROR, *CACHE, *ACCESS, *DELETIONS),
]
