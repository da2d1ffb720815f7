"""Everything that the existing client has is called in the table, and is there in ours."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

from hatcher.api import BroodClient

from ..interop.environments import NEWEST, WITH_TEAMS
from .calls import (
    BUNDLE,
    BUNDLE_FILE,
    BUNDLES,
    CALLS,
    CLIENT,
    ORGANIZATION,
    PLATFORM,
    REPOSITORY,
    TEAM,
    USER,
    Call,
    Node,
)

pytestmark = pytest.mark.programs

NODES = {
    Call(node, "").kind: node
    for node in (
        *(CLIENT, ORGANIZATION, USER, TEAM, REPOSITORY, PLATFORM),
        *(BUNDLES, BUNDLE, BUNDLE_FILE),
    )
}

#: How the nodes of the newest release are put together, which ours are not: they say so in other
#: words. What it has for users is a bundle's `canonical_filename`, which is in the table.
INSIDES = {
    "BundleCollection": {"index_path", "path", "platform", "url_handler", "urls"},
    "Bundle": {
        *("BUNDLE_EXTENSION", "BUNDLE_RE", "collection", "lazy_dict", "metadata_path"),
        *("upload_path", "url_handler"),
    },
    "LocalBundle": set(),
}

#: These make clients; `test_connecting` calls them.
MAKERS = {"from_url", "from_session"}

CASES = [
    *((NEWEST, 0, kind) for kind in NODES if "Bundle" not in kind and kind != "Team"),
    *((NEWEST, 1, kind) for kind in NODES if kind != "Team"),
    *((WITH_TEAMS, version, kind) for version in (0, 1) for kind in NODES if "Bundle" not in kind),
]


@pytest.mark.parametrize(
    ("release", "version", "kind"), CASES, ids=lambda value: getattr(value, "version", str(value))
)
def test_names(release, version, kind, observers):
    ours, theirs = observers[release].names(NODES[kind], version)
    insides = INSIDES.get(kind, set())
    assert insides <= theirs.keys(), "the table of what is inside names what is not there"
    assert theirs.keys() - ours.keys() == insides - ours.keys()
    called = {
        call.method
        for call in CALLS
        if call.kind == kind and release in call.releases and version in call.versions
    }
    assert theirs.keys() - called == insides | (MAKERS if kind == "BroodClient" else set())
    for name in sorted(theirs.keys() - insides):
        assert (theirs[name] is None) is (ours[name] is None), name
        if theirs[name] is not None and name not in MAKERS:
            _accepts(f"{kind}.{name}", ours[name], theirs[name])


def _accepts(name: str, ours: list[Any], theirs: list[Any]) -> None:
    """Ours can be called as theirs is: by position and by name, with no more and no less."""
    made = inspect.Signature(
        [
            inspect.Parameter(
                parameter,
                inspect.Parameter.KEYWORD_ONLY
                if keyword_only
                else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=default if has_default else inspect.Parameter.empty,
            )
            for parameter, has_default, default, keyword_only in ours
        ]
    )
    required = [parameter for parameter, has_default, _, _ in theirs if not has_default]
    every = [parameter for parameter, _, _, _ in theirs]
    for parameters in (required, every):
        by_position = made.bind(*parameters).arguments
        by_name = made.bind(**{parameter: parameter for parameter in parameters}).arguments
        assert set(by_name.values()) == set(parameters), name
        for parameter, given in by_position.items():
            assert given in (parameter, "python_tag"), name  # API version 0 has that for a runtime
    defaults = {parameter: default for parameter, has, default, _ in theirs if has}
    ours_by_name = {parameter: default for parameter, has, default, _ in ours if has}
    assert defaults.items() <= ours_by_name.items(), name


@pytest.mark.parametrize("release", [NEWEST, WITH_TEAMS], ids=lambda release: release.version)
def test_makers(release, observers):
    _, theirs = observers[release].names(Node(), 0)
    for name in MAKERS:
        ours = inspect.signature(getattr(BroodClient, name)).parameters
        assert list(ours)[: len(theirs[name])] == [parameter for parameter, *_ in theirs[name]]
        for parameter, has_default, default, _ in theirs[name]:
            if has_default:
                assert ours[parameter].default == default, (name, parameter)
