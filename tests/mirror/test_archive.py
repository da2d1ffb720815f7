"""One file that carries only what another side lacks."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import signal
import stat
import subprocess
import sys
import time
import zipfile
from collections import Counter, namedtuple
from pathlib import Path
from typing import Any

import pytest

from hatcher import errors, mirror
from hatcher.api import RetryPolicy
from hatcher.mirror.layout import KINDS
from hatcher.mirror.selection import select
from hatcher.testing import Answer, RequestFault

from .conftest import (
    APP,
    BUNDLE,
    EGG,
    FILLED,
    OLD,
    PLATFORM,
    RUNTIME,
    SOME,
    Lab,
    actions,
    answered,
    egg,
    files,
    fill,
    once,
    places,
    renew,
)

SELECTION = select(KINDS, None, None)


@pytest.fixture(scope="module")
def packed(servers: Any, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """An archive of all of acme/dev."""
    path = tmp_path_factory.mktemp("packed") / "all.zip"
    mirror.pack(Lab(*servers).dev, path, **SOME).raise_for_failures()
    return path.read_bytes()


@pytest.fixture
def archive(packed: bytes, tmp_path: Path) -> Path:
    path = tmp_path / "all.zip"
    path.write_bytes(packed)
    return path


def changes(plan: mirror.Plan) -> dict[str, str]:
    return {path: action for path, action in actions(plan).items() if action != "skip"}


def members(path: Path) -> set[str]:
    with zipfile.ZipFile(path) as archive:
        return set(archive.namelist())


# -- packing -------------------------------------------------------------------------------


def test_two_nights_across_an_air_gap(lab, target, tmp_path):
    """What changes here is carried there, and nothing else; what was deleted here goes there."""
    here, there, bridge = lab.new("nightly"), target, tmp_path / "bridge"
    fill(here, tmp_path / "artefacts")
    bridge.mkdir()
    report = mirror.pack(here, bridge / "first.zip", **SOME)
    assert len(report.results) == len(report.packed) == FILLED
    assert report.results[0].name.startswith("v1/acme/nightly/")
    plan = mirror.plan(bridge / "first.zip", there, prune=True, **SOME)
    assert set(actions(plan).values()) == {"copy"}
    assert plan.apply()
    assert not mirror.plan(bridge / "first.zip", there, prune=True, **SOME)
    mirror.manifest(there, **SOME).write(bridge / "state.json")

    platform = here.platform(PLATFORM)
    platform.upload_egg(egg(tmp_path, "fresh"))
    renew(here, tmp_path)
    platform.delete_egg("cp38", "old", "1.0-1")

    state = mirror.read_manifest(bridge / "state.json")
    dry = mirror.pack(here, bridge / "second.zip", lacking=state, dry_run=True, **SOME)
    assert [result.outcome for result in dry.results].count("would pack") == 5
    assert not (bridge / "second.zip").exists()
    report = mirror.pack(here, bridge / "second.zip", lacking=state, **SOME)
    fresh = f"{PLATFORM}/eggs/cp311/fresh-1.0.0-1.egg"
    moved = {f"v1/acme/nightly/{path}" for path in (EGG, RUNTIME, BUNDLE, APP, fresh)}
    assert {result.name for result in report.packed} == moved
    assert str(report) == "8 files: 5 packed, 3 already there"
    assert members(bridge / "second.zip") == moved | {"manifest.json"}
    assert mirror.verify(bridge / "second.zip")

    plan = mirror.plan(str(bridge / "second.zip"), there, prune=True, **SOME)
    updates = dict.fromkeys((EGG, RUNTIME, BUNDLE, APP), "update")
    assert changes(plan) == {**updates, fresh: "copy", OLD: "delete"}
    plan.apply().raise_for_failures()
    assert not mirror.plan(bridge / "second.zip", there, prune=True, **SOME)
    assert mirror.verify(there, bridge / "second.zip", **SOME)
    assert mirror.verify(there, here, download=True, **SOME)
    # With what is there by now, nothing is carried, but it is said all the same.
    # The archive that was packed last stands for it where nobody brings word from there.
    for known in (mirror.manifest(there, **SOME), bridge / "second.zip"):
        mirror.pack(here, bridge / "third.zip", lacking=known, **SOME)
        assert members(bridge / "third.zip") == {"manifest.json"}
    assert not mirror.plan(bridge / "third.zip", there, prune=True, **SOME)


def test_it_is_a_folder_when_it_is_unpacked(lab, archive, tmp_path):
    folder, app = tmp_path / "folder", f"v1/acme/dev/{APP}"
    shutil.unpack_archive(archive, folder)
    unpacked = files(folder)
    assert {path: content for path, content in unpacked.items() if path != app} == lab.expected
    assert mirror.verify(folder)
    assert not mirror.plan(mirror.Folder(folder, "acme/dev"), lab.dev, prune=True, **SOME)
    # From then on it is a folder like others, to which the next thing is added.
    more = folder / "v1/acme/more" / PLATFORM / "eggs/cp311"
    more.mkdir(parents=True)
    shutil.copy(egg(tmp_path, "more"), more)
    assert [found.condition for found in mirror.verify(folder).findings] == ["extra"]
    source, again = (mirror.Folder(folder, f"acme/{name}") for name in ("more", "again"))
    mirror.plan(source, again).apply().raise_for_failures()
    listed = mirror.read_manifest(folder / "manifest.json")
    assert len(listed.artefacts) == FILLED + 1
    assert not any(entry.carried for entry in listed.artefacts.values())
    # Into a folder it goes by itself, too.
    mirror.plan(archive, tmp_path / "mirror").apply().raise_for_failures()
    assert set(files(tmp_path / "mirror")) == {*lab.expected, app}
    assert mirror.verify(tmp_path / "mirror", archive)


def test_the_same_content_gives_the_same_bytes(lab, packed, archive, tmp_path):
    mirror.pack(lab.dev, tmp_path / "again.zip", concurrency=1, **SOME)
    assert (tmp_path / "again.zip").read_bytes() == packed
    with zipfile.ZipFile(archive) as opened:
        assert opened.testzip() is None
        assert {info.compress_type for info in opened.infolist()} == {zipfile.ZIP_STORED}
        assert opened.namelist() == ["manifest.json", *sorted(opened.namelist()[1:])]


def test_a_folder_is_packed_without_copies_of_its_files(archive, target, tmp_path):
    mirror.plan(archive, tmp_path / "mirror").apply()
    folder = mirror.Folder(tmp_path / "mirror", "acme/dev")
    # For a place on a server, and for nobody in particular.
    report = mirror.pack(folder, tmp_path / "delta.zip", lacking=target, kinds=["eggs"], **SOME)
    assert len(report.packed) == 4
    mirror.plan(tmp_path / "delta.zip", target, **SOME).apply().raise_for_failures()
    report = mirror.pack(folder, tmp_path / "rest.zip", lacking=target, **SOME)
    assert len(report.packed) == len(report.already_there) == 4
    with pytest.raises(errors.InvalidArgumentError, match="which one"):
        mirror.pack(tmp_path / "mirror", tmp_path / "delta.zip")


def test_larger_and_smaller_places_and_the_older_api(lab, tmp_path):
    mirror.pack(lab.acme, tmp_path / "acme.zip", **SOME)
    assert not mirror.plan(tmp_path / "acme.zip", lab.acme, prune=True, **SOME)
    mirror.plan(tmp_path / "acme.zip", tmp_path / "folder").apply().raise_for_failures()
    assert mirror.verify(tmp_path / "folder", tmp_path / "acme.zip")
    platform = lab.dev.platform(PLATFORM)
    mirror.pack(platform, tmp_path / "rh8.zip", python_tags=["cp311"])
    plan = mirror.plan(tmp_path / "rh8.zip", platform, prune=True, python_tags=["cp311"])
    assert {step.path for step in plan.steps} == {
        "eggs/cp311/MyEgg-1.0-1.egg",
        "eggs/None/pure-1.0-1.egg",
        "runtimes/cpython-3.11.9+2-rh8_x86_64-gnu.runtime",
    }
    assert not plan
    old = lab.server.client(api_version=0).organization("acme").repository("dev")
    mirror.pack(old, tmp_path / "old.zip", **SOME)
    assert f"v0/acme/dev/{EGG}" in members(tmp_path / "old.zip")
    assert mirror.verify(tmp_path / "old.zip", old, **SOME).checked == 4
    assert not mirror.plan(tmp_path / "old.zip", old, prune=True, **SOME)


def test_a_file_that_changes_while_it_is_packed(archive, tmp_path):
    mirror.plan(archive, tmp_path / "mirror").apply()
    last = tmp_path / "mirror/v1/acme/dev/win-x86_64/eggs/cp311/win-1.0-1.egg"
    content = last.read_bytes()
    # By then it has been hashed, and is not in the archive yet.
    progress = once("downloading", lambda: last.write_bytes(content[:-1] + b"!"))
    folder = mirror.Folder(tmp_path / "mirror", "acme/dev")
    with pytest.raises(errors.FileChangedError):
        mirror.pack(folder, tmp_path / "delta.zip", progress=progress)
    assert not (tmp_path / "delta.zip").exists()
    (tmp_path / "mirror/manifest.json").unlink()  # which says that it was spoiled
    mirror.pack(folder, tmp_path / "delta.zip").raise_for_failures()
    assert mirror.verify(tmp_path / "delta.zip")
    assert {path.name for path in tmp_path.iterdir()} == {"all.zip", "mirror", "delta.zip"}


def test_what_another_target_had(lab, tmp_path):
    """The archive lists it, and does not carry it: nobody can have it from there."""
    state = mirror.manifest(lab.dev, **SOME)
    kept = {path: entry for path, entry in state.artefacts.items() if not path.endswith(EGG)}
    other = mirror.Manifest(state.source, state.place, 1, state.selection, kept)
    delta = tmp_path / "delta.zip"
    mirror.pack(lab.dev, delta, lacking=other, **SOME)
    plan = mirror.plan(delta, tmp_path / "empty")
    assert len(plan.those("copy")) == 1
    reasons = {step.reason for step in plan.those("conflict")}
    assert len(plan.those("conflict")) == 7
    assert len(reasons) == 1 and "it was packed for a target that had it already" in reasons.pop()
    plan.apply()
    assert set(files(tmp_path / "empty")) == {f"v1/acme/dev/{EGG}"}
    # A target that has all of it has no conflict.
    assert not mirror.plan(delta, lab.dev, **SOME)


def test_eggs_that_hide_each_other(lab, tmp_path):
    """Of one name an index shows the egg that suits it best: what it hides is not gone."""
    here, there = lab.new("hiding"), lab.new("shown")
    for number, tag, repositories in ((0, "cp311", [here]), (1, None, [here, there])):
        for repository in repositories:
            repository.platform(PLATFORM).upload_egg(egg(tmp_path, "twin", number, tag))
    twins = [f"{PLATFORM}/eggs/{tag}/twin-1.0.0-1.egg" for tag in ("cp311", "None")]
    narrow = {"platforms": [PLATFORM], "python_tags": ["cp311"]}
    path = tmp_path / "delta.zip"
    # The index of cp311 shows one of them, and says nothing of the other.
    mirror.pack(here, path, **narrow)
    plan = mirror.plan(path, there, prune=True, **narrow)
    assert changes(plan) == {twins[0]: "copy", twins[1]: "conflict"}
    assert "nobody can say whether it is there" in str(plan.those("conflict")[0].reason)
    result = mirror.verify(there, path, **narrow)
    assert [str(found) for found in result.findings] == [f"lacking v1/acme/shown/{twins[0]}"]
    assert places(result) == [f"v1/acme/hiding/{twins[1]}"]
    # Who can be asked says that it is there.
    result = mirror.verify(there, here, **narrow)
    assert [str(found) for found in result.findings] == [f"lacking v1/acme/shown/{twins[0]}"]
    assert not result.problems
    assert mirror.verify(here, there, **narrow).those("lacking") == ()
    # The index of cp38 shows the other; and when it does not, the other is gone.
    mirror.pack(here, path, **SOME)
    assert changes(mirror.plan(path, there, prune=True, **SOME)) == {twins[0]: "copy"}
    here.platform(PLATFORM).delete_egg("none", "twin", "1.0.0-1")
    mirror.pack(here, path, **SOME)
    plan = mirror.plan(path, there, prune=True, **SOME)
    assert changes(plan) == {twins[0]: "copy", twins[1]: "delete"}


def test_an_artefact_of_which_nobody_knows_the_hash(lab, target, archive, tmp_path):
    """It is there, and stands in nobody's way: some servers do not tell of an app's document."""
    mirror.plan(archive, target, **SOME).apply().raise_for_failures()
    target.platform(PLATFORM).upload_egg(egg(tmp_path, "extra"))
    through = lab.behind(answered("*/metadata/*/apps/*", {"id": "x"}))
    path = tmp_path / "delta.zip"
    report = mirror.pack(through, path, lacking=mirror.manifest(target, **SOME), **SOME)
    assert places(report) == [f"v1/acme/dev/{APP}"]
    assert len(report.already_there) == FILLED - 1
    plan = mirror.plan(path, target, prune=True, **SOME)
    assert changes(plan) == {APP: "conflict", f"{PLATFORM}/eggs/cp311/extra-1.0.0-1.egg": "delete"}
    assert "holds no document" in str(plan.those("conflict")[0].reason)
    applied = plan.apply()
    assert len(applied.deleted) == 1
    assert [result.name for result in applied.failed] == [APP]
    assert mirror.verify(path)
    for one, other in [(target, path), (path, target)]:
        result = mirror.verify(one, other, **SOME)
        assert result.findings == ()
        assert places(result) == [f"v1/acme/dev/{APP}"]


def test_what_cannot_be_packed(lab, tmp_path, monkeypatch):
    archive = tmp_path / "delta.zip"
    for source, target, error, said, options in [
        (lab.dev, tmp_path / "missing" / "delta.zip", errors.InvalidDestinationError, "", {}),
        (lab.dev, tmp_path, errors.InvalidArgumentError, "is a folder", {}),
        (lab.dev, archive, errors.InvalidArgumentError, "max_size is 500", {"max_size": 500}),
        (lab.dev, archive, errors.InvalidArgumentError, "compared", {"lacking": lab.acme}),
        (lab.acme.repository("nowhere"), archive, errors.NotFoundError, "", {}),
    ]:
        with pytest.raises(error, match=said or None):
            mirror.pack(source, target, **options, **SOME)
    assert list(tmp_path.iterdir()) == []
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(1, 1, 0))
    with pytest.raises(errors.NoSpaceError, match=r"delta\.zip"):
        mirror.pack(lab.dev, archive, **SOME)
    assert not archive.exists()


# -- interruptions -------------------------------------------------------------------------

DOWNLOADS = ("GET", "*/data/*")


def left_over(folder: Path) -> list[Path]:
    """Whole files of an unfinished archive."""
    return [path for path in folder.rglob("*.egg") if path.is_file()]


def test_a_failure_leaves_no_archive_and_the_next_call_goes_on(lab, packed, tmp_path):
    fault = RequestFault("replace", path="*/data/*/old/*", answer=Answer(500), times=99)
    through, target = lab.behind(fault, retries=RetryPolicy(0)), tmp_path / "delta.zip"
    target.write_bytes(b"of yesterday")
    report = mirror.pack(through, target, **SOME)
    assert not report
    assert [result.name for result in report.failed] == [f"v1/acme/dev/{OLD}"]
    assert len(report.not_tried) == FILLED - 1
    assert target.read_bytes() == b"of yesterday"
    lab.gateway.clear()
    before = lab.gateway.sent(*DOWNLOADS)
    mirror.pack(through, target, **SOME).raise_for_failures()
    assert lab.gateway.sent(*DOWNLOADS) - before == 1
    assert [path.name for path in tmp_path.iterdir()] == ["delta.zip"]
    assert mirror.verify(target)
    assert target.stat().st_size == len(packed)


def test_ctrl_c(lab, tmp_path):
    through, archive = lab.behind(), tmp_path / "delta.zip"

    def progress(done: int, total: int | None, phase: str) -> None:
        if phase == "hashing" and done:
            raise KeyboardInterrupt

    with pytest.raises(errors.BatchInterrupted) as stop:
        mirror.pack(through, archive, progress=progress, **SOME)
    assert len(stop.value.report.not_tried) == FILLED
    assert not archive.exists()
    before = lab.gateway.sent(*DOWNLOADS)
    told: list[tuple[int, int | None, str]] = []
    again = mirror.pack(through, archive, progress=lambda *now: told.append(now), **SOME)
    again.raise_for_failures()
    assert lab.gateway.sent(*DOWNLOADS) == before
    done, total, phase = told[-1]
    assert (phase, done) == ("hashing", total)
    assert [path.name for path in tmp_path.iterdir()] == ["delta.zip"]


PROCESS = """
import sys
from hatcher import errors, mirror
from hatcher.api import BroodClient

url, user, password, archive = sys.argv[1:]
client = BroodClient.from_url(url, auth=(user, password), api_version=1)
repository = client.organization("acme").repository("dev")
some = {"platforms": ("rh8-x86_64", "win-x86_64"), "python_tags": ("cp311", "cp38")}
mirror.pack(repository, archive, **some)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_a_kill(lab, packed, tmp_path):
    """What was downloaded before is not downloaded again, and nobody else packs meanwhile."""
    through = lab.behind(
        RequestFault("stall", at="answer", path="*/data/*/old/*", times=1),
        RequestFault("stall", at="answer body", path="*/data/*/MyEgg/*", times=1),
    )
    archive, gateway = tmp_path / "delta.zip", lab.gateway
    auth = (lab.server.admin_email, lab.server.admin_password)
    process = subprocess.Popen(
        [sys.executable, "-c", PROCESS, gateway.url, *auth, str(archive)], stderr=subprocess.PIPE
    )
    deadline = time.monotonic() + 60
    while gateway.sent(*DOWNLOADS) < 6 or len(left_over(tmp_path)) < 2:
        assert process.poll() is None and time.monotonic() < deadline, process.stderr
        time.sleep(0.02)
    with pytest.raises(errors.InvalidArgumentError, match="somebody else"):
        mirror.pack(through, archive, **SOME)
    process.kill()
    process.communicate()
    assert not archive.exists()
    finished = len(left_over(tmp_path))
    gateway.clear()
    before = gateway.sent(*DOWNLOADS)
    mirror.pack(through, archive, **SOME).raise_for_failures()
    assert gateway.sent(*DOWNLOADS) - before <= 6 - finished
    assert mirror.verify(archive)
    assert archive.stat().st_size == len(packed)
    assert [path.name for path in tmp_path.iterdir()] == ["delta.zip"]


# -- archives that are not as they should be -------------------------------------------------


CONTENT = b"PK of an egg"
HASH = hashlib.sha256(CONTENT).hexdigest()
PLACE = f"v1/acme/dev/{PLATFORM}/eggs/cp311/spam-1.0-1.egg"


def listing(*paths: str, **fields: Any) -> dict[str, Any]:
    """A manifest that says that these are carried."""
    entry = mirror.Entry("eggs", HASH, len(CONTENT), None, True)
    manifest = mirror.Manifest(
        "acme/dev", ("acme", "dev"), 1, SELECTION, {PLACE: entry}, None
    ).document()
    said = manifest["artefacts"].pop(PLACE)
    manifest["artefacts"] = {path: {**said, **fields} for path in paths}
    return manifest


def forge(
    path: Path, manifest: object, *contents: tuple[str | zipfile.ZipInfo, bytes], **options: Any
) -> Path:
    """Write an archive as no hatcher would."""
    with zipfile.ZipFile(path, "w", **options) as archive:
        if manifest is not None:
            archive.writestr("manifest.json", json.dumps(manifest), zipfile.ZIP_STORED)
        for name, content in contents:
            archive.writestr(name, content)
    return path


def linked(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    return info


ELSEWHERE = "v1/acme/dev/rh8-x86_64/eggs/../../../../../outside.egg"


@pytest.mark.parametrize(
    ("manifest", "contents", "complaint"),
    [
        (None, [(PLACE, CONTENT)], "has no manifest.json"),
        ({"name": "a web application"}, [], "is no manifest of hatcher"),
        ({**listing(), "api_version": None}, [], "is of no place"),
        (listing(ELSEWHERE), [(ELSEWHERE, CONTENT)], "would stand elsewhere"),
        (listing("/etc/passwd"), [("/etc/passwd", CONTENT)], "not where an artefact stands"),
        (listing(PLACE), [(PLACE, CONTENT), (ELSEWHERE, CONTENT)], "does not list as carried"),
        (listing(PLACE), [(PLACE, CONTENT), ("v1/", b"")], "does not list as carried"),
        (listing(PLACE, carried=False), [(PLACE, CONTENT)], "does not list as carried"),
        (listing(PLACE), [], "it lacks 'v1/acme"),
        (listing(PLACE), [(PLACE, CONTENT), (PLACE, b"other bytes!")], "more than once"),
        (listing(PLACE), [(linked(PLACE), CONTENT)], "is no plain file"),
        (listing(PLACE), [(PLACE, CONTENT * 1000)], "12000 bytes, and its manifest says 12"),
        (listing(PLACE, size=None), [(PLACE, CONTENT)], "and its manifest says None"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_not_trusted(manifest, contents, complaint, tmp_path):
    """Nothing of it is written anywhere."""
    (tmp_path / "inside").mkdir()
    path = forge(tmp_path / "inside" / "delta.zip", manifest, *contents)
    with pytest.raises(errors.ArtefactError, match=complaint):
        mirror.plan(path, tmp_path / "inside" / "folder")
    assert [entry.name for entry in (tmp_path / "inside").iterdir()] == ["delta.zip"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["inside"]
    result = mirror.verify(path)
    assert not result
    assert complaint in str(result)


def test_bombs(tmp_path):
    """What would unpack to more than it is: compressed, or the same bytes for many files."""
    huge = b"\0" * 5_000_000
    said = listing(PLACE, size=len(huge), sha256=hashlib.sha256(huge).hexdigest())
    path = tmp_path / "compressed.zip"
    forge(path, said, (PLACE, huge), compression=zipfile.ZIP_DEFLATED)
    assert path.stat().st_size < 10_000
    with pytest.raises(errors.ArtefactError, match="compressed"):
        mirror.plan(path, tmp_path / "folder")
    # Two entries of the directory are one file.
    other = PLACE.replace("spam", "span")
    path = forge(
        tmp_path / "overlap.zip", listing(PLACE, other), (PLACE, CONTENT), (other, CONTENT)
    )
    content = path.read_bytes()
    with zipfile.ZipFile(path) as opened:
        first, second = (opened.getinfo(name).header_offset for name in (PLACE, other))
    directory = content.rindex(b"PK\1\2")
    assert content[directory + 42 : directory + 46] == second.to_bytes(4, "little")
    content = content[: directory + 42] + first.to_bytes(4, "little") + content[directory + 46 :]
    path.write_bytes(content)
    with pytest.raises(errors.ArtefactError, match="overlaps"):
        mirror.plan(path, tmp_path / "folder")


def test_an_archive_that_was_cut_off(packed, tmp_path):
    path = tmp_path / "cut.zip"
    for size in (0, 1, 100, len(packed) // 2, len(packed) - 1):
        path.write_bytes(packed[:size])
        with pytest.raises(errors.ArtefactError, match="Copy it again"):
            mirror.plan(path, tmp_path / "folder")
        result = mirror.verify(path)
        assert not result
        assert places(result) == [str(path)]
    # Of which something is missing in the middle.
    path.write_bytes(packed[:3000] + packed[3100:])
    with pytest.raises(errors.ArtefactError):
        mirror.plan(path, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_whatever_happens_to_its_bytes(tmp_path):
    """It is told what is wrong, and never a surprise; and what is called right is right."""
    folder = tmp_path / "folder" / "v1/acme/dev" / PLATFORM / "eggs/cp311"
    folder.mkdir(parents=True)
    for name in ("one", "two"):
        (folder / f"{name}-1.0-1.egg").write_bytes(name.encode() * 40)
    path = tmp_path / "delta.zip"
    mirror.pack(mirror.Folder(tmp_path / "folder", "acme/dev"), path)
    whole = path.read_bytes()
    dice = random.Random(7)
    outcomes = Counter[str]()
    for number in range(400):
        spoiled = bytearray(whole)
        # Half of the bytes at the end say where everything is.
        place = dice.randrange(len(whole) - 300 if number % 2 else 0, len(whole))
        if number % 5:
            spoiled[place] ^= 1 << dice.randrange(8)
        else:
            del spoiled[place : place + dice.randrange(1, 40)]
        path.write_bytes(spoiled)
        result = mirror.verify(path)
        if not result:
            outcomes["damaged" if result.findings else type(result.problems[0].error).__name__] += 1
            continue
        outcomes["right"] += 1
        target = tmp_path / str(number)
        mirror.plan(path, mirror.Folder(target, "acme/dev")).apply().raise_for_failures()
        assert set(files(target).values()) <= {b"one" * 40, b"two" * 40}
    assert set(outcomes) == {"ArtefactError", "damaged", "right"}, outcomes


def test_a_damaged_byte(archive, packed, target, tmp_path):
    """It is found by verify, and goes nowhere; what is whole does."""
    with zipfile.ZipFile(archive) as opened:
        content = opened.read(f"v1/acme/dev/{EGG}")
    begin = packed.index(content)
    spoiled = bytearray(packed)
    spoiled[begin + len(content) // 2] ^= 1
    archive.write_bytes(spoiled)
    result = mirror.verify(archive)
    assert [(found.condition, found.path) for found in result.findings] == [
        ("damaged", f"v1/acme/dev/{EGG}")
    ]
    assert result.checked == 8
    for place in (target, tmp_path / "folder"):
        report = mirror.plan(archive, place, **SOME).apply()
        assert [str(result.name) for result in report.failed] == [EGG]
        assert isinstance(report.failed[0].error, errors.ChecksumMismatchError)
    assert f"v1/acme/dev/{EGG}" not in files(tmp_path / "folder")
    assert len(files(tmp_path / "folder")) == 7
    assert "MyEgg-1.0-1.egg" not in target.platform(PLATFORM).egg_index("cp311")


def test_a_document_that_is_not_what_the_manifest_says(archive, tmp_path):
    """Documents are compared by what they say, so that the hash of the file is not enough."""
    path = tmp_path / "forged.zip"
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        manifest = json.loads(old.read("manifest.json"))
        bundle = manifest["artefacts"][f"v1/acme/dev/{BUNDLE}"]
        bundle["sha256"] = "0" * 64
        new.writestr("manifest.json", json.dumps(manifest))
        for name in old.namelist()[1:]:
            new.writestr(name, old.read(name))
    report = mirror.plan(path, tmp_path / "folder", **SOME).apply()
    assert [result.name for result in report.failed] == [BUNDLE]
    assert "not that of which its manifest says the sha256" in str(report.failed[0].error)
    assert not (tmp_path / "folder/v1/acme/dev" / BUNDLE).exists()
    assert [found.path for found in mirror.verify(path).findings] == [f"v1/acme/dev/{BUNDLE}"]
