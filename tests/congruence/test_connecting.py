"""Clients are made, and identify themselves, as the existing one does."""

from __future__ import annotations

import pytest

from ..interop.environments import NEWEST, WITH_TEAMS
from .calls import CALLS, CLIENT, Call
from .intended import HEADERS
from .observing import Outcome, differences

pytestmark = pytest.mark.programs

CALL = Call(CLIENT, "list_organizations")

#: Of each way to send something.
HEADED = {
    "BroodClient.list_organizations",
    "BroodClient.create_organization",
    "SinglePlatformRepository.upload_egg",
    "SinglePlatformRepository.download_egg",
    "SinglePlatformRepository.delete_egg",
}

BASIC = ["ada@example.com", "pa:ss word"]


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize(
    ("release", "auth"),
    [
        (NEWEST, None),
        (NEWEST, {"basic": BASIC}),
        (NEWEST, {"exchange": BASIC}),
        (NEWEST, {"exchange": "an-api-token"}),
        (WITH_TEAMS, {"basic": BASIC}),
        (WITH_TEAMS, {"bearer": "an-api-token"}),
    ],
    ids=str,
)
def test_credentials(release, auth, version, observers):
    observer = observers[release]
    connection = {"url": observer.url, "api_version": version, "auth": auth}
    ours, theirs = observer.connecting(CALL, connection, connection)
    found = differences(ours, theirs)
    if release is WITH_TEAMS and version == 1:
        found.pop("root")  # it asks API version 0
    assert found == {}
    assert ("authorization" in theirs.requests[0].headers) is (auth is not None)
    for outcome in (ours, theirs):
        exchanged = [request.target for request in outcome.requests[:-1]]
        assert exchanged == (
            ["/api/v1/json/auth/tokens/auth"] if "exchange" in (auth or {}) else []
        )
        assert outcome.requests[-1].headers["user-agent"].startswith("hatcher/")


@pytest.mark.parametrize("release", [NEWEST, WITH_TEAMS], ids=lambda release: release.version)
def test_a_session_of_ones_own(release, observers):
    """Theirs takes one of requests, ours one of httpx; what goes over the wire is the same."""
    observer = observers[release]
    connection = {"url": observer.url, "api_version": 0, "auth": {"basic": ["ada", "secret"]}}
    ours, theirs = observer.connecting(
        CALL, {**connection, "session": "httpx"}, {**connection, "session": "requests"}
    )
    assert differences(ours, theirs) == {}


@pytest.mark.parametrize(
    ("written", "differ"),
    [
        ("http://{place}", set()),
        ("http://{place}/", set()),
        ("{place}", set()),
        ("http://{place}/prefix", {"root"}),  # theirs drops it
        ("http://{place}?query", {"refused"}),  # likewise
    ],
)
def test_urls(written, differ, observers):
    observer = observers[NEWEST]
    url = written.format(place=observer.url.removeprefix("http://"))
    connection = {"url": url, "api_version": 1}
    ours, theirs = observer.connecting(CALL, connection, connection)
    assert differences(ours, theirs).keys() == differ


@pytest.mark.parametrize("version", [2, -1, None, "1"])
def test_api_versions_that_there_are_not(version, observers):
    observer = observers[NEWEST]
    connection = {"url": observer.url, "api_version": version}
    outcomes: tuple[Outcome, Outcome] = observer.connecting(CALL, connection, connection)
    for outcome in outcomes:
        assert "error" in outcome.answer
        assert outcome.requests == []


@pytest.mark.parametrize("release", [NEWEST, WITH_TEAMS], ids=lambda release: release.version)
def test_headers(release, observers):
    """Those that differ are in the table: with a password that is not ASCII, all of them do."""
    observer, differ = observers[release], set()
    connection = {"url": observer.url, "api_version": 0, "auth": {"basic": ["ada", "pässword"]}}
    for call in CALLS:
        if str(call) not in HEADED:
            continue
        ours, theirs = observer.connecting(call, connection, connection)
        for our, their in zip(ours.requests, theirs.requests, strict=True):
            names = {*our.headers, *their.headers} - {"content-type"}  # it has the boundary
            differ |= {name for name in names if our.headers.get(name) != their.headers.get(name)}
    assert differ == HEADERS.keys()
