"""What a side of a mirror has, written down: each artefact with its sha256.

A manifest is pure data. It can be carried to where the side cannot be reached, and be compared
with there. The same file stands in every folder that hatcher has put artefacts into, as
``manifest.json``, and in every archive.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

from attrs import asdict, field, frozen

from hatcher.characters import shown
from hatcher.core.places import Problem, documents_of, lines_of
from hatcher.errors import (
    ArtefactError,
    HatcherException,
    InvalidArgumentError,
    InvalidNameError,
    MissingFilenameError,
)
from hatcher.files.atomic import replacing
from hatcher.mirror.contents import DOCUMENTS
from hatcher.mirror.layout import Kind, parse
from hatcher.mirror.selection import Selection, select
from hatcher.sizes import human_size
from hatcher.transfer.filenames import server_name

#: What it is called in a folder and in an archive.
FILENAME = "manifest.json"

_FORMAT, _VERSION = "hatcher manifest", 1

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")

#: Entries that are written at a time.
_AT_ONCE = 1000


class Entry(NamedTuple):
    """An artefact in a manifest.

    Parameters
    ----------
    kind : {'eggs', 'runtimes', 'apps', 'bundles'}
    sha256 : str
        By which it is compared: of its file; of bundles and apps that of their documents, however
        they are written.
    size : int or None
        Bytes of its file; None where there is none, or nobody says.
    file_sha256 : str or None
        Of bundles and apps, the sha256 of the file itself, where there is one.
    carried : bool
        Whether the archive that the manifest stands in holds the file.
    """

    kind: Kind
    sha256: str
    size: int | None = None
    file_sha256: str | None = None
    carried: bool = False

    @property
    def bytes_sha256(self) -> str | None:
        """The sha256 of the file's bytes; None where there is no file."""
        return self.file_sha256 if self.kind in DOCUMENTS else self.sha256


@frozen
class Difference:
    """How two sides differ; true when they do.

    Parameters
    ----------
    lacking : tuple of str
        The paths that only the other one has, below its place.
    different : tuple of str
        Those that both have, with different content.
    surplus : tuple of str
        Those that the other one lacks.
    """

    lacking: tuple[str, ...]
    different: tuple[str, ...]
    surplus: tuple[str, ...]

    def __bool__(self) -> bool:
        return bool(self.lacking or self.different or self.surplus)

    def __str__(self) -> str:
        named = asdict(self).items()
        counts = [f"{len(paths)} {name}" for name, paths in named if paths]
        lines = [f"{name} {path}" for name, paths in named for path in paths]
        return "\n".join([", ".join(counts) or "no difference", *lines])


def _ordered(artefacts: Mapping[str, Entry]) -> Mapping[str, Entry]:
    return {path: artefacts[path] for path in sorted(artefacts)}


def _hashes(artefacts: Mapping[str, Entry]) -> dict[str, str]:
    return {path: entry.sha256 for path, entry in artefacts.items()}


@frozen
class Manifest:
    """What a side has; pure data.

    Two are equal when they are of the same place, and list the same artefacts with the same
    hashes; when, of what and by which selection they were made does not count.

    Parameters
    ----------
    source : str
        Of what it was made, for people.
    place : tuple of str
        The names that lead to it: organization, repository, platform; fewer for a larger place,
        and none for all that stands in a folder.
    api_version : int or None
        None for all that stands in a folder.
    selection : Selection
        What was read. Of what else the side may have, the manifest says nothing.
    artefacts : mapping of str to Entry
        By the path in the layout, such as ``v1/acme/dev/rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg``.
    made : str or None
        When it was made: an ISO 8601 date-time in UTC.
    problems : tuple of Problem
        Places that could not be read, so that nothing is deleted because the manifest does not
        list it; and artefacts, by their paths in the layout, of which the sha256 is not known.
    """

    source: str = field(eq=False)
    place: tuple[str, ...]
    api_version: int | None
    selection: Selection = field(eq=False)
    artefacts: Mapping[str, Entry] = field(converter=_ordered, eq=_hashes)
    made: str | None = field(default=None, eq=False)
    problems: tuple[Problem, ...] = field(default=(), eq=False)

    # -- what it says ------------------------------------------------------------------

    def below(self, api_version: int, names: tuple[str, ...]) -> dict[str, Entry]:
        """Return the artefacts of a place, by their paths below it.

        Parameters
        ----------
        api_version : int
        names : tuple of str
            The names that lead to it.

        Returns
        -------
        dict of str to Entry
        """
        prefix = "/".join([f"v{api_version}", *names, ""])
        return {
            path.removeprefix(prefix): entry
            for path, entry in self.artefacts.items()
            if path.startswith(prefix)
        }

    def difference(self, other: Manifest) -> Difference:
        """Say how this one differs from another one, by hash.

        Parameters
        ----------
        other : Manifest
            Of the same place or of another one; what counts are the paths below the places.

        Returns
        -------
        Difference

        Raises
        ------
        InvalidArgumentError
            One is of a larger place than the other.
        """
        levels = {(one.api_version is None, len(one.place)) for one in (self, other)}
        if len(levels) > 1:
            raise InvalidArgumentError(
                f"{self!r} and {other!r} cannot be compared. Give two of organizations, of "
                "repositories or of platforms."
            )
        mine, others = self._by_own_path(), other._by_own_path()
        return Difference(
            tuple(path for path in others if path not in mine),
            tuple(path for path in others if path in mine and mine[path] != others[path]),
            tuple(path for path in mine if path not in others),
        )

    def _by_own_path(self) -> dict[str, str]:
        if self.api_version is None:
            return _hashes(self.artefacts)
        return _hashes(self.below(self.api_version, self.place))

    @property
    def size(self) -> int:
        """The bytes of all files, as far as they are known (`int`)."""
        return sum(entry.size or 0 for entry in self.artefacts.values())

    def __repr__(self) -> str:
        return f"<Manifest of {self.source}: {len(self.artefacts)} artefacts>"

    def __str__(self) -> str:
        number = len(self.artefacts)
        head = (
            f"{self.source}: {number} artefact{'' if number == 1 else 's'}, {human_size(self.size)}"
        )
        return "\n".join([head, *lines_of(self.problems)])

    # -- as a file ---------------------------------------------------------------------

    def document(self) -> dict[str, Any]:
        """Return it as what JSON can hold.

        Returns
        -------
        dict
            ``format``, ``version``, ``made``, ``source``, ``api_version``, ``place``,
            ``selection``, ``problems``, and ``artefacts``: by their paths, each with ``kind``,
            ``sha256``, ``size`` and, where there is one, ``file_sha256``.
        """
        return {
            **self._head(),
            "artefacts": {path: _entry_document(entry) for path, entry in self.artefacts.items()},
        }

    def _head(self) -> dict[str, Any]:
        return {
            "format": _FORMAT,
            "version": _VERSION,
            "made": self.made,
            "source": self.source,
            "api_version": self.api_version,
            "place": list(self.place),
            "selection": self.selection.document(
                "kinds", "platforms", "python_tags", "names", "egg_tags"
            ),
            "problems": documents_of(self.problems),
        }

    @classmethod
    def from_document(cls, document: Any, where: str = "the manifest") -> Self:
        """Return the manifest of a document.

        Parameters
        ----------
        document : dict
            As `document` returns it.
        where : str
            What it was read from, for the message.

        Returns
        -------
        Manifest

        Raises
        ------
        ArtefactError
            It is none, is of another version, or lists what cannot be.
        """
        if not isinstance(document, dict) or document.get("format") != _FORMAT:
            raise ArtefactError(
                f"{where} is no manifest of hatcher. Give one that was written by Manifest.write."
            )
        if document.get("version") != _VERSION:
            raise ArtefactError(
                f"{where} is a manifest of version {document.get('version')!r}, and this hatcher "
                f"knows version {_VERSION}. Use the hatcher that wrote it, or a newer one."
            )
        try:
            return cls(
                _text(document["source"]),
                tuple(map(_text, _list(document["place"]))),
                _version(document["api_version"]),
                select(repositories=None, **document["selection"]),
                _entries(document["artefacts"]),
                None if document["made"] is None else _text(document["made"]),
                tuple(
                    Problem(_text(problem["place"]), HatcherException(_text(problem["error"])))
                    for problem in _list(document["problems"])
                ),
            )
        except InvalidNameError as error:
            raise ArtefactError(
                f"{where} is not to be trusted: {error.what} Get it again from where it was made."
            ) from error
        except (KeyError, TypeError, ValueError) as error:
            raise ArtefactError(
                f"{where} is damaged: {_reason(error)}. Get it again from where it was made."
            ) from error

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, which appears whole or not at all.

        Parameters
        ----------
        path : str or path-like
            What is there is replaced.

        Raises
        ------
        InvalidDestinationError
            The file cannot be written.
        """
        with replacing(Path(path)) as file:
            for chunk in self.chunks():
                file.write(chunk)

    def chunks(self) -> Iterator[bytes]:
        """Give what stands in its file: JSON, with a line for each artefact.

        Yields
        ------
        bytes
        """
        head = json.dumps(self._head(), indent=1)
        lines = [head.removesuffix("\n}"), ',\n "artefacts": {']
        before = "\n"
        for path, entry in self.artefacts.items():
            lines.append(f"{before}  {json.dumps(path)}: {json.dumps(_entry_document(entry))}")
            before = ",\n"
            if len(lines) > _AT_ONCE:
                yield "".join(lines).encode()
                lines = []
        yield "".join([*lines, "\n }\n}\n"]).encode()


def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read a manifest from a file.

    Parameters
    ----------
    path : str or path-like
        A file that `Manifest.write` has written, or the ``manifest.json`` of a folder.

    Returns
    -------
    Manifest

    Raises
    ------
    ArtefactError
        There is no such file, it cannot be read, or is no manifest.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ArtefactError(
            f"The manifest '{path}' cannot be read: {error.strerror}. Check the path and the "
            "permissions."
        ) from error
    return parse_manifest(content, f"'{path}'")


def parse_manifest(content: bytes, where: str) -> Manifest:
    """Return the manifest that stands in a file.

    Parameters
    ----------
    content : bytes
    where : str
        What it was read from, for the message.

    Raises
    ------
    ArtefactError
        It is none.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ArtefactError(
            f"{where} is no manifest: {error}. Get it again from where it was made."
        ) from error
    return Manifest.from_document(document, where)


def now() -> str:
    """Return the time as a manifest says it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# -- reading ---------------------------------------------------------------------------------


def _entry_document(entry: Entry) -> dict[str, Any]:
    document: dict[str, Any] = {"kind": entry.kind, "sha256": entry.sha256, "size": entry.size}
    if entry.file_sha256 is not None:
        document["file_sha256"] = entry.file_sha256
    if entry.carried:
        document["carried"] = True
    return document


def _entries(documents: Any) -> dict[str, Entry]:
    kinds: dict[str, Kind] = {}
    return {path: _entry(path, documents[path], kinds) for path in documents}


def _entry(path: str, document: Mapping[str, Any], kinds: dict[str, Kind]) -> Entry:
    kind = kind_at(path, kinds)
    size, file_sha256 = document.get("size"), document.get("file_sha256")
    if document["kind"] != kind:
        raise ValueError(f"it says that '{path}' is of the kind {document['kind']!r}")
    if size is not None and (type(size) is not int or size < 0):
        raise ValueError(f"it says that '{path}' has {size!r} bytes")
    for sha256 in (document["sha256"], file_sha256):
        if sha256 is not None and not _SHA256.match(sha256):
            raise ValueError(f"it says of '{path}' what is no sha256: {sha256!r}")
    return Entry(
        kind, _text(document["sha256"]), size, file_sha256, document.get("carried") is True
    )


def kind_at(path: str, known: dict[str, Kind]) -> Kind:
    """Return what kind of artefact stands at a path of the layout.

    Parameters
    ----------
    path : str
    known : dict of str to str
        The kinds of folders that were looked at before: there are thousands of files in few.

    Raises
    ------
    InvalidNameError
        It is none of the layout, leads elsewhere, or would be hidden.
    """
    folder, _, filename = path.rpartition("/")
    if folder not in known:
        known[folder] = parse(path).kind
        for name in folder.split("/"):
            _check_name(name, path)
    _check_name(filename, path)
    return known[folder]


def _check_name(name: str, path: str) -> None:
    try:
        server_name(name, "The name of a file")
    except MissingFilenameError as error:
        raise InvalidNameError(f"'{shown(path)}' would stand elsewhere, or be hidden.") from error


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is no list")
    return value


def _version(value: object) -> int | None:
    if value is None or (type(value) is int and value in (0, 1)):
        return value
    raise ValueError(f"{value!r} is no version of the API")


def _reason(error: Exception) -> str:
    if isinstance(error, InvalidArgumentError):
        return error.what.rstrip(".")
    return f"it lacks {error}" if isinstance(error, KeyError) else str(error)
