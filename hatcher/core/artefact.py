"""What the handles of single artefacts have in common."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from hatcher.core.node import Node
from hatcher.core.presence import delete
from hatcher.errors import InvalidJSONError
from hatcher.files.folders import existing_directory
from hatcher.transfer import filenames, hashing
from hatcher.transfer.progress import Progress

if TYPE_CHECKING:
    from hatcher.transfer.download import FileDownload

#: What a server says of an artefact of some kind.
M = TypeVar("M", bound=Mapping[str, Any])


class Artefact(Node, Generic[M]):
    """One artefact on a platform of a repository, whether it exists or not.

    Making one sends nothing.
    """

    __slots__ = ()

    #: What the operations of the description call it.
    _kind: ClassVar[str]
    #: What in its metadata tells it from others of the same name.
    _content_field: ClassVar[str] = "sha256"

    @property
    def _address(self) -> tuple[str, ...]:
        """What names it on its platform, the version last."""
        return tuple(self._names.values())[3:]

    @property
    def version(self) -> str:
        """The full version, such as ``1.3.0-1``."""
        return self._names["version"]

    def metadata(self) -> M:
        """Return what the server says of it.

        Returns
        -------
        EggMetadata, RuntimeMetadata, AppMetadata or BundleMetadata
            A dict.

        Raises
        ------
        NotFoundError
            It does not exist, or may not be seen.
        """
        return cast(M, self._ask(f"get_{self._kind}_metadata"))

    def exists(self) -> bool:
        """Ask the server whether it is there, and may be seen.

        Returns
        -------
        bool
        """
        return self._found() is not None

    def _found(self) -> M | None:
        """Return its metadata, or None when it does not exist or may not be seen."""
        return cast(M | None, self._session.find(self._request(f"get_{self._kind}_metadata")))

    def _is_there(self) -> bool:
        """Ask for it, and not for another one that suits as well."""
        return self._found() is not None

    def _content_in(self, said: Mapping[str, Any]) -> Any:
        """Return what tells it from others of the same name: its sha256, or a bundle's document."""
        field = self._content_field
        if said.get(field) is None:
            raise InvalidJSONError(
                f"The server's metadata of {self!r} holds no '{field}' to compare it by. Tell the "
                "administrators of the server."
            )
        return hashing.server_sha256(said[field], repr(self)) if field == "sha256" else said[field]


class DeletableArtefact(Artefact[M]):
    """An artefact that can be deleted."""

    __slots__ = ()

    def delete(self, force: bool = False, *, missing_ok: bool = False) -> None:
        """Delete it from the server.

        Parameters
        ----------
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; its platform must be, and be readable.

        Raises
        ------
        NotFoundError
            It does not exist, or may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """

        def is_gone() -> bool:
            # It shows that the platform is there; a runtime addresses itself in its own way.
            self._session.json_object(Node._request(self, "get_runtime_index"))
            return not self._is_there()

        delete(self, f"delete_{self._kind}", is_gone if missing_ok else None, force=force)


class FileArtefact(DeletableArtefact[M]):
    """An artefact that is a file on the server, and has a sha256."""

    __slots__ = ()

    def sha256(self) -> str:
        """Ask the server for its sha256.

        Returns
        -------
        str
            In lower-case hexadecimal.

        Raises
        ------
        NotFoundError
            It does not exist, or may not be seen.
        InvalidJSONError
            The server does not say.
        """
        return self._sha256_in(self.metadata())

    def _sha256_in(self, said: Mapping[str, Any]) -> str:
        return cast(str, self._content_in(said))

    def download(
        self,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        progress: Progress | None = None,
        connections: int | None = None,
    ) -> None:
        """Download it into a directory, and verify it.

        It is streamed in constant memory, and stands under its name only when it is
        whole and has the right sha256. One that is there already is not downloaded
        again. When the connection is lost it goes on from where it was; so it does
        with what a killed process has left.

        Parameters
        ----------
        destination : str or path-like
            An existing directory.
        expected_sha256 : str, optional
            What it must hash to, in hexadecimal. Without it the server's metadata
            is asked, at the same time as for the file if none is there.
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
            Something else arrived; nothing of it is kept.
        BroodConnectionError, BroodTimeoutError
            The network failed again and again. Of a large file, what arrived is kept
            for the next call; the message says so.
        NotFoundError
            It does not exist, or may not be seen.
        """
        fetch, name = self._wanted(
            destination, expected_sha256, filename, progress, connections=connections
        )
        fetch.run(name)

    def iter_download(
        self,
        destination: str | os.PathLike[str],
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        connections: int | None = None,
    ) -> tuple[int, Iterator[int]]:
        """Download it step by step, for example to show the progress.

        Parameters
        ----------
        destination, expected_sha256, filename, connections
            As for `download`.

        Returns
        -------
        content_length : int
            The number of bytes to come; 0 when the server does not say.
        chunks : iterator of int
            Drives the download, and gives the number of bytes of each step; 0 while
            it waits to try again. The file stands under its name when the iterator
            is exhausted.

        Raises
        ------
        HatcherException
            As for `download`; errors in the body come out of the iterator.
        """
        fetch, name = self._wanted(destination, expected_sha256, filename, connections=connections)
        steps = fetch.begin(name)
        return fetch.total or 0, steps

    def _wanted(
        self,
        destination: str | os.PathLike[str],
        sha256: str | None,
        filename: str | None,
        progress: Progress | None = None,
        *,
        connections: int | None = None,
    ) -> tuple[FileDownload, str | Callable[[str], bool]]:
        """Return its download; the server is asked for the sha256 when all else is right."""
        if filename is not None:
            existing_directory(destination)
            filenames.bare_filename(filename, "The name given for the file")
        fetch = self._begin(
            destination, sha256 or self.sha256, filename, progress=progress, connections=connections
        )
        return fetch, self._is_called if filename is None else filename

    def _begin(
        self,
        destination: str | os.PathLike[str],
        sha256: str | Callable[[], str],
        filename: str | None = None,
        **options: Any,
    ) -> FileDownload:
        """Return its download, for which a sha256 that is not known has been asked for."""
        there = self._name_there(existing_directory(destination), filename)
        return self._fetch(destination, sha256, likely=there, **options)

    def _receive(
        self,
        path: Path,
        sha256: str,
        progress: Progress | None,
        connections: int | None = None,
    ) -> None:
        """Download it to a path; whether that survives a power failure is left to the caller."""
        fetch = self._fetch(path.parent, sha256, progress, connections=connections, sync=False)
        fetch.run(path.name)

    def _fetch(self, *what: Any, **options: Any) -> FileDownload:
        # Imported here, for those who download nothing.
        from hatcher.transfer.download import FileDownload

        return FileDownload(
            self._session, self._request(f"download_{self._kind}"), *what, **options
        )

    def _filename_in(self, said: Mapping[str, Any]) -> str | None:
        """Return the name of its file in metadata or an index's entry; None when there is none.

        Raises
        ------
        MissingFilenameError
            It is not the name of such a file.
        """
        filename = said.get("filename")
        if not isinstance(filename, str):
            return None
        return filenames.server_filename(
            filename, "The server's name for the file", self._is_called
        )

    def _name_there(self, folder: Path, filename: str | None) -> str | None:
        """Return how its file is called that is in a folder, or is not complete there; None if none."""
        # Imported here, for those who download nothing.
        from hatcher.files.partial import is_begun, target_of

        if filename is not None:
            return filename if is_begun(folder / filename) else None
        names = (target_of(path.name) for path in folder.iterdir())
        return next((name for name in names if self._is_called(name)), None)

    @abstractmethod
    def _is_called(self, filename: str) -> bool:
        """Whether a file of that name is this artefact."""
