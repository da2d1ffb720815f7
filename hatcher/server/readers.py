"""What runtimes, apps and bundles say of themselves."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from typing import Any

from attrs import frozen

from hatcher.errors import ArtefactError, InvalidBundle, InvalidRuntime

#: The largest app or bundle that is read, in bytes: they are text.
_LARGEST_TEXT = 16 << 20

_VERSION = re.compile(r"(?P<major>\d+)\.(?P<minor>\d+)")
_TAG_PREFIXES = {"cpython": "cp", "python": "cp", "pypy": "pp", "jython": "jy", "ironpython": "ip"}


class InvalidApp(ArtefactError):  # noqa: N818 - as the others of its kind
    """A file is no app."""


@frozen
class RuntimeFile:
    """What a runtime says of itself, in ``enthought/runtime.json``."""

    implementation: str
    version: str
    language_version: str
    platform: str
    abi: str | None
    build_revision: str
    metadata_version: str
    filename: str


@frozen
class AppFile:
    """What an app says of itself."""

    id: str
    name: str
    description: str | None
    version: str
    build: int
    platform: str
    python_tag: str | None
    document: dict[str, Any]


@frozen
class BundleFile:
    """What a bundle says of itself."""

    platform: str
    python_tag: str | None
    document: dict[str, Any]


def read_runtime(path: Path) -> RuntimeFile:
    """Read a runtime of version 1 of the format.

    Raises
    ------
    InvalidRuntime
        It is none, or is not called as it should be.
    """
    # Here, because it takes 0.1 s to import.
    from jsonschema.exceptions import ValidationError
    from okonomiyaki.errors import OkonomiyakiError
    from okonomiyaki.platforms import EPDPlatform
    from okonomiyaki.runtimes import IRuntimeMetadata

    try:
        metadata = IRuntimeMetadata.factory_from_path(str(path))
    except zipfile.BadZipFile as error:
        raise InvalidRuntime(f"'{path}' is no zip file, or not a whole one ({error}).") from error
    except (OkonomiyakiError, ValidationError, ValueError, KeyError, TypeError) as error:
        raise InvalidRuntime(
            f"'{path}' is no valid runtime (enthought/runtime.json): {error}."
        ) from error
    if path.name != metadata.filename:
        raise InvalidRuntime(
            f"'{path}' says inside (enthought/runtime.json) that it is '{metadata.filename}'. "
            "Rename it to that, or build it again."
        )
    return RuntimeFile(
        implementation=metadata.implementation,
        version=str(metadata.version),
        language_version=str(metadata.language_version),
        platform=str(EPDPlatform(metadata.platform)),
        abi=metadata.abi,
        build_revision=metadata.build_revision,
        metadata_version=str(metadata.metadata_version),
        filename=metadata.filename,
    )


def read_app(path: Path) -> AppFile:
    """Read an app.

    Raises
    ------
    InvalidApp
        It is none.
    """
    import yaml

    text = _read_text(path, InvalidApp)
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            # They let a small text stand for an enormous one.
            raise InvalidApp(f"'{path}' has YAML aliases (*name). Write out what they stand for.")
        # All scalars as they are written: the version 1.10 is not the number 1.1.
        written = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - it only makes strings
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidApp(f"'{path}' is no YAML: {error}.") from error
    if not isinstance(written, dict):
        raise InvalidApp(f"'{path}' is no app: its YAML is no mapping.")
    values = {key: value for key, value in written.items() if isinstance(value, str)}
    missing = [key for key in ("id", "version", "platform") if not values.get(key)]
    if missing:
        raise InvalidApp(f"'{path}' is no app: it has no {', '.join(missing)}.")
    version, _, build = values["version"].partition("-")
    build = values.get("build") or build or "1"
    if not build.isdecimal():
        raise InvalidApp(f"'{path}' has the build '{build}', which is no number.")
    return AppFile(
        id=values["id"],
        name=values.get("name", values["id"]),
        description=values.get("description"),
        version=version,
        build=int(build),
        platform=values["platform"],
        python_tag=values.get("python_tag"),
        document=json.loads(json.dumps(document, default=str)),
    )


def read_bundle(path: Path) -> BundleFile:
    """Read a bundle.

    Raises
    ------
    InvalidBundle
        It is none.
    """
    try:
        document = json.loads(_read_text(path, InvalidBundle))
    except (ValueError, RecursionError) as error:
        raise InvalidBundle(f"'{path}' is no JSON: {error}.") from error
    runtime = document.get("runtime") if isinstance(document, dict) else None
    if not isinstance(runtime, dict):
        raise InvalidBundle(f"'{path}' is no bundle: it names no runtime.")
    missing = [
        key
        for key in ("implementation", "platform", "version")
        if not isinstance(runtime.get(key), str)
    ]
    if missing:
        raise InvalidBundle(f"'{path}' is no bundle: its runtime has no {', '.join(missing)}.")
    return BundleFile(
        platform=runtime["platform"],
        python_tag=tag_of(runtime["implementation"], runtime["version"]),
        document=document,
    )


def tag_of(implementation: str, version: str) -> str | None:
    """Return the python tag of an implementation: ``cp311`` for CPython 3.11.9.

    Parameters
    ----------
    implementation : str
        Its name, such as ``cpython``.
    version : str
        The version of the language, or one that begins with it.
    """
    prefix = _TAG_PREFIXES.get(implementation.lower())
    match = _VERSION.match(version)
    return f"{prefix}{match['major']}{match['minor']}" if prefix and match else None


def _read_text(path: Path, error: type[ArtefactError]) -> str:
    size = path.stat().st_size
    if size > _LARGEST_TEXT:
        raise error(f"'{path}' has {size} bytes; more than {_LARGEST_TEXT} are not read.")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as cause:
        raise error(f"'{path}' is not UTF-8: {cause}.") from cause
