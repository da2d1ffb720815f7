"""What all sides of a mirror have in common: what they have, how to get it, and how to write it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from hatcher.core.places import Problem
from hatcher.errors import AuthenticationError, HatcherException, InvalidArgumentError
from hatcher.mirror.layout import Kind, Location, parse
from hatcher.mirror.records import Held, Options, State, States, Task
from hatcher.mirror.selection import Selection
from hatcher.transfer.batch import Attempts, Batch, ByteCounter, Item, WorkerPool
from hatcher.transfer.progress import BatchOptions, Phase, Progress
from hatcher.transfer.reports import Outcome

#: The levels that a side can stand for, by the number of names that lead there.
LEVELS = {1: "organization", 2: "repository", 3: "platform"}


class Side(ABC):
    """One side of a mirror: a source can be read, and a target can be written to, too.

    Attributes
    ----------
    names : tuple of str or None
        The names that lead to the place: organization, repository, platform. None for a side that
        takes those of the other one.
    api_version : int or None
        The version of the API; None for a side that takes that of the other one.
    may_delete_apps : bool
        Whether apps can be deleted there, which Brood has no way to do.
    follows : bool
        Whether it can only be read after the other side.
    """

    names: tuple[str, ...] | None = None
    api_version: int | None = None
    may_delete_apps = True
    follows = False

    def beside(self, names: tuple[str, ...], api_version: int) -> Side:
        """Return this side with what it takes of the other one.

        Parameters
        ----------
        names : tuple of str
            Of the other side.
        api_version : int
        """
        return self

    @abstractmethod
    def state(self, selection: Selection, concurrency: int | None = None) -> State:
        """Read what it has, without looking into more than is needed.

        Parameters
        ----------
        selection : Selection
            What is asked for. Its `repositories` are not looked at.
        concurrency : int, optional
            How many questions at once at most, 64 by default.

        Raises
        ------
        HatcherException
            Nothing at all could be read.
        """

    def look_for(self, folders: Collection[str], state: State) -> None:  # noqa: B027 - most see all
        """Look for what may stand in folders that its listing may not have thought of.

        Parameters
        ----------
        folders : collection of str
            Below the place.
        state : State
            What it has; what is found is added.
        """

    def doubts(self, state: State) -> list[Problem]:
        """Return what stands there, and is not in `state`, since nobody knows what it is."""
        return []

    @abstractmethod
    def identify(self, path: str, held: Held, progress: Progress | None = None) -> str:
        """Return the sha256 of something that it has, and note it, and its size, in `held`.

        It reads the file, or asks the server, when nobody has said it yet.

        Parameters
        ----------
        path : str
            Its path in `State.held`.
        held : Held
        progress : Progress, optional
            Is told of bytes that are hashed.

        Raises
        ------
        HatcherException, OSError
            It cannot be had.
        """

    def check(self, path: str, held: Held) -> None:  # noqa: B027 - most can be believed
        """See to it that what it has, as a source, is what was once put there.

        Parameters
        ----------
        path : str
            Its path in `State.held`.
        held : Held

        Raises
        ------
        HatcherException, OSError
            It is something else.
        """

    @abstractmethod
    def obtain(self, path: str, held: Held, into: Path, progress: Progress | None = None) -> Path:
        """Return a local file of something that it has, verified.

        Parameters
        ----------
        path : str
            Its path in `State.held`.
        held : Held
        into : pathlib.Path
            Where to put a file, in a folder that exists, if it has none of its own that
            may be read. It stands there whole, or not at all.
        progress : Progress, optional
            Is told of bytes that arrive.

        Returns
        -------
        pathlib.Path
            `into`, or a file of its own, which nobody changes.

        Raises
        ------
        HatcherException, OSError
            It cannot be had, or is not what it was.
        """

    def find(self, path: str, among: State) -> Held | None:
        """Look for something that its listing may leave out, though it has it.

        Parameters
        ----------
        path : str
            Not in `among`.
        among : State
            What was listed.
        """
        return None

    def check_writable(self) -> None:
        """Check that it can be written to.

        Raises
        ------
        InvalidArgumentError
            It cannot.
        """
        raise InvalidArgumentError(
            f"Nothing can be written to {self}. Give a place on a server, or a folder, as the "
            "target."
        )

    def _writer(self, state: State, options: Options) -> Writer:
        """Return what writes to it, if `check_writable` lets it."""
        raise NotImplementedError

    @property
    def server(self) -> str | None:
        """The URL of the server that it is on, if it is on one."""
        return None

    @abstractmethod
    def __str__(self) -> str:
        """Return it for people, and for plans that are kept."""

    def location(self, path: str) -> Location:
        """Return what stands at a path below the place.

        Parameters
        ----------
        path : str
            As in `State.held`.

        Raises
        ------
        InvalidNameError
            It is none of the layout.
        """
        return parse(f"{self.prefix}{path}")

    def kind(self, path: str) -> Kind:
        """Return what kind of artefact stands at a path below the place."""
        assert self.names is not None
        return cast(Kind, path.split("/")[3 - len(self.names)])

    @property
    def version(self) -> int:
        """The version of the API: 1 where nobody says."""
        return 1 if self.api_version is None else self.api_version

    @property
    def prefix(self) -> str:
        """The path of the place in the layout of an export, with a slash at its end."""
        assert self.names is not None
        return "/".join([f"v{self.version}", *self.names, ""])


class Writer(ABC):
    """Writes to a side.

    Attributes
    ----------
    is_local : bool
        Whether a file may be made at once where `local` says.
    phase : str
        What is told of the bytes.
    outcome : str
        What has become of something that was written.
    """

    is_local = False
    phase: Phase = "uploading"
    outcome: Outcome = "uploaded"

    @abstractmethod
    def local(self, path: str) -> Path:
        """Return the local file that something stands in; for people only, on a server."""

    def missing(self, tasks: Sequence[Task]) -> set[str]:
        """Return the repositories that there would have to be, and must not be created."""
        return set()

    @abstractmethod
    def rounds(self, tasks: list[Task]) -> Iterator[list[Task]]:
        """Give what is to be written, in rounds that follow each other.

        What has to be done after a round is done when the next one is asked for.
        """

    @abstractmethod
    def attempts(self, task: Task) -> Attempts:
        """Return what gives up when it is the same with all that go to one place."""

    @abstractmethod
    def put(self, task: Task, obtain: Callable[[], Path], counter: ByteCounter) -> Outcome:
        """Write something; what it replaces is as it was a moment ago."""

    @abstractmethod
    def delete(self, task: Task, counter: ByteCounter) -> Outcome:
        """Delete something, if it is as it was a moment ago."""

    def keep(self, path: str, held: Held) -> None:  # noqa: B027 - servers need not be told
        """Note something that is there already, and right."""

    def close(self) -> None:  # noqa: B027 - servers have done it all by then
        """Bring to an end what goes for all of it."""


def changed(path: str, side: Side) -> HatcherException:
    """Return the error for what is no longer as a plan says."""
    return HatcherException(
        f"{path} in {side} has changed since the plan was made, so it was left as it is. Plan "
        "again."
    )


def read_state(side: Side, selection: Selection, concurrency: int) -> State:
    """Read what a side has.

    Raises
    ------
    HatcherException
        There is no such place, or it could not be read at all.
    """
    state = side.state(selection, concurrency)
    if state.missing is not None:
        raise state.missing
    state.problems += side.doubts(state)
    return state


def read_pair(sides: tuple[Side, Side], selection: Selection, concurrency: int) -> States:
    """Read a source, which has to be there, and a target.

    Raises
    ------
    HatcherException
        One of them could not be read at all, or there is no such source.
    """

    def read(side: Side) -> State:
        if side is sides[0]:
            return read_state(side, selection, concurrency)
        return side.state(selection, concurrency)

    return read_both(sides, read)


def read_both(sides: tuple[Side, Side], read: Callable[[Side], State]) -> States:
    """Read two sides, at the same time where both are on servers.

    Raises
    ------
    HatcherException
        What `read` raised; of the first side, when it raised for both.
    """
    if any(side.server is None or side.follows for side in sides):
        return read(sides[0]), read(sides[1])
    states: dict[Side, State] = {}
    errors: dict[Side, Exception] = {}

    def note(side: Side, _: ByteCounter) -> None:
        try:
            states[side] = read(side)
        except Exception as error:
            errors[side] = error

    WorkerPool(2, None).each(sides, note)
    for side in sides:
        if side in errors:
            raise errors[side]
    return states[sides[0]], states[sides[1]]


def settle(sides: tuple[Side, Side], states: States, seen: Iterable[str] = ()) -> States:
    """Ask each side for what the other one has, until neither has anything new.

    Parameters
    ----------
    sides : tuple of Side
    states : tuple of State
        What they have.
    seen : iterable of str
        Further folders, as in `State.folders`.
    """
    known: set[str] = set()
    folders = {*seen}
    while new := (folders | states[0].folders | states[1].folders) - known:
        known |= new
        for side, state in zip(sides, states, strict=True):
            side.look_for(new, state)
    return states


def identify_all(side: Side, held: Mapping[str, Held], options: Options) -> list[Problem]:
    """Find out the hashes that nobody has said yet.

    Parameters
    ----------
    side : Side
    held : mapping of str to Held
        Of `side`.
    options : Options

    Returns
    -------
    list of Problem
        What has no hash, by its path in the layout, and why.
    """
    items: list[Item[Held]] = []
    for path, one in held.items():
        if one.sha256 is None:
            item: Item[Held] = Item(Path(path))
            item.file, item.size, item.error = one, one.size, one.wrong
            items.append(item)

    def identify(item: Item[Held], counter: ByteCounter) -> None:
        side.identify(item.path.as_posix(), item.file, counter)

    batch: Batch[Held] = Batch(
        BatchOptions(options.concurrency, options.progress), AuthenticationError
    )
    batch.each([item for item in items if item.error is None], identify, "hashing")
    return [
        Problem(f"{side.prefix}{item.path.as_posix()}", item.error) for item in items if item.error
    ]


def looked_up(
    side: Side, state: State, path: str, held: Held | None, counter: ByteCounter
) -> Held | None:
    """Return what a side has at a path, with its hash, of which its listing may say neither.

    Parameters
    ----------
    side : Side
    state : State
        What it has listed.
    path : str
    held : Held or None
        What is listed there.
    counter : ByteCounter
        Is told of bytes that are hashed.

    Raises
    ------
    HatcherException, OSError
        It cannot be found out.
    """
    held = held or side.find(path, state)
    if held is not None and held.is_unknown:
        side.identify(path, held, counter)
        counter.settle(held.size)
    return held
