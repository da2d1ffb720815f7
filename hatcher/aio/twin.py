"""What stands for an object of the sync graph in an async program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, KeysView, ValuesView
from contextlib import AbstractContextManager, asynccontextmanager, suppress
from contextvars import Context, copy_context
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar, Generic, NoReturn, Self, TypeVar

from hatcher.aio.threads import THREADS, Teller, Threads
from hatcher.cancel import CancelToken
from hatcher.core.brood_client import BroodClient
from hatcher.errors import HatcherException, InvalidArgumentError

T = TypeVar("T")
Y = TypeVar("Y")
W = TypeVar("W", bound="Twin")

_END: Any = object()


class Twin:
    """What stands for an object of the sync graph: it has its methods, and they are awaited.

    It is equal to another one whose object is equal, and can be a key of a dict.
    """

    __slots__ = ("_sync", "_threads")

    _sync: Any
    _threads: Threads

    #: The classes, by the names of those that they stand for.
    _kinds: ClassVar[dict[str, type[Twin]]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__module__ == "hatcher.aio.graph":
            Twin._kinds[cls.__name__.removeprefix("Async")] = cls

    @classmethod
    def _of(cls, sync: Any, threads: Threads) -> Self:
        """Return what stands for an object of the sync graph."""
        twin = cls.__new__(cls)
        twin._set(sync, threads)
        return twin

    def _set(self, sync: Any, threads: Threads) -> None:
        object.__setattr__(self, "_sync", sync)
        object.__setattr__(self, "_threads", threads)

    async def _run(self, method: Callable[..., T], /, *arguments: Any, **named: Any) -> T:
        """Call a method of the sync graph in a worker thread."""
        return await self._threads.run(call(method, arguments, named))

    async def _begin(
        self, method: Callable[..., tuple[T, Iterator[Y]]], /, *arguments: Any, **named: Any
    ) -> tuple[T, Iteration[Y]]:
        """Call a method as `_run` does; what it returns as an iterator is an async one."""
        iteration: Iteration[Y] = Iteration._of(None, self._threads)
        begin = call(method, arguments, named)

        def step() -> T:
            first, iteration._sync = begin()
            return first

        return await iteration._step(step), iteration

    @asynccontextmanager
    async def _within(
        self, method: Callable[..., AbstractContextManager[T]], /, *arguments: Any, **named: Any
    ) -> AsyncIterator[T]:
        """Enter what a method of the sync graph returns, and leave it at the end."""
        manager, token = call(method, arguments, named)(), CancelToken()
        to_leave: list[AbstractContextManager[T]] = []

        def enter() -> T:
            value = manager.__enter__()
            to_leave.append(manager)
            if token.is_cancelled:  # maybe nobody waits for it any more
                leave(None)
            return value

        def leave(error: BaseException | None) -> bool | None:
            with suppress(IndexError):  # it is left once, by whoever is first
                left = to_leave.pop()
                if error is None:
                    return left.__exit__(None, None, None)
                return left.__exit__(type(error), error, error.__traceback__)
            return None

        try:
            yield await self._threads.run(enter, token)
        except BaseException as error:
            if not await self._threads.finish(partial(leave, error)):
                raise
        else:
            await self._threads.finish(partial(leave, None))

    if not TYPE_CHECKING:  # which would take all names for known

        def __getattr__(self, name: str) -> NoReturn:
            advice = ""
            if name in ("_names", "_session"):
                advice = (
                    ". It is of hatcher.aio: give it to what is there, such as hatcher.aio.mirror, "
                    "instead of hatcher.mirror"
                )
            raise AttributeError(
                f"'{type(self).__name__}' object has no attribute '{name}'{advice}",
                name=name,
                obj=self,
            )

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"'{name}' of {self!r} cannot be set. Make another one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"'{name}' of {self!r} cannot be deleted.")

    def __eq__(self, other: object) -> bool:
        return bool(self._sync == other._sync) if isinstance(other, Twin) else NotImplemented

    def __bool__(self) -> bool:
        return bool(self._sync)

    def __hash__(self) -> int:
        return hash((Twin, self._sync))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self._sync, self._threads.limit)

    def __copy__(self) -> Self:
        return self._of(self._sync, self._threads)

    def __str__(self) -> str:
        own = str(self._sync)
        return repr(self) if own == repr(self._sync) else own

    def __repr__(self) -> str:
        own = repr(self._sync)
        if " at 0x" in own:  # it has none, and neither has its twin
            return object.__repr__(self)
        return f"<Async{own[1:]}" if own.startswith("<") else f"Async{own}"

    def _repr_html_(self) -> str | None:
        own = getattr(self._sync, "_repr_html_", None)
        return own and f"Async{own()}"


class ClientTwin(Twin):
    """What of an `AsyncBroodClient` is not as of a `BroodClient`."""

    __slots__ = ()

    def __init__(self, client: BroodClient, *, threads: int = THREADS) -> None:
        if not isinstance(client, BroodClient):
            raise InvalidArgumentError(
                f"An AsyncBroodClient cannot be made of a {type(client).__name__}. Use "
                "AsyncBroodClient.from_url, or give a BroodClient."
            )
        self._set(client, Threads(threads))

    @classmethod
    def _of(cls, sync: Any, threads: Threads) -> Self:
        client = cls(sync, threads=threads.limit)
        client._set(sync, threads)
        return client

    @property
    def api_version(self) -> int:
        """The version of Brood's API that this client speaks: 0 or 1.

        Of a client that was made with 'newest', it is known when a method has asked the server
        for something, such as `list_platforms`.

        Raises
        ------
        HatcherException
            It is not known yet.
        """
        version = self._sync._session.shown_version
        if isinstance(version, int):
            return version
        raise HatcherException(
            "The server has not been asked yet which version of the API it speaks. Await a method "
            "of the client before, such as client.list_platforms()."
        )

    async def close(self) -> None:
        """Close the connections; the graph of this client cannot be used after that."""
        await self._threads.close(self._sync.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class Iteration(Twin, AsyncIterator[Y], Generic[Y]):
    """An iterator of the sync graph, whose steps are awaited.

    Cancelling a step ends all of it. Who leaves it early closes it: by ``async with``, or `close`.

    Examples
    --------
    >>> total, sizes = await platform.iter_download_egg('cp311', 'nose', '1.3.0-1', '.')
    >>> async with sizes:
    ...     async for size in sizes:
    ...         bar.update(size)
    """

    __slots__ = ("_context", "_lock", "_token")

    __setattr__ = object.__setattr__  # type: ignore[assignment]

    #: Cancels all steps, which run one at a time, in one context.
    _token: CancelToken
    _lock: Lock
    _context: Context | None

    @classmethod
    def _of(cls, sync: Any, threads: Threads) -> Self:
        iteration = super()._of(sync, threads)
        iteration._token, iteration._lock, iteration._context = CancelToken(), Lock(), None
        return iteration

    async def _step(self, work: Callable[[], T]) -> T:
        """Do something in a worker thread, always in the same context and operation."""
        return await self._threads.run(partial(self._do, work), self._token)

    def _do(self, work: Callable[[], T]) -> T:
        if not self._lock.acquire(blocking=False):
            raise HatcherException("Another task waits for the next item already.")
        try:
            if self._context is None:
                self._context = copy_context()
            return self._context.run(work)
        finally:
            self._lock.release()
            if self._token.is_cancelled:
                _end(self._sync, self._lock)

    async def __anext__(self) -> Y:
        value = await self._step(lambda: next(self._sync, _END))
        if value is _END:
            raise StopAsyncIteration
        twin: Y = twin_of(value, self._threads)
        return twin

    async def close(self) -> None:
        """End it, if it has not come to its end."""
        if self._lock.locked():
            self._token.cancel()
        await self._threads.finish(partial(_end, self._sync, self._lock))

    #: As async generators call it, for `contextlib.aclosing`.
    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __del__(self) -> None:
        if not self._token.is_cancelled:
            self._token.cancel()
            self._threads.leave(partial(_end, self._sync, self._lock))


def _end(sync: Any, lock: Lock) -> None:
    """Close an iterator, unless a thread is in it, which does so itself as it was cancelled."""
    if sync is not None and lock.acquire(blocking=False):
        try:
            sync.close()
        finally:
            lock.release()


def twin_of(sync: Any, threads: Threads) -> Any:
    """Return what stands for an object of the graph; the object itself, when it is plain data."""
    kind = Twin._kinds.get(type(sync).__name__)
    return sync if kind is None else kind._of(sync, threads)


def near(*given: Any) -> Twin:
    """Return the first twin among some arguments; one with threads of its own, if there is none."""
    twins = (each for each in given if isinstance(each, Twin))
    twin = next(twins, None)
    return Twin._of(None, Threads()) if twin is None else twin


def call(
    function: Callable[..., T], arguments: tuple[Any, ...], named: dict[str, Any]
) -> Callable[[], T]:
    """Return a call of the sync graph, made of one with twins and async callbacks."""
    progress = named.get("progress")
    if progress is not None:
        named["progress"] = Teller(progress)
    return lambda: function(*map(plain, arguments), **{key: plain(named[key]) for key in named})


def plain(value: Any) -> Any:
    """Return what the sync graph takes for an argument: twins become what they stand for."""
    if isinstance(value, Twin):
        return value._sync
    if type(value) in (list, tuple, set, frozenset):
        return type(value)(map(plain, value))
    return map(plain, value) if isinstance(value, Iterator | KeysView | ValuesView) else value


def _unpickle(kind: type[W], sync: Any, limit: int) -> W:
    return kind._of(sync, Threads(limit))
