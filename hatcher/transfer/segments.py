"""One large file over several connections: each receives the next segment that nobody has.

The first connection goes on with the answer that it has, from the front; it is cut where another
connection has begun. All write into one file, each at its place, and the hash follows in order.
"""

from __future__ import annotations

import logging
import threading
from bisect import insort
from collections.abc import Iterator
from contextvars import copy_context
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from hatcher import cancel
from hatcher.cancel import Cancelled, CancelToken
from hatcher.errors import (
    HatcherException,
    IncompleteDownloadError,
    InvalidResponseError,
    PermissionDeniedError,
    TransportError,
)
from hatcher.files.blocks import BLOCK_SIZE, new_buffer
from hatcher.files.partial import HAS_PLACES, Partial
from hatcher.transfer import ranges
from hatcher.transport.retry import RetryPolicy, overload_pause, pause, pause_before_retry

if TYPE_CHECKING:
    from hashlib import _Hash

    from hatcher.transport.download import Download
    from hatcher.transport.request import Request
    from hatcher.transport.session import Session

logger = logging.getLogger("hatcher")

#: Bytes of a file from which on several connections may be worth it.
SPLIT_FROM = 16_000_000

#: Bytes of a segment at most, and at least, or so many seconds where that is more: each costs a
#: round trip. They become smaller towards the end, so that no connection is the last for long.
_LARGEST, _LONGEST = 8 * 1024 * 1024, 1.0
_SMALLEST, _SHORTEST = 512 * 1024, 0.3

#: Seconds that a segment still takes from which on a connection with nothing to do takes half.
_WORTH_HALVING = 0.8

#: Bytes at the front that the first connection has for itself at most: the hash waits for them.
_FIRST_PART = 64 * 1024 * 1024

#: Bytes that are written at a time; what a killed process has not written is sent twice.
_BLOCK = 256 * 1024

#: Seconds between two signs of life.
_SIGN_OF_LIFE = 0.1

#: Seconds to wait for a thread that is connecting.
_END_OF_ASKING = 1.0

_ONCE = RetryPolicy(0)


class Version(NamedTuple):
    """Which file it is, as all its segments must say.

    Attributes
    ----------
    sha256 : str
    etag : str
    total : int
        In bytes.
    """

    sha256: str
    etag: str
    total: int


def version_of(answer: Download, sha256: str, total: int | None, have: Partial) -> Version | None:
    """Return of which version the segments must be; None where one connection has to do."""
    etag = ranges.strong_etag(answer)
    if not HAS_PLACES or etag is None or total is None or total < SPLIT_FROM:
        return None
    if have.beyond and have.beyond[-1][1] > total:
        return None
    is_worth_it = have.beyond or total - have.size >= 4 * _SMALLEST
    return Version(sha256, etag, total) if is_worth_it and ranges.may_split(answer) else None


class _NotThatSegmentError(InvalidResponseError):
    """The answer is not the segment that was asked for."""


class _Segment:
    """From `start` to `have` it is there, and up to `end` it is to come."""

    __slots__ = ("begun", "end", "have", "start")

    def __init__(self, start: int, have: int, end: int) -> None:
        self.start, self.have, self.end = start, have, end
        self.begun = monotonic()

    @property
    def rate(self) -> float:
        """Bytes that arrive in a second."""
        return (self.have - self.start) / max(monotonic() - self.begun, 0.001)

    @property
    def seconds_left(self) -> float:
        """How long it still takes at that rate."""
        return (self.end - self.have) / max(self.rate, 1.0)

    def __lt__(self, other: _Segment) -> bool:
        return self.start < other.start


class _Lane:
    """A thread with a connection."""

    def __init__(self, answer: Download | None, *, is_spare: bool) -> None:
        self.answer = answer
        #: Whether it writes into the file, or may do so at any moment.
        self.is_writing = answer is not None
        self.is_spare = is_spare
        self.token = CancelToken()
        self.thread: threading.Thread | None = None


class SegmentedDownload:
    """The rest of a file on its way over several connections.

    Parameters
    ----------
    session : Session
    request : Request
    partial : Partial
        What it is written into.
    version : Version
    connections : int
        How many to use at most.
    token : CancelToken
        Of the answer that is given to `receive`; is cancelled when it ends.
    """

    def __init__(
        self,
        session: Session,
        request: Request,
        partial: Partial,
        version: Version,
        connections: int,
        token: CancelToken,
    ) -> None:
        self._session = session
        self._request = request
        self._partial = partial
        self._version = version
        self._token = token
        self._limit = connections
        self._changed = threading.Condition()
        #: Those that are under way or done behind the front, and what nobody has taken yet.
        self._segments = [_Segment(first, end, end) for first, end in partial.beyond]
        self._gaps: list[tuple[int, int]] = []
        #: What the answer that was given to `receive` is still received for.
        self._first: _Segment | None = None
        self._lanes: list[_Lane] = []
        self._at_work = 0
        self._front = self._hashed = partial.size
        self._received = partial.received
        self._not_before = self._halved = 0.0
        self._is_ending = self._is_refused = self._has_tried = False
        self._error: BaseException | None = None

    def receive(self, answer: Download, digest: _Hash) -> Iterator[int]:
        """Receive the rest into the file and the digest; give how many bytes there are by now.

        When it ends before all is there, the server gives no segments: `size` of the partial file
        says what is hashed of it, and one connection has to go on.

        Parameters
        ----------
        answer : Download
            Whose body is the rest of the file.
        digest : hashlib's
            Has what is there up to the first gap.

        Raises
        ------
        HatcherException
            Nobody comes any further.
        OSError
        """
        buffer = new_buffer(BLOCK_SIZE)
        self._begin(answer)
        try:
            while self._hashed < self._version.total:
                self._staff(answer)
                if not self._hash(buffer, digest) and self._has_failed():
                    break
                cancel.check()
                yield self._received
        except BaseException:
            self.stop()
            raise
        self.stop(is_done=True)

    def stop(self, *, is_done: bool = False) -> None:
        """End all threads, and note what there is; may be called again."""
        with self._changed:
            self._is_ending = True
            self._changed.notify_all()
        if not is_done:
            self._token.cancel()
        threads = [lane.thread for lane in self._lanes if lane.thread is not None]
        if threading.current_thread() not in threads:  # where the collector may call it
            until = monotonic() + _END_OF_ASKING
            for lane, thread in zip(self._lanes, threads, strict=True):
                # One that is connecting looks at `_is_ending` before it does anything more.
                thread.join(None if lane.is_writing else max(0.0, until - monotonic()))
        if is_done:
            self._token.cancel()
        self._lanes = []

    # -- in the thread that drives it -------------------------------------------------------

    def _begin(self, answer: Download) -> None:
        """Share out what is missing, and let the first connection go on with its answer."""
        self._partial.open_places()
        at = self._front
        for segment in [*self._segments, _Segment(self._version.total, 0, 0)]:
            if at < segment.start:
                self._gaps.append((at, segment.start))
            at = segment.have
        start, end = self._gaps.pop(0)
        missing = self._version.total - self._received
        size = max(2 * _SMALLEST, min(_FIRST_PART, missing // (2 * self._limit)))
        if self._limit > 1 and end - start > 2 * size:
            self._gaps.insert(0, (start + size, end))
            end = start + size
        self._first = _Segment(start, start, end)
        insort(self._segments, self._first)
        self._start(answer)

    def _start(self, answer: Download | None = None, *, is_spare: bool = False) -> None:
        with self._token.joined():
            lane = _Lane(answer, is_spare=is_spare)
        # Daemons: the exit of the interpreter waits for no transfer that was given up.
        lane.thread = threading.Thread(
            target=copy_context().run, args=(self._work, lane), name="hatcher-transfer", daemon=True
        )
        self._at_work += 1
        self._lanes.append(lane)
        lane.thread.start()

    def _staff(self, answer: Download) -> None:
        """Start what may be started: one connection that tries it, and then the others."""
        is_known = self._has_tried or self._session.gives_ranges.get(answer.origin)
        with self._changed:
            limit = self._limit if is_known else min(2, self._limit)
            while (
                self._at_work < limit
                and not self._is_refused
                and (self._gaps or self._slowest() is not None)
            ):
                # One is always there; the others may be wanted elsewhere.
                is_spare = self._at_work > 0
                if is_spare and not self._session.spare_connections.acquire(blocking=False):
                    break
                self._start(is_spare=is_spare)

    def _hash(self, buffer: memoryview, digest: _Hash) -> bool:
        """Hash the next bytes, or wait a while for more; return whether there are some."""
        with self._changed:
            if self._front - self._hashed < len(buffer) and not self._is_over():
                self._changed.wait(_SIGN_OF_LIFE)
            size = min(len(buffer), self._front - self._hashed)
            if size < len(buffer) and not self._is_over():
                return True
        size = self._partial.read_at(buffer[:size], self._hashed)
        digest.update(buffer[:size])
        self._hashed += size
        self._partial.flush_to(self._hashed)
        return size > 0

    def _is_over(self) -> bool:
        return self._at_work == 0 or self._front == self._version.total or self._is_fatal()

    def _is_fatal(self) -> bool:
        return self._error is not None and not isinstance(self._error, HatcherException)

    def _has_failed(self) -> bool:
        """Whether nobody goes on, since ranges are not to be had; raise what else has failed."""
        with self._changed:
            if self._error is not None and (self._is_fatal() or self._limit < 1):
                raise self._error
            return self._at_work == 0 and (self._is_refused or not self._gaps)

    # -- in the thread of a connection ------------------------------------------------------

    def _work(self, lane: _Lane) -> None:
        segment: _Segment | None = None
        try:
            with lane.token.joined():
                segment = self._first if lane.answer is not None else self._claim()
                while segment is not None:
                    self._complete(segment, lane)
                    segment = self._claim(segment.rate)
        except BaseException as error:
            self._give_back(segment, error)
        finally:
            if lane.is_spare:
                self._session.spare_connections.release()
            with self._changed:
                self._at_work -= 1
                self._changed.notify_all()

    def _claim(self, rate: float = 0.0) -> _Segment | None:
        """Take the next segment; None when there is none, or there are too many connections.

        Parameters
        ----------
        rate : float
            Bytes that the connection has brought in a second.
        """
        with self._changed:
            if self._is_ending or self._at_work > self._limit:
                return None
            if not self._gaps and (slowest := self._slowest()) is not None:
                middle = slowest.have + (slowest.end - slowest.have) // 2
                self._gaps.append((middle, slowest.end))
                slowest.end = middle
            if not self._gaps:
                return None
            start, end = self._gaps.pop(0)
            left = end - start + sum(last - first for first, last in self._gaps)
            share = left // self._limit
            size = min(2 * share // 3, max(_LARGEST, int(rate * _LONGEST)))
            size = max(size, _SMALLEST, min(share, int(rate * _SHORTEST)))
            if end - start >= size + _SMALLEST // 2:
                self._gaps.insert(0, (start + size, end))
                end = start + size
            segment = _Segment(start, start, end)
            insort(self._segments, segment)
        return segment

    def _slowest(self) -> _Segment | None:
        """Return the segment under way that takes longest, if it is worth halving."""
        begun = monotonic() - _WORTH_HALVING  # of those that are younger nothing is known
        under_way = (
            one for one in self._segments if one.end - one.have >= 2 * _BLOCK and one.begun < begun
        )
        slowest = max(under_way, key=lambda one: one.seconds_left, default=None)
        if slowest is None or slowest.seconds_left < _WORTH_HALVING:
            return None
        return slowest

    def _complete(self, segment: _Segment, lane: _Lane) -> None:
        """Receive a segment, as often as it takes."""
        failures = ranges.Failures()
        while segment.have < segment.end and not self._is_ending:
            begun = monotonic()
            try:
                with lane.answer or self._ask(segment, lane) as answer:
                    self._receive(segment, answer)
            except HatcherException as error:
                count = failures.add(segment.have)
                self._leave_answer(lane)
                pause(self._pause(error, count, begun))
            finally:
                self._leave_answer(lane)

    def _leave_answer(self, lane: _Lane) -> None:
        with self._changed:
            if lane.answer is not None:
                lane.answer = self._first = None
            lane.is_writing = False
            self._changed.notify_all()

    def _ask(self, segment: _Segment, lane: _Lane) -> Download:
        """Ask for what is missing of a segment."""
        first, end, version = segment.have, segment.end, self._version
        headers = {**self._request.headers, **ranges.rest_from(first, version.etag, end)}
        if (seconds := self._not_before - monotonic()) > 0:
            pause(seconds)
        answer = self._session.stream(
            self._request._replace(headers=headers, may_be_missing=True), _ONCE
        )
        is_right = ranges.is_segment(answer, first, end, version.etag, version.total)
        with self._changed:
            # From here on it is waited for before anybody else writes there.
            lane.is_writing = is_right and not self._is_ending and not lane.token.is_cancelled
            if lane.is_writing:
                self._has_tried = self._session.gives_ranges[answer.origin] = True
                self._changed.notify_all()
                return answer
        answer.close()
        if answer.status_code == 200 and ranges.strong_etag(answer) == version.etag:
            self._session.gives_ranges[answer.origin] = False
        raise _NotThatSegmentError(f"bytes {first} to {end - 1} were answered {answer.status_code}")

    def _receive(self, segment: _Segment, answer: Download) -> None:
        """Receive an answer up to the end of the segment, which may come nearer meanwhile."""
        buffer = new_buffer(_BLOCK)
        while self._goes_on(segment):
            size = answer.readinto(buffer[: segment.end - segment.have])
            if not size:
                raise IncompleteDownloadError(
                    f"Could not {self._request.action}: an answer with a part of the file ended "
                    f"{segment.end - segment.have:,} bytes too early. Download it again.",
                    method=self._request.method,
                )
            if self._is_ending:
                return
            self._partial.write_at(buffer[:size], segment.have)
            self._note(segment, size)

    def _note(self, segment: _Segment, size: int) -> None:
        """Note that so many bytes of a segment have been written."""
        with self._changed:
            segment.have += size
            self._received += size
            while self._segments and self._segments[0].start <= self._front:
                self._front = max(self._front, self._segments[0].have)
                if self._segments[0].have < self._segments[0].end:
                    break
                self._segments.pop(0)
            self._partial.size, self._partial.beyond = self._front, self._beyond()
            self._partial.remember(self._version.sha256, self._version.etag)
            if self._front - self._hashed >= BLOCK_SIZE or self._front == self._version.total:
                self._changed.notify_all()

    def _beyond(self) -> list[tuple[int, int]]:
        """Return what is there behind the first gap."""
        pieces: list[tuple[int, int]] = []
        for segment in self._segments:
            if segment.have == segment.start or segment.have <= self._front:
                continue
            if pieces and pieces[-1][1] == segment.start:
                pieces[-1] = pieces[-1][0], segment.have
            else:
                pieces.append((segment.start, segment.have))
        return pieces

    def _goes_on(self, segment: _Segment) -> bool:
        """Whether more of a segment is to be received; the first one may become longer."""
        with self._changed:
            if segment is self._first:
                if segment.have == segment.end:
                    self._prolong(segment)
                if self._is_refused:
                    self._take_all(segment)
            return segment.have < segment.end and not self._is_ending

    def _prolong(self, first: _Segment) -> None:
        """Have the first answer go on where nobody has begun, or has tried to in vain."""
        while not (self._has_tried or self._is_refused or self._is_ending) and self._at_work > 1:
            self._changed.wait(_SIGN_OF_LIFE)
        if self._gaps and self._gaps[0][0] == first.end:
            start, end = self._gaps.pop(0)
            if self._front == first.end:
                insort(self._segments, first)  # `_note` had done with it
            first.end = min(end, start + _LARGEST)
            if first.end < end:
                self._gaps.insert(0, (first.end, end))

    def _take_all(self, first: _Segment) -> None:
        """Have the first answer go on to the end, once no other connection writes any more."""
        if self._front > first.have:
            return  # others have gone on behind it, and that is hashed
        while sum(lane.is_writing for lane in self._lanes) > 1 and not self._is_ending:
            self._changed.wait(_SIGN_OF_LIFE)
        self._segments, self._gaps = [first], []
        self._received, first.end = first.have, self._version.total

    # -- when something fails ---------------------------------------------------------------

    def _pause(self, error: HatcherException, failures: int, begun: float) -> float:
        """Return how long to wait before another try; raise the error where there is none."""
        if self._is_ending:
            raise error
        wanted = overload_pause(self._session.retries, error)
        if wanted is not None:
            with self._changed:
                self._halve(error, wanted, begun)
                if self._at_work > self._limit:
                    raise error
        elif isinstance(error, PermissionDeniedError) and failures == 1:
            return 0.0  # the signature of a redirect has expired
        elif not isinstance(error, TransportError):
            self._refuse()
            raise error
        return pause_before_retry(self._session.retries, "safe", failures, error)

    def _halve(self, error: HatcherException, wanted: float, begun: float) -> None:
        """Use half as many connections, once for all requests that were refused together."""
        self._not_before = max(self._not_before, monotonic() + wanted)
        if begun > self._halved:
            self._limit = max(1, min(self._limit, self._at_work) // 2)
            self._halved = monotonic()
            logger.info("%s: %d connections from now on", error, self._limit)

    def _refuse(self) -> None:
        """Go on with one connection: the first one, as long as its answer lasts."""
        with self._changed:
            self._is_refused, self._limit = True, min(self._limit, 1)
            others = self._lanes[1:] if self._first is not None else []
        for lane in others:
            lane.token.cancel()

    def _give_back(self, segment: _Segment | None, error: BaseException) -> None:
        """Leave the rest of a segment to the other connections; this one has failed."""
        with self._changed:
            if segment is not None and segment.have < segment.end:
                insort(self._gaps, (segment.have, segment.end))
                segment.end = segment.have
            if self._is_ending or isinstance(error, Cancelled):
                return
            if not isinstance(error, HatcherException):
                self._error = error
            elif not self._is_refused and self._at_work <= self._limit:
                self._limit -= 1
                self._error = error
            logger.info("a connection less for %s: %s", self._partial.path, error)
