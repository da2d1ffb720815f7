"""Cancelling operations: one token for each, whichever threads work on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from weakref import ref


class CancelToken:
    """Cancels the requests and pauses of one operation, and of no other.

    What runs in a thread inside ``with token.active():`` belongs to the operation. A token
    created there is cancelled together with the outer one.
    """

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        # Only used by single operations, which are atomic: finalizers must not wait for a lock.
        self._ends: dict[int, Callable[[], object]] = {}
        outer, me = current(), ref(self)
        # The outer one may live much longer, and does not keep this one.
        self._leave = _yes if outer is None else outer.attach(lambda: _cancel(me()))

    @property
    def is_cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled.is_set()

    def cancel(self) -> None:
        """End what is under way, and whatever begins later before it begins."""
        self._cancelled.set()
        while self._ends:
            with suppress(KeyError):  # it has just been forgotten
                self._ends.popitem()[1]()

    def sleep(self, seconds: float) -> bool:
        """Wait; return whether `cancel` was called meanwhile."""
        return self._cancelled.wait(seconds)

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
        """Make it the token of what this thread does inside the block."""
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


def _yes() -> bool:
    return True


def _cancel(token: CancelToken | None) -> None:
    if token is not None:
        token.cancel()
