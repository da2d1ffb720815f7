"""Answers of another shape, over a real socket: one kind of error for all of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository
from hatcher.errors import HatcherException, InvalidResponseError
from hatcher.testing import (
    Answer,
    ScriptedServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

SHA256 = "ab" * 32
ODD: list[Any] = [None, [], {}, 5, -1.5, True, "", "x", [None], [[]], {"x": None}, {"": {"": {}}}]

REPOSITORIES = {"repositories": [{"name": "acme/dev", "access": "read_index"}]}
TOKENS = {"tokens": [{"name": "a", "created": "2024-05-01T12:00:00", "last_used": None}]}
EGGS = {"spam-1.0-1.egg": {"sha256": SHA256, "size": 5, "python_tag": "cp311", "name": "spam"}}
RUNTIMES = {"cpython": {"3.8.17+1": {"sha256": SHA256, "size": 5, "filename": "x.runtime"}}}
OLD = {"python": {"2.7.10": {"1": {"filename": "a.zip", "sha256": SHA256, "python_tag": "cp27"}}}}
APPS = {"cp38": {"viewer": {"1.10": {"2": {"name": "viewer", "sha256": SHA256}}}}}
BUNDLES = {"cp38": {"tools": {"1.0.0": {"1": {"name": "tools", "full_version": "1.0.0-1"}}}}}
SAID = {"sha256": SHA256, "filename": "spam-1.0-1.egg", "enabled": True, "data": {"a": 1}}


def _names(field: str) -> dict[str, Any]:
    return {field: ["b", "a"]}


def _place(client: BroodClient) -> SinglePlatformRepository:
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


def _files(client: BroodClient, where: Any) -> dict[str, Any]:
    """What is uploaded, of which nothing is sent."""
    write = write_runtime if client.api_version else write_legacy_runtime
    kinds = {"runtimes": write, "bundles": write_bundle, "apps": write_app}
    files = {kind: [make(where)] for kind, make in kinds.items()}
    return {**files, "eggs": [write_egg(where, "spam", "1.0", python_tag="cp311")]}


def _upload(kind: str) -> Callable[[BroodClient, Any], Any]:
    def act(client: BroodClient, where: Any) -> Any:
        place: Any = _place(client)
        repository = client.organization("acme").repository("dev")
        batch = getattr(repository if kind == "apps" else place, f"upload_{kind}")
        return batch(_files(client, where)[kind], dry_run=True)

    return act


#: What is asked, and what is answered when all is well.
ASKED: dict[str, tuple[Callable[[BroodClient, Any], Any], Any]] = {
    "organizations": (lambda c, w: c.list_organizations(), _names("organizations")),
    "platforms": (lambda c, w: c.list_platforms(), _names("platforms")),
    "python tags": (lambda c, w: c.list_python_tags(), _names("python_tags")),
    "all python tags": (lambda c, w: c.list_python_tags(True), _names("python_tags")),
    "tokens": (lambda c, w: c.list_api_tokens(), TOKENS),
    "new token": (lambda c, w: c.create_api_token("a"), {"name": "a", "token": "t"}),
    "repositories": (
        lambda c, w: c.organization("acme").list_repositories(),
        _names("repositories"),
    ),
    "teams": (lambda c, w: c.organization("acme").list_teams(), {"teams": [{"name": "t"}]}),
    "team": (lambda c, w: c.organization("acme").team("t").metadata(), {"name": "t"}),
    "team's": (
        lambda c, w: c.organization("acme").team("t").list_repositories(),
        _names("repositories"),
    ),
    "members": (lambda c, w: c.organization("acme").team("t").list_users(), _names("members")),
    "users": (
        lambda c, w: c.organization("acme").list_users(),
        {"teams": [{"name": "t"}], **_names("members")},
    ),
    "user in teams": (
        lambda c, w: c.organization("acme").user("a@b")._lacking(["t"]),
        {"email": "a@b", "teams": ["t"]},
    ),
    "user": (lambda c, w: c.organization("acme").user("a@b").metadata(), {"email": "a@b"}),
    "egg index": (lambda c, w: _place(c).egg_index("cp311"), EGGS),
    "eggs": (lambda c, w: _place(c).list_eggs("cp311"), EGGS),
    "egg": (lambda c, w: _place(c).egg_metadata("cp311", "spam", "1.0-1"), SAID),
    "sha256": (lambda c, w: _place(c).egg("cp311", "spam", "1.0-1").sha256(), SAID),
    "download eggs": (lambda c, w: _place(c).download_eggs("cp311", w, dry_run=True), EGGS),
    "delete eggs": (lambda c, w: _place(c).delete_eggs(["spam-*"], "cp311", dry_run=True), EGGS),
    "upload eggs": (_upload("eggs"), EGGS),
    "app index": (lambda c, w: _place(c).app_index(), APPS),
    "apps": (lambda c, w: _place(c).list_apps(), APPS),
    "app": (lambda c, w: _place(c).app_metadata("cp38", "viewer", "1.10-2"), SAID),
    "upload apps": (_upload("apps"), APPS),
}
OF_VERSION: dict[int, dict[str, tuple[Callable[[BroodClient, Any], Any], Any]]] = {
    0: {
        "available": (lambda c, w: c.list_available_repositories(), _names("repositories")),
        "whoami": (lambda c, w: c.whoami(), _names("repositories")),
        "runtime index": (lambda c, w: _place(c).runtime_index(), OLD),
        "runtimes": (lambda c, w: _place(c).list_runtimes(), OLD),
        "runtime": (lambda c, w: _place(c).runtime_metadata("cp27", "2.7.10-1"), SAID),
        "download runtimes": (lambda c, w: _place(c).download_runtimes(w, dry_run=True), OLD),
        "upload runtimes": (_upload("runtimes"), OLD),
    },
    1: {
        "available": (lambda c, w: c.list_available_repositories(), REPOSITORIES),
        "all available": (lambda c, w: c.list_available_repositories(True), REPOSITORIES),
        "whoami": (lambda c, w: c.whoami(), REPOSITORIES),
        "repository": (
            lambda c, w: c.organization("acme").repository("dev").metadata(),
            REPOSITORIES,
        ),
        "runtime index": (lambda c, w: _place(c).runtime_index(), RUNTIMES),
        "runtimes": (lambda c, w: _place(c).list_runtimes(), RUNTIMES),
        "runtime": (lambda c, w: _place(c).runtime_metadata("cpython", "3.8.17+1"), SAID),
        "download runtimes": (lambda c, w: _place(c).download_runtimes(w, dry_run=True), RUNTIMES),
        "upload runtimes": (_upload("runtimes"), RUNTIMES),
        "bundle index": (lambda c, w: _place(c).bundle_index(), BUNDLES),
        "bundles": (lambda c, w: _place(c).bundle_list(), BUNDLES),
        "each bundle": (lambda c, w: list(_place(c).bundles), BUNDLES),
        "bundle": (lambda c, w: _place(c).bundle_metadata("cp38", "tools", "1.0.0-1"), SAID),
        "save": (
            lambda c, w: _place(c).bundle_save("cp38", "tools", "1.0.0-1", w, overwrite=True),
            SAID,
        ),
        "download bundles": (lambda c, w: _place(c).download_bundles(w, dry_run=True), BUNDLES),
        "upload bundles": (_upload("bundles"), BUNDLES),
    },
}
#: What is about one thing, or each.
OF_THINGS = {"repository", "each bundle", "users"}
CASES = [
    (version, what, *asked)
    for version, more in OF_VERSION.items()
    for what, asked in {**ASKED, **more}.items()
]


def variants(document: Any) -> Iterator[Any]:
    """The document with another thing in each place of it in turn, and without each field."""
    yield from ODD
    for path in _paths(document):
        for value in (*ODD, ...):
            changed = deepcopy(document)
            *way, last = path
            inner = changed
            for step in way:
                inner = inner[step]
            if value is ...:
                del inner[last]
            else:
                inner[last] = value
            yield changed


def _paths(document: Any) -> Iterator[tuple[Any, ...]]:
    keys = {dict: lambda: list(document), list: lambda: range(len(document))}
    for key in keys.get(type(document), list)():
        yield (key,)
        yield from ((key, *path) for path in _paths(document[key]))


@pytest.mark.parametrize(
    ("version", "what", "ask", "document"), CASES, ids=[f"v{v} {what}" for v, what, *_ in CASES]
)
def test_odd_answers(version, what, ask, document, tmp_path):
    said = [document]

    def answer(request: Any) -> Answer:
        return Answer(200, {"Content-Type": "application/json"}, json.dumps(said[0]).encode())

    # Another repository, or a bundle or team without a name, is no answer of another shape.
    may_raise = HatcherException if what in OF_THINGS else InvalidResponseError
    with (
        ScriptedServer(answer) as server,
        BroodClient.from_url(server.url, api_version=version, retries=RetryPolicy(0)) as client,
    ):
        ask(client, tmp_path)
        refused = 0
        for said[0] in variants(document):
            try:
                ask(client, tmp_path)
            except may_raise as error:
                refused += 1
                assert not isinstance(error, KeyError) and str(error)
        assert refused


def test_a_repository_may_lack_its_access():
    document = {"repositories": [{"name": "acme/dev"}, {"name": "acme/prod", "access": None}]}
    body = json.dumps(document).encode()
    with ScriptedServer(lambda _: Answer(200, {}, body)) as server:
        client = BroodClient.from_url(server.url, api_version=1)
        assert client.list_available_repositories() == ["acme/dev", "acme/prod"]
        assert client.whoami()["repositories"] == {"acme/dev": None, "acme/prod": None}
        client.close()
