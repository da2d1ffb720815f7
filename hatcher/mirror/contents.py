"""Artefacts that are documents: bundles and apps.

Servers give away what stands in bundles and apps, and not their files. So what counts is the
sha256 of the document, however it is written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hatcher.artefacts.app import read_app
from hatcher.artefacts.bundle import read_bundle, read_bundle_document
from hatcher.core.apps import App
from hatcher.core.bundles import Bundle
from hatcher.errors import ArtefactError, InvalidJSONError
from hatcher.files.atomic import replacing
from hatcher.mirror.layout import Kind
from hatcher.mirror.records import Held

#: The kinds that are documents.
DOCUMENTS: frozenset[Kind] = frozenset({"apps", "bundles"})


def digest(document: object) -> str:
    """Return the sha256 of a document, in lower-case hexadecimal."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def digest_of_file(kind: Kind, path: Path, *, is_named: bool = True) -> str:
    """Return the sha256 of the document in a file.

    Parameters
    ----------
    kind : {'apps', 'bundles'}
    path : pathlib.Path
    is_named : bool, default True
        Whether a bundle's file has to be called as its document says.

    Raises
    ------
    ArtefactError
        There is no such document in it.
    """
    if kind == "apps":
        return digest(read_app(path).document)
    if is_named:
        return digest(read_bundle(path).content.document)
    return digest(read_bundle_document(path).document)


def document_of(artefact: App | Bundle, held: Held | None = None) -> tuple[Any, bytes]:
    """Ask a server for a document, and return it, and what stands in its file.

    Parameters
    ----------
    artefact : App or Bundle
    held : Held, optional
        Where the document's sha256 and the file's size are noted.

    Raises
    ------
    InvalidJSONError
        The server says nothing of it.
    HatcherException
        It could not be asked.
    """
    metadata: Mapping[str, Any] = artefact.metadata()
    document = metadata.get("data")
    what = f"The server's metadata of {artefact!r} holds no document ('data')"
    if isinstance(artefact, Bundle):
        if document is None:
            raise InvalidJSONError(f"{what}.")
        content = json.dumps(document, indent=2, sort_keys=True).encode()
    elif isinstance(document, dict):
        content = _app_text(document, metadata)
    else:
        raise InvalidJSONError(
            f"{what}, and Brood has no way to download apps. Keep the app's file, and upload that."
        )
    if held is not None:
        held.sha256, held.size = digest(document), len(content)
    return document, content


def write_document(path: Path, document: object, content: bytes) -> None:
    """Write a document to its file, which appears whole, or not at all.

    Parameters
    ----------
    path : pathlib.Path
    document : object
    content : bytes
        What is to stand in the file.

    Raises
    ------
    InvalidDestinationError
        It cannot be written.
    ArtefactError
        Something in it cannot be written down as it is.
    """
    with replacing(path) as file:
        file.write(content)
        if path.suffix != ".bundle" and read_app(file.path).document != document:
            raise ArtefactError(
                f"The app '{path.name}' cannot be written as YAML with the same content. Keep its "
                "file, and upload that."
            )


def _app_text(document: Mapping[str, Any], metadata: Mapping[str, Any]) -> bytes:
    """Return an app as YAML; its version as it was written: 1.10 is not the number 1.1."""
    # Imported here because it takes 30 ms.
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes numbers that are texts too as they were written."""

    class Written(str):
        """A number, as it was written."""

    def represent(dumper: yaml.SafeDumper, text: Written) -> yaml.ScalarNode:
        tag = dumper.resolve(yaml.ScalarNode, str(text), (True, False))  # type: ignore[no-untyped-call]
        return yaml.ScalarNode(tag, str(text))

    Dumper.add_representer(Written, represent)
    said = dict(document)
    for key in ("id", "version", "python_tag", "name", "description"):
        text, value = metadata.get(key), said.get(key)
        if isinstance(text, str) and isinstance(value, int | float):
            said[key] = Written(text)
    return str(yaml.dump(said, Dumper=Dumper, sort_keys=False, allow_unicode=True)).encode()
