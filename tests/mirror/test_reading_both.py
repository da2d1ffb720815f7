"""Both sides are read at the same time, each index once, and none from memory."""

from __future__ import annotations

import _thread
import threading
from collections import Counter

import pytest

from hatcher import errors, mirror
from hatcher.api import BroodClient, Repository
from hatcher.testing import RequestFault, write_egg

from .conftest import PLATFORM, SOME, refused

INDEX = "*/indices/*"

#: An index with so many eggs is worth an entity tag: smaller ones are as quickly sent as asked for.
EGGS = 100


class Meeting:
    """A question to one server is not sent before there is one to the other, too."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self._have_met: set[str] = set()

    def __call__(self, event: object) -> None:
        url = str(getattr(event, "url", ""))
        server = url.partition("/api/")[0]
        if "/indices/" in url and server not in self._have_met:
            self._have_met.add(server)
            self._barrier.wait(60)


def behind(repository: Repository, meeting: Meeting, lab) -> Repository:
    server = lab.server if repository.organization_name == "acme" else lab.other
    auth = (server.admin_email, server.admin_password)
    client = BroodClient.from_url(server.url, auth=auth, api_version=1, on_request=meeting)
    return client.organization(repository.organization_name).repository(repository.name)


@pytest.mark.parametrize("what", ["plan", "diff", "verify"])
def test_both_sides_are_asked_at_the_same_time(what, lab):
    meeting = Meeting()
    sides = behind(lab.dev, meeting, lab), behind(lab.target(), meeting, lab)
    getattr(mirror, what)(*sides, concurrency=1, **SOME)
    assert len(meeting._have_met) == 2


def test_when_both_fail_it_is_the_source(lab):
    target = lab.behind(refused("*", 403), of=lab.target())
    with pytest.raises(errors.PermissionDeniedError) as target_alone:
        mirror.plan(lab.dev, target, **SOME)
    assert str(target._session.server) in str(target_alone.value)
    source = lab.behind(refused("*", 401))
    with pytest.raises(errors.AuthenticationError) as both:
        mirror.plan(source, target, **SOME)
    assert str(source._session.server) in str(both.value)


def test_a_plan_that_is_kept_looks_again_and_nothing_comes_twice(lab, tmp_path):
    """The second look asks for all indices, with entity tags where there is much in them."""
    source = lab.new("source")
    eggs = [
        write_egg(tmp_path, f"egg{number}", platform=PLATFORM, python_tag="cp311")
        for number in range(EGGS)
    ]
    source.platform(PLATFORM).upload_eggs(eggs).raise_for_failures()
    through = lab.behind(of=source, cache=tmp_path)
    gateway = lab.gateway
    target = lab.target()
    plan = mirror.plan(through, target, **SOME)
    first = len(gateway.requests)
    late = write_egg(tmp_path, "late", platform="win-x86_64", python_tag="cp38")
    source.platform("win-x86_64").upload_egg(late)
    plan.apply(dry_run=True)
    asked = [one for one in gateway.requests if "/indices/" in one.path]
    again = [one for one in gateway.requests[first:] if "/indices/" in one.path]
    assert Counter(one.path for one in again) == Counter(
        one.path for one in asked if one not in again
    )
    # What had been empty is asked for as before, and seen.
    assert any(one.path.endswith("/win-x86_64/cp38/eggs") for one in again)
    large = [one for one in again if one.path.endswith(f"/{PLATFORM}/cp311/eggs")]
    assert [(one.status, "if-none-match" in one.headers) for one in large] == [(304, True)]
    now = mirror.plan(through, target, **SOME)
    assert "win-x86_64/eggs/cp38/late-1.0.0-1.egg" in {step.path for step in now.steps}


@pytest.mark.usefixtures("hears_ctrl_c")
def test_ctrl_c_ends_both(lab):
    """Neither of two servers answers any more, and no thread goes on waiting for them."""
    stalled = RequestFault("stall", at="request", path=INDEX, times=999)
    source, gateway = lab.behind(stalled), lab.gateway
    target, other = lab.behind(stalled, of=lab.target()), lab.gateway
    met = threading.Event()

    def interrupt() -> None:
        while not (gateway.sent(path=INDEX) and other.sent(path=INDEX)):
            met.wait(0.01)
        _thread.interrupt_main()

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        mirror.plan(source, target, concurrency=2, **SOME)
    assert [one.name for one in threading.enumerate() if one.name == "hatcher-batch"] == []
