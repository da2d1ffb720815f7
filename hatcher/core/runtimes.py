"""Runtimes on a platform of a repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from hatcher import endpoints
from hatcher.core.artefact import FileArtefact
from hatcher.core.dialects import DIALECTS, RuntimeDescription
from hatcher.core.index import Index
from hatcher.core.local import LocalArtefact
from hatcher.core.node import Node, public
from hatcher.errors import InvalidArgumentError
from hatcher.transfer.progress import Progress
from hatcher.transport.request import Request

if TYPE_CHECKING:
    from hatcher.core.documents import RuntimeMetadata


@public
class Runtime(FileArtefact["RuntimeMetadata"]):
    """One runtime; get it from `SinglePlatformRepository.runtime`.

    Examples
    --------
    >>> runtime = platform.runtime('cpython', '3.8.17+1')
    >>> runtime.download('.')
    """

    __slots__ = ()

    _kind = "runtime"

    def _request(self, operation: str, **arguments: Any) -> Request:
        # When it was made, the version may not have been known that says how it is addressed.
        version = self._session.api_version
        place = {**self._names, DIALECTS[version].runtime_selector: self._address[0]}
        return endpoints.request(version, operation, place, **arguments)

    def _is_called(self, filename: str) -> bool:
        dialect = DIALECTS[self._session.api_version]
        return dialect.is_runtime_called(self._address[0], self.version, filename)


class Runtimes(Node):
    """The part of a `SinglePlatformRepository` that is about runtimes.

    API version 0 addresses a runtime by its python tag, such as ``cp27``, and a
    version with its build, ``2.7.10-1``; API version 1 by its implementation, such as
    ``cpython``, and a version, ``3.8.17+1``.
    """

    __slots__ = ()

    def runtime(
        self,
        implementation: str | None = None,
        version: str | None = None,
        *,
        python_tag: str | None = None,
    ) -> Runtime:
        """Return a handle of one runtime; sends nothing.

        Parameters
        ----------
        implementation : str
            Such as ``cpython``. With API version 0, the python tag, such as ``cp27``.
        version : str
            The full version, such as ``3.8.17+1``, or ``2.7.10-1`` with API version 0.
        python_tag : str
            What API version 0 calls its first argument.

        Returns
        -------
        Runtime

        Raises
        ------
        InvalidNameError
            One of them is missing, empty, ``.`` or ``..``.
        InvalidArgumentError
            A python tag is given with API version 1.
        """
        known = self._session.shown_version
        selector = DIALECTS[0 if known == 0 else 1].runtime_selector
        if python_tag is not None:
            if selector != "python_tag" or implementation is not None:
                raise InvalidArgumentError(
                    "A python_tag instead of an implementation addresses a runtime in API "
                    "version 0 only. Give the implementation, such as 'cpython'."
                )
            implementation = python_tag
        names = {selector: implementation, "version": version}
        return self._child(Runtime, **names)  # type: ignore[arg-type]  # None is refused there

    def runtime_index(self) -> Index[dict[str, Any]]:
        """Return what the server says of all runtimes.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes``

        Returns
        -------
        dict
            API version 0: ``{language: {version: {build: LegacyRuntimeIndexEntry}}}``;
            API version 1: ``{implementation: {version: RuntimeIndexEntry}}``. In a
            notebook it shows as a table.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        layout = DIALECTS[self._session.api_version].runtime_layout
        return Index(self._session.index(self._request("get_runtime_index"), layout.read), layout)

    def list_runtimes(self) -> list[str] | list[tuple[str, str]]:
        """List the runtimes.

        ``GET /indices/{organization}/{repository}/{platform}/runtimes``

        Returns
        -------
        list of str, or of tuple of (str, str)
            API version 0: file names; API version 1: ``(implementation, version)``. In
            the server's order.

        Raises
        ------
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        read = DIALECTS[self._session.api_version].list_runtimes
        return self._session.index(self._request("get_runtime_index"), read)

    def runtime_metadata(
        self,
        implementation: str | None = None,
        version: str | None = None,
        *,
        python_tag: str | None = None,
    ) -> RuntimeMetadata:
        """Return what the server says of one runtime.

        ``GET /metadata/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``)

        Parameters
        ----------
        implementation, version, python_tag : str
            As for `runtime`.

        Returns
        -------
        RuntimeMetadata
            A dict with ``sha256``, ``filename`` and more.

        Raises
        ------
        NotFoundError
            There is no such runtime, or it may not be seen.
        """
        return self.runtime(implementation, version, python_tag=python_tag).metadata()

    def _local_runtime(self, runtime: RuntimeDescription) -> LocalArtefact:
        there = None
        if runtime.selector is not None:
            there = self.runtime(runtime.selector, runtime.version)
        return LocalArtefact("runtime", runtime.path, self, there, runtime.described)

    def download_runtime(
        self,
        implementation: str | None = None,
        version: str | None = None,
        destination: str | os.PathLike[str] = ".",
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        python_tag: str | None = None,
        progress: Progress | None = None,
        connections: int | None = None,
    ) -> None:
        """Download a runtime into a directory, and verify it.

        ``GET /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``)

        It is streamed in constant memory, and stands under its name only when it is
        whole and has the right sha256. One that is there already is not downloaded
        again. When the connection is lost it goes on from where it was; so it does
        with what a killed process has left.

        Parameters
        ----------
        implementation, version : str
            As for `runtime`.
        destination : str or path-like, default '.'
            An existing directory.
        expected_sha256 : str, optional
            What it must hash to, in hexadecimal. Without it the server's metadata is
            asked, at the same time as for the file if none is there.
        filename : str, optional
            How to call the file; without it, as the server does.
        python_tag : str, optional
            As for `runtime`.
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
            There is no such runtime, or it may not be seen.
        """
        runtime = self.runtime(implementation, version, python_tag=python_tag)
        runtime.download(
            destination, expected_sha256, filename, progress=progress, connections=connections
        )

    def iter_download_runtime(
        self,
        implementation: str | None = None,
        version: str | None = None,
        destination: str | os.PathLike[str] = ".",
        expected_sha256: str | None = None,
        filename: str | None = None,
        *,
        python_tag: str | None = None,
        connections: int | None = None,
    ) -> tuple[int, Iterator[int]]:
        """Download a runtime step by step, for example to show the progress.

        ``GET /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``
        (API version 0: ``…/{python_tag}/{version}``)

        Parameters
        ----------
        implementation, version, destination, expected_sha256, filename, python_tag, connections
            As for `download_runtime`.

        Returns
        -------
        content_length : int
            The number of bytes to come; 0 when the server does not say.
        chunks : iterator of int
            Drives the download, and gives the number of bytes of each step; 0 while
            it waits to try again. The runtime stands under its name when the iterator
            is exhausted.

        Raises
        ------
        HatcherException
            As for `download_runtime`; errors in the body come out of the iterator.
        """
        runtime = self.runtime(implementation, version, python_tag=python_tag)
        return runtime.iter_download(
            destination, expected_sha256, filename, connections=connections
        )

    def delete_runtime(
        self,
        implementation: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete a runtime from the server; API version 1 only.

        ``DELETE /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}``

        Parameters
        ----------
        implementation, version : str
            As for `runtime`.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such runtime, or it may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        self.runtime(implementation, version).delete(force, missing_ok=missing_ok)

    runtime_delete = delete_runtime
