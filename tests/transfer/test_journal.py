"""Journals of batches: what was begun is asked for, and nothing is believed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hatcher.api import BroodClient, RetryPolicy, SinglePlatformRepository
from hatcher.errors import InvalidArgumentError
from hatcher.testing import BroodServer, FaultyGateway, RequestFault, write_egg
from hatcher.transfer.journal import Journal, open_journal

PLACE = ("https://brood.example.com", "acme", "dev", "rh8-x86_64", "eggs")
CLAIMS = [(f"egg{number}", "1.0-1", "cp311") for number in range(3)]

UPLOAD = ("POST", "*/eggs/upload")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HATCHER_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state" / "batches"


def opened(journal: Path | None = None, place: tuple[str, ...] = PLACE) -> Journal:
    made = open_journal(place, journal)
    assert made is not None
    return made


def begun(*claims: tuple[str, ...], journal: Path | None = None) -> None:
    """Leave behind what a process does that ends in the middle of a batch."""
    left = opened(journal)
    left.begin(claims)
    left.close()


def test_what_was_begun_is_found_again_until_it_is_settled(folder: Path) -> None:
    begun(*CLAIMS[:2])
    begun(CLAIMS[2])
    assert len(list(folder.iterdir())) == 2
    journal = opened()
    assert journal.begun == set(CLAIMS)
    journal.settle(CLAIMS[:2])  # the other file names something else
    journal.close()
    assert len(list(folder.iterdir())) == 1
    journal = opened()
    assert journal.begun == {CLAIMS[2]}
    journal.settle(CLAIMS)
    journal.close()
    assert list(folder.iterdir()) == []


def test_what_names_something_else_too_stays(folder: Path) -> None:
    begun(*CLAIMS)
    journal = opened()
    journal.settle(CLAIMS[:2])
    journal.close()
    assert opened().begun == set(CLAIMS)


def test_places_do_not_mix(folder: Path) -> None:
    begun(*CLAIMS)
    journal = opened(place=(*PLACE[:2], "other", *PLACE[3:]))
    assert journal.begun == frozenset()
    journal.settle(CLAIMS)
    journal.close()
    assert opened().begun == set(CLAIMS)


def test_several_at_work_at_once_keep_their_own(folder: Path) -> None:
    one, other = opened(), opened()
    one.begin(CLAIMS[:1])
    other.begin(CLAIMS[1:2])
    third = opened()
    assert third.begun == {CLAIMS[0], CLAIMS[1]}
    third.settle(CLAIMS)
    assert len(list(folder.iterdir())) == 2  # those of the others, who are still at work
    third.close()
    one.settle(CLAIMS)
    other.close()
    assert opened().begun == {CLAIMS[1]}


def test_a_line_that_was_cut_off_does_no_harm(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "journal"
    begun(*CLAIMS[:2], journal=path)
    content = path.read_bytes()
    path.write_bytes(content[:-10])
    journal = opened(path)
    assert journal.begun == {CLAIMS[0]}
    journal.begin(CLAIMS[2:])
    journal.close()
    journal = opened(path)
    assert journal.begun == {CLAIMS[0], CLAIMS[2]}
    journal.settle(CLAIMS)
    assert not path.exists()
    # Bytes that are no text, lines that are no lists.
    path.write_bytes(content + b"\xff\xfe\n{}\n[]\n[1]\nnull\n")
    assert opened(path).begun == set(CLAIMS[:2])


def test_only_journals_are_used_as_journals(folder: Path, tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("Do not touch.\n")
    with pytest.raises(InvalidArgumentError, match=r"notes\.txt"):
        opened(text)
    assert text.read_text() == "Do not touch.\n"
    newer = tmp_path / "newer"
    newer.write_text('{"hatcher":"batch","version":99}\n')
    with pytest.raises(InvalidArgumentError, match="this version"):
        opened(newer)
    with pytest.raises(InvalidArgumentError, match="written"):
        opened(tmp_path / "missing" / "journal")
    used = opened(tmp_path / "used")
    with pytest.raises(InvalidArgumentError, match="Another batch"):
        opened(tmp_path / "used")
    used.close()
    opened(tmp_path / "used").close()


def test_journals_of_other_versions_are_left_alone(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun(*CLAIMS)
    (path,) = folder.iterdir()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text('{"hatcher":"batch","version":99}\n' + "".join(lines[1:]))
    journal = opened()
    assert journal.begun == frozenset()
    assert "no journal of this version" in caplog.text
    journal.settle(CLAIMS)
    journal.close()
    assert path.exists()


def test_old_ones_are_removed(folder: Path) -> None:
    begun(*CLAIMS)
    (path,) = folder.iterdir()
    month_ago = time.time() - 31 * 24 * 3600
    os.utime(path, (month_ago, month_ago))
    other = folder / "notes.txt"
    other.touch()
    os.utime(other, (month_ago, month_ago))
    assert opened().begun == frozenset()
    assert list(folder.iterdir()) == [other]


def test_nobody_else_can_read_them(folder: Path) -> None:
    begun(*CLAIMS)
    (path,) = folder.iterdir()
    assert (folder.stat().st_mode & 0o77, path.stat().st_mode & 0o77) == (0, 0)
    # Where it goes to stands there as a digest only.
    assert "acme" not in path.read_text() and "acme" not in path.name
    assert json.loads(path.read_text().splitlines()[0]) == {"hatcher": "batch", "version": 1}


def test_there_may_be_none(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("HATCHER_STATE_DIR", "")
    assert open_journal(PLACE, None) is None
    file = tmp_path / "file"
    file.touch()
    monkeypatch.setenv("HATCHER_STATE_DIR", str(file))
    assert open_journal(PLACE, None) is None
    assert "no journal" in caplog.text
    # By default it is in the user's folder for such things.
    monkeypatch.delenv("HATCHER_STATE_DIR")
    for variable in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    opened().close()
    assert list((tmp_path / "home").rglob("hatcher/batches"))


# -- with a server -------------------------------------------------------------------------


@pytest.fixture
def gateway(faulty_gateway: Callable[..., FaultyGateway]) -> FaultyGateway:
    return faulty_gateway()


@pytest.fixture
def platform(
    brood_server: BroodServer, gateway: FaultyGateway, folder: Path
) -> SinglePlatformRepository:
    brood_server.client().create_organization("acme", "").create_repository("dev", "")
    auth = (brood_server.admin_email, brood_server.admin_password)
    client = BroodClient.from_url(
        gateway.url, auth, api_version=1, retries=RetryPolicy(0), cache=False
    )
    return client.organization("acme").repository("dev").platform("rh8-x86_64")


@pytest.fixture
def eggs(tmp_path: Path) -> list[Path]:
    made = []
    for number in range(8):
        path = write_egg(
            tmp_path, f"Egg{number}", "1.0", platform="rh8-x86_64", python_tag="cp311", seed=number
        )
        made.append(path)
    return made


@pytest.mark.parametrize("given", [False, True])
def test_an_interrupted_batch_sends_the_rest_only(
    platform: SinglePlatformRepository,
    gateway: FaultyGateway,
    eggs: list[Path],
    folder: Path,
    tmp_path: Path,
    given: bool,
) -> None:
    journal = tmp_path / "journal" if given else None
    # The first answer is lost, and so is the look at what has become of it.
    gateway.add(
        RequestFault("cut", at="answer", path=UPLOAD[1], skip=2),
        RequestFault("cut", at="request", path="*/metadata/*", times=99),
        RequestFault("cut", at="request", path=UPLOAD[1], skip=2, times=99),
        RequestFault("cut", at="request", path="*/eggs/re-index"),
    )
    report = platform.upload_eggs(eggs, concurrency=1, journal=journal)
    assert not report and not report.uploaded
    gateway.clear()
    assert platform.egg_index("cp311") == {}
    stored = [path for path in eggs if platform.egg("cp311", path.name[:4], "1.0-1").exists()]
    assert len(stored) == 3
    assert journal.exists() if journal else len(list(folder.iterdir())) == 1

    before = gateway.sent(*UPLOAD)
    report = platform.upload_eggs(eggs, journal=journal)
    assert report and len(report.already_there) == 3
    assert gateway.sent(*UPLOAD) - before == 5
    assert len(platform.egg_index("cp311")) == 8
    assert not journal.exists() if journal else list(folder.iterdir()) == []


def test_what_a_journal_claims_is_not_believed(
    platform: SinglePlatformRepository, gateway: FaultyGateway, eggs: list[Path], folder: Path
) -> None:
    gateway.add(RequestFault("cut", at="request", path="*/eggs/re-index"))
    assert not platform.upload_eggs(eggs[:4])
    platform.delete_egg("cp311", "Egg0", "1.0-1")
    platform.upload_egg(
        write_egg(
            eggs[0].parent.parent,
            "Egg1",
            "1.0",
            platform="rh8-x86_64",
            python_tag="cp311",
            payload_bytes=500,
            seed=99,
        ),
        overwrite=True,
        enabled=False,
    )
    before = gateway.sent(*UPLOAD)
    report = platform.upload_eggs(eggs[:4])
    assert [result.outcome for result in report.results] == [
        "uploaded",
        "failed",
        "already there",
        "already there",
    ]
    assert gateway.sent(*UPLOAD) - before == 1
    assert len(platform.egg_index("cp311")) == 3
