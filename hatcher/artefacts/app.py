"""Apps: YAML files that say what one is, and for which platform."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from hatcher.artefacts.checks import check_build, check_document, check_name
from hatcher.artefacts.local_files import existing_file, read_text, refusing
from hatcher.artefacts.python_tags import NO_TAG, check_tag
from hatcher.characters import shown
from hatcher.errors import InvalidApp, MissingPlatformError

if TYPE_CHECKING:
    from yaml import SafeLoader


#: The largest app that is read, in bytes; real ones have a few thousand, and YAML takes its time.
_LARGEST = 256 << 10

#: Digits of a number; PyYAML takes years for those in base 60.
_LONGEST_NUMBER = 40

_PLAIN = frozenset({"null", "bool", "int", "float", "str", "timestamp"})
_TAGS = "tag:yaml.org,2002:"


@frozen
class AppFile:
    """What an app says of itself.

    Attributes
    ----------
    path : pathlib.Path
    platform : str
        Such as ``rh8-x86_64``, as it is written.
    document : dict
        All that is in the file.
    texts : dict of str to str
        Its simple values as they are written: the version ``1.10`` is not the
        number 1.1.
    app_id, version : str
    build : int
    """

    path: Path
    platform: str
    document: dict[str, Any]
    texts: dict[str, str]
    app_id: str
    version: str
    build: int

    @property
    def address(self) -> tuple[str, str, str]:
        """The python tag, id and full version that a server knows it by."""
        return self.texts.get("python_tag") or NO_TAG, self.app_id, f"{self.version}-{self.build}"


def read_app(path: str | os.PathLike[str]) -> AppFile:
    """Read an app.

    Parameters
    ----------
    path : str or path-like
        A YAML file, whatever its name.

    Returns
    -------
    AppFile

    Raises
    ------
    InvalidApp
        The file is missing, unreadable, no YAML mapping, or has no id or version that a
        server could know it by.
    MissingPlatformError
        It does not say for which platform it is.
    """
    file = existing_file(path, InvalidApp, "", "an app")
    document, texts = _read_yaml(file, read_text(file, InvalidApp, _LARGEST))
    if not texts.get("platform"):
        raise MissingPlatformError(
            f"'{file}' does not say for which platform it is. Add a line such as "
            "'platform: rh8-x86_64'."
        )
    with refusing(InvalidApp, f"'{file}' is no app", "Correct it."):
        missing = [key for key in ("id", "version") if not texts.get(key)]
        if missing:
            raise ValueError(f"it has no {', '.join(missing)}")
        check_name("a platform", texts["platform"])
        check_tag(texts.get("python_tag") or NO_TAG)
        app_id = check_name("the id of an app", texts["id"])
        version, _, build = check_name("a version", texts["version"]).partition("-")
        number = check_build(build or 1)
        if texts.get("build"):
            number = check_build(texts["build"])
    return AppFile(file, texts["platform"], document, texts, app_id, version, number)


def _read_yaml(file: Path, text: str) -> tuple[dict[str, Any], dict[str, str]]:
    """Return what a mapping says, and its simple values as they are written."""
    # Imported here because it takes 30 ms.
    import yaml

    try:
        # In Python: the one in C does not survive deep nesting.
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        if not isinstance(root, yaml.MappingNode):
            raise InvalidApp(
                f"'{file}' is no app: its YAML is no mapping of keys to values. Write "
                "one, such as 'platform: rh8-x86_64'."
            )
        document = _value(loader, root, set())
        check_document(document)
    except RecursionError as error:
        raise InvalidApp(
            f"'{file}' is no YAML that is read: it is nested too deeply. Write it flatter."
        ) from error
    except InvalidApp:
        raise
    except Exception as error:  # whatever PyYAML makes of a hostile text
        problem = shown(" ".join(str(error).split())[:300])
        raise InvalidApp(f"'{file}' is no YAML: {problem}. Correct it.") from error
    texts = {
        key.value: value.value
        for key, value in root.value
        if value.id == "scalar" and document[key.value] is not None
    }
    return document, texts


def _value(loader: SafeLoader, node: Any, seen: set[int]) -> Any:
    """Return what JSON can hold of a part of a document."""
    if id(node) in seen:
        # They let a small text stand for an enormous one.
        raise ValueError("it has aliases (*name); write out what they stand for")
    seen.add(id(node))
    kind = node.tag.removeprefix(_TAGS)
    if node.id == "scalar" and kind in _PLAIN:
        if kind in ("int", "float") and len(node.value) > _LONGEST_NUMBER:
            raise ValueError(f"a number has more than {_LONGEST_NUMBER} digits")
        value = loader.construct_object(node)
        return node.value if kind == "timestamp" else value
    if node.id == "sequence" and kind == "seq":
        return [_value(loader, child, seen) for child in node.value]
    if node.id == "mapping" and kind == "map":
        keys = [_value(loader, key, seen) for key, _ in node.value]
        if any(key.tag != f"{_TAGS}str" for key, _ in node.value) or len(set(keys)) < len(keys):
            raise ValueError("a key is no text (write it in quotes), or is there twice")
        return {
            key: _value(loader, child, seen)
            for key, (_, child) in zip(keys, node.value, strict=True)
        }
    raise ValueError(f"JSON cannot hold a value of the type {node.tag}")
