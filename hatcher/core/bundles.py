"""Bundles on a platform of a repository: runtimes and eggs that belong together.

Bundles exist in API version 1 only.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from hatcher.artefacts.python_tags import python_tag_of
from hatcher.core.artefact import DeletableArtefact
from hatcher.core.index import BUNDLES, Index, leaves
from hatcher.core.local import LocalArtefact
from hatcher.core.node import Node, public
from hatcher.errors import InvalidBundle, TargetFileExists
from hatcher.files.atomic import replacing
from hatcher.files.folders import existing_directory
from hatcher.transfer.filenames import server_name
from hatcher.transfer.progress import Progress
from hatcher.transport.parsing import text_in

if TYPE_CHECKING:
    from hatcher.artefacts.bundle import BundleFile
    from hatcher.core.documents import BundleIndexEntry, BundleListing, BundleMetadata


@public
class Bundle(DeletableArtefact["BundleMetadata"]):
    """One bundle; get it from `BundleCollection.get`.

    Examples
    --------
    >>> bundle = platform.bundles.get('cp38', 'tools', '1.0.0-1')
    >>> bundle.save('.')
    './tools-1.0.0-1.bundle'
    """

    __slots__ = ()

    _kind = "bundle"
    _content_field = "data"

    @property
    def python_tag(self) -> str:
        """The PEP 425 tag of the bundle's runtime."""
        return self._names["python_tag"]

    @property
    def name(self) -> str:
        """The name of the bundle."""
        return self._names["name"]

    @property
    def canonical_filename(self) -> str:
        """What the bundle's file is called."""
        return f"{self.name}-{self.version}.bundle"

    def save(self, directory: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Save the bundle's document to a file.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        directory : str or path-like
            An existing directory.
        overwrite : bool, default False
            Replace a file of that name. What is there stays until the new one is
            whole.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        InvalidDestinationError
            The directory is none.
        TargetFileExists
            There is a file of that name, and `overwrite` was not given.
        NotFoundError
            There is no such bundle, or it may not be seen.
        """
        target = existing_directory(directory) / server_name(
            self.canonical_filename, "The bundle's file name"
        )
        if target.exists() and not overwrite:
            raise TargetFileExists(
                f"There is a file '{target}' already. Pass overwrite=True to replace it."
            )
        content = self._document()
        with replacing(target) as file:
            file.write(content)
        return os.path.join(directory, target.name)  # noqa: PTH118 - as the user wrote it

    def _document(self) -> bytes:
        """Return what stands in its file."""
        document = self._content_in(self.metadata())
        return json.dumps(document, indent=2, sort_keys=True).encode()

    def download(self, destination: str | os.PathLike[str]) -> None:
        """Do as `save`, replacing a file that is there, as other artefacts' do.

        Parameters
        ----------
        destination : str or path-like
            An existing directory.

        Raises
        ------
        HatcherException
            As for `save`.
        """
        self.save(destination, overwrite=True)

    def __str__(self) -> str:
        organization, repository, platform, *own = self._names.values()
        return "/".join([organization, repository, platform, "bundles", *own])


class LocalBundle:
    """A bundle's file, and where on a server it may go.

    It is equal to another one that goes to the same place with the same document. What can be
    asked of the bundle can be asked of it, too: name, version and the like are those of `bundle`.

    Attributes
    ----------
    bundle : Bundle
        What it will be on the server.
    filepath : str or path-like
        The file, as it was given.
    """

    def __init__(
        self, bundle: Bundle, file: LocalArtefact, filepath: str | os.PathLike[str]
    ) -> None:
        self.bundle = bundle
        self.filepath = filepath
        self._file = file

    def upload(self, overwrite: bool = False, *, progress: Progress | None = None) -> None:
        """Upload the file.

        ``POST /data/{organization}/{repository}/bundles/upload``

        Parameters
        ----------
        overwrite : bool, default False
            Replace a bundle of the same name and version with other content.
        progress : Progress, optional
            Told how many bytes have gone out.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        FileChangedError
            The file is not what it was when it was read; the server stored nothing.
        ChecksumMismatchError
            When an answer got lost: the server has another bundle of that name and version.
        ConflictError
            The server has another bundle of that name and version.
        PermissionDeniedError, NotFoundError
            The repository may not be written to, or not even be seen.
        """
        self._file.upload(overwrite=overwrite, progress=progress)

    # -- what it is on the server ---------------------------------------------------

    @property
    def name(self) -> str:
        """The name of the bundle."""
        return self.bundle.name

    @property
    def version(self) -> str:
        """The full version, such as ``1.0.0-1``."""
        return self.bundle.version

    @property
    def python_tag(self) -> str:
        """The PEP 425 tag of the bundle's runtime."""
        return self.bundle.python_tag

    @property
    def canonical_filename(self) -> str:
        """What the bundle's file is called once it has been saved from the server."""
        return self.bundle.canonical_filename

    def metadata(self) -> BundleMetadata:
        """Return what the server says of the bundle: `Bundle.metadata`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Returns
        -------
        BundleMetadata
            A dict.

        Raises
        ------
        NotFoundError
            There is no such bundle, or it may not be seen.
        """
        return self.bundle.metadata()

    def save(self, directory: str | os.PathLike[str], overwrite: bool = False) -> str:
        """Save the server's document to a file: `Bundle.save`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        directory : str or path-like
            An existing directory.
        overwrite : bool, default False
            Replace a file of that name.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        HatcherException
            As for `Bundle.save`.
        """
        return self.bundle.save(directory, overwrite)

    def delete(self, force: bool = False) -> None:
        """Delete the bundle from the server; the file stays.

        ``DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        force : bool, default False
            Delete it also where the server would rather keep it.

        Raises
        ------
        HatcherException
            As for `Bundle.delete`.
        """
        self.bundle.delete(force)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, LocalBundle):
            return NotImplemented
        return (self.bundle, self._file.document) == (other.bundle, other._file.document)

    def __hash__(self) -> int:
        return hash((LocalBundle, self.bundle))

    def __repr__(self) -> str:
        return f"<LocalBundle bundle={self.bundle!r}, filepath={os.fspath(self.filepath)!r}>"


class BundleCollection(Node):
    """The bundles of a platform; get it from `SinglePlatformRepository.bundles`.

    It can be iterated over, which asks the server for the index.

    Examples
    --------
    >>> for bundle in platform.bundles:
    ...     print(bundle.name, bundle.version)
    """

    __slots__ = ()

    def get(self, python_tag: str, name: str, version: str) -> Bundle:
        """Return a handle of one bundle; sends nothing.

        Parameters
        ----------
        python_tag : str
            The PEP 425 tag of the bundle's runtime, such as ``cp38``.
        name : str
        version : str
            Version and build number, such as ``1.0.0-1``.

        Returns
        -------
        Bundle

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return self._child(Bundle, python_tag=python_tag, name=name, version=version)

    def index(self) -> Index[dict[str, dict[str, dict[str, BundleIndexEntry]]]]:
        """Return what the server says of all bundles.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        dict
            ``{python tag: {name: {version: {build: BundleIndexEntry}}}}``. In a notebook it shows
            as a table.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return Index(self._session.index(self._request("get_bundle_index"), BUNDLES.read), BUNDLES)

    def list(self) -> list[BundleListing]:
        """List the bundles.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        list of BundleListing
            ``{'python_tag', 'name', 'version'}``, the version with its build number; in
            the server's order.

        Raises
        ------
        UnsupportedAPIVersionError, NotFoundError
            As for `index`.
        """
        return self._session.index(self._request("get_bundle_index"), _listings)

    def __iter__(self) -> Iterator[Bundle]:
        for listed in self.list():
            yield self.get(listed["python_tag"], listed["name"], listed["version"])

    def delete(
        self,
        python_tag: str,
        name: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete a bundle from the server.

        ``DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `get`.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        NotFoundError
            There is no such bundle, or it may not be seen.
        PermissionDeniedError
            The repository may not be written to.
        """
        self.get(python_tag, name, version).delete(force, missing_ok=missing_ok)

    def from_file(
        self, filepath: str | os.PathLike[str], runtime: Mapping[str, str] | None = None
    ) -> LocalBundle:
        """Read a bundle's file, to upload it; sends nothing.

        Parameters
        ----------
        filepath : str or path-like
            A file called ``name-version-build.bundle``, or as EDM does ``name-version-build.json``.
        runtime : mapping of str to str, optional
            The runtime to take the python tag from, instead of the file's: with
            ``implementation`` and ``version``.

        Returns
        -------
        LocalBundle

        Raises
        ------
        InvalidBundle
            The file is missing, unreadable, or no valid bundle.
        """
        # Imported here, for those who only ask the server.
        from hatcher.artefacts.bundle import read_bundle

        return self._local_bundle(read_bundle(filepath), filepath, runtime)

    def _local_bundle(
        self,
        file: BundleFile,
        filepath: str | os.PathLike[str],
        runtime: Mapping[str, str] | None = None,
    ) -> LocalBundle:
        python_tag = file.content.python_tag
        if runtime is not None:
            python_tag = python_tag_of(runtime["implementation"], runtime["version"])
        if python_tag is None:
            raise InvalidBundle(
                f"The runtime of '{file.path}' is no Python that has a tag. Give the "
                "implementation 'cpython' or 'pypy', and a version such as '3.8.17'."
            )
        there = self.get(python_tag, file.name, file.full_version)
        described = {
            "bundle_name": file.name,
            "bundle_version": file.version,
            "bundle_build": file.build,
        }
        document = file.content.document
        called = file.path.with_suffix(".bundle").name  # as it is everywhere but in EDM's folders
        local = LocalArtefact("bundle", file.path, self, there, described, document, called)
        return LocalBundle(there, local, filepath)

    def __str__(self) -> str:
        return "/".join([*self._names.values(), "bundles"])


def _listings(text: bytes) -> list[BundleListing]:
    """Return what a list says of the bundles in an index's text."""
    return [
        {
            "python_tag": tag,
            "name": text_in(entry, "name"),
            "version": text_in(entry, "full_version"),
        }
        for (tag, *_), entry in leaves(BUNDLES.read(text), 4)
    ]


class Bundles(Node):
    """The part of a `SinglePlatformRepository` that is about bundles."""

    __slots__ = ()

    @property
    def bundles(self) -> BundleCollection:
        """The bundles of this platform; sends nothing."""
        return self._child(BundleCollection)

    def bundle(self, python_tag: str, name: str, version: str) -> Bundle:
        """Return a handle of one bundle; sends nothing.

        Parameters
        ----------
        python_tag, name, version : str
            As for `BundleCollection.get`.

        Returns
        -------
        Bundle

        Raises
        ------
        InvalidNameError
            One of them is empty, ``.`` or ``..``.
        """
        return self.bundles.get(python_tag, name, version)

    def bundle_index(self) -> Index[dict[str, dict[str, dict[str, BundleIndexEntry]]]]:
        """Return what the server says of all bundles: `BundleCollection.index`.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        dict
            ``{python tag: {name: {version: {build: BundleIndexEntry}}}}``.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such repository or platform, or it may not be seen.
        """
        return self.bundles.index()

    def list_bundles(self) -> list[BundleListing]:
        """List the bundles: `BundleCollection.list`.

        ``GET /indices/{organization}/{repository}/{platform}/bundles``

        Returns
        -------
        list of BundleListing
            ``{'python_tag', 'name', 'version'}``, the version with its build number.

        Raises
        ------
        UnsupportedAPIVersionError, NotFoundError
            As for `bundle_index`.
        """
        return self.bundles.list()

    bundle_list = list_bundles

    def bundle_metadata(self, python_tag: str, name: str, version: str) -> BundleMetadata:
        """Return what the server says of one bundle.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `BundleCollection.get`.

        Returns
        -------
        BundleMetadata
            ``{'name', 'version', 'build', 'full_version', 'platform', 'data'}``; ``data``
            is the bundle's document.

        Raises
        ------
        UnsupportedAPIVersionError
            The client speaks API version 0.
        NotFoundError
            There is no such bundle, or it may not be seen.
        """
        return self.bundle(python_tag, name, version).metadata()

    def bundle_save(
        self,
        python_tag: str,
        name: str,
        version: str,
        directory: str | os.PathLike[str],
        overwrite: bool = False,
    ) -> str:
        """Save a bundle's document to a file: `Bundle.save`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `BundleCollection.get`.
        directory : str or path-like
            An existing directory.
        overwrite : bool, default False
            Replace a file of that name.

        Returns
        -------
        str
            The path of the file.

        Raises
        ------
        HatcherException
            As for `Bundle.save`.
        """
        return self.bundle(python_tag, name, version).save(directory, overwrite)

    def download_bundle(
        self, python_tag: str, name: str, version: str, destination: str | os.PathLike[str]
    ) -> None:
        """Download a bundle's document into a directory: `Bundle.download`.

        ``GET /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        A file of that name is replaced, as other artefacts' are; `bundle_save` keeps it.

        Parameters
        ----------
        python_tag, name, version : str
            As for `BundleCollection.get`.
        destination : str or path-like
            An existing directory.

        Raises
        ------
        HatcherException
            As for `Bundle.save`.
        """
        self.bundle(python_tag, name, version).download(destination)

    def delete_bundle(
        self,
        python_tag: str,
        name: str,
        version: str,
        force: bool = False,
        *,
        missing_ok: bool = False,
    ) -> None:
        """Delete a bundle from the server.

        ``DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

        Parameters
        ----------
        python_tag, name, version : str
            As for `BundleCollection.get`.
        force : bool, default False
            Delete it also where the server would rather keep it.
        missing_ok : bool, default False
            Be content when it is not there; the platform must be, and be readable.

        Raises
        ------
        HatcherException
            As for `BundleCollection.delete`.
        """
        self.bundle(python_tag, name, version).delete(force, missing_ok=missing_ok)

    bundle_delete = delete_bundle
