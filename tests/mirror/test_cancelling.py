"""An operation that is cancelled ends wherever it is, leaves nothing half, and can be repeated."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from hatcher import access, cancel, mirror
from hatcher.api import BroodClient, Repository, Timeouts
from hatcher.cancel import CancelToken
from hatcher.errors import TransferInterruptedError
from hatcher.files.partial import PARTIAL_SUFFIX
from hatcher.testing import FaultyGateway, RequestFault, write_egg

from .conftest import PLATFORM, SOME, Lab, files

#: Far beyond the time that any of these tests takes.
FOREVER = Timeouts(connect=300, read=300, write=300, pool=300, stall=300)

#: How many moments are tried of each operation.
TIMES = 6

#: Seconds that a machine may be busy with other things.
PATIENCE = 60.0


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


#: What is left of an operation whose threads have ended.
NOTHING: list[str] = []


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


class Running:
    """An operation in a thread of its own, and its token."""

    def __init__(self, operate: Callable[[Setting], object], setting: Setting) -> None:
        self.token = CancelToken()
        self.result: object = None
        self.error: BaseException | None = None
        self._setting = setting

        def run() -> None:
            try:
                with self.token.active():
                    self.result = operate(setting)
            except BaseException as error:
                self.error = error

        self.thread = threading.Thread(target=run)

    def end(self) -> bool:
        """Wait for its end; return whether it was cancelled, and check what it has left."""
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive(), "it goes on"
        if self.error is not None and not isinstance(self.error, TransferInterruptedError):
            raise self.error
        until = time.monotonic() + PATIENCE
        while (left := at_work()) != NOTHING and time.monotonic() < until:
            time.sleep(0.01)
        assert left == NOTHING
        # What is packed is kept, so that the same call goes on with it.
        partial = {path.name for path in self._setting.folder.rglob(f"*{PARTIAL_SUFFIX}")}
        assert partial <= {f"all.zip.files{PARTIAL_SUFFIX}"}
        return self.error is not None


def at_work() -> list[str]:
    """The threads of operations."""
    names = ("hatcher-batch", "hatcher-transfer", "hatcher-begin")
    return [thread.name for thread in threading.enumerate() if thread.name in names]


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


@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda one: one.__name__)
def test_whichever_look_it_is(operate, make, monkeypatch, dice):
    looks = Looks(monkeypatch)
    whole = Running(operate, make())
    whole.thread.start()
    assert not whole.end()
    for number in [1, *sorted(dice.randrange(2, looks.count + 1) for _ in range(TIMES))]:
        setting = make()
        cancelled = Running(operate, setting)
        looks.begin(cancelled.token, number)
        cancelled.thread.start()
        if not cancelled.end():  # then it had come to its end
            assert cancelled.result == whole.result
        looks.begin()
        assert operate(setting) == whole.result


@pytest.mark.parametrize("at", ["request", "answer body"])
@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda one: one.__name__)
def test_whichever_answer_is_waited_for(operate, at, make, dice):
    whole = Running(operate, make())
    before = len(make.gateway.requests)
    whole.thread.start()
    assert not whole.end()
    number = len(make.gateway.requests) - before
    for skip in sorted({0, *(dice.randrange(number) for _ in range(2))}):
        setting = make()
        before = len(make.gateway.requests)
        make.gateway.add(RequestFault("stall", at=at, skip=skip, times=999))
        stalled = Running(operate, setting)
        stalled.thread.start()
        while stalled.thread.is_alive() and len(make.gateway.requests) <= before + skip:
            time.sleep(0.01)
        time.sleep(dice.random() / 20)
        stalled.token.cancel()
        stalled.end()
        make.gateway.clear()
        assert operate(setting) == whole.result


@pytest.mark.parametrize("operate", OPERATIONS, ids=lambda one: one.__name__)
def test_before_it_begins_nothing_is_sent_or_written(operate, make):
    setting = make()
    before = len(make.gateway.requests)
    never = Running(operate, setting)
    never.token.cancel()
    never.thread.start()
    assert never.end()
    assert len(make.gateway.requests) == before
    assert list(setting.folder.iterdir()) == []
