"""From one repository to another: single artefacts, and bundles with all that belongs to them."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time

import pytest

from hatcher import errors, mirror
from hatcher.api import BroodClient, Repository
from hatcher.testing import FaultyGateway, RequestFault, write_bundle, write_egg

from .conftest import BUNDLE, PLATFORM, RUNTIME, outcomes, refused

EGGS = {
    f"{PLATFORM}/eggs/None/pure-1.0-1.egg",
    f"{PLATFORM}/eggs/cp38/MyEgg-1.0-1.egg",
    f"{PLATFORM}/eggs/cp38/old-1.0-1.egg",
}
CLOSURE = sorted({*EGGS, RUNTIME, BUNDLE})

_numbers = itertools.count()


def new(client: BroodClient) -> Repository:
    """Where to promote to, on the same server."""
    return client.organization("acme").create_repository(f"prod{next(_numbers)}", "Prod")


def sent(gateway: FaultyGateway) -> list[str]:
    """What was changed behind a gateway: the ends of the paths, in order."""
    return [
        "/".join(passage.path.partition("?")[0].split("/")[-2:])
        for passage in gateway.requests
        if passage.method != "GET" and "/auth/" not in passage.path
    ]


def test_a_closure_goes_to_another_server(world, lab, tmp_path):
    """Eggs appear together, the bundle when all is there; and nothing is sent twice."""
    cache = mirror.Cache(tmp_path / "cache")
    prod = lab.behind(of=lab.target())
    would = mirror.promote(world.bundle, prod, closure=True, dry_run=True)
    assert outcomes(would) == dict.fromkeys(CLOSURE, "would upload")
    assert not sent(lab.gateway)
    report = mirror.promote(world.bundle, prod, closure=True, cache=cache)
    assert outcomes(report) == dict.fromkeys(CLOSURE, "uploaded")
    order = sent(lab.gateway)
    assert sorted(order[:4]) == [*["eggs/upload"] * 3, "runtimes/upload"]
    assert order[4:] == ["eggs/re-index", "bundles/upload"]
    assert mirror.check_bundle(prod.platform(PLATFORM).bundle("cp38", "tools", "1.0.0-1"), prod)
    again = mirror.promote(world.bundle, prod, closure=True)
    assert outcomes(again) == dict.fromkeys(CLOSURE, "already there")
    assert len(sent(lab.gateway)) == 6
    assert cache.usage().files == 4


def test_single_artefacts_on_one_server(world):
    prod = new(world.client)
    on, there = world.dev.platform(PLATFORM), prod.platform(PLATFORM)
    app = on.app("cp38", "com.example.viewer", "1.10-2")
    runtime = world.client.at(f"acme/base/{PLATFORM}").runtime("cpython", "3.8.17+1")
    egg = on.egg("cp311", "pure", "1.0-1")  # by the tag of a Python that can use it
    report = mirror.promote([egg, runtime, app, world.bundle, egg], prod)
    assert outcomes(report) == {
        f"{PLATFORM}/apps/cp38/com.example.viewer-1.10-2.yaml": "uploaded",
        BUNDLE: "uploaded",
        f"{PLATFORM}/eggs/None/pure-1.0-1.egg": "uploaded",
        RUNTIME: "uploaded",
    }
    assert [listed["name"] for listed in there.list_eggs("cp38")] == ["pure-1.0-1.egg"]
    assert there.egg(None, "pure", "1.0-1").sha256() == egg.sha256()
    for here, moved in [
        (world.bundle, there.bundle("cp38", "tools", "1.0.0-1")),
        (app, there.app("cp38", "com.example.viewer", "1.10-2")),
    ]:
        assert moved.metadata()["data"] == here.metadata()["data"]
    assert str(mirror.promote([egg, app], prod)) == "2 files: 2 already there"
    assert str(mirror.promote([], prod)) == "0 files"


def test_what_is_not_whole_at_the_source_is_not_begun(world, lab, tmp_path):
    dev = new(world.client)
    on = dev.platform(PLATFORM)
    dev.upload_bundle(write_bundle(tmp_path, **{**world.document, "repositories": []}))
    bundle = on.bundle("cp38", "tools", "1.0.0-1")
    for name, enabled in (("MyEgg", True), ("old", False)):
        egg = write_egg(tmp_path, name, "1.0", platform=PLATFORM, python_tag="cp38")
        on.upload_egg(egg, enabled=enabled)
    prod = lab.behind(of=lab.target())
    with pytest.raises(errors.HatcherException, match="Not everything") as caught:
        mirror.promote(bundle, prod, closure=True)
    assert "disabled: egg old 1.0-1 in" in str(caught.value)
    assert "missing: egg pure 1.0-1 in" in str(caught.value)
    with pytest.raises(errors.HatcherException, match=r"old-1\.0-1\.egg, which is disabled"):
        mirror.promote(on.egg("cp38", "old", "1.0-1"), prod)
    with pytest.raises(errors.NotFoundError):
        mirror.promote([on.egg("cp38", "MyEgg", "1.0-1"), on.egg("cp38", "no", "1-1")], prod)
    write_egg(tmp_path, "pure", "1.0", platform=PLATFORM, payload_bytes=9)
    on.upload_egg(tmp_path / "pure-1.0-1.egg")
    eggs = [place.egg(None, "pure", "1.0-1") for place in (on, world.dev.platform(PLATFORM))]
    with pytest.raises(errors.ChecksumMismatchError, match="one artefact"):
        mirror.promote(eggs, prod)
    assert sent(lab.gateway) == []


def test_others_at_the_target(world, lab, tmp_path):
    """They are replaced only when that is wanted; what is hidden and right is shown."""
    prod = lab.target()
    on = prod.platform(PLATFORM)
    old = write_egg(tmp_path, "old", "1.0", platform=PLATFORM, python_tag="cp38", payload_bytes=9)
    on.upload_egg(old, enabled=False)
    same = world.folder / "pure-1.0-1.egg"
    on.upload_egg(same, enabled=False)
    prod.upload_bundle(write_bundle(tmp_path, mark="another"))
    before = on.egg("cp38", "old", "1.0-1").sha256()
    with pytest.raises(errors.ChecksumMismatchError) as caught:
        mirror.promote(world.bundle, prod, closure=True)
    assert f"{PLATFORM}/eggs/cp38/old-1.0-1.egg (sha256 {before})" in str(caught.value)
    assert not on.list_eggs("cp38")
    report = mirror.promote(world.bundle, prod, closure=True, overwrite=True)
    report.raise_for_failures()
    assert len(on.list_eggs("cp38")) == 3
    assert mirror.check_bundle(world.bundle, prod)
    document = on.bundle("cp38", "tools", "1.0.0-1").metadata()["data"]
    assert document == world.bundle.metadata()["data"]


def test_a_bundle_waits_for_all_that_belongs_to_it(world, lab):
    """When something fails the others go on, but for the bundle; again does what is left."""
    full = refused("*/runtimes/upload", 500, times=1, at="request")
    prod = lab.behind(full, of=lab.target(), retries=0)
    report = mirror.promote(world.bundle, prod, closure=True)
    assert outcomes(report) == {
        **dict.fromkeys(EGGS, "uploaded"),
        RUNTIME: "failed",
        BUNDLE: "not tried",
    }
    with pytest.raises(errors.BatchError):
        report.raise_for_failures()
    assert "bundles/upload" not in sent(lab.gateway)
    again = mirror.promote(world.bundle, prod, closure=True)
    assert outcomes(again) == {
        **dict.fromkeys(EGGS, "already there"),
        RUNTIME: "uploaded",
        BUNDLE: "uploaded",
    }


_PROMOTES = """
import sys
from hatcher import errors, mirror
from hatcher.api import BroodClient
dev, prod = (
    BroodClient.from_url(url, (email, password), api_version=1)
    for url, email, password in (sys.argv[1:4], sys.argv[4:7])
)
bundle = dev.at("acme/dev/rh8-x86_64").bundle("cp38", "tools", "1.0.0-1")
mirror.promote(bundle, prod.at(sys.argv[7]), closure=True, concurrency=1)
"""


@pytest.mark.skipif(os.name != "posix", reason="Nobody can be killed there.")
def test_killed_in_the_middle(world, lab):
    """Nothing is shown by half, and the same call again does what is left."""
    hangs = RequestFault("stall", at="request body", path="*/runtimes/upload")
    prod, other = lab.behind(hangs, of=lab.target(), retries=0), lab.other
    gateway = lab.gateway
    on = prod.platform(PLATFORM)
    arguments = [
        *(world.server.url, world.server.admin_email, world.server.admin_password),
        *(gateway.url, other.admin_email, other.admin_password),
        str(prod),
    ]
    with subprocess.Popen([sys.executable, "-c", _PROMOTES, *arguments]) as process:
        deadline = time.monotonic() + 60
        while not gateway.sent("POST", "*/runtimes/upload"):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
    assert on.egg("cp38", "MyEgg", "1.0-1").exists()
    assert on.list_eggs("cp38") == on.bundle_list() == []
    before = gateway.sent("POST", "*/eggs/upload")
    mirror.promote(world.bundle, prod, closure=True).raise_for_failures()
    assert gateway.sent("POST", "*/eggs/upload") == before, "They are there, and only shown."
    assert mirror.check_bundle(world.bundle, prod)


def test_arguments(world, lab):
    prod = world.dev
    egg = world.dev.platform(PLATFORM).egg("cp38", "MyEgg", "1.0-1")
    for artefacts, target, said in [
        (egg, world.dev.platform(PLATFORM), "is no repository"),
        (world.dev, prod, "is not iterable"),
        (["MyEgg-1.0-1.egg"], prod, "cannot be promoted"),
        (egg, "acme/prod", "is no repository"),
    ]:
        with pytest.raises((errors.InvalidArgumentError, TypeError), match=said):
            mirror.promote(artefacts, target)
    old = lab.other.client(api_version=0).organization("corp").repository("main")
    with pytest.raises(errors.UnsupportedAPIVersionError):
        mirror.promote(egg, old)
    with pytest.raises(errors.NotFoundError, match="'base'"):
        mirror.promote(egg, world.client.at("acme/bace"))
    with pytest.raises(errors.InvalidArgumentError, match="concurrency"):
        mirror.promote(egg, prod, concurrency=0)
    assert str(mirror.promote(egg, prod)) == "1 file: 1 already there", "It is there itself."
