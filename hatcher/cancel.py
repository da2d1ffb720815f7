"""Cancelling operations: one token for each, whichever threads work on it.

What was cancelled ends at its next block with `Cancelled`, as if Ctrl-C had arrived there: requests
are broken off, and whatever loops, pauses or waits for another thread looks, by the functions below.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from queue import Empty, SimpleQueue
from typing import Protocol, TypeVar
from weakref import ref

from hatcher.errors import TransferInterruptedError

T = TypeVar("T")

#: Seconds after which a thread that waits for another one looks whether it was cancelled.
LOOK = 0.05


class Cancelled(KeyboardInterrupt):
    """The operation was cancelled: no error of what it was busy with. It goes the way of Ctrl-C."""


class CancelToken:
    """Cancels one operation, and no other.

    What runs in a thread inside ``with token.active():`` belongs to the operation. A token
    created there is cancelled together with the outer one.
    """

    def __init__(self) -> None:
        self._is_cancelled = False
        # Only used by single operations, which are atomic: finalizers must not wait for a lock.
        self._ends: dict[int, Callable[[], object]] = {}
        outer, me = current(), ref(self)
        # The outer one may live much longer, and does not keep this one.
        self._leave = _yes if outer is None else outer.attach(lambda: _cancel(me()))

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._is_cancelled

    def cancel(self) -> None:
        """End what is under way, and whatever begins later before it begins."""
        self._is_cancelled = True
        while self._ends:
            with suppress(KeyError):  # it has just been forgotten
                self._ends.popitem()[1]()

    def wait(self, seconds: float) -> bool:
        """Wait; return whether `cancel` was called meanwhile."""
        cancelled = threading.Event()
        forget = self.attach(cancelled.set)
        try:
            return cancelled.wait(seconds)
        finally:
            forget()

    def attach(self, end: Callable[[], object]) -> Callable[[], bool]:
        """Have `end` called once when it is cancelled; return a function that undoes this.

        That function returns whether `end` was not called, and will not be.
        """
        key = id(end)
        self._ends[key] = end

        def forget() -> bool:
            # Popping decides who owns `end`: what it ends may be another's later.
            return self._ends.pop(key, None) is not None

        if self.is_cancelled and forget():
            end()
        return forget

    def __del__(self) -> None:
        self._leave()

    @contextmanager
    def active(self) -> Iterator[None]:
        """Make it the token of all that this thread does inside the block.

        Raises
        ------
        TransferInterruptedError
            It was cancelled before the end of the block.
        """
        before = _current.set(self)
        try:
            check()
            yield
        except KeyboardInterrupt:  # a batch makes another one of it
            if not self.is_cancelled:
                raise
            raise TransferInterruptedError(
                "The operation was cancelled before it was complete."
            ) from None
        finally:
            _current.reset(before)

    @contextmanager
    def joined(self) -> Iterator[None]:
        """Do as `active` for a part of an operation, which ends with `Cancelled` itself."""
        before = _current.set(self)
        try:
            yield
        finally:
            _current.reset(before)


_current: ContextVar[CancelToken | None] = ContextVar("hatcher_cancel_token", default=None)


def current() -> CancelToken | None:
    """Return the token of the operation that this thread works on, if it has one."""
    return _current.get()


def watch(end: Callable[[], object]) -> Callable[[], bool]:
    """Do as `CancelToken.attach` for the operation of this thread, if it has one."""
    token = _current.get()
    return _yes if token is None else token.attach(end)


def is_cancelled() -> bool:
    """Whether the operation that this thread works on was cancelled."""
    token = _current.get()
    return token is not None and token.is_cancelled


def check() -> None:
    """End the operation that this thread works on, if it was cancelled.

    Raises
    ------
    Cancelled
    """
    if is_cancelled():
        raise Cancelled


def sleep(seconds: float) -> None:
    """Wait, but no longer than until the operation of this thread is cancelled.

    Raises
    ------
    Cancelled
    """
    token = _current.get()
    if token is None:
        time.sleep(seconds)
    elif token.wait(seconds):
        raise Cancelled


def got(queue: SimpleQueue[T], seconds: float | None = None) -> T:
    """Return what comes next out of a queue, unless the operation of this thread is cancelled.

    Parameters
    ----------
    queue : SimpleQueue
    seconds : float, optional
        How long to wait at most.

    Raises
    ------
    Empty
        Nothing has come by then.
    Cancelled
    """
    check()
    if not queue.empty():  # mostly so, and then no clock is asked
        with suppress(Empty):
            return queue.get_nowait()
    until = None if seconds is None else time.monotonic() + seconds
    while True:
        check()
        left = LOOK if until is None else max(0.0, until - time.monotonic())
        try:
            return queue.get(timeout=min(left, LOOK))
        except Empty:
            if left == 0:
                raise


class _Lock(Protocol):
    def acquire(self, blocking: bool = ..., timeout: float = ...) -> bool: ...

    def release(self) -> None: ...


class holding:  # noqa: N801 - as threading's locks, used by `with`
    """Hold a lock for the block; an operation that is cancelled waits for it no longer.

    For locks that others hold for as long as requests, files or processes take.
    """

    __slots__ = ("_lock",)

    def __init__(self, lock: _Lock) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            while not self._lock.acquire(timeout=LOOK):
                check()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@contextmanager
def shielded() -> Iterator[None]:
    """Bring something to its end inside the block, also when the operation was cancelled."""
    before = _current.set(None)
    try:
        yield
    finally:
        _current.reset(before)


def _yes() -> bool:
    return True


def _cancel(token: CancelToken | None) -> None:
    if token is not None:
        token.cancel()
