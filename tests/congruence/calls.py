"""Every call that the existing client offers, in all its releases: one table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

from attrs import evolve, field, frozen

from hatcher.testing import Answer, Request

from ..interop.environments import NEWEST, WITH_TEAMS, Release
from . import answers, files
from .files import File

V0, V1, BOTH = (0,), (1,), (0, 1)


class Name(str):
    """A word that names something, and so may be any other."""


class Node(tuple[tuple[str, ...], ...]):
    """A way from the client to a node: methods with their arguments, and attributes."""

    def __truediv__(self, step: tuple[str, ...]) -> Node:
        return Node((*self, step))


#: Stands for an empty folder.
DESTINATION = "<destination>"

CLIENT = Node()
ORGANIZATION = CLIENT / ("organization", Name("acme"))
USER = ORGANIZATION / ("user", Name("ada@example.com"))
TEAM = ORGANIZATION / ("team", Name("builders"))
REPOSITORY = ORGANIZATION / ("repository", Name("dev"))
PLATFORM = REPOSITORY / ("platform", Name("rh5-x86_64"))
BUNDLES = PLATFORM / ("bundles",)
BUNDLE = BUNDLES / ("get", Name("cp38"), Name("tools"), Name("1.0.0-1"))
BUNDLE_FILE = BUNDLES / ("from_file", files.BUNDLE)

#: What the class of a node is called here, by the last step that leads there.
KINDS = {
    "organization": "Organization",
    "user": "User",
    "team": "Team",
    "repository": "Repository",
    "platform": "SinglePlatformRepository",
    "bundles": "BundleCollection",
    "get": "Bundle",
    "from_file": "LocalBundle",
}


@frozen
class Call:
    """One call of a method, or one look at an attribute.

    Attributes
    ----------
    node : Node
    method : str
    args, kwargs : tuple, dict
        Of the method.
    note : str
        Tells it from other calls of the same method.
    answer : callable
        How the server answers.
    there : File, optional
        The one that the server says to have, whatever it is asked for.
    versions : tuple of int
        The versions of the API in which it is called.
    releases : tuple of Release
        The releases of the existing client that have it, the newest first.
    unordered : bool
        Whether the existing client gives its list in no order.
    """

    node: Node
    method: str
    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(factory=dict)
    note: str = ""
    answer: Callable[[Request], Answer] = answers.found
    there: File | None = None
    versions: tuple[int, ...] = BOTH
    releases: tuple[Release, ...] = (NEWEST, WITH_TEAMS)
    unordered: bool = False

    @property
    def kind(self) -> str:
        """The class of its node."""
        return KINDS[self.node[-1][0]] if self.node else "BroodClient"

    def __str__(self) -> str:
        return f"{self.kind}.{self.method}" + (f" {self.note}" if self.note else "")

    def renamed(self, word: str) -> Call:
        """The same call with other names: the word, and behind it a number for each."""
        number = count()

        def renamed(value: Any) -> Any:
            if isinstance(value, Name):
                return Name(f"{word}{next(number)}" if word.strip(".") else word)
            if isinstance(value, list | tuple):
                return type(value)(map(renamed, value))
            return value

        return evolve(self, node=renamed(self.node), args=renamed(self.args))

    @property
    def has_names(self) -> bool:
        """Whether there is a name in it."""
        return self.renamed("other") != self

    @property
    def is_in_a_place(self) -> bool:
        """Whether it sends something about a place, which may not be there."""
        if self.kind == "BroodClient" or self.method in ("__repr__", "__str__"):
            return False
        return self.method not in _SILENT[self.kind] and "query" not in self.method

    @property
    def sends_names(self) -> bool:
        """Whether it sends a request with a name in its path."""
        if self.kind == "BroodClient":
            return self.method == "delete_api_token"
        return self.is_in_a_place or "query" in self.method


#: What sends nothing, by kind.
_SILENT = {
    "Organization": {"name", "repository", "team", "user", "delete", "list_users", "metadata"},
    "User": {"email", "organization_name"},
    "Team": {"name", "organization_name"},
    "Repository": {"name", "organization_name", "platform", "list_platforms", "metadata"},
    "SinglePlatformRepository": {"name", "organization_name", "repository_name", "bundles"},
    "BundleCollection": {"from_file", "get"},
    "Bundle": {"name", "version", "python_tag", "canonical_filename"},
    "LocalBundle": {"bundle", "filepath", "name", "version", "python_tag", "canonical_filename"},
}


def _calls() -> Iterator[Call]:
    yield from _client()
    yield from _organization()
    yield from _team()
    yield from _repository()
    yield from _eggs()
    yield from _runtimes()
    yield from _apps()
    yield from _bundles()


def _client() -> Iterator[Call]:
    yield Call(CLIENT, "api_version", releases=(NEWEST,))
    yield Call(CLIENT, "organization", (Name("acme"),))
    yield Call(CLIENT, "list_organizations")
    yield Call(CLIENT, "create_organization", (Name("acme"), "Road runner traps"))
    yield Call(CLIENT, "create_organization", (Name("acme"), ""), note="undescribed")
    yield Call(CLIENT, "list_platforms")
    yield Call(CLIENT, "list_python_tags")
    yield Call(CLIENT, "list_python_tags", (True,), note="all")
    yield Call(CLIENT, "list_available_repositories")
    yield Call(CLIENT, "list_available_repositories", (True,), note="all")
    yield Call(CLIENT, "list_api_tokens")
    yield Call(CLIENT, "create_api_token", (Name("laptop"),))
    yield Call(CLIENT, "delete_api_token", (Name("laptop"),))


def _organization() -> Iterator[Call]:
    for shown in ("name", "__repr__", "__str__"):
        yield Call(ORGANIZATION, shown)
    yield Call(ORGANIZATION, "repository", (Name("dev"),))
    yield Call(ORGANIZATION, "list_repositories")
    yield Call(ORGANIZATION, "create_repository", (Name("dev"), "Not yet exploded: ü"))
    yield Call(ORGANIZATION, "user", (Name("ada@example.com"),))
    yield Call(ORGANIZATION, "create_user", (Name("ada@example.com"),))
    yield Call(ORGANIZATION, "create_user", (Name("ada@example.com"), []), note="no teams")
    yield Call(ORGANIZATION, "create_user", (Name("a@b"), [REPOSITORY]), note="in a team")
    for unknown in ("metadata", "delete"):
        yield Call(ORGANIZATION, unknown)
    yield Call(ORGANIZATION, "list_users", note="of teams")
    for shown in ("email", "organization_name", "__repr__", "__str__"):
        yield Call(USER, shown)
    yield Call(USER, "metadata")
    yield Call(USER, "delete")


def _team() -> Iterator[Call]:
    old = {"releases": (WITH_TEAMS,)}
    yield Call(ORGANIZATION, "team", (Name("builders"),), **old)
    yield Call(ORGANIZATION, "list_teams", **old)
    yield Call(ORGANIZATION, "create_team", (Name("builders"), "read_index"), **old)
    yield Call(ORGANIZATION, "create_user", (Name("a@b"), [TEAM]), note="a team", **old)
    for shown in ("name", "organization_name", "__repr__", "__str__"):
        yield Call(TEAM, shown, **old)
    for method in ("metadata", "delete", "list_repositories", "list_users"):
        yield Call(TEAM, method, **old)
    for method in ("add_repository", "remove_repository", "query_repository_access"):
        yield Call(TEAM, method, (REPOSITORY,), **old)
    for method in ("add_user", "remove_user", "query_user_access"):
        yield Call(TEAM, method, (USER,), **old)


def _repository() -> Iterator[Call]:
    for shown in ("name", "organization_name", "__repr__", "__str__"):
        yield Call(REPOSITORY, shown)
    yield Call(REPOSITORY, "platform", (Name("rh5-x86_64"),))
    yield Call(REPOSITORY, "delete")
    yield Call(REPOSITORY, "delete", (True,), note="by force")
    yield Call(REPOSITORY, "metadata", note="of one")
    yield Call(REPOSITORY, "list_platforms", note="by index")
    for shown in ("name", "organization_name", "repository_name", "__repr__", "__str__"):
        yield Call(PLATFORM, shown)


def _eggs() -> Iterator[Call]:
    place = (Name("cp27"), Name("spam"), Name("1.0-1"))
    yield Call(PLATFORM, "egg_index", (Name("cp27"),))
    yield Call(PLATFORM, "list_eggs", (Name("cp27"),))
    for method in ("egg_index", "list_eggs"):
        yield Call(PLATFORM, method, (None,), note="untagged")
    for method in ("egg_metadata", "delete_egg"):
        yield Call(PLATFORM, method, (None, Name("spam"), Name("1.0-1")), note="untagged")
    yield Call(PLATFORM, "egg_metadata", place)
    yield Call(PLATFORM, "delete_egg", place)
    yield from _downloads("download_egg", place, filename=True)
    yield from _downloads("iter_download_egg", place, filename=True)

    egg, untagged = files.EGG, files.UNTAGGED_EGG
    yield Call(PLATFORM, "upload_egg", (egg,))
    yield Call(PLATFORM, "upload_egg", (egg, True), note="overwriting")
    yield Call(PLATFORM, "upload_egg", (egg, False, False), note="disabled")
    yield Call(PLATFORM, "upload_egg", (untagged,), note="untagged")
    for file in (egg, untagged):
        yield from _verified(PLATFORM, "upload_egg", file)
    yield Call(PLATFORM, "upload_egg", (egg, True, True, True), note="overwriting, verified")
    for bad in (files.NO_ZIP["egg"], files.RUNTIME, File("none-1.0-1.egg")):
        yield Call(PLATFORM, "upload_egg", (bad,), note=f"bad: {bad}")
    eggs = [egg, untagged, egg]
    yield Call(PLATFORM, "reindex", (eggs,))
    yield Call(PLATFORM, "reindex", ([],), note="of nothing")


def _downloads(method: str, place: tuple[Any, ...], filename: bool = False) -> Iterator[Call]:
    where = (*place, DESTINATION)
    yield Call(PLATFORM, method, where)
    yield Call(PLATFORM, method, (*where, answers.SHA256), note="of a known hash")
    yield Call(PLATFORM, method, (*where, "0" * 64), note="of another hash")
    yield Call(PLATFORM, method, where, note="without a hash", answer=answers.bare)
    yield Call(PLATFORM, method, where, note="spoiled", answer=answers.spoiled)
    yield Call(PLATFORM, method, where, note="without a name", answer=answers.nameless)
    yield Call(PLATFORM, method, (*place, f"{DESTINATION}/none"), note="into nothing")
    if filename:
        named = (*where, None, "my own.egg")
        new = (NEWEST,)
        yield Call(PLATFORM, method, named, note="named", releases=new)
        yield Call(
            PLATFORM,
            method,
            named,
            note="named, without a name",
            answer=answers.nameless,
            releases=new,
        )


def _verified(node: Node, method: str, file: File, versions: tuple[int, ...] = BOTH) -> Any:
    for note, how in {
        "what is new": {"answer": answers.new},
        "what is there": {"there": file},
        "what is other": {},
        "what has no hash": {"answer": answers.bare},
        "what is hidden": {"answer": answers.refusing(403)},
    }.items():
        note = f"{file}, verified: {note}"
        yield Call(node, method, (file,), {"verify": True}, note, versions=versions, **how)


def _runtimes() -> Iterator[Call]:
    yield Call(PLATFORM, "runtime_index")
    yield Call(PLATFORM, "list_runtimes", unordered=True, versions=V0)
    yield Call(PLATFORM, "list_runtimes", versions=V1)
    for version, place in (
        (V0, (Name("cp27"), Name("2.7.10-1"))),
        (V1, (Name("cpython"), Name("3.8.17+1"))),
    ):
        calls = [Call(PLATFORM, "runtime_metadata", place)]
        calls += _downloads("download_runtime", place)
        calls += _downloads("iter_download_runtime", place)
        yield from (evolve(call, versions=version) for call in calls)
    yield Call(
        PLATFORM,
        "runtime_delete",
        (Name("cpython"), Name("3.8.17+1")),
        versions=V1,
        releases=(NEWEST,),
    )

    for version, file, other in (
        (V0, files.LEGACY_RUNTIME, files.RUNTIME),
        (V1, files.RUNTIME, files.LEGACY_RUNTIME),
    ):
        here = {"versions": version}
        yield Call(REPOSITORY, "upload_runtime", (file,), **here)
        yield Call(REPOSITORY, "upload_runtime", (file, True), note="overwriting", **here)
        yield Call(REPOSITORY, "upload_runtime", (file, True, True), note="both", **here)
        yield from _verified(REPOSITORY, "upload_runtime", file, version)
        yield Call(REPOSITORY, "upload_runtime", (other,), note="of the other version", **here)
    odd, renamed = files.ODD_LEGACY_RUNTIME, files.RENAMED_RUNTIME
    yield Call(REPOSITORY, "upload_runtime", (odd,), note="odd", versions=V0)
    yield Call(REPOSITORY, "upload_runtime", (renamed,), note="renamed", versions=V1)
    yield Call(REPOSITORY, "upload_runtime", (files.NO_ZIP["runtime"],), note="no zip", versions=V1)


def _apps() -> Iterator[Call]:
    yield Call(PLATFORM, "app_index")
    yield Call(PLATFORM, "list_apps")
    yield Call(PLATFORM, "app_metadata", (Name("cp38"), Name("com.acme.viewer"), Name("1.10-2")))
    yield Call(REPOSITORY, "upload_app", (files.APP,))
    yield Call(REPOSITORY, "upload_app", (files.ODD_APP,), note="odd")
    yield Call(REPOSITORY, "upload_app", (files.APP, True), note="overwriting")
    yield Call(REPOSITORY, "upload_app", (files.APP_FOR_NOWHERE,), note="without a platform")


def _bundles() -> Iterator[Call]:
    new: dict[str, Any] = {"versions": V1, "releases": (NEWEST,)}
    place = (Name("cp38"), Name("tools"), Name("1.0.0-1"))
    yield Call(PLATFORM, "bundles", **new)
    for method in ("bundle_index", "bundle_list"):
        yield Call(PLATFORM, method, **new)
    for method in ("bundle_metadata", "bundle_delete"):
        yield Call(PLATFORM, method, place, **new)
    yield Call(PLATFORM, "bundle_save", (*place, DESTINATION), **new)
    for shown in ("__repr__", "__str__"):
        yield Call(BUNDLES, shown, **new)
        yield Call(BUNDLE, shown, **new)
        yield Call(BUNDLE_FILE, shown, **new)
    for method in ("index", "list", "__iter__"):
        yield Call(BUNDLES, method, **new)
    yield Call(BUNDLES, "get", place, **new)
    yield Call(BUNDLES, "delete", place, **new)
    for node in (BUNDLE, BUNDLE_FILE):
        for shown in ("name", "version", "python_tag", "canonical_filename", "metadata", "delete"):
            yield Call(node, shown, **new)
        yield Call(node, "save", (DESTINATION,), **new)
        yield Call(node, "save", (DESTINATION, True), note="overwriting", **new)
        yield Call(node, "save", (f"{DESTINATION}/none",), note="into no folder", **new)

    bundle = files.BUNDLE
    pypy = {"implementation": "pypy", "version": "2.6.0"}
    for shown in ("bundle", "filepath"):
        yield Call(BUNDLE_FILE, shown, **new)
    yield Call(BUNDLES, "from_file", (bundle,), note="plain", **new)
    yield Call(BUNDLES, "from_file", (bundle, pypy), note="for another runtime", **new)
    yield Call(BUNDLE_FILE, "upload", **new)
    yield Call(BUNDLE_FILE, "upload", (True,), note="overwriting", **new)
    yield Call(REPOSITORY, "upload_bundle", (bundle,), note="plain", **new)
    yield Call(REPOSITORY, "upload_bundle", (files.ODD_BUNDLE,), note="odd", **new)
    yield Call(REPOSITORY, "upload_bundle", (bundle, True), note="overwriting", **new)
    for bad in (files.MISNAMED_BUNDLE, files.EMPTY_BUNDLE, File("none-1.0-1.bundle")):
        yield Call(REPOSITORY, "upload_bundle", (bad,), note=f"bad: {bad}", **new)


CALLS = list(_calls())
