"""An operation that is cancelled ends wherever it is, leaves nothing half, and can be repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from hatcher import access, cancel, mirror
from hatcher.api import BroodClient, Repository
from hatcher.cancel import CancelToken
from hatcher.files.partial import PARTIAL_SUFFIX
from hatcher.mirror.manifests import FILENAME
from hatcher.testing import FaultyGateway, RequestFault, write_egg

from ..cancelling import FOREVER, Running
from .conftest import PLATFORM, SOME, Lab, files

#: How many moments are tried of each operation.
TIMES = 6


class Setting(NamedTuple):
    """What an operation works with.

    Attributes
    ----------
    client : BroodClient
    dev : Repository
        acme/dev, with something of every kind.
    empty, other : Repository
        There is nothing in them; the second one is on another server.
    folder : pathlib.Path
        Is empty.
    eggs : list of pathlib.Path
    """

    client: BroodClient
    dev: Repository
    empty: Repository
    other: Repository
    folder: Path
    eggs: list[Path]


def upload_eggs(setting: Setting) -> object:
    platform = setting.empty.platform(PLATFORM)
    platform.upload_eggs(setting.eggs).raise_for_failures()
    return len(platform.list_eggs("cp311"))


def download_eggs(setting: Setting) -> object:
    setting.dev.platform(PLATFORM).download_eggs("cp311", setting.folder).raise_for_failures()
    return files(setting.folder)


def upload_egg(setting: Setting) -> object:
    platform = setting.empty.platform(PLATFORM)
    platform.upload_egg(setting.eggs[0], verify=True)
    return platform.list_eggs("cp311")


def download_egg(setting: Setting) -> object:
    setting.dev.platform(PLATFORM).download_egg("cp311", "MyEgg", "1.0-1", setting.folder)
    return files(setting.folder)


def search(setting: Setting) -> object:
    found = setting.client.search("*", platform=PLATFORM, python_tag="cp311")
    return sorted(str(result.artefact) for result in found if "acme/dev" in str(result.place))


def read_access(setting: Setting) -> object:
    rows = map(str, access.read(setting.client.organization("acme")).rows)
    return sorted(row for row in rows if "empty" not in row)


def list_users(setting: Setting) -> object:
    return setting.client.organization("acme").list_users()


def export(setting: Setting) -> object:
    place = str(setting.dev)
    mirror.export(setting.client, setting.folder, repositories=[place], **SOME).raise_for_failures()
    return files(setting.folder)


def copy(setting: Setting) -> object:
    mirror.plan(setting.dev, setting.other, **SOME).apply().raise_for_failures()
    return bool(mirror.diff(setting.dev, setting.other, **SOME))


def fetch(setting: Setting) -> object:
    folder = mirror.Folder(setting.folder, "acme/dev")
    mirror.plan(setting.dev, folder, **SOME).apply().raise_for_failures()
    return bool(mirror.verify(setting.folder)), files(setting.folder)


def verify(setting: Setting) -> object:
    return bool(mirror.verify(setting.dev, setting.dev, download=True, **SOME))


def pack(setting: Setting) -> object:
    mirror.pack(setting.dev, setting.folder / "all.zip", **SOME).raise_for_failures()
    return [path.name for path in setting.folder.iterdir()]


#: Those that end with what they return also when they were cancelled at some moment before.
OPERATIONS: list[Callable[[Setting], object]] = [
    upload_eggs,
    download_eggs,
    upload_egg,
    download_egg,
    search,
    read_access,
    list_users,
    export,
    copy,
    fetch,
    verify,
    pack,
]


class Make:
    """Makes settings, each with places of its own, over one client behind a gateway."""

    def __init__(self, lab: Lab, gateway: FaultyGateway, folder: Path) -> None:
        self._lab, self._folder, self._number = lab, folder, 0
        self.gateway = gateway
        self.client = lab.server.client(url=gateway.url, timeout=FOREVER, cache=False)
        self._eggs = [
            write_egg(folder, f"egg{number}", platform=PLATFORM, python_tag="cp311")
            for number in range(8)
        ]

    def __call__(self) -> Setting:
        self._number += 1
        acme = self.client.organization("acme")
        self._lab.new(f"empty{self._number}")
        other = self._lab.corp.create_repository(f"other{self._number}", "")
        folder = self._folder / f"folder{self._number}"
        folder.mkdir()
        empty = acme.repository(f"empty{self._number}")
        return Setting(self.client, acme.repository("dev"), empty, other, folder, self._eggs)


@pytest.fixture
def make(lab: Lab, tmp_path: Path) -> Iterator[Make]:
    with FaultyGateway(lab.server.url) as gateway:
        yield Make(lab, gateway, tmp_path)


def check_left(operate: Callable[[Setting], object], folder: Path) -> None:
    """Check that nothing half is in a folder, but what is kept so that the same call goes on."""
    partial = {path.name for path in folder.rglob(f"*{PARTIAL_SUFFIX}")}
    assert partial <= {f"all.zip.files{PARTIAL_SUFFIX}"}
    if operate in (export, fetch) and (there := files(folder)):
        assert sorted(there) == sorted(mirror.read_manifest(folder / FILENAME).artefacts)


class Looks:
    """Counts how often operations look at their token, and may cancel one at some of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._look = cancel.is_cancelled
        self.begin()
        monkeypatch.setattr(cancel, "is_cancelled", self)

    def begin(self, token: CancelToken | None = None, last: int = 0) -> None:
        """Count anew, and cancel a token at its last look."""
        self.count, self._token, self._last = 0, token, last

    def __call__(self) -> bool:
        if cancel.current() is not None:
            self.count += 1
            if self._token is not None and self.count == self._last:
                self._token.cancel()
        return self._look()


def whole_of(operate: Callable[[Setting], object], make: Make) -> object:
    """Return what an operation returns that is not cancelled."""
    whole = Running(partial(operate, make())).start()
    assert not whole.is_cancelled()
    return whole.result


@pytest.mark.sampled(3)
@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda one: one.__name__)
def test_whichever_look_it_is(operate, make, monkeypatch, dice):
    looks = Looks(monkeypatch)
    whole = whole_of(operate, make)
    for number in [1, *sorted(dice.randrange(2, looks.count + 1) for _ in range(TIMES))]:
        setting = make()
        running = Running(partial(operate, setting))
        looks.begin(running.token, number)
        if not running.start().is_cancelled():  # then it had come to its end
            assert running.result == whole
        check_left(operate, setting.folder)
        looks.begin()
        assert operate(setting) == whole


@pytest.mark.sampled(4)
@pytest.mark.parametrize("at", ["request", "answer body"])
@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda one: one.__name__)
def test_whichever_answer_is_waited_for(operate, at, make, dice):
    asked = make.gateway.requests
    whole = whole_of(operate, make)
    number = len(make.gateway.requests) - len(asked)
    for skip in sorted({0, *(dice.randrange(number) for _ in range(2))}):
        setting = make()
        before = len(make.gateway.requests)
        make.gateway.add(RequestFault("stall", at=at, skip=skip, times=999))
        running = Running(partial(operate, setting)).start()
        while running.goes_on and len(make.gateway.requests) <= before + skip:
            time.sleep(0.01)
        time.sleep(dice.random() / 20)
        running.token.cancel()
        running.is_cancelled()
        check_left(operate, setting.folder)
        make.gateway.clear()
        assert operate(setting) == whole


@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda one: one.__name__)
def test_before_it_begins_nothing_is_sent_or_written(operate, make):
    setting = make()
    before = len(make.gateway.requests)
    never = Running(partial(operate, setting))
    never.token.cancel()
    assert never.start().is_cancelled()
    assert len(make.gateway.requests) == before
    assert list(setting.folder.iterdir()) == []
