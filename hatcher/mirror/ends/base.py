"""What all ends of a mirror have in common: what they have, and how to get it."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hatcher.errors import HatcherException, InvalidArgumentError
from hatcher.mirror.layout import Kind, Location, parse
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection
from hatcher.transfer.progress import Progress

if TYPE_CHECKING:
    from hatcher.mirror.ends.receiving import Receiver

#: The levels that an end can stand for, by the number of names that lead there.
LEVELS = {1: "organization", 2: "repository", 3: "platform"}


class Held:
    """An artefact that one end has.

    Parameters
    ----------
    size : int or None
        In bytes; None when nobody has said.
    sha256 : str or None
        Of the file; of bundles and apps, of the document, however it is written (see
        `hatcher.mirror.documents`). None when it is still to be found out: `End.identify`.
    origin : object, optional
        What its end finds it by; nobody else's business.
    wrong : HatcherException, optional
        Why it cannot be had.
    """

    __slots__ = ("origin", "sha256", "size", "wrong")

    def __init__(
        self,
        size: int | None,
        sha256: str | None,
        origin: Any = None,
        wrong: HatcherException | None = None,
    ) -> None:
        self.size = size
        self.sha256 = sha256
        self.origin = origin
        self.wrong = wrong


class State:
    """What one end has.

    Parameters
    ----------
    held : dict of str to Held
        By the path below the end's place, such as
        ``rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg`` below a repository.
    problems : list of Problem
        What could not be read: where there is any, the end was not read whole.
    selection : Selection
        What was read: of a server, with the platforms and python tags that it knows. What is
        outside of it says nothing about what the end lacks.
    repositories : collection of str or None
        Those that there are, such as ``acme/dev``, of the place; None where that is no
        question, since whatever is missing is made.
    missing : HatcherException or None
        Why there is no such place at all.
    """

    def __init__(
        self,
        held: dict[str, Held],
        problems: list[Problem],
        selection: Selection,
        repositories: Collection[str] | None = None,
        missing: HatcherException | None = None,
    ) -> None:
        self.held = held
        self.problems = problems
        self.selection = selection
        self.repositories = repositories
        self.missing = missing
        self._paths: dict[str, str] | None = None
        self._namesakes: set[str] | None = None

    def path_of(self, path: str) -> str | None:
        """Return the path of what is the same artefact to a server; None when it has none.

        Servers do not tell names by their case, nor runtimes by their ABI.

        Parameters
        ----------
        path : str
            As the other end has it.
        """
        if path in self.held:
            return path
        if self._paths is None:
            self._paths = {identity_of(known): known for known in self.held}
        return self._paths.get(identity_of(path))

    def has_namesake(self, path: str) -> bool:
        """Whether there is an egg of that file name with another python tag.

        Parameters
        ----------
        path : str
            Of an egg.
        """
        if self._namesakes is None:
            self._namesakes = set(map(_without_tag, self.held))
        return _without_tag(path) in self._namesakes


def identity_of(path: str) -> str:
    """Return what makes an artefact another one to a server, given its path."""
    folded = path.casefold()
    if "runtimes/" not in folded:  # as for nearly all of many thousands
        return folded
    *folders, filename = folded.split("/")
    if "runtimes" in folders[-1:]:
        filename = "-".join(filename.split("-")[:2])
    return "/".join([*folders, filename])


class Options(NamedTuple):
    """What the caller of an apply may choose.

    Attributes
    ----------
    create_missing : bool
        Make the repositories that are missing.
    dry_run : bool
        Write nothing.
    journal : str, path-like, bool or None
        Where it is noted what was begun: a file, or one in the user's state folder; False for
        nowhere.
    progress : Progress, optional
        Is told, from the calling thread, of what is one request for many.
    """

    create_missing: bool = False
    dry_run: bool = False
    journal: str | os.PathLike[str] | bool | None = None
    progress: Progress | None = None


def _without_tag(path: str) -> str:
    folders, _, filename = path.casefold().rpartition("/")
    return f"{folders.rpartition('/')[0]}/{filename}"


def changed(path: str, end: End) -> HatcherException:
    """Return the error for what is no longer as a plan says."""
    return HatcherException(
        f"{path} in {end} has changed since the plan was made, so it was left as it is. Plan again."
    )


class End(ABC):
    """One end of a mirror.

    A source can be read: `state`, `identify`, `obtain`. A target can be written to as well:
    `receiver`.
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

    def receiver(self, state: State, options: Options) -> Receiver:
        """Return what writes to this end.

        Parameters
        ----------
        state : State
            What it has.
        options : Options

        Raises
        ------
        InvalidArgumentError
            Nothing can be written to it.
        """
        raise self._refusal()

    def _refusal(self) -> InvalidArgumentError:
        return InvalidArgumentError(
            f"Nothing can be written to {self}. Give a place on a server, or a folder, as the "
            "target."
        )

    def interrupt(self) -> None:  # noqa: B027 - most ends have nothing to interrupt
        """Make what other threads send and receive end at once."""

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
