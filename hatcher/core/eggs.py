"""Eggs on a platform of a repository."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast
from unicodedata import normalize

from hatcher.core.artefact import FileArtefact
from hatcher.core.index import EGGS, Index
from hatcher.core.local import LocalArtefact
from hatcher.core.node import Node, public
from hatcher.errors import InvalidArgumentError
from hatcher.transfer.progress import Progress
from hatcher.transport.parsing import entries_with, list_of_each
from hatcher.transport.urls import checked_segment

if TYPE_CHECKING:
    from pathlib import Path

    from hatcher.core.dependencies import Dependencies, DependencyTree
    from hatcher.core.documents import EggIndexEntry, EggListing, EggMetadata

T = TypeVar("T")

#: How an egg for every Python is addressed.
NO_PYTHON_TAG = "none"


@public
class Egg(FileArtefact["EggMetadata"]):
    """One egg; get it from `SinglePlatformRepository.egg`.

    Examples
    --------
    >>> egg = platform.egg('cp311', 'numpy', '1.26.4-1')
    >>> egg.exists()
    True
    """

    __slots__ = ()

    _kind = "egg"

    @property
    def python_tag(self) -> str | None:
        """The PEP 425 tag; None for an egg without one."""
        tag = self._names["python_tag"]
        return None if tag == NO_PYTHON_TAG else tag

    @property
    def name(self) -> str:
        """The name as it stands in the egg's file name."""
        return self._names["name"]

    @property
    def _claim(self) -> tuple[str, str, str]:
        """What the server knows it by, whatever the case of its name."""
        return self.name.lower(), self.version, self._names["python_tag"]

    @property
    def _filename(self) -> str:
        return f"{self.name}-{self.version}.egg"

    def _name_there(self, folder: Path, filename: str | None) -> str | None:
        return super()._name_there(folder, filename or self._filename)

    def _has_tag(self, said: Mapping[str, Any]) -> bool:
        """Whether an index or metadata are of this very egg, not of one that suits its tag."""
        tag: object = said.get("python_tag", self.python_tag)
        return tag == self.python_tag

    def _is_there(self) -> bool:
        found = self._found()
        return found is not None and self._has_tag(found)

    def _is_called(self, filename: str) -> bool:
        # The case of names is the server's; versions are what they are.
        called, end = (normalize("NFC", text) for text in (filename, f"-{self.version}.egg"))
        name = normalize("NFC", self.name)
        return called.endswith(end) and called[: -len(end)].lower() == name.lower()


class Eggs(Node):
    """The part of a `SinglePlatformRepository` that is about eggs."""

    __slots__ = ()

    def egg(self, python_tag: str | None, name: str, version: str) -> Egg:
        """Return a handle of one egg; sends nothing.

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.

        Returns
        -------
        Egg

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return self._child(Egg, python_tag=_addressed(python_tag), name=name, version=version)

    def egg_index(self, python_tag: str | None) -> Index[EggIndexEntry]:
        """Return every enabled egg that a Python can use.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        Parameters
        ----------
        python_tag : str or None
            The PEP 425 tag of the Python, such as ``cp311``. The index holds the
            eggs with this tag, and those that suit it: ``py3``, ``py2.py3``, no
            tag at all. None for the eggs without one, where the server has an index of them.

        Returns
        -------
        dict of str to EggIndexEntry
            What the index says, by the eggs' file names. Sizes are in bytes. In a
            notebook it shows as a table.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return Index(self._read_index(python_tag, EGGS.read), EGGS)

    def _egg_hashes(self, python_tag: str) -> dict[str, dict[str, Any]]:
        """Return what tells the eggs of an index apart, and nothing else that it says of them."""
        return self._read_index(python_tag, _hashes)

    def _read_index(self, python_tag: str | None, read: Callable[[bytes], T]) -> T:
        request = self._request("get_egg_index", python_tag=_addressed(python_tag))
        return self._session.index(request, read)

    def list_eggs(self, python_tag: str | None) -> list[EggListing]:
        """List the enabled eggs that a Python can use.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        Parameters
        ----------
        python_tag : str or None
            The PEP 425 tag of the Python, such as ``cp311``; None as for `egg_index`.

        Returns
        -------
        list of EggListing
            ``{'name': file name, 'python_tag': the egg's own tag or None}``.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return self._read_index(python_tag, _listings)

    def requirements_of(
        self, name: str, python_tag: str | None, version: str | None = None
    ) -> DependencyTree:
        """Return what an egg requires, and what that requires, as a tree.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        What is required without a version, or without a build, is the newest one that there is.

        Parameters
        ----------
        name : str
            Of the egg, whatever its case.
        python_tag : str or None
            The PEP 425 tag of the Python that is to use it, such as ``cp311``; None as for
            `egg_index`.
        version : str, optional
            With or without the build number; by default the newest.

        Returns
        -------
        DependencyTree
            A list of dicts, from the top down: ``depth``, ``name``, ``version``, ``python_tag``,
            ``filename``, ``requirement`` and ``state``, which tells what is missing in the index,
            and cycles. ``str`` and ``print`` draw the tree.

        Raises
        ------
        InvalidNameError
            The name or the version is empty, or none that can be.
        NoMatchError
            The index has no such egg.
        NotFoundError
            There is no such repository or platform, or it may not be seen.

        Examples
        --------
        >>> print(platform.requirements_of('scipy', 'cp311'))
        scipy 1.11.4-1
        └── numpy 1.26.4-1 (numpy 1.26.4)
            └── mkl 2023.2: not in this index
        """
        return self._dependencies(name, python_tag, version).requirements_of(name, version)

    def dependents_of(
        self, name: str, python_tag: str | None, version: str | None = None
    ) -> DependencyTree:
        """Return what requires an egg, and what requires that, as a tree.

        ``GET /indices/{organization}/{repository}/{platform}/{python_tag}/eggs``

        Parameters
        ----------
        name : str
            Of the egg, whatever its case. It need not be in the index itself.
        python_tag : str or None
            As for `requirements_of`.
        version : str, optional
            With or without the build number; by default it is what requires any version.

        Returns
        -------
        DependencyTree
            As of `requirements_of`. What the index tells no requirements of is named by its
            ``unknown``: it may belong to the tree.

        Raises
        ------
        InvalidNameError
            The name or the version is empty, or none that can be.
        NoMatchError
            The index has no such egg, and none that requires it.
        NotFoundError
            There is no such repository or platform, or it may not be seen.

        Examples
        --------
        >>> print(platform.dependents_of('mkl', 'cp311'))
        mkl 2023.2-1
        └── numpy 1.26.4-1 (MKL 2023.2)
            └── scipy 1.11.4-1 (numpy 1.26.4)
        """
        return self._dependencies(name, python_tag, version).dependents_of(name, version)

    def _dependencies(self, name: str, python_tag: str | None, version: str | None) -> Dependencies:
        from hatcher.core.dependencies import Dependencies

        checked_segment(name, "name of the egg")
        if version is not None:
            checked_segment(version, "version of the egg")
        return Dependencies(self.egg_index(python_tag))

    def egg_metadata(self, python_tag: str | None, name: str, version: str) -> EggMetadata:
        """Return what the server says of one egg, enabled or not.

        ``GET /metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.

        Returns
        -------
        EggMetadata
            A dict with ``sha256``, ``filename`` and more.

        Raises
        ------
        NotFoundError
            There is no such egg, or it may not be seen.
        """
        return self.egg(python_tag, name, version).metadata()

    def upload_egg(
        self,
        filename: str | os.PathLike[str],
        overwrite: bool = False,
        enabled: bool = True,
        verify: bool = False,
        *,
        progress: Progress | None = None,
    ) -> None:
        """Upload an egg.

        ``POST /data/{organization}/{repository}/{platform}/eggs/upload``

        The file is checked before anything is sent, and is streamed: an egg of any
        size takes constant memory. It appears on the server when all of it has
        arrived and has the right sha256, or not at all.

        Before a file of 8 MB or more, ``GET /metadata/user/repositories`` of API version 1
        is asked, at most once a minute, whether the upload will be allowed; nothing is
        sent when it will not.

        Parameters
        ----------
        filename : str or path-like
            The egg, called ``name-version-build.egg``.
        overwrite : bool, default False
            Replace an egg of the same name and version with other content.
        enabled : bool, default True
            Show the egg in the index at once; `reindex` does so later.
        verify : bool, default False
            Ask first what the server has. With the same sha256 nothing is sent;
            with another one nothing is sent either, and it is an error.
            `overwrite` makes the question needless.
        progress : Progress, optional
            Told how many bytes have been hashed, with `verify`, and have gone out.

        Raises
        ------
        InvalidEgg
            The file is missing, unreadable, or no valid egg.
        FileChangedError
            It changed while it was being sent; the server stored nothing of it.
        ChecksumMismatchError
            With `verify`, or when an answer got lost: the server has another egg of
            that name and version.
        ConflictError
            The same, as the server found it.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        self._local_egg(filename).upload(
            overwrite=overwrite, verify=verify, progress=progress, enabled=enabled
        )

    def _local_egg(self, path: str | os.PathLike[str]) -> LocalArtefact:
        """Read an egg that is to go here."""
        # Imported here, for those who only download: zipfile and more come with it.
        from hatcher.artefacts.egg import read_egg

        egg = read_egg(path)
        there = self.egg(egg.python_tag, egg.name, egg.full_version)
        return LocalArtefact("egg", egg.path, self, there)

    def download_egg(
        self,
        python_tag: str | None,
        name: str,
        version: str,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        progress: Progress | None = None,
        connections: int | None = None,
    ) -> None:
        """Download an egg into a directory, and verify it.

        ``GET /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        The egg is streamed in constant memory, and stands under its name only when
        it is whole and has the right sha256. One that is there already is not
        downloaded again. When the connection is lost it goes on from where it was;
        so it does with what a killed process has left.

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.
        destination : str or path-like
            An existing directory.
        expected_sha256 : str, optional
            What the egg must hash to, in hexadecimal. Without it the server's
            metadata is asked, at the same time as for the file if none is there.
        filename : str, optional
            How to call the file; without it, as the server does.
        progress : Progress, optional
            Told how far it has come.
        connections : int, optional
            How many connections to receive a large file over at most, from 1 to 16; the
            server has to offer ranges, with an ETag. One by default.

        Raises
        ------
        InvalidDestinationError
            The destination is no directory.
        InvalidArgumentError
            An argument cannot be used; nothing was sent.
        NoSpaceError
            There is no room for it.
        ChecksumMismatchError
            What arrived is not the egg; nothing of it is kept.
        BroodConnectionError, BroodTimeoutError
            The network failed again and again. Of a large file, what arrived is kept
            for the next call; the message says so.
        NotFoundError
            There is no such egg, or it may not be seen.
        """
        egg = self.egg(python_tag, name, version)
        egg.download(
            destination, expected_sha256, filename, progress=progress, connections=connections
        )

    def iter_download_egg(
        self,
        python_tag: str | None,
        name: str,
        version: str,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        connections: int | None = None,
    ) -> tuple[int, Iterator[int]]:
        """Download an egg step by step, for example to show its progress.

        ``GET /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version, destination, expected_sha256, filename, connections
            As for `download_egg`.

        Returns
        -------
        content_length : int
            The number of bytes to come; 0 when the server does not say.
        chunks : iterator of int
            Drives the download, and gives the number of bytes of each step; 0 while
            it waits to try again. The egg stands under its name when the iterator
            is exhausted.

        Raises
        ------
        HatcherException
            As for `download_egg`; errors in the body come out of the iterator.

        Examples
        --------
        >>> total, chunks = platform.iter_download_egg('cp311', 'nose', '1.3.0-1', '.')
        >>> for size in chunks:
        ...     progress.update(size)
        """
        return self.egg(python_tag, name, version).iter_download(
            destination, expected_sha256, filename, connections=connections
        )

    def delete_egg(
        self,
        python_tag: str | None,
        name: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete an egg from the server.

        ``DELETE /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}``

        Parameters
        ----------
        python_tag : str or None
            The egg's PEP 425 tag; None for an egg without one.
        name : str
            The name as it stands in the egg's file name.
        version : str
            Version and build number, such as ``1.3.0-1``.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        NotFoundError
            There is no such egg, or it may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        self.egg(python_tag, name, version).delete(force, missing_ok=missing_ok)

    def reindex(self, eggs_to_enable: Iterable[str | os.PathLike[str]]) -> None:
        """Enable eggs that were uploaded disabled, so that the index shows them.

        ``POST /data/{organization}/{repository}/{platform}/eggs/re-index``

        Parameters
        ----------
        eggs_to_enable : iterable of str or path-like
            The eggs' files: name, version and python tag are read from them. Each
            is named to the server once, however often it is given.

        Raises
        ------
        InvalidEgg
            One of the files is no valid egg; nothing was sent.
        NotFoundError
            The server does not have one of them.
        """
        if isinstance(eggs_to_enable, str | os.PathLike):
            raise InvalidArgumentError("reindex takes a list of eggs; put the one into a list.")
        self._enable([cast(Egg, self._local_egg(egg).there) for egg in eggs_to_enable])

    def _enable(self, eggs: Iterable[Egg]) -> None:
        """Show eggs that are stored and disabled."""
        named = dict.fromkeys(egg._claim for egg in eggs)
        body = {
            "eggs": [
                {"name": name, "version": version, "python_tag": python_tag}
                for name, version, python_tag in named
            ]
        }
        self._send("reindex_eggs", json=body)


def _addressed(python_tag: str | None) -> str:
    """Return the tag by which an egg, or an index, is asked for."""
    return NO_PYTHON_TAG if python_tag is None else python_tag


def _listings(text: bytes) -> list[EggListing]:
    """Return what a list says of the eggs in an index's text."""
    return cast("list[EggListing]", list_of_each(text, "name", "python_tag"))


def _hashes(text: bytes) -> dict[str, dict[str, Any]]:
    """Return what tells the eggs in an index's text apart."""
    return entries_with(text, ("sha256", "size", "python_tag", "python"))
