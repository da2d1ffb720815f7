"""What all ends of a mirror have in common: what they have, and how to get it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import cast

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.layout import Kind, Location, parse
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.mirror.states import Held, State
from hatcher.transfer.progress import Progress

#: The levels that an end can stand for, by the number of names that lead there.
LEVELS = {1: "organization", 2: "repository", 3: "platform"}


def changed(path: str, end: End) -> HatcherException:
    """Return the error for what is no longer as a plan says."""
    return HatcherException(
        f"{path} in {end} has changed since the plan was made, so it was left as it is. Plan again."
    )


def read_state(end: End, selection: Selection, concurrency: int | None) -> State:
    """Read what an end has.

    Raises
    ------
    HatcherException
        There is no such place, or it could not be read at all.
    """
    state = end.state(selection, concurrency)
    if state.missing is not None:
        raise state.missing
    state.problems += end.doubts(state)
    return state


def settle(ends: tuple[End, End], states: tuple[State, State], seen: Iterable[str] = ()) -> None:
    """Ask each end for what the other one has, until neither has anything new.

    Parameters
    ----------
    ends : tuple of End
    states : tuple of State
        What they have.
    seen : iterable of str
        Further folders, as in `State.folders`.
    """
    known: set[str] = set()
    folders = {*seen}
    while new := (folders | states[0].folders | states[1].folders) - known:
        known |= new
        for end, state in zip(ends, states, strict=True):
            end.look_for(new, state)


class End(ABC):
    """One end of a mirror.

    A source can be read: `state`, `identify`, `obtain`. What can be written to as well, is known to
    `hatcher.mirror.ends.writing`.
    """

    #: Whether apps can be deleted there, which Brood has no way to do.
    may_delete_apps = True

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...] | None:
        """The names that lead to the place: organization, repository, platform.

        None for an end that takes those of the other one.
        """

    @property
    def api_version(self) -> int | None:
        """The version of the API; None for an end that takes that of the other one."""
        return None

    def beside(self, names: tuple[str, ...], api_version: int) -> End:
        """Return this end with what it takes of the other one.

        Parameters
        ----------
        names : tuple of str
            Of the other end.
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
            How many questions at once, 16 by default.

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
        raise self._refusal()

    def _refusal(self) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"Nothing can be written to {self}. Give a place on a server, or a folder, as the "
            "target."
        )

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
