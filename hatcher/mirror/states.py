"""What one end of a mirror has."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property
from typing import Any

from hatcher.errors import HatcherException
from hatcher.mirror.report import Problem
from hatcher.mirror.selection import Selection


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
    reading : object, optional
        What its end goes on with, when it has to look for more; nobody else's business.
    """

    def __init__(
        self,
        held: dict[str, Held],
        problems: list[Problem],
        selection: Selection,
        repositories: Collection[str] | None = None,
        missing: HatcherException | None = None,
        reading: Any = None,
    ) -> None:
        self.reading = reading
        self.held = held
        self.problems = problems
        self.selection = selection
        self.repositories = repositories
        self.missing = missing

    def forget(self) -> None:
        """Forget what follows from `held`, which has changed."""
        for name in ("folders", "_filenames", "_namesakes", "_paths"):
            vars(self).pop(name, None)

    @cached_property
    def folders(self) -> set[str]:
        """The paths of the folders that it all stands in."""
        return {path.rpartition("/")[0] for path in self.held}

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
        return self._paths.get(identity_of(path))

    def has_namesake(self, path: str) -> bool:
        """Whether there is an egg of that file name with another python tag.

        Parameters
        ----------
        path : str
            Of an egg.
        """
        # Mostly there is none, which the bare names of files tell sooner.
        return _filename(path) in self._filenames and _without_tag(path) in self._namesakes

    @cached_property
    def _filenames(self) -> set[str]:
        return set(map(_filename, self.held))

    @cached_property
    def _namesakes(self) -> set[str]:
        return set(map(_without_tag, self.held))

    @cached_property
    def _paths(self) -> dict[str, str]:
        return {identity_of(known): known for known in self.held}


def identity_of(path: str) -> str:
    """Return what makes an artefact another one to a server, given its path."""
    folded = path.casefold()
    if "runtimes/" not in folded:  # as for nearly all of many thousands
        return folded
    *folders, filename = folded.split("/")
    if "runtimes" in folders[-1:]:
        filename = "-".join(filename.split("-")[:2])
    return "/".join([*folders, filename])


def _filename(path: str) -> str:
    return path.rpartition("/")[2].casefold()


def _without_tag(path: str) -> str:
    folders, _, filename = path.casefold().rpartition("/")
    return f"{folders.rpartition('/')[0]}/{filename}"
