"""The calls of the sync graph, awaited: each runs in a worker thread, and is cancelled with its task."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, TypeVar

import anyio
from anyio import CancelScope, CapacityLimiter, from_thread, lowlevel, to_thread

from hatcher import cancel
from hatcher.cancel import CancelToken
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.transfer.progress import Phase, Progress

T = TypeVar("T")

#: Calls of one client that run at the same time, where it is not said; further ones wait.
THREADS = 64

#: Seconds that a cancelled call may take to end, before it is left to end by itself; and between
#: two looks at whether it has.
_GRACE, _LOOK = 0.15, 0.005

#: Seconds that a callback may hold the event loop before debug mode warns of it.
_SLOW = 0.1


class AsyncProgress(Protocol):
    """What async calls take as `progress`: a coroutine function with these parameters.

    A plain function, as of the sync graph, is taken as well. Either is called on the event loop,
    with the context variables of the call; the transfer waits for it. An exception that it raises
    ends the call and comes out of it.

    Examples
    --------
    >>> async def progress(done, total, phase):
    ...     await websocket.send_json({'done': done, 'total': total})
    >>> await platform.upload_egg('nose-1.3.0-1.egg', progress=progress)
    """

    def __call__(self, done: int, total: int | None, phase: Phase) -> Awaitable[None]:
        """Take note.

        Parameters
        ----------
        done : int
            Bytes so far in this phase.
        total : int or None
            Bytes of the whole phase; None where nobody knows.
        phase : {'hashing', 'uploading', 'downloading', 'indexing'}
            What is being done.
        """


#: What async calls take as `progress`.
AnyProgress: TypeAlias = Progress | AsyncProgress


class Threads:
    """The worker threads of one client, and the event loop that they serve.

    Parameters
    ----------
    limit : int, optional
        Calls that run at the same time; further ones wait for one of them.

    Raises
    ------
    InvalidArgumentError
        The limit is no number from 1.
    """

    def __init__(self, limit: int = THREADS) -> None:
        if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
            raise InvalidArgumentError(
                f"threads is {limit!r}; give the number of calls that may run at the same time, "
                "from 1."
            )
        self.limit = limit
        # The event loop, and what counts the threads for it; known when the first call is awaited.
        self._served: tuple[object, CapacityLimiter] | None = None

    async def run(self, work: Callable[[], T], token: CancelToken | None = None) -> T:
        """Do something in a worker thread, as one operation; it is cancelled with the task."""
        token = token or CancelToken()
        begun, ended = threading.Event(), threading.Event()

        def job() -> T:
            begun.set()
            try:
                with token.active():
                    if token.is_cancelled:
                        raise KeyboardInterrupt  # the task has gone on, and hears of nothing
                    return work()
            finally:
                ended.set()

        try:
            return await to_thread.run_sync(job, abandon_on_cancel=True, limiter=self._limiter())
        except anyio.get_cancelled_exc_class():
            token.cancel()
            with anyio.move_on_after(_GRACE, shield=True):
                while begun.is_set() and not ended.is_set():
                    await anyio.sleep(_LOOK)
            raise

    async def finish(self, work: Callable[[], T]) -> T:
        """Do something in a worker thread that must be done in a cancelled task, too."""
        scope = CancelScope(shield=True)
        with scope:
            result = await self.run(work)
        return result  # noqa: RET504 - a scope might end it, for all that type checkers know

    def _limiter(self) -> CapacityLimiter:
        """Return what counts the threads, for the event loop that the first call was made from."""
        loop = lowlevel.current_token()
        if self._served is None:
            self._served = loop, CapacityLimiter(self.limit)
        if self._served[0] != loop:
            raise HatcherException(
                "This client is used from two event loops, and belongs to the one that it was "
                "first used in. Make a client in each: in the function that asyncio.run() or "
                "trio.run() is given."
            )
        return self._served[1]


class Teller:
    """A `Progress` that calls the user's on the event loop, and waits for it.

    Parameters
    ----------
    progress : Progress or AsyncProgress
    """

    def __init__(self, progress: AnyProgress) -> None:
        self._progress = progress

    def __call__(self, done: int, total: int | None, phase: Phase) -> None:
        """Tell the user, from a worker thread."""
        from_thread.run(self._tell, done, total, phase)

    async def _tell(self, done: int, total: int | None, phase: Phase) -> None:
        begin = time.perf_counter()
        waiting = self._progress(done, total, phase)
        took = time.perf_counter() - begin
        if took > _SLOW and _is_debugging():
            warnings.warn(
                f"progress={self._progress!r} held the event loop for {took:.2f} s, and with it "
                "all other tasks. Give a coroutine function that awaits what takes long.",
                RuntimeWarning,
                stacklevel=1,
            )
        if waiting is not None:
            with CancelScope() as scope:  # the thread waits for it no longer than the call lasts
                forget = cancel.watch(scope.cancel)
                try:
                    await waiting
                finally:
                    forget()


def _is_debugging() -> bool:
    """Whether the event loop, or Python, is in debug mode."""
    try:
        loop = sys.modules["asyncio"].get_running_loop()
    except (KeyError, RuntimeError):  # it is trio's
        return sys.flags.dev_mode
    return bool(loop.get_debug())
