"""Downloading a file: complete and verified under its name, or not there at all."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
import weakref
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING

from hatcher import cancel
from hatcher.cancel import CancelToken
from hatcher.errors import (
    BroodConnectionError,
    BroodHTTPError,
    BroodTimeoutError,
    ChecksumMismatchError,
    HatcherException,
    IncompleteDownloadError,
    InvalidDestinationError,
    InvalidResponseError,
    MissingFilenameError,
    RateLimitedError,
    ServerError,
    TransportError,
)
from hatcher.files.atomic import sync_directory
from hatcher.files.blocks import BLOCK_SIZE
from hatcher.files.folders import existing_directory
from hatcher.files.partial import Partial
from hatcher.files.space import check_space, explained
from hatcher.transfer import ranges
from hatcher.transfer.filenames import bare_filename, filename_from, server_filename
from hatcher.transfer.hashing import file_sha256, normalized_sha256
from hatcher.transfer.pipeline import Pipeline
from hatcher.transport.request import Request
from hatcher.transport.retry import pause, pause_before_retry
from hatcher.transport.session import Session

if TYPE_CHECKING:
    from hatcher.transfer.progress import Progress
    from hatcher.transfer.segments import SegmentedDownload, Version
    from hatcher.transport.download import Download

logger = logging.getLogger("hatcher")

#: Bytes from which on what arrived is kept when the network fails for good.
KEPT_FROM = 16 * 1024 * 1024

#: Bytes below which a file is not worth a note of what it is.
_NOTED_FROM = 1024 * 1024

#: Seconds between two signs of life while nothing arrives.
_SIGN_OF_LIFE = 0.2

#: Buffers that may be under way at once between the network, the disk and the digest.
_BUFFERS = 8

#: Bytes to come from which on threads save more than they cost.
_WORTH_THREADS = 2 * BLOCK_SIZE

#: Seconds after which what has arrived is passed on, also in a buffer that is not full.
_AT_LEAST_EVERY = 0.03

#: Failures after which the same call may come further another time.
_PASSING = (BroodConnectionError, BroodTimeoutError, RateLimitedError, ServerError)


class FileDownload:
    """One file on its way: what is there of it, and what is still to come.

    A body that breaks off is gone on with, as often as the session's `RetryPolicy`
    allows without any headway. What a killed process has left is gone on with too.

    Parameters
    ----------
    session : Session
    request : Request
        The download operation.
    destination : str or path-like
        An existing directory.
    sha256 : str or callable
        What the file must hash to, in hexadecimal; or what asks the server for it. The file is
        then asked for at the same time, if nothing is there of it yet.
    progress : Progress, optional
        Told of what is hashed, and by `run` of how far it has come.
    likely : str, optional
        How the file is called that is in the directory already, or is not complete there. Where
        the server gives it its name, what a killed process has left is gone on with at once.
    connections : int, optional
        How many to receive a large file over at most.
    sync : bool, default True
        Make the file's name survive a power failure, and not only its content. A
        batch does that once for all its files, with `sync_directory`.

    Attributes
    ----------
    total : int or None
        Bytes of the file, where that is known.

    Raises
    ------
    InvalidDestinationError, InvalidArgumentError
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        destination: str | os.PathLike[str],
        sha256: str | Callable[[], str],
        progress: Progress | None = None,
        *,
        likely: str | None = None,
        connections: int | None = None,
        sync: bool = True,
    ) -> None:
        self.total: int | None = None
        self._session = session
        # Compressing on the way would hide the length, and gain nothing on zip files.
        headers = {**request.headers, "Accept": "*/*", "Accept-Encoding": "identity"}
        self._request = request._replace(headers=headers)
        self._directory = self._target = existing_directory(destination)
        self._likely = likely
        self._progress = progress
        self._sync = sync
        self._connections = ranges.checked_connections(connections) or 1
        self._digest = hashlib.sha256()
        self._hashed = 0  # bytes of the phase "hashing"
        self._partial: Partial | None = None
        self._pipeline: Pipeline | None = None
        self._segments: SegmentedDownload | None = None
        self._answer: Download | None = None
        #: Of the answer, so that a thread that receives it can be ended.
        self._token: CancelToken | None = None
        self._etag: str | None = None
        self._may_go_on = False
        #: Whether some bytes were not received in one piece with the others.
        self._is_pieced = False
        #: Whether all bytes are of an earlier process.
        self._is_leftover = False
        self._expected = normalized_sha256(self._asked(sha256) if callable(sha256) else sha256)

    def _asked(self, ask: Callable[[], str]) -> str:
        """Ask for the sha256, and for the file at the same time, if none is there."""
        if self._likely is None:
            self._request = self._session.begin(self._request)
        try:
            return ask()
        except BaseException:
            self._end_begun()
            raise

    def run(self, filename: str | Callable[[str], bool], progress: Progress | None = None) -> None:
        """Download it; `filename` and errors are as for `begin`."""
        self._progress = progress or self._progress
        done = 0
        with closing(self.begin(filename)) as steps:
            for size in steps:
                done += size
                if self._progress is not None:
                    self._progress(done, self.total, "downloading")

    def begin(self, filename: str | Callable[[str], bool]) -> Generator[int]:
        """Do what has to be done before bytes come; return what receives them.

        Parameters
        ----------
        filename : str or callable
            How to call the file; or whether the name that the server gives it is the right one.

        Returns
        -------
        generator of int
            Receives as it is driven, and gives the number of bytes of each step, which
            may be 0 while it waits to try again. The file stands under its name when it
            is exhausted; when it is closed before, nothing is left behind. For a file
            that is there already it gives all of its bytes in one step, without
            receiving any.

        Raises
        ------
        NoSpaceError
            There is no room for it.
        MissingFilenameError
            The server gave no name that can be used.
        HatcherException
            The request failed. Nothing is left behind then, unless it says so.
        """
        steps = self._steps(filename)
        # A generator that was never begun has no `finally` to run when it is closed;
        # this one is begun here, and stops before its first byte.
        next(steps)
        # And one that is alive when the interpreter ends would not be closed in time.
        weakref.finalize(steps, self._give_up, None)
        return steps

    def _steps(self, filename: str | Callable[[str], bool]) -> Generator[int]:
        try:
            self._prepare(filename)
            self._end_begun()
            yield 0
            if self._partial is None:  # the file is there already
                Partial.sweep(self._target)
                yield self.total or 0
                return
            shown = 0
            with explained(self._target):
                for have in self._receive_all(self._partial):
                    # After a new start this is less than what was shown before.
                    yield max(0, have - shown)
                    shown = max(shown, have)
                self._partial.publish(self._target)
                Partial.sweep(self._target)
            if self._sync:
                sync_directory(self._directory)
        except BaseException as error:
            self._give_up(error)
            raise

    # -- before the first byte -------------------------------------------------------

    def _prepare(self, filename: str | Callable[[str], bool]) -> None:
        """Find out what there is of the file, and ask for the rest."""
        if callable(filename):
            self._find_left(filename)
            filename = self._name(filename)
        else:
            filename = bare_filename(filename, "The name given for the file")
        self._target = self._directory / filename
        if self._partial is not None:
            return
        if self._is_there():
            self._end_response()
            return
        with explained(self._target):
            self._partial = Partial.claim(self._target)
        if self._partial.size:
            self._take_up(self._partial)
        if self._partial.size and self._digest.hexdigest() == self._expected:
            self._end_response()
            self.total = self._partial.size
        elif self._answer is None or self._partial.size:
            self._end_response()
            self._open()
        else:
            self._adopt(self._partial)

    def _find_left(self, is_called: Callable[[str], bool]) -> None:
        """Take up what a killed process has left under the likely name, before anything is asked."""
        try:
            name = server_filename(self._likely or "", "The name", is_called)
        except MissingFilenameError:
            return
        self._target = self._directory / name
        partial = None if os.path.lexists(self._target) else Partial.left(self._target)
        if partial is not None and partial.size < _NOTED_FROM:
            partial.release()
        elif partial is not None:
            self._partial = partial
            self._take_up(partial)

    def _name(self, is_called: Callable[[str], bool]) -> str:
        """Ask for what is missing of the file, and return the name that the server gives it."""
        partial = self._partial
        if partial is not None and self._digest.hexdigest() == self._expected:
            self.total = partial.size
            return self._target.name
        answer = self._open()
        try:
            return filename_from(answer.headers, is_called)
        except MissingFilenameError as error:
            raise answer.redactor.clean(error)  # noqa: B904 - it is the same one

    def _is_there(self) -> bool:
        try:
            status = self._target.stat()
        except OSError:
            return False
        if stat.S_ISDIR(status.st_mode):
            raise InvalidDestinationError(
                f"'{self._target}' is a directory, and the file would be called so. Give another "
                "name with the `filename` argument, or another destination."
            )
        # The server may have told that it has another length, and so another hash.
        if not stat.S_ISREG(status.st_mode) or self.total not in (None, status.st_size):
            return False
        if file_sha256(self._target, progress=self._progress) != self._expected:
            self._hashed = status.st_size
            return False
        self.total = status.st_size
        return True

    def _take_up(self, partial: Partial) -> None:
        """Hash what an earlier process has left, when it may be of the same file."""
        sha256, etag = partial.recall()
        # Where an answer is open already, another request has to be worth it.
        is_useless = self._answer is not None and (
            not self._may_go_on or partial.size < _NOTED_FROM
        )
        is_too_large = self.total is not None and partial.size > self.total
        if sha256 not in (None, self._expected) or is_useless or is_too_large:
            with explained(self._target):
                partial.restart()
            return
        self._etag = etag or self._etag
        before, size = self._hashed, partial.size
        for done in self._rehash(partial):
            if self._progress is not None:
                self._progress(before + done, before + max(done, size), "hashing")
        logger.info("going on with %s, of which %d bytes are there", self._target, partial.received)
        self._may_go_on = self._is_pieced = self._is_leftover = True

    def _rehash(self, partial: Partial) -> Iterator[int]:
        # Not around the loop over it, where the user's own errors may come up.
        with explained(self._target):
            yield from partial.rehash(self._digest)

    # -- requests --------------------------------------------------------------------

    def _open(self) -> Download:
        """Ask for what is missing, and for all of it where that is not to be had."""
        partial = self._partial
        if partial is not None and partial.size:
            answer = self._open_rest(partial) if self._may_go_on else None
            if answer is not None and answer.status_code == 206:
                return answer
            self._start_over(partial)
        else:
            answer = None
        self._answer = answer = answer or self._stream(self._request)
        if answer.status_code not in (200, 203):
            raise InvalidResponseError(
                f"Could not {self._request.action}: {self._request.path} was answered "
                f"{answer.status_code} instead of the file. Check the server, and whatever "
                "stands between.",
                method=self._request.method,
            )
        self.total = answer.content_length
        self._etag = ranges.strong_etag(answer)
        self._may_go_on = ranges.can_go_on(answer)
        if partial is not None:
            self._adopt(partial)
        return answer

    def _open_rest(self, partial: Partial) -> Download | None:
        """Ask for what is missing; return the answer with it, or one with the whole file."""
        have = partial.size
        end = partial.beyond[0][0] if partial.beyond else None
        headers = {**self._request.headers, **ranges.rest_from(have, self._etag, end)}
        try:
            self._answer = answer = self._stream(self._request._replace(headers=headers))
        except BroodHTTPError as error:
            if error.status_code != 416:  # there is nothing behind what is there
                raise
            return None
        if answer.status_code == 206:
            fits, total = ranges.total_of_rest(answer, have, self._etag, self.total)
            if fits:
                self.total = total
                self._is_pieced = True
                self._adopt(partial)
                return answer
            logger.info("the rest of %s is of another file", self._target)
        elif answer.status_code == 200:
            return answer
        self._end_response()
        return None

    def _stream(self, request: Request) -> Download:
        self._token = CancelToken()
        with self._token.joined():
            return self._session.stream(request)

    def _start_over(self, partial: Partial) -> None:
        with explained(self._target):
            partial.restart()
        self._digest = hashlib.sha256()
        self._etag = None
        self._may_go_on = self._is_pieced = self._is_leftover = False

    def _adopt(self, partial: Partial) -> None:
        """Make ready for the body of an answer."""
        to_come = None if self.total is None else self.total - partial.received
        if to_come is not None:
            check_space(self._target, to_come)
        if self.total is None or self.total >= _NOTED_FROM:
            partial.remember(self._expected, self._etag)
        self._is_leftover = False
        self._pipeline = Pipeline(
            partial.write,
            self._digest.update,
            buffers=_BUFFERS,
            # One byte more than is expected, so that the end is found without another buffer.
            size=BLOCK_SIZE if to_come is None else min(BLOCK_SIZE, to_come + 1),
            threads=to_come is None or to_come > _WORTH_THREADS,
        )

    def _end_begun(self) -> None:
        begun = self._request.begun
        if begun is not None:
            begun.close()
            self._request = self._request._replace(begun=None)

    def _end_response(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()

    # -- the body --------------------------------------------------------------------

    def _receive_all(self, partial: Partial) -> Iterator[int]:
        """Receive until all is there and right; give how many bytes there are by now."""
        failures = ranges.Failures()
        if partial.size:
            yield partial.received
        while self._answer is not None:
            if (version := self._version_to_split(partial, self._answer)) is not None:
                yield from self._receive_segments(partial, self._answer, version)
                if partial.size < version.total:  # the server gives no segments
                    self._go_on_alone()
                    continue
            else:
                try:
                    yield from self._receive(partial.size)
                except TransportError as error:
                    count = failures.add(partial.size)
                    yield from self._pause(count, partial.size, error)
                    self._open()
                    continue
            if self._digest.hexdigest() == self._expected:
                return
            if not self._is_pieced:
                raise self._mismatch()
            # The pieces may be of different versions, or the disk has lost some of the first.
            logger.info("the pieces of %s do not fit together; starting over", self._target)
            self._start_over(partial)
            self._open()

    def _version_to_split(self, partial: Partial, answer: Download) -> Version | None:
        """Return what several connections have to receive; None where one has to do."""
        if self._connections > 1 or partial.beyond:
            # Imported here, for those who download nothing large.
            from hatcher.transfer.segments import version_of

            version = version_of(answer, self._expected, self.total, partial)
            if version is not None and self._session.gives_ranges.get(answer.origin) is not False:
                return version
            if partial.beyond:
                partial.drop_beyond()
        return None

    def _receive_segments(
        self, partial: Partial, answer: Download, version: Version
    ) -> Iterator[int]:
        """Receive the body of an answer, and what other connections bring; do as `_receive`."""
        from hatcher.transfer.segments import SegmentedDownload

        assert self._token is not None
        self._segments = SegmentedDownload(
            self._session, self._request, partial, version, self._connections, self._token
        )
        self._is_pieced = True
        self._connections = 1  # if it has to be begun again
        try:
            yield from self._segments.receive(answer, self._digest)
        finally:
            self._end_response()
        if partial.size < version.total:
            partial.drop_beyond()

    def _go_on_alone(self) -> None:
        """Ask for the rest on one connection, or for the whole where ranges are not to be had."""
        try:
            self._open()
        except (BroodHTTPError, InvalidResponseError) as error:
            logger.info("the whole of %s is asked for: %s", self._target, error)
            self._may_go_on = False
            self._open()
        self._is_pieced = True  # what it answers to a range may be no file at all

    def _receive(self, have: int) -> Iterator[int]:
        """Receive the body of one answer; give how many bytes there are by now."""
        answer, pipeline, token = self._answer, self._pipeline, self._token
        assert answer is not None and pipeline is not None and token is not None
        try:
            has_ended = False
            while not has_ended:
                # Who drives it may be another operation than that which has begun it.
                forget = cancel.watch(token.cancel)
                try:
                    size, has_ended = _fill(pipeline, answer)
                finally:
                    forget()
                have += size
                if self.total is not None and have > self.total:
                    raise InvalidResponseError(
                        f"The download of {self._target.name} has more than the {self.total:,} "
                        "bytes that the server announced; nothing was kept. Check whatever stands "
                        "between here and the server.",
                        method=self._request.method,
                    )
                yield have
        finally:
            # Also when it breaks off: what came before is good.
            try:
                pipeline.finish()
            finally:
                self._end_response()
        if self.total is not None and have < self.total:
            raise IncompleteDownloadError(
                f"The download of {self._target.name} ended after {have} of {self.total} bytes. "
                "Download it again.",
                method=self._request.method,
            )

    def _pause(self, failures: int, have: int, error: TransportError) -> Iterator[int]:
        """Wait a while, with signs of life for those who may have had enough."""
        seconds = pause_before_retry(self._session.retries, "safe", failures, error)
        until = monotonic() + seconds
        while (left := until - monotonic()) > 0:
            pause(min(left, _SIGN_OF_LIFE))
            yield have

    def _mismatch(self) -> ChecksumMismatchError:
        actual = self._digest.hexdigest()
        return ChecksumMismatchError(
            f"What arrived for {self._target.name} has the sha256 {actual} instead of "
            f"{self._expected}. Nothing was kept. Download it again; if it goes on, the file on "
            "the server, or what it was expected to be, is wrong.",
            expected=self._expected,
            actual=actual,
        )

    # -- the end ---------------------------------------------------------------------

    def _give_up(self, error: BaseException | None) -> None:
        """Leave nothing behind, unless it is much and the network is to blame."""
        self._end_begun()
        if self._segments is not None:
            self._segments.stop()
        self._end_response()
        if self._pipeline is not None:
            self._pipeline.close()
        partial, self._partial = self._partial, None
        if partial is None:
            return
        if (
            partial.is_findable
            and partial.received >= KEPT_FROM
            and isinstance(error, HatcherException)
            and (self._is_leftover or isinstance(error, _PASSING))
        ):
            partial.release()
            error.args = (
                f"{error} {partial.received:,} bytes are kept in '{partial.path}'; the same call goes "
                "on from there.",
                *error.args[1:],
            )
        else:
            partial.discard()


def _fill(pipeline: Pipeline, answer: Download) -> tuple[int, bool]:
    """Receive until a buffer is full, or some time has passed.

    Returns
    -------
    size : int
        How many bytes came.
    has_ended : bool
    """
    buffer, filled = pipeline.take(), 0
    until = monotonic() + _AT_LEAST_EVERY
    try:
        while filled < len(buffer):
            size = answer.readinto(buffer[filled:])
            if not size:
                return filled, True
            filled += size
            if monotonic() > until:
                break
        return filled, False
    finally:
        pipeline.put(buffer, filled)
