"""What belongs to a bundle: its runtime, and every egg that it requires, by their sha256."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from hatcher.artefacts.bundle import BundleDocument, bundle_document, read_bundle
from hatcher.artefacts.platforms import usual_platform
from hatcher.core.bundles import Bundle
from hatcher.errors import InvalidArgumentError, InvalidBundle
from hatcher.mirror.documents import document_of
from hatcher.mirror.layout import Kind
from hatcher.transfer.hashing import normalized_sha256

#: What stands for a bundle: one on a server, a file, or its document.
AnyBundle: TypeAlias = Bundle | str | os.PathLike[str] | Mapping[str, Any]

#: What is said of a kind to people.
SINGULAR: dict[Kind, str] = {
    "eggs": "egg",
    "runtimes": "runtime",
    "apps": "app",
    "bundles": "bundle",
}


class Need(NamedTuple):
    """An artefact that a bundle names.

    Attributes
    ----------
    kind : {'eggs', 'runtimes'}
    name : str
        Of the egg, or the runtime's implementation; capital letters do not count.
    version : str
        The full version.
    sha256 : str or None
        None where the document does not say: then any will do.
    repositories : tuple of str
        Where the document says that it is, such as ``acme/dev``.
    """

    kind: Kind
    name: str
    version: str
    sha256: str | None
    repositories: tuple[str, ...]

    def __str__(self) -> str:
        return f"{SINGULAR[self.kind]} {self.name} {self.version}"


class Closure(NamedTuple):
    """A bundle, and what belongs to it.

    Attributes
    ----------
    name : str
        For people; the name of its file, where it has one.
    python_tag : str
        Of its runtime.
    platform : str
        Such as ``rh8-x86_64``.
    document : dict
    needs : tuple of Need
        The runtime first, each once.
    bundle : Bundle or None
        What it is on a server.
    path : pathlib.Path or None
        Its file.
    content : bytes or None
        What is to stand in its file, where it is on a server.
    """

    name: str
    python_tag: str
    platform: str
    document: dict[str, Any]
    needs: tuple[Need, ...]
    bundle: Bundle | None = None
    path: Path | None = None
    content: bytes | None = None


def closure_of(bundle: AnyBundle) -> Closure:
    """Return what belongs to a bundle, as its document says.

    Of one on a server: ``GET
    /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}``

    Parameters
    ----------
    bundle : Bundle, str, path-like or mapping

    Raises
    ------
    InvalidBundle
        Something that it names cannot be understood; or there is no such file.
    NotFoundError
        There is no such bundle on the server, or it may not be seen.
    """
    if isinstance(bundle, Bundle):
        document, text = document_of(bundle)
        what = str(bundle)
        content = bundle_document(document, what)
        name = bundle.canonical_filename
        made = _closure(name, content, what, bundle._names["platform"])
        return made._replace(bundle=bundle, content=text)
    if isinstance(bundle, Mapping):
        return _closure("the bundle", bundle_document(dict(bundle), "The document"), "The document")
    if not isinstance(bundle, str | os.PathLike):
        raise InvalidArgumentError(
            f"{bundle!r} is no bundle. Give one of a server, such as platform.bundle(…), or the "
            "path of a file."
        )
    file = read_bundle(bundle)
    return _closure(file.path.name, file.content, f"'{file.path}'")._replace(path=file.path)


def _closure(name: str, content: BundleDocument, what: str, platform: str | None = None) -> Closure:
    if content.python_tag is None:
        raise InvalidBundle(
            f"The runtime of {what} is no Python that has a tag, so that it cannot be said which "
            "eggs are for it. Give the implementation 'cpython' or 'pypy', and a version such as "
            "'3.8.17'."
        )
    return Closure(
        name,
        content.python_tag,
        platform or usual_platform(content.platform),
        content.document,
        tuple(dict.fromkeys(_needs(content.document, what))),
    )


def _needs(document: Mapping[str, Any], what: str) -> list[Need]:
    runtime = document["runtime"]
    needs = [
        Need(
            "runtimes",
            runtime["implementation"],
            runtime["version"],
            _sha256(runtime, f"The runtime of {what}"),
            _repositories(runtime, document, "runtimes"),
        )
    ]
    for number, required in enumerate(document.get("requirements") or (), 1):
        which = f"Requirement {number} of {what}"
        needs.append(
            Need(
                "eggs",
                required["name"],
                required["version"],
                _sha256(required, which),
                _repositories(required, document, "packages"),
            )
        )
    return needs


def _sha256(named: Mapping[str, Any], which: str) -> str | None:
    sha256 = named.get("sha256")
    if sha256 is None:
        return None
    try:
        return normalized_sha256(sha256)
    except InvalidArgumentError as error:
        raise InvalidBundle(
            f"{which} has the sha256 {sha256!r}, which is none. Make the bundle anew."
        ) from error


def _repositories(
    named: Mapping[str, Any], document: Mapping[str, Any], part: str
) -> tuple[str, ...]:
    """Return where the document says that something is: by itself, or for all of its kind."""
    own = named.get("repository")
    if isinstance(own, str) and own:
        return (own,)
    all_of_them = document.get("repositories") or []
    if isinstance(all_of_them, Mapping):  # by what they have
        all_of_them = all_of_them.get(part) or []
    if not isinstance(all_of_them, Sequence) or isinstance(all_of_them, str):
        return ()
    return tuple(name for name in all_of_them if isinstance(name, str) and name)
