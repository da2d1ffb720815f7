"""Many files at once: what is sent, what is skipped, what is reported, what is shown."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import (
    BatchReport,
    BroodClient,
    BroodClientAuth,
    Repository,
    RetryPolicy,
    SinglePlatformRepository,
)
from hatcher.characters import shown
from hatcher.errors import (
    AuthenticationError,
    BatchError,
    BatchInterrupted,
    BroodConnectionError,
    ChecksumMismatchError,
    ConflictError,
    HatcherException,
    InvalidArgumentError,
    InvalidBundle,
    InvalidDestinationError,
    InvalidEgg,
    InvalidResponseError,
    InvalidRuntime,
    MissingFilenameError,
    NotFoundError,
    PermissionDeniedError,
    ServerError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    Request,
    RequestFault,
    ScriptedServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)
from hatcher.transfer.hashing import file_sha256
from hatcher.transport import session

from .common import JSON, platform_at

UPLOAD = ("POST", "*/eggs/upload")
REINDEX = ("POST", "*/eggs/re-index")
INDEX = ("GET", "*/indices/*")
METADATA = ("GET", "*/metadata/*")
DOWNLOAD = ("GET", "*/data/*")


def egg(folder: Path, number: int = 0, *, tag: str | None = "cp311", seed: int = 0) -> Path:
    return write_egg(
        folder,
        f"Egg{number}",
        "1.0",
        platform="rh8-x86_64",
        python_tag=tag,
        payload_bytes=2000,
        seed=seed,
    )


@pytest.fixture
def eggs(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "eggs"
    folder.mkdir()
    return [egg(folder, number, seed=number) for number in range(6)]


@pytest.fixture
def gateway(faulty_gateway: Callable[..., FaultyGateway]) -> FaultyGateway:
    """What counts the requests on their way to the server."""
    return faulty_gateway()


@pytest.fixture
def platform(
    repository: Repository, brood_server: BroodServer, gateway: FaultyGateway
) -> SinglePlatformRepository:
    return at(gateway.url, brood_server)


def at(url: str, server: BroodServer, version: int = 1) -> SinglePlatformRepository:
    auth = (server.admin_email, server.admin_password)
    return platform_at(url, auth, api_version=version, retries=0)


def outcomes(report: BatchReport) -> list[str]:
    return [result.outcome for result in report.results]


def visible(platform: SinglePlatformRepository, tag: str = "cp311") -> list[str]:
    return sorted(platform.egg_index(tag))


# -- eggs up -------------------------------------------------------------------------------


def test_what_is_there_is_not_sent_again(platform, gateway, eggs):
    report = platform.upload_eggs(eggs[:3])
    assert report and outcomes(report) == ["uploaded"] * 3
    assert [result.size for result in report.results] == [e.stat().st_size for e in eggs[:3]]
    assert (gateway.sent(*UPLOAD), gateway.sent(*REINDEX)) == (3, 1)
    assert (gateway.sent(*INDEX), gateway.sent(*METADATA)) == (1, 1)
    assert visible(platform) == [path.name for path in eggs[:3]]

    report = platform.upload_eggs(map(str, eggs))
    assert outcomes(report) == ["already there"] * 3 + ["uploaded"] * 3
    assert (gateway.sent(*UPLOAD), gateway.sent(*REINDEX), gateway.sent(*METADATA)) == (6, 2, 2)
    assert str(report) == "6 files: 3 uploaded, 3 already there"

    assert outcomes(platform.upload_eggs(eggs)) == ["already there"] * 6
    assert (gateway.sent(*UPLOAD), gateway.sent(*REINDEX)) == (6, 2)


def test_each_python_tag_has_one_index(platform, gateway, tmp_path):
    folders = [tmp_path / str(tag) for tag in ("cp311", "cp312", "cp310", None)]
    paths = []
    for folder in folders:
        folder.mkdir()
        tag = None if folder.name == "None" else folder.name
        paths += [egg(folder, tag=tag), egg(folder, 1, tag=tag)]
    assert outcomes(platform.upload_eggs(paths)) == ["uploaded"] * 8
    assert gateway.sent(*INDEX) == 4
    # One that merely suits the Python is another egg.
    assert outcomes(platform.upload_eggs(paths)) == ["already there"] * 8
    assert (gateway.sent(*INDEX), gateway.sent(*METADATA), gateway.sent(*UPLOAD)) == (8, 1, 8)


def test_one_failure_does_not_stop_the_others(platform, gateway, eggs, tmp_path):
    platform.upload_egg(egg(tmp_path, 1, seed=99))
    broken = tmp_path / "broken-1.0-1.egg"
    broken.write_bytes(b"no zip file")
    report = platform.upload_eggs([*eggs, broken, tmp_path / "missing-1.0-1.egg"])
    assert not report
    assert outcomes(report) == ["uploaded", "failed", *["uploaded"] * 4, "failed", "failed"]
    errors = [type(result.error) for result in report.failed]
    assert errors == [ChecksumMismatchError, InvalidEgg, InvalidEgg]
    # The others are shown; what is there with other content is what it was.
    assert visible(platform) == [path.name for path in eggs]
    assert gateway.sent(*UPLOAD) == 6
    with pytest.raises(BatchError, match="5 uploaded, 3 failed") as raised:
        report.raise_for_failures()
    assert raised.value.report == report
    again = pickle.loads(pickle.dumps(raised.value))
    assert outcomes(again.report) == outcomes(report)
    assert "broken-1.0-1.egg" in report._repr_html_()


def test_nothing_is_sent_when_all_files_are_invalid(platform, gateway, tmp_path):
    assert outcomes(platform.upload_eggs([tmp_path / "a.egg", tmp_path])) == ["failed"] * 2
    assert platform.upload_eggs([]).results == ()
    assert gateway.sent() == 0


def test_a_hidden_conflict_is_found_by_the_server(platform, eggs, tmp_path):
    platform.upload_egg(egg(tmp_path, 1, seed=99), enabled=False)
    report = platform.upload_eggs(eggs)
    assert [type(result.error) for result in report.failed] == [ConflictError]
    assert visible(platform) == [path.name for path in eggs if path.name != "Egg1-1.0-1.egg"]


def test_files_that_are_given_twice_count_once(platform, gateway, eggs, tmp_path):
    copy = Path(shutil.copy(eggs[0], tmp_path))
    other = egg(tmp_path, 1, seed=99)
    report = platform.upload_eggs([eggs[0], eggs[0], copy, eggs[1], other])
    assert outcomes(report) == ["uploaded", "already there", "failed", "failed"]
    assert gateway.sent(*UPLOAD) == 1
    assert {type(result.error) for result in report.failed} == {ChecksumMismatchError}
    assert str(eggs[1]) in str(report) and str(other) in str(report)


def test_replacing_never_hides_what_is_shown(platform, gateway, eggs, tmp_path):
    platform.upload_eggs(eggs[:2])
    new = [egg(tmp_path, number, seed=50 + number) for number in range(3)]
    gateway.clear()
    gateway.add(RequestFault("replace", at="request", path=REINDEX[1], answer=Answer(500)))
    report = platform.upload_eggs(new, overwrite=True)
    # What is new is not shown, since that failed; what replaced something, is.
    assert outcomes(report) == ["uploaded", "uploaded", "failed"]
    assert isinstance(report.failed[0].error.__cause__, ServerError)
    index = platform.egg_index("cp311")
    assert sorted(index) == [path.name for path in eggs[:2]]
    assert [index[path.name]["sha256"] for path in new[:2]] == list(map(file_sha256, new[:2]))

    uploads = gateway.sent(*UPLOAD)
    report = platform.upload_eggs(new, overwrite=True)
    assert outcomes(report) == ["already there"] * 3
    assert gateway.sent(*UPLOAD) == uploads
    assert len(visible(platform)) == 3


def test_an_interrupted_batch_sends_the_rest_only(platform, gateway, eggs, tmp_path):
    # The first answer is lost, and so is the look at what has become of it.
    gateway.add(
        RequestFault("cut", at="answer", path=UPLOAD[1], skip=2),
        RequestFault("cut", at="request", path="*/metadata/*", skip=1, times=99),
        RequestFault("cut", at="request", path=UPLOAD[1], skip=2, times=99),
        RequestFault("cut", at="request", path=REINDEX[1]),
    )
    report = platform.upload_eggs(eggs, concurrency=1)
    assert not report and not report.uploaded
    gateway.clear()
    assert visible(platform) == []
    before = gateway.sent(*UPLOAD)
    report = platform.upload_eggs(eggs, concurrency=2)
    assert outcomes(report) == ["already there"] * 3 + ["uploaded"] * 3
    assert gateway.sent(*UPLOAD) - before == 3
    assert visible(platform) == [path.name for path in eggs]


@pytest.mark.parametrize("status", [429, 503])
def test_what_the_server_turns_away_comes_in_the_end(brood_server, gateway, platform, eggs, status):
    refusal = Answer(status, {"Retry-After": "0"})
    for method, path in (UPLOAD, DOWNLOAD):
        fault = RequestFault("replace", "request", method, path, times=5, answer=refusal)
        gateway.add(fault)
    auth = (brood_server.admin_email, brood_server.admin_password)
    patient = platform_at(gateway.url, auth, retries=RetryPolicy(retries=6, backoff=0.01))
    assert outcomes(patient.upload_eggs(eggs)) == ["uploaded"] * 6
    assert gateway.sent(*UPLOAD) == 11 and len(visible(platform)) == 6
    folder = eggs[0].parent / "down"
    folder.mkdir()
    assert outcomes(patient.download_eggs("cp311", folder)) == ["downloaded"] * 6
    assert gateway.sent(*DOWNLOAD) == 11


def test_nothing_is_sent_before_it_is_known_what_was_left(tmp_path):
    write = {"platform": "rh8-x86_64", "python_tag": "cp311"}
    paths = [write_egg(tmp_path, f"Egg{n}", "1.0", seed=n, **write) for n in range(6)]
    uploads, answered = [], []

    def answer(request: Request) -> Answer:
        if request.method == "POST":
            uploads.append(request.target)
            return Answer(201, JSON, b"{}")
        if "/indices/" in request.target:
            return Answer(200, JSON, b"{}")
        threading.Event().wait(0.3)
        answered.append(len(uploads))
        return Answer(404, JSON, b"{}")

    with ScriptedServer(answer) as server:
        assert outcomes(platform_at(server.url).upload_eggs(paths)) == ["uploaded"] * 6
    assert answered == [0] and len(uploads) == 7  # and one that shows them


def test_what_was_left_is_not_believed(platform, gateway, eggs, tmp_path):
    gateway.add(RequestFault("cut", at="request", path=REINDEX[1]))
    assert not platform.upload_eggs(eggs[:4])
    platform.delete_egg("cp311", "Egg0", "1.0-1")
    platform.upload_egg(egg(tmp_path, 1, seed=99), overwrite=True, enabled=False)
    before = gateway.sent(*UPLOAD)
    report = platform.upload_eggs(eggs[:4], concurrency=1)
    assert outcomes(report) == ["uploaded", "failed", "already there", "already there"]
    # The server says of the third that it had it, and is asked about the fourth.
    assert gateway.sent(*UPLOAD) - before == 3
    assert len(visible(platform)) == 3


def test_a_server_that_refuses_what_it_has_is_asked(platform, gateway, eggs):
    """What it has disabled shows in no index, and is not among the first ones."""
    platform.upload_egg(eggs[3], enabled=False)
    refusal = RequestFault("replace", at="request", path=UPLOAD[1], skip=3, answer=Answer(409))
    gateway.add(refusal)
    report = platform.upload_eggs(eggs, concurrency=1)
    assert outcomes(report) == [*["uploaded"] * 3, "already there", *["uploaded"] * 2]
    assert len(visible(platform)) == 6


def test_disabled_batches_stay_out_of_sight(platform, gateway, eggs):
    assert outcomes(platform.upload_eggs(eggs, enabled=False)) == ["uploaded"] * 6
    assert visible(platform) == []
    # The index cannot tell, so that each is asked for: a question is less than a file.
    assert outcomes(platform.upload_eggs(eggs, enabled=False)) == ["already there"] * 6
    assert (gateway.sent(*UPLOAD), gateway.sent(*REINDEX)) == (6, 0)
    assert outcomes(platform.upload_eggs(eggs, journal=False)) == ["already there"] * 6
    assert (gateway.sent(*UPLOAD), gateway.sent(*REINDEX)) == (6, 1)
    assert len(visible(platform)) == 6


def test_an_index_without_hashes_is_asked_about(platform, gateway, brood_server, eggs):
    platform.upload_eggs(eggs[:2])
    old = b'{"Egg0-1.0-1.egg": {"python_tag": "cp311"}, "Egg1-1.0-1.egg": {}}'
    fault = RequestFault(
        "replace",
        at="request",
        path="*/indices/*",
        answer=Answer(200, JSON, old),
    )
    gateway.add(fault)
    before = gateway.sent(*METADATA)
    assert outcomes(platform.upload_eggs(eggs[:3])) == ["already there"] * 2 + ["uploaded"]
    assert gateway.sent(*METADATA) - before == 3
    gateway.add(fault)
    folder = eggs[0].parent.parent
    report = platform.download_eggs("cp311", folder, names=["Egg0*"])
    assert outcomes(report) == ["downloaded"]
    gateway.add(fault)
    assert outcomes(platform.download_eggs("cp311", folder, names=["Egg0*"])) == ["already there"]
    assert gateway.sent(*DOWNLOAD) == 1


def test_hopeless_batches_are_given_up(platform, gateway, brood_server, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "_REFUSED_FOR", 0)  # the next batch begins at once
    folder = tmp_path / "many"
    folder.mkdir()
    paths = [egg(folder, number, seed=number) for number in range(20)]
    gateway.add(RequestFault("replace", at="request", path=UPLOAD[1], times=99, answer=Answer(401)))
    report = platform.upload_eggs(paths, concurrency=2)
    assert isinstance(report.failed[0].error, AuthenticationError)
    assert len(report.failed) <= 2 and len(report.not_tried) >= 18
    assert "not tried: Could not upload egg" in str(report)
    gateway.clear()
    gateway.add(RequestFault("cut", at="request", path=UPLOAD[1], times=99))
    report = platform.upload_eggs(paths, concurrency=1)
    assert len(report.failed) == 5 and len(report.not_tried) == 15
    assert isinstance(report.not_tried[0].error, BroodConnectionError)
    gateway.clear()
    assert visible(platform) == []
    assert outcomes(platform.upload_eggs(paths)) == ["uploaded"] * 20

    nowhere = at(brood_server.url, brood_server)
    missing = BroodClient(nowhere._session).organization("acme").repository("none")
    with pytest.raises(NotFoundError):
        missing.platform("rh8-x86_64").upload_eggs(paths)


def test_arguments_are_checked_before_anything_is_sent(platform, gateway, eggs, tmp_path):
    for wrong in (
        lambda: platform.upload_eggs(eggs[0]),
        lambda: platform.upload_runtimes("a.runtime"),
        lambda: platform.upload_eggs(eggs, concurrency=0),
        lambda: platform.upload_eggs(eggs, concurrency=True),
        lambda: platform.download_eggs("cp311", tmp_path, concurrency=1.5),
        lambda: platform.download_eggs("cp311", tmp_path / "missing"),
    ):
        with pytest.raises(InvalidArgumentError):
            wrong()
    assert gateway.sent() == 0
    with pytest.raises(InvalidArgumentError, match="list"):
        platform.download_eggs("cp311", tmp_path, names="a.egg")
    with pytest.raises(InvalidArgumentError, match="file name"):
        platform.download_eggs("cp311", tmp_path, names=[1])


def test_progress_is_told_in_the_calling_thread(platform, eggs, tmp_path):
    told: list[tuple[int, int | None, str]] = []
    threads = set()

    def progress(done: int, total: int | None, phase: str) -> None:
        told.append((done, total, phase))
        threads.add(threading.current_thread())

    def check(*phases: str) -> None:
        total = sum(path.stat().st_size for path in eggs)
        assert list(dict.fromkeys(phase for _, _, phase in told)) == list(phases)
        for phase in phases:
            steps = [done for done, whole, each in told if each == phase and whole == total]
            assert steps[0] == 0 and steps[-1] == total and steps == sorted(steps)
        told.clear()

    platform.upload_eggs(eggs, progress=progress)
    check("uploading", "indexing")
    platform.upload_eggs(eggs, progress=progress)
    check("hashing")
    platform.download_eggs("cp311", tmp_path, progress=progress)
    check("downloading")
    platform.download_eggs("cp311", tmp_path, progress=progress)
    check("hashing")
    assert threads == {threading.current_thread()}


def test_an_exception_of_progress_ends_the_batch(platform, gateway, eggs, destination):
    def progress(done: int, total: int | None, phase: str) -> None:
        if done > 0 and phase != "hashing":
            raise KeyError("mine")

    platform.upload_eggs(eggs[:1])
    gateway.add(RequestFault("stall", at="request", path=UPLOAD[1], skip=3))
    with pytest.raises(KeyError, match="mine"):
        platform.upload_eggs(eggs, progress=progress)
    assert visible(platform) == [eggs[0].name]
    assert no_threads()
    gateway.clear()
    assert len(visible(platform)) == 1
    assert bool(platform.upload_eggs(eggs))
    with pytest.raises(KeyError, match="mine"):
        platform.download_eggs("cp311", destination, progress=progress)
    assert list(destination.glob("*.hatcher-partial")) == []
    assert no_threads()


def no_threads() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name == "hatcher-batch"]


# -- eggs down -----------------------------------------------------------------------------


def test_downloads_need_no_metadata(platform, gateway, eggs, destination):
    platform.upload_eggs(eggs)
    before = gateway.sent(*METADATA)
    report = platform.download_eggs("cp311", destination)
    assert report and outcomes(report) == ["downloaded"] * 6
    assert {path.name: path.read_bytes() for path in destination.iterdir()} == {
        path.name: path.read_bytes() for path in eggs
    }
    assert (gateway.sent(*METADATA) - before, gateway.sent(*DOWNLOAD)) == (0, 6)

    (destination / eggs[1].name).write_bytes(b"something else")
    (destination / eggs[2].name).write_bytes(bytes(eggs[2].stat().st_size))
    (destination / eggs[3].name).unlink()
    report = platform.download_eggs("cp311", destination)
    there, came = "already there", "downloaded"
    assert outcomes(report) == [there, came, came, came, there, there]
    assert gateway.sent(*DOWNLOAD) == 9
    assert [result.path for result in report.results] == [destination / path.name for path in eggs]
    assert (destination / eggs[2].name).read_bytes() == eggs[2].read_bytes()


def test_names_choose_what_is_downloaded(platform, eggs, tmp_path):
    platform.upload_eggs(eggs)
    names = ["Egg1*", "Egg3-1.0-1.egg", "Egg3*", "egg4-1.0-1.egg", "../x", "nose-*"]
    report = platform.download_eggs("cp311", tmp_path, names=names)
    assert outcomes(report) == ["downloaded", "downloaded", "failed", "failed", "failed"]
    assert "no 'egg4-1.0-1.egg'" in str(report)
    report = platform.download_eggs("cp311", tmp_path, names=lambda name: name > "Egg3")
    assert outcomes(report) == ["already there", "downloaded", "downloaded"]
    assert platform.download_eggs("cp311", tmp_path, names=[]).results == ()


def test_what_cannot_be_downloaded_is_reported(platform, gateway, eggs, destination):
    platform.upload_eggs(eggs)
    gateway.add(RequestFault("flip", path="*/eggs/Egg1/*"))
    (destination / eggs[2].name).mkdir()
    report = platform.download_eggs("cp311", destination)
    assert [result.name for result in report.failed] == [eggs[1].name, eggs[2].name]
    assert isinstance(report.failed[0].error, ChecksumMismatchError)
    assert sorted(path.name for path in destination.iterdir()) == [
        path.name for path in eggs if path != eggs[1]
    ]
    with pytest.raises(BatchError):
        report.raise_for_failures()


def test_an_index_cannot_lead_elsewhere(platform, gateway, tmp_path):
    names = ["../../evil-1.0-1.egg", "/evil-1.0-1.egg", ".evil-1.0-1.egg", "a\\b-1.0-1.egg"]
    names += ["a\x1bb-1.0-1.egg", "a\u202eb-1.0-1.egg", "nul.x-1.0-1.egg", "ü" * 140 + "-1.0-1.egg"]
    names += ["Makefile", ".bashrc", "setup.py", "../setup.py", "", "x-1.0.egg", "x-1.0-1.EGG"]
    # All that is wrong with them is their names.
    index = {name: {"sha256": "ab" * 32, "size": 1, "python_tag": "cp311"} for name in names}
    before = sorted(tmp_path.rglob("*"))
    report = downloads_listed(platform, gateway, index, tmp_path)
    assert {type(result.error) for result in report.results} == {MissingFilenameError}
    assert len(report.failed) == len(names)
    assert gateway.sent(*DOWNLOAD) == 0 and sorted(tmp_path.rglob("*")) == before


def downloads_listed(
    platform: SinglePlatformRepository, gateway: FaultyGateway, index: object, folder: Path
) -> BatchReport:
    answer = Answer(200, JSON, json.dumps(index).encode())
    gateway.add(RequestFault("replace", at="request", path="*/indices/*", answer=answer))
    return platform.download_eggs("cp311", folder)


@pytest.mark.parametrize(
    "sha256", ["00", "", "x" * 64, "ab" * 33, 7, True, {}, "\u202e" + "a" * 63]
)
def test_an_odd_sha256_in_an_index_is_the_servers_fault(platform, gateway, tmp_path, sha256):
    index = {"a-1-1.egg": {"sha256": sha256, "python_tag": "cp311"}}
    report = downloads_listed(platform, gateway, index, tmp_path)
    (error,) = (result.error for result in report.failed)
    assert isinstance(error, InvalidResponseError) and "The server says" in error.what
    assert shown(str(error)) == str(error)
    assert (gateway.sent(*DOWNLOAD), gateway.sent(*METADATA)) == (0, 0)


@pytest.mark.parametrize("sha256", ["00", "", 7, False, "x" * 64])
def test_an_odd_sha256_in_metadata_is_the_servers_fault(platform, gateway, eggs, tmp_path, sha256):
    said = {"sha256": sha256, "filename": eggs[0].name, "enabled": True, "python_tag": "cp311"}
    answer = Answer(200, JSON, json.dumps(said).encode())
    gateway.add(RequestFault("replace", at="request", path="*/metadata/*", answer=answer, times=9))
    egg = platform.egg("cp311", "Egg0", "1.0-1")
    for call in (
        egg.sha256,
        lambda: egg.download(tmp_path),
        lambda: platform.upload_egg(eggs[0], verify=True),
        lambda: platform.upload_eggs(eggs[:1], enabled=False).raise_for_failures(),
    ):
        with pytest.raises((InvalidResponseError, BatchError)) as caught:
            call()
        assert isinstance(caught.value.__cause__ or caught.value, InvalidResponseError)
        assert "The server says" in str(caught.value)
    # The download is asked for at the same time as the metadata, and is not used.
    assert (gateway.sent(*DOWNLOAD) <= 1, gateway.sent(*UPLOAD)) == (True, 0)


def test_runtimes_of_an_index_are_called_as_they_are(platform, gateway, tmp_path):
    names = ["setup.py", "../x.runtime", ".runtime", "cpython-3.8.17+1.runtime", 7, None]
    index = {f"cpython{n}": {"3.8.17+1": {"filename": name}} for n, name in enumerate(names)}
    index["../x"] = {"3.8.17+1": {}}
    answer = Answer(200, JSON, json.dumps(index).encode())
    gateway.add(RequestFault("replace", at="request", path="*/indices/*", answer=answer))
    report = platform.download_runtimes(tmp_path, concurrency=1)
    errors = [type(result.error) for result in report.results]
    # What the index does not name is asked for by a name of its own.
    assert errors == [*[MissingFilenameError] * 5, NotFoundError, MissingFilenameError]
    assert gateway.sent(*DOWNLOAD) == 0


def test_a_destination_that_vanishes_ends_the_batch(platform, eggs, destination):
    platform.upload_eggs(eggs)

    def progress(done: int, total: int | None, phase: str) -> None:
        if destination.exists():
            shutil.rmtree(destination)

    report = platform.download_eggs("cp311", destination, progress=progress, concurrency=1)
    assert isinstance(report.failed[0].error, InvalidDestinationError)
    assert (len(report.failed), len(report.not_tried)) == (5, 1)


# -- the other kinds -----------------------------------------------------------------------


def test_runtimes_go_by_their_platform(platform, gateway, tmp_path):
    ours = [write_runtime(tmp_path, version=f"3.8.{n}+1") for n in (17, 18)]
    other = write_runtime(tmp_path, platform="win_x86_64", abi="msvc2019")
    report = platform.upload_runtimes([*ours, other, tmp_path / "missing.runtime"])
    assert outcomes(report) == ["uploaded", "uploaded", "failed", "failed"]
    assert {type(result.error) for result in report.failed} == {InvalidRuntime}
    assert "win_x86_64" in str(report)
    assert len(platform.list_runtimes()) == 2

    repository = BroodClient(platform._session).organization("acme").repository("dev")
    report = repository.upload_runtimes([*ours, other])
    assert outcomes(report) == ["already there", "already there", "uploaded"]
    assert gateway.sent("POST", "*/runtimes/upload") == 3
    assert gateway.sent(*METADATA) == 0
    folder = tmp_path / "changed"
    folder.mkdir()
    changed = write_runtime(folder, build_revision="9.9.9", version="3.8.17+1")
    assert isinstance(platform.upload_runtimes([changed]).failed[0].error, ChecksumMismatchError)
    assert outcomes(platform.upload_runtimes([changed], overwrite=True)) == ["uploaded"]

    report = platform.download_runtimes(folder)
    assert outcomes(report) == ["already there", "downloaded"]
    assert (folder / ours[1].name).read_bytes() == ours[1].read_bytes()
    assert outcomes(platform.download_runtimes(folder, names=["*3.8.18*"])) == ["already there"]


def test_runtimes_of_version_0(platform, gateway, brood_server, tmp_path, destination):
    old = at(gateway.url, brood_server, 0)
    paths = [write_legacy_runtime(tmp_path, version=f"2.7.{n}") for n in (10, 11)]
    other = write_legacy_runtime(tmp_path, platform="win-64")
    report = old.upload_runtimes([*paths, other])
    assert outcomes(report) == ["uploaded", "uploaded", "failed"]
    assert outcomes(old.upload_runtimes(paths)) == ["already there"] * 2
    assert outcomes(old.download_runtimes(destination)) == ["downloaded"] * 2
    assert sorted(p.name for p in destination.iterdir()) == sorted(p.name for p in paths)
    for call in (lambda: old.upload_bundles([write_bundle(tmp_path)]),):
        with pytest.raises(UnsupportedAPIVersionError):
            call()


def test_bundles_are_compared_by_their_documents(platform, gateway, tmp_path, destination):
    paths = [write_bundle(tmp_path, build=build) for build in (1, 2, 3)]
    other = write_bundle(
        tmp_path,
        "others",
        runtime={"implementation": "cpython", "platform": "win_x86_64", "version": "3.8.17+1"},
    )
    report = platform.upload_bundles([*paths, other])
    assert outcomes(report) == ["uploaded"] * 3 + ["failed"]
    assert isinstance(report.failed[0].error, InvalidBundle)
    repository = BroodClient(platform._session).organization("acme").repository("dev")
    report = repository.upload_bundles([*paths, other])
    assert outcomes(report) == ["already there"] * 3 + ["uploaded"]
    assert gateway.sent("POST", "*/bundles/upload") == 4
    write_bundle(tmp_path, build=2, modifiers={"new": True})
    report = platform.upload_bundles(paths)
    assert outcomes(report) == ["already there", "failed", "already there"]
    assert isinstance(report.failed[0].error, ChecksumMismatchError)
    assert bool(platform.upload_bundles(paths, overwrite=True))

    assert outcomes(platform.download_bundles(destination)) == ["downloaded"] * 3
    assert outcomes(platform.download_bundles(destination)) == ["already there"] * 3
    assert outcomes(platform.download_bundles(destination, names=["*-2.bundle"])) == [
        "already there"
    ]


def test_a_file_that_changes_while_it_is_sent_fails_alone(platform, eggs):
    def progress(done: int, total: int | None, phase: str) -> None:
        if done == 0 and phase == "uploading":
            eggs[3].unlink()

    report = platform.upload_eggs(eggs, progress=progress)
    assert [result.name for result in report.failed] == [eggs[3].name]
    assert isinstance(report.failed[0].error, HatcherException)
    assert len(visible(platform)) == 5


# -- what would be done, and what was -------------------------------------------------------


def test_a_dry_run_sends_and_receives_nothing(platform, gateway, eggs, tmp_path):
    platform.upload_egg(eggs[0])
    platform.upload_egg(eggs[1], enabled=False)
    platform.upload_egg(eggs[2])
    changed = egg(eggs[2].parent, 2, seed=99)
    sent = gateway.sent("POST")
    report = platform.upload_eggs(eggs, dry_run=True)
    assert outcomes(report) == ["already there"] * 2 + ["failed"] + ["would upload"] * 3
    assert report.failed[0].path == changed
    assert isinstance(report.failed[0].error, ChecksumMismatchError)
    assert str(report).startswith("6 files: 3 would upload, 2 already there, 1 failed\n")
    forced = platform.upload_eggs([changed], overwrite=True, dry_run=True)
    assert outcomes(forced) == ["would upload"]
    assert gateway.sent("POST") == sent
    assert visible(platform) == [eggs[0].name, eggs[2].name]

    folder = tmp_path / "back"
    folder.mkdir()
    platform.download_eggs("cp311", folder, names=[eggs[0].name])
    received = gateway.sent(*DOWNLOAD)
    report = platform.download_eggs("cp311", folder, dry_run=True)
    assert sorted(outcomes(report)) == ["already there", "would download"]
    assert gateway.sent(*DOWNLOAD) == received
    assert [path.name for path in folder.iterdir()] == [eggs[0].name]


@pytest.mark.parametrize("api_version", [0, 1])
def test_apps_go_by_their_platform(brood_server, tmp_path, api_version):
    client = brood_server.client(api_version)
    client.create_organization("acme", "").create_repository("dev", "")
    repository = client.organization("acme").repository("dev")
    first = write_app(tmp_path)
    second = write_app(tmp_path, "other.yaml", platform="win_x86_64")
    assert outcomes(repository.upload_apps([first, second], dry_run=True)) == ["would upload"] * 2
    assert repository.platform("rh8_x86_64").list_apps() == []
    assert outcomes(repository.upload_apps([first])) == ["uploaded"]
    assert outcomes(repository.upload_apps([first, second])) == ["already there", "uploaded"]
    for platform in ("rh8_x86_64", "win_x86_64"):
        assert repository.platform(platform).list_apps() == [
            ("com.example.viewer", "1.10-2", "cp38")
        ]
    changed = write_app(tmp_path, description="Another one")
    report = repository.upload_apps([changed, tmp_path / "missing.yaml"])
    assert outcomes(report) == ["failed", "failed"]
    assert isinstance(report.failed[0].error, ChecksumMismatchError)
    assert outcomes(repository.upload_apps([changed], overwrite=True)) == ["uploaded"]


def test_ctrl_c_tells_what_has_been_done(platform, gateway, eggs):
    gateway.add(RequestFault("stall", at="request", path=UPLOAD[1], skip=2, times=99))
    first_two = sum(path.stat().st_size for path in eggs[:2])

    def press(done: int, total: int | None, phase: str) -> None:
        if phase == "uploading" and done > first_two:
            raise KeyboardInterrupt

    with pytest.raises(BatchInterrupted, match="6 files: 2 uploaded, 4 not tried") as raised:
        platform.upload_eggs(eggs, concurrency=1, progress=press)
    assert isinstance(raised.value, KeyboardInterrupt)
    assert outcomes(raised.value.report) == ["uploaded"] * 2 + ["not tried"] * 4
    again = pickle.loads(pickle.dumps(raised.value)).report
    assert again == raised.value.report
    facts = [result.facts for result in raised.value.report.results]
    assert [result.facts for result in again.results] == facts
    gateway.clear()
    assert outcomes(platform.upload_eggs(eggs)) == ["already there"] * 2 + ["uploaded"] * 4


def test_of_a_batch_that_is_given_up_no_twin_is_there(platform, gateway, eggs, tmp_path):
    """What is given twice shares the fate of the first."""
    gateway.add(RequestFault("replace", at="request", path=UPLOAD[1], times=99, answer=Answer(403)))
    twins = [Path(shutil.copy(path, tmp_path)) for path in (eggs[0], eggs[5])]
    report = platform.upload_eggs([*eggs, *twins], concurrency=1)
    assert outcomes(report) == ["failed", *["not tried"] * 5, "failed", "not tried"]
    assert {type(result.error) for result in report.results} == {PermissionDeniedError}
    gateway.clear()
    report = platform.upload_eggs([*eggs, *twins])
    assert outcomes(report) == [*["uploaded"] * 6, *["already there"] * 2]


def test_a_success_ends_a_row_of_failures(platform, gateway, tmp_path):
    paths = [egg(tmp_path, number, seed=number) for number in range(15)]
    failure = {"at": "request", "path": UPLOAD[1], "answer": Answer(500)}
    # Five in a row would be too many.
    gateway.add(RequestFault("replace", times=4, **failure))
    gateway.add(RequestFault("replace", skip=1, times=4, **failure))
    gateway.add(RequestFault("replace", skip=2, times=99, **failure))
    report = platform.upload_eggs(paths, concurrency=1)
    rows = [*["failed"] * 4, "uploaded"] * 2
    assert outcomes(report) == [*rows, *["failed"] * 5]
    assert outcomes(platform.upload_eggs(paths, concurrency=1))[:5].count("not tried") == 0


@pytest.mark.usefixtures("hears_ctrl_c")
@pytest.mark.parametrize("at_what", ["request", "answer"])
def test_ctrl_c_ends_an_exchange_of_credentials(platform, brood_server, gateway, eggs, at_what):
    exchange = "*/auth/tokens/auth"
    gateway.add(RequestFault("stall", at=at_what, path=exchange, times=99))
    auth = BroodClientAuth(gateway.url, (brood_server.admin_email, brood_server.admin_password))
    node = platform_at(gateway.url, auth)
    begun = time.monotonic()

    def press() -> None:
        while not gateway.sent("POST", exchange):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    with pytest.raises(BatchInterrupted) as raised:
        node.upload_eggs(eggs)
    thread.join()
    assert time.monotonic() - begun < 20
    assert outcomes(raised.value.report) == ["not tried"] * 6
    gateway.clear()
    assert outcomes(node.upload_eggs(eggs)) == ["uploaded"] * 6


# -- the same files from several sides -----------------------------------------------------


@pytest.mark.parametrize("kind", ["eggs", "disabled eggs", "runtimes", "bundles", "apps"])
def test_of_several_that_upload_the_same_one_has_sent_each(
    repository, brood_server, eggs, tmp_path, kind
):
    one_has_compared, reports = threading.Barrier(3), []
    paths = {
        "runtimes": lambda: [write_runtime(tmp_path), write_runtime(tmp_path, version="3.11.9+2")],
        "bundles": lambda: [write_bundle(tmp_path, f"tools{n}") for n in range(3)],
        "apps": lambda: [write_app(tmp_path)],
    }.get(kind, lambda: eggs)()

    def upload(number: int) -> None:
        here: Any = brood_server.client().organization("acme").repository("dev")
        if kind.endswith("eggs"):
            here = here.platform("rh8-x86_64")
        waiting = [True]

        def progress(done: int, total: int | None, phase: str) -> None:
            # None of them sends before all of them know that nothing is there.
            if phase == "uploading" and waiting:
                waiting.clear()
                one_has_compared.wait(30)

        options: dict[str, Any] = {"progress": progress}
        if kind == "disabled eggs":
            options["enabled"] = False
        reports.append(getattr(here, f"upload_{kind.split()[-1]}")(paths, **options))

    threads = [threading.Thread(target=upload, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reports) == 3 and all(reports)
    for results in zip(*(report.results for report in reports), strict=True):
        assert sorted(result.outcome for result in results) == [*["already there"] * 2, "uploaded"]
    if kind == "eggs":
        assert visible(repository.platform("rh8-x86_64")) == [path.name for path in eggs]


@pytest.mark.parametrize(
    ("status", "body", "is_new"),
    [
        (200, b'{"sha256": "%s"}', False),
        (201, b'{"sha256": "%s"}', True),
        # Other servers say so of every success.
        (200, b"", True),
        (200, b"{}", True),
        (200, b'{"sha256": 7}', True),
        (200, b'["%s"]', True),
        (200, b"\x1f\x8bno gzip", True),
        (200, b"<html>", True),
        (200, b"[" * 100_000, True),
        (204, b"", True),
    ],
)
def test_only_what_an_answer_says_is_already_there(eggs, status, body, is_new):
    body = body.replace(b"%s", file_sha256(eggs[0]).encode())
    with ScriptedServer(Answer(status, JSON, body)) as server:
        platform = platform_at(server.url)
        assert platform._local_egg(eggs[0]).upload(overwrite=False, enabled=True) is is_new


def test_what_was_sent_twice_has_been_sent(eggs):
    there = b'{"sha256": "%s"}' % file_sha256(eggs[0]).encode()
    answers = [
        Answer(503, {"Retry-After": "0"}),
        *[Answer(404, JSON, b"{}")] * 2,
        Answer(200, JSON, there),
    ]
    with ScriptedServer(*answers) as server:
        platform = platform_at(server.url)
        assert platform._local_egg(eggs[0]).upload(overwrite=False, enabled=True) is True
        assert len(server.requests) == 4
