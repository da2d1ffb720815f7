"""Writing to a place on a server: eggs that appear together, and what depends on them after them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import cast

from hatcher.artefacts.app import read_app
from hatcher.core.batches.eggs import TOGETHER, UNKNOWN_END
from hatcher.core.dialects import DIALECTS
from hatcher.core.eggs import Egg
from hatcher.core.platform import SinglePlatformRepository
from hatcher.errors import (
    AuthenticationError,
    ChecksumMismatchError,
    ConflictError,
    HatcherException,
    NotFoundError,
    PermissionDeniedError,
)
from hatcher.mirror.documents import DOCUMENTS, digest
from hatcher.mirror.ends.base import changed
from hatcher.mirror.ends.place import Remote, has_tag
from hatcher.mirror.ends.receiving import Delivery, Obtain, Options, Receiver
from hatcher.mirror.reading import Handle
from hatcher.mirror.states import Held, State
from hatcher.transfer.batch import Attempts, Item, Tally
from hatcher.transfer.hashing import server_sha256
from hatcher.transfer.journal import Journal, open_journal
from hatcher.transfer.progress import Meter
from hatcher.transfer.reports import Outcome

#: What is the same for all uploads to one repository.
_HOPELESS = (AuthenticationError, NotFoundError, PermissionDeniedError)

#: Failures in a row after which the server or the network is taken for gone.
_GONE = 16

#: Bytes from which on an egg is worth the question whether it is there, disabled.
_WORTH_ASKING = 1_000_000

#: What is said of a repository that was created on the way.
_DESCRIPTION = "Created by hatcher mirror"


class Uploading(Receiver):
    """Uploads to a place on a server.

    Parameters
    ----------
    remote : Remote
    state : State
        What it has.
    options : Options
    """

    def __init__(self, remote: Remote, state: State, options: Options) -> None:
        self._remote = remote
        self._repositories = None if state.repositories is None else set(state.repositories)
        self._create_missing = options.create_missing
        self._progress = options.progress
        self._attempts: dict[str, Attempts] = {}
        self._items: list[Item[Delivery]] = []
        #: Eggs that are stored and disabled, and are to be shown.
        self._hidden: dict[SinglePlatformRepository, list[tuple[Item[Delivery], Egg]]] = (
            defaultdict(list)
        )
        self._unshown: set[int] = set()
        self._lock = threading.Lock()
        self._new: list[str] = []
        self._numbers: dict[str, int] = {}
        self._noted = 0
        self._journal: Journal | None = None
        if options.journal is not False and not options.dry_run:
            place = (str(remote.session.server), *remote.names, "mirror")
            given = None if options.journal is True else options.journal
            self._journal = open_journal(place, given)
        self._shown = {
            claim
            for claim in (self._journal.begun if self._journal else ())
            if claim[0] in state.held
        }

    def local(self, path: str) -> Path:
        """Return the path itself: there is no such file; see `Receiver.local`."""
        return Path(path)

    def missing(self, items: Sequence[Item[Delivery]]) -> set[str]:
        """Return the repositories that there would have to be; see `Receiver.missing`."""
        if self._repositories is None or self._create_missing:
            return set()
        return {self._place(item) for item in items} - self._repositories

    def rounds(self, items: Sequence[Item[Delivery]]) -> Iterator[list[Item[Delivery]]]:
        """Give new eggs and runtimes, those that replace others, and then documents."""
        self._items = list(items)
        self._create(items)
        files = [item for item in items if self._kind(item) not in DOCUMENTS and item.is_open]
        new = [item for item in files if item.file.there is None]
        self._new = [item.file.path for item in new if self._kind(item) == "eggs"]
        self._numbers = {path: number for number, path in enumerate(self._new)}
        yield new
        yield [item for item in files if item.file.there is not None]
        self._show()
        yield [item for item in items if self._kind(item) in DOCUMENTS and item.is_open]

    def _create(self, items: Sequence[Item[Delivery]]) -> None:
        """Create the repositories that are missing."""
        if self._repositories is None:
            return
        for place in sorted({self._place(item) for item in items} - self._repositories):
            organization, _, name = place.partition("/")
            try:
                self._remote.client.organization(organization).create_repository(name, _DESCRIPTION)
            except ConflictError:
                pass  # it is there after all, and could not be seen, or was just made by another
            except HatcherException as error:
                for item in items:
                    if self._place(item) == place:
                        item.fail(error)
                continue
            self._repositories.add(place)

    def attempts(self, item: Item[Delivery]) -> Attempts:
        """Return what gives up a repository; see `Receiver.attempts`."""
        with self._lock:
            place = self._place(item)
            if place not in self._attempts:
                self._attempts[place] = Attempts(_HOPELESS, _GONE)
            return self._attempts[place]

    # -- each of them --------------------------------------------------------------------

    def put(self, item: Item[Delivery], obtain: Obtain, tally: Tally) -> Outcome:
        """Upload something; see `Receiver.put`."""
        if self._kind(item) == "eggs":
            return self._put_egg(item, obtain, tally)
        return self._put_other(item, obtain, tally)

    def _put_egg(self, item: Item[Delivery], obtain: Obtain, tally: Tally) -> Outcome:
        path, wanted, there = item.file.path, item.file.wanted, item.file.there
        assert wanted is not None
        platform = self._remote.platform(path)
        if there is not None:
            if self._is_replaced(item):
                return "already there"
            replacing = platform._local_egg(obtain())
            return _outcome(
                replacing.upload(
                    overwrite=True, enabled=True, progress=tally, expected=wanted.sha256
                )
            )
        if self._is_worth_asking(item) and self._is_there(item, platform):
            return "already there"
        self._note(path)
        egg = platform._local_egg(obtain())
        send = partial(egg.upload, enabled=False, progress=tally, expected=wanted.sha256)
        try:
            is_new = send(overwrite=False)
        except (ConflictError, ChecksumMismatchError):
            # What is disabled stands in no index, so that no plan knows of it.
            if self._is_there(item, platform):
                return "already there"
            is_new = send(overwrite=True)
        self._hide(item, platform, cast(Egg, egg.there))
        return _outcome(is_new)

    def _is_worth_asking(self, item: Item[Delivery]) -> bool:
        """Whether the server may have a new egg, disabled, and it is worth a question."""
        if self._journal is not None and (item.file.path,) in self._journal.begun:
            return True
        wanted = item.file.wanted
        return wanted is not None and (wanted.size or 0) >= _WORTH_ASKING

    def _is_there(self, item: Item[Delivery], platform: SinglePlatformRepository) -> bool:
        """Whether the server has a new egg, disabled or since a moment ago; then it is shown.

        Raises
        ------
        HatcherException
            It shows another one by now.
        """
        delivery = item.file
        assert delivery.wanted is not None
        egg = self._remote.egg(delivery.path)
        metadata = egg._found()
        tag = egg.python_tag
        if metadata is None or not has_tag(metadata, tag):
            return False
        if egg._sha256_in(metadata) != delivery.wanted.sha256:
            if metadata.get("enabled") is not False:
                raise changed(delivery.path, self._remote)
            return False
        if metadata.get("enabled") is not True:
            self._hide(item, platform, egg)
        return True

    def _hide(self, item: Item[Delivery], platform: SinglePlatformRepository, egg: Egg) -> None:
        with self._lock:
            self._hidden[platform].append((item, egg))

    def _note(self, path: str) -> None:
        """See to it that the journal names an egg that is about to be sent."""
        if self._journal is None:
            return
        number = self._numbers[path]
        if number < self._noted:
            return
        with self._lock:
            while number >= self._noted:
                some = self._new[self._noted : self._noted + TOGETHER]
                self._journal.begin([(name,) for name in some])
                self._noted += TOGETHER

    def _put_other(self, item: Item[Delivery], obtain: Obtain, tally: Tally) -> Outcome:
        path, replaces = item.file.path, item.file.there is not None
        if replaces and self._is_replaced(item):
            return "already there"
        platform, kind, file = self._remote.platform(path), self._kind(item), obtain()
        try:
            if kind == "runtimes":
                local = platform._local_runtime(
                    DIALECTS[self._remote.api_version].read_runtime(file)
                )
            elif kind == "apps":
                local = platform._local_app(read_app(file))
            else:
                local = platform.bundles.from_file(file)._file
            expected = _sha256(item.file.wanted) if kind == "runtimes" else None
            is_new = local.upload(overwrite=replaces, progress=tally, expected=expected)
        except (ConflictError, ChecksumMismatchError) as error:
            # The server compares files, which of equal documents may differ.
            if self._found_sha256(path) == _sha256(item.file.wanted):
                return "already there"
            raise changed(path, self._remote) from error
        return _outcome(is_new)

    def _is_replaced(self, item: Item[Delivery]) -> bool:
        """Whether the server has by now what is to replace something.

        Raises
        ------
        HatcherException
            It has a third one.
        """
        delivery = item.file
        found = self._found_sha256(delivery.path)
        if found == _sha256(delivery.wanted):
            return True
        if found != _sha256(delivery.there):
            raise changed(delivery.path, self._remote)
        return False

    def delete(self, item: Item[Delivery], tally: Tally) -> Outcome:
        """Delete something; see `Receiver.delete`."""
        delivery = item.file
        assert delivery.there is not None
        found = self._found_sha256(delivery.path)
        if found is None:
            return "already gone"
        if found != delivery.there.sha256:
            raise changed(delivery.path, self._remote)
        artefact = self._artefact(delivery.path)
        artefact.delete()  # type: ignore[union-attr]  # nobody plans to delete an app
        return "deleted"

    def _found_sha256(self, path: str) -> str | None:
        """Return what the server has now; None when there is nothing."""
        artefact = self._artefact(path)
        metadata = artefact._found()
        if metadata is None or (
            isinstance(artefact, Egg) and not has_tag(metadata, artefact.python_tag)
        ):
            return None
        if self._remote.kind(path) in DOCUMENTS:
            return digest(metadata.get("data"))
        return server_sha256(metadata.get("sha256"), path)

    def _artefact(self, path: str) -> Handle:
        """Return what addresses an artefact by its own tag: one that suits it is another one."""
        location, platform = self._remote.location(path), self._remote.platform(path)
        tag = location.python_tag or "none"
        if location.kind == "eggs":
            return self._remote.egg(path)
        if location.kind == "runtimes":
            implementation, version = location.filename.split("-")[:2]
            return platform.runtime(implementation, version)
        name, version, build = location.filename.rpartition(".")[0].rsplit("-", 2)
        if location.kind == "apps":
            return platform.app(tag, name, f"{version}-{build}")
        return platform.bundle(tag, name, f"{version}-{build}")

    # -- all of them ---------------------------------------------------------------------

    def _show(self) -> None:
        """Show all eggs that are stored and disabled: one request for each platform."""
        sizes = {
            platform: sum(item.size or 0 for item, _ in hidden)
            for platform, hidden in self._hidden.items()
        }
        meter = Meter(self._progress if sizes else None, sum(sizes.values()), "indexing")
        done = 0
        meter.reach(done)
        for platform, hidden in self._hidden.items():
            try:
                platform._enable([egg for _, egg in hidden])
            except HatcherException as error:
                for item, _ in hidden:
                    stored = HatcherException(
                        f"{item.file.path} is stored, but not shown yet: {error} Apply again: it "
                        "is not sent a second time."
                    )
                    stored.__cause__ = error
                    item.fail(stored)
                    self._unshown.add(id(item))
            done += sizes[platform]
            meter.reach(done)
        self._hidden.clear()

    def close(self) -> None:
        """Forget in the journal what needs no further question; see `Receiver.close`."""
        if self._journal is None:
            return
        unshown = self._unshown.union(
            id(item) for all_ in self._hidden.values() for item, _ in all_
        )
        settled = {
            (item.file.path,)
            for item in self._items
            if item.outcome != "not tried"
            and id(item) not in unshown
            and not isinstance(item.error, UNKNOWN_END)
        }
        self._journal.settle(settled | self._shown)
        self._journal.close()

    def _kind(self, item: Item[Delivery]) -> str:
        return self._remote.kind(item.file.path)

    def _place(self, item: Item[Delivery]) -> str:
        return self._remote.location(item.file.path).place


def _outcome(is_new: bool) -> Outcome:
    return "uploaded" if is_new else "already there"


def _sha256(held: Held | None) -> str | None:
    return None if held is None else held.sha256
