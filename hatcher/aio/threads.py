"""The calls of the sync graph, awaited: each runs in a worker thread, and is cancelled with its task."""

from __future__ import annotations

import sys
import threading
import time
import warnings
from collections import deque
from collections.abc import Awaitable, Callable
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, cast

import anyio
from anyio import CancelScope, CapacityLimiter, lowlevel

from hatcher.cancel import Cancelled, CancelToken
from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.transfer.progress import Phase, Progress

T = TypeVar("T")

#: Calls of one client that run at the same time, where it is not said; further ones wait.
THREADS = 64

#: Seconds that a cancelled call may take to end, before it is left to end by itself.
_GRACE = 0.15

#: Seconds after which a thread that has nothing to do ends when another one begins something.
_KEPT_FOR = 10.0

#: Seconds between two calls of a callback, which the transfer waits for; not before the last one.
_EVERY = 0.05

#: Seconds that a callback may hold the event loop before debug mode warns of it.
_SLOW = 0.1


class AsyncProgress(Protocol):
    """What async calls take as `progress`: a coroutine function with these parameters.

    A plain function, as of the sync graph, is taken as well. Either is called by the task that
    awaits the call, now and then and at the end of each phase; the transfer waits for it. An
    exception that it raises ends the call and comes out of it.

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
        self._pool: _Pool | None = None

    async def run(self, work: Callable[[], T], token: CancelToken | None = None) -> T:
        """Do something in a worker thread, as one operation; it is cancelled with the task."""
        token, pool = token or CancelToken(), self._here()
        call = _Call(pool, work, token)
        # What a callback asks for cannot wait for the thread that waits for the callback.
        if not _is_answering.get():
            try:
                await lowlevel.checkpoint_if_cancelled()
                try:  # the other way takes a turn of the event loop
                    pool.permits.acquire_on_behalf_of_nowait(call)
                except anyio.WouldBlock:
                    await pool.permits.acquire_on_behalf_of(call)
            except BaseException:
                token.cancel()  # of which this may be but a step
                raise
            call.has_permit = True
        await call.run()
        return call.result()

    async def finish(self, work: Callable[[], T]) -> T:
        """Do something at once in a worker thread that must be done in a cancelled task, too."""
        call = _Call(self._here(), work)
        with CancelScope(shield=True):
            await call.run()
        return call.result()

    async def close(self, work: Callable[[], T]) -> T:
        """Do something as `finish`, and let the threads go that have nothing to do."""
        result = await self.finish(work)
        self._here().dismiss()
        return result

    def leave(self, work: Callable[[], object]) -> None:
        """Have something done in a worker thread that nobody waits for; also from a finalizer."""
        try:
            if self._pool is None:
                raise RuntimeError
            self._pool.soon(self._pool.start, _Call(self._pool, work))
        except RuntimeError:  # there is no event loop, or not any more
            work()

    def _here(self) -> _Pool:
        """Return the threads, if they are those of the event loop that the first call was made in."""
        token: Any = lowlevel.current_token()
        loop = getattr(token, "native_token", token)  # as older versions of anyio return it
        if self._pool is None:
            self._pool = _Pool(loop, self.limit)
        if self._pool.loop is not loop:
            raise HatcherException(
                "This client or cache is used from two event loops, and belongs to the one that it "
                "was first used in. Make one in each: in the function that asyncio.run() or "
                "trio.run() is given."
            )
        return self._pool


class _Pool:
    """Threads, and the permits to use them; only touched from the thread of the event loop.

    They are not those of anyio: on asyncio, a call that is cancelled would give back its permit
    while its thread still works; and the interpreter would wait for all of them at its exit.
    """

    def __init__(self, loop: Any, limit: int) -> None:
        self.loop = loop
        #: Calls a function in the event loop, from any thread, without waiting for it.
        self.soon: Callable[..., object] = (
            getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon
        )
        self.permits = CapacityLimiter(limit)
        #: Since when threads have had nothing to do, and how they are given something.
        self._idle: deque[tuple[float, SimpleQueue[_Call[Any] | None]]] = deque()
        #: What new threads are to do.
        self._new: deque[_Call[Any]] = deque()

    def start(self, call: _Call[Any]) -> None:
        """Have a thread do something."""
        if self._idle:
            self._idle.pop()[1].put(call)
            self.dismiss(time.monotonic() - _KEPT_FOR)
            return
        self._new.append(call)
        if len(self._new) == 1:
            self.soon(self._begin)

    def _begin(self) -> None:
        """Start one new thread: it holds the event loop until it runs, and many would for long."""
        call, calls = self._new.popleft(), SimpleQueue[Any]()
        try:
            threading.Thread(target=_work, args=(calls,), name="hatcher-aio", daemon=True).start()
        except BaseException as error:  # there cannot be so many threads
            call.end((None, error))
        else:
            calls.put(call)
        if self._new:
            self.soon(self._begin)

    def end(
        self, call: _Call[T], outcome: _Outcome[T], calls: SimpleQueue[_Call[Any] | None]
    ) -> None:
        """Take note that a thread has done something."""
        self._idle.append((time.monotonic(), calls))
        call.end(outcome)

    def dismiss(self, until: float = float("inf")) -> None:
        """End the threads that have had nothing to do since then."""
        while self._idle and self._idle[0][0] <= until:
            self._idle.popleft()[1].put(None)

    def __del__(self) -> None:
        self.dismiss()


def _work(calls: SimpleQueue[_Call[Any] | None]) -> None:
    """Do one call after the other, in a thread."""
    while (call := calls.get()) is not None:
        try:
            call.pool.soon(call.pool.end, call, call.outcome(), calls)
        except RuntimeError:  # the event loop is closed, and with it whoever waited
            return
        del call


#: What has come of a call: a result, or an exception.
_Outcome: TypeAlias = tuple[T | None, BaseException | None]
_Question: TypeAlias = Callable[[], Awaitable[None]]


class _Call(Generic[T]):
    """Something that a thread does for a task, which waits, and answers what the thread asks."""

    def __init__(
        self, pool: _Pool, work: Callable[[], T], token: CancelToken | None = None
    ) -> None:
        self.pool, self.has_permit = pool, False
        self._work, self._token, self._context = work, token, copy_context()
        self._news = anyio.Event()
        self._asked: deque[tuple[_Question, SimpleQueue[BaseException | None]]] = deque()
        self._outcome: _Outcome[T] | None = None
        self._is_awaited = True

    # -- in the task ------------------------------------------------------------------

    async def run(self) -> None:
        """Have a thread do it, and wait for that; for a moment only, if the task is cancelled."""
        self.pool.start(self)
        try:
            await self._end()
        except BaseException as error:
            if self._token is not None:
                self._token.cancel()
            try:
                if not isinstance(error, GeneratorExit):  # then it is no task any more
                    with anyio.move_on_after(_GRACE, shield=True):
                        await self._end()
            finally:
                self._is_awaited, self._outcome = False, None
            raise

    async def _end(self) -> None:
        while self._outcome is None:
            await self._news.wait()
            if self._outcome is None:
                self._news = anyio.Event()
            while self._asked:
                await self._answer(*self._asked.popleft())

    async def _answer(self, question: _Question, reply: SimpleQueue[BaseException | None]) -> None:
        if self._token is not None and self._token.is_cancelled:
            return  # the thread knows, and waits no longer
        before = _is_answering.get()
        _is_answering.set(True)
        try:
            await question()
        except Exception as error:
            reply.put(error)
        else:
            reply.put(None)
        finally:
            _is_answering.set(before)

    def end(self, outcome: _Outcome[T]) -> None:
        """Take note that it is done."""
        self._give_back()
        if self._is_awaited:
            self._outcome = outcome
        self._news.set()

    def _give_back(self) -> None:
        if self.has_permit:
            self.has_permit = False
            self.pool.permits.release_on_behalf_of(self)

    def result(self) -> T:
        """Return what has come of it, or raise it."""
        assert self._outcome is not None
        (result, error), self._outcome = self._outcome, None
        if error is None:
            return cast("T", result)
        try:
            raise error
        finally:
            del error  # whose traceback has this frame

    # -- in the thread ----------------------------------------------------------------

    def outcome(self) -> _Outcome[T]:
        """Do it, and return what comes of it."""
        # Let go of here: the context variables have this call, and work may be about an iteration.
        context, work = self._context, self._work
        del self._context, self._work
        try:
            return context.run(self._do, work), None
        except BaseException as error:
            return None, error

    def _do(self, work: Callable[[], T]) -> T:
        _under_way.set(self)
        if "sniffio" in sys.modules:  # no event loop runs in this thread
            sys.modules["sniffio"].current_async_library_cvar.set(None)
        if self._token is None:
            return work()
        with self._token.active():
            return work()

    def ask(self, question: _Question) -> None:
        """Have the task do something, and wait until it has, or is cancelled."""
        reply: SimpleQueue[BaseException | None] = SimpleQueue()
        token = self._token or CancelToken()
        forget = token.attach(lambda: reply.put(Cancelled()))
        try:
            self._asked.append((question, reply))
            self.pool.soon(self._listen)
            error = reply.get()
        finally:
            forget()
        if error is not None:
            raise error

    def _listen(self) -> None:
        self._news.set()


#: The call that a thread is doing; and whether a task is just answering one.
_under_way: ContextVar[_Call[Any]] = ContextVar("hatcher_call")
_is_answering: ContextVar[bool] = ContextVar("hatcher_is_answering", default=False)


class Teller:
    """A `Progress` that has the user's called by the task that waits for the call.

    Parameters
    ----------
    progress : Progress or AsyncProgress
    """

    def __init__(self, progress: AnyProgress) -> None:
        self._progress = progress
        self._phase, self._due = "", 0.0

    def __call__(self, done: int, total: int | None, phase: Phase) -> None:
        """Tell the user, from a worker thread."""
        is_between = phase == self._phase and total is not None and done < total
        if not is_between or time.monotonic() >= self._due:
            _under_way.get().ask(partial(self._tell, done, total, phase))
            self._phase, self._due = phase, time.monotonic() + _EVERY

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
        if isinstance(waiting, Awaitable):
            await waiting


def _is_debugging() -> bool:
    """Whether the event loop, or Python, is in debug mode."""
    try:
        loop = sys.modules["asyncio"].get_running_loop()
    except (KeyError, RuntimeError):  # it is trio's
        return sys.flags.dev_mode
    return bool(loop.get_debug())
