"""What stands for an object of the sync graph in an async program."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar

from hatcher.aio.threads import Teller, Threads
from hatcher.cancel import CancelToken
from hatcher.errors import HatcherException

if TYPE_CHECKING:
    from hatcher.core.brood_client import BroodClient

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
        twin._sync, twin._threads = sync, threads
        return twin

    async def _run(self, method: Callable[..., T], /, *arguments: Any, **named: Any) -> T:
        """Call a method of the sync graph in a worker thread."""
        return await self._threads.run(call(method, arguments, named))

    async def _begin(
        self, method: Callable[..., tuple[T, Iterator[Y]]], /, *arguments: Any, **named: Any
    ) -> tuple[T, Iteration[Y]]:
        """Call a method as `_run` does; what it returns as an iterator is an async one."""
        iteration: Iteration[Y] = Iteration._of(None, self._threads)
        first, iteration._sync = await iteration._step(call(method, arguments, named))
        return first, iteration

    @asynccontextmanager
    async def _within(
        self, method: Callable[..., AbstractContextManager[T]], /, *arguments: Any, **named: Any
    ) -> AsyncIterator[T]:
        """Enter what a method of the sync graph returns, and leave it at the end."""
        manager = call(method, arguments, named)()
        value = await self._threads.run(manager.__enter__)
        try:
            yield value
        except BaseException as error:
            known = error
            if not await self._threads.finish(
                lambda: manager.__exit__(type(known), known, known.__traceback__)
            ):
                raise
        else:
            await self._threads.finish(lambda: manager.__exit__(None, None, None))

    def __eq__(self, other: object) -> bool:
        return bool(self._sync == other._sync) if isinstance(other, Twin) else NotImplemented

    def __hash__(self) -> int:
        return hash((Twin, self._sync))

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self._sync, self._threads.limit)

    def __str__(self) -> str:
        own = str(self._sync)
        return repr(self) if own == repr(self._sync) else own

    def __repr__(self) -> str:
        own = repr(self._sync)
        return f"<Async{own[1:]}" if own.startswith("<") else f"Async{own}"


class Iteration(Twin, AsyncIterator[Y], Generic[Y]):
    """An iterator of the sync graph, whose steps are awaited.

    Cancelling a step ends all of it. Who leaves it early closes it: by ``async with``, or `close`.
    """

    __slots__ = ("_context", "_token")

    _token: CancelToken
    _context: Context | None

    @classmethod
    def _of(cls, sync: Any, threads: Threads) -> Self:
        iteration = super()._of(sync, threads)
        iteration._token, iteration._context = CancelToken(), None
        return iteration

    async def _step(self, work: Callable[[], T]) -> T:
        """Do something in a worker thread, always in the same context and operation."""

        def step() -> T:
            if self._context is None:
                self._context = copy_context()
            return self._context.run(work)

        return await self._threads.run(step, self._token)

    async def __anext__(self) -> Y:
        value = await self._step(lambda: next(self._sync, _END))
        if value is _END:
            raise StopAsyncIteration
        twin: Y = twin_of(value, self._threads)
        return twin

    async def close(self) -> None:
        """End it, if it has not come to its end."""
        await self._threads.finish(self._sync.close)

    #: As async generators call it, for `contextlib.aclosing`.
    aclose = close

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def twin_of(sync: Any, threads: Threads) -> Any:
    """Return what stands for an object of the graph; the object itself, when it is plain data."""
    kind = Twin._kinds.get(type(sync).__name__)
    return sync if kind is None else kind._of(sync, threads)


def threads_of(*given: Any) -> Threads:
    """Return the threads of the first twin among some arguments; new ones, if there is none."""
    return next((each._threads for each in given if isinstance(each, Twin)), None) or Threads()


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
    return map(plain, value) if isinstance(value, Iterator) else value


def _unpickle(kind: type[W], sync: Any, limit: int) -> W:
    return kind._of(sync, Threads(limit))


def known_version(client: BroodClient) -> int:
    """Return the version of the API that a client speaks; nothing is sent.

    Raises HatcherException where the server is yet to be asked.
    """
    version = client._session.shown_version
    if isinstance(version, int):
        return version
    raise HatcherException(
        "The server has not been asked yet which version of the API it speaks. Await a method of "
        "the client before, such as client.list_platforms()."
    )
