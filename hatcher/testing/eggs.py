"""Builders of real eggs: from an installed distribution, or made up, of any size.

Both write what Brood and its clients accept: a zip file with ``EGG-INFO/PKG-INFO`` and
``EGG-INFO/spec/depend``, written with okonomiyaki, the library of the format. The same input gives
the same bytes, so that an egg built twice has one sha256.
"""

from __future__ import annotations

import csv
import json
import os
import random
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from hatcher.errors import ArtefactError, InvalidArgumentError
from hatcher.files.atomic import replacing

if TYPE_CHECKING:
    from okonomiyaki.file_formats import EggMetadata

__all__ = ["UnsuitableDistributionError", "build_egg", "write_egg"]

#: The oldest time a zip file can hold; every member bears it.
_TIMESTAMP = (1980, 1, 1, 0, 0, 0)

#: Bytes copied or made at once, which bounds the memory used for an egg of any size.
_BLOCK = 1 << 20

#: What installers put behind the name of a script, such as ``pip3.11`` and ``pip.exe``.
_OF_A_SCRIPT = re.compile(r"(-script)?(\.exe|\.py|\.pyw)?$")
_NUMBERED = re.compile(r"-?[\d.]+$")

#: The newest version of PKG-INFO that okonomiyaki reads.
_NEWEST_PKG_INFO = (2, 4)

_COMPILED = frozenset({".so", ".pyd", ".dylib"})

#: Files of a ``.dist-info`` folder that describe one installation rather than the project.
_OF_THE_INSTALLATION = frozenset(
    {"INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL", "direct_url.json"}
)


_Member = tuple[str, Iterable[bytes]]


class UnsuitableDistributionError(ArtefactError, ValueError):
    """The distribution cannot become an egg; the message says why and what to do instead."""


def build_egg(
    distribution: str,
    destination: str | os.PathLike[str],
    *,
    build: int = 1,
    platform: str | None = None,
    python_tag: str | None = None,
    name: str | None = None,
    version: str | None = None,
    packages: Sequence[str] | None = None,
    compress: bool = True,
) -> Path:
    """Build an egg from an installed pure-Python distribution.

    The egg holds the modules and data files of the distribution, its ``PKG-INFO`` and its entry
    points. Bytecode and console scripts stay out: both are made anew on installation.

    Parameters
    ----------
    distribution : str
        Name of a distribution of the running environment, as ``pip list`` shows it.
    destination : str or os.PathLike
        An existing folder to write the egg into.
    build : int
        The build number.
    platform : str, optional
        The EPD name of the one platform that the egg is for, such as ``"rh8-x86_64"``.
        Without it the egg is for every platform.
    python_tag : str, optional
        The PEP 425 tag of the Python that the egg is for, such as ``"cp311"``. Without it the egg
        is for every Python. Tags without a minor version (``"py3"``) are none of this format.
    name : str, optional
        Another name for the egg. The distribution's own by default, with ``_`` for ``-``.
    version : str, optional
        Another version for the egg. The distribution's own by default.
    packages : sequence of str, optional
        The requirements to record, such as ``["numpy 1.26.4"]``. By default those of the
        distribution that apply to the running Python without any extra.
    compress : bool
        Whether to deflate the members.

    Returns
    -------
    pathlib.Path
        The egg: ``<destination>/<name>-<version>-<build>.egg``. A file of that name is replaced.

    Raises
    ------
    UnsuitableDistributionError
        If the distribution is not installed, is installed in editable mode, or has compiled files
        or files outside ``site-packages`` other than its scripts.
    InvalidArgumentError
        If a name, version, tag or platform is none that an egg can bear.
    NotADirectoryError
        If `destination` is no existing folder.

    Examples
    --------
    >>> egg = build_egg("attrs", tmp_path, python_tag="cp311")
    >>> egg.name
    'attrs-26.1.0-1.egg'
    """
    found = _find(distribution)
    members = _members(found)
    egg_metadata = _metadata(
        name=name or found.name.replace("-", "_"),
        version=version or found.version,
        build=build,
        platform=platform,
        python_tag=python_tag,
        packages=_requirements(found) if packages is None else packages,
        pkg_info=_pkg_info(found, name, version),
        summary=str(found.metadata.json.get("summary", "")),
    )
    return _write(
        Path(destination),
        egg_metadata,
        [(arcname, _blocks_of(path)) for arcname, path in sorted(members.items())],
        zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED,
    )


def write_egg(
    destination: str | os.PathLike[str],
    name: str = "spam",
    version: str = "1.0.0",
    build: int = 1,
    *,
    platform: str | None = None,
    python_tag: str | None = None,
    packages: Sequence[str] = (),
    files: Mapping[str, bytes] | None = None,
    payload_bytes: int = 0,
    seed: int = 0,
) -> Path:
    """Write a made-up egg of any size.

    The egg is valid and holds one module, the `files`, and a payload that does not compress. It is
    stored, not deflated, and written in blocks: 1 GB needs no more memory than 1 MB.

    Parameters
    ----------
    destination : str or os.PathLike
        An existing folder to write the egg into.
    name : str
        The name of the egg: letters, digits, ``_`` and ``.``.
    version : str
        The version, without the build.
    build : int
        The build number.
    platform : str, optional
        The EPD name of the one platform that the egg is for. Without it: every platform.
    python_tag : str, optional
        The PEP 425 tag of the Python that the egg is for. Without it: every Python.
    packages : sequence of str
        The requirements to record, such as ``["numpy 1.26.4"]``.
    files : mapping of str to bytes, optional
        Further members of the egg, by their path in it.
    payload_bytes : int
        The size in bytes of the payload; the egg is about 1 kB larger.
    seed : int
        What the payload is made from: another seed gives another payload, and so another sha256.

    Returns
    -------
    pathlib.Path
        The egg: ``<destination>/<name>-<version>-<build>.egg``. A file of that name is replaced.

    Raises
    ------
    InvalidArgumentError
        If a name, version, tag or platform is none that an egg can bear, or the size is negative.
    NotADirectoryError
        If `destination` is no existing folder.
    """
    if payload_bytes < 0:
        raise InvalidArgumentError(f"payload_bytes must be 0 or more, not {payload_bytes}.")
    egg_metadata = _metadata(
        name=name,
        version=version,
        build=build,
        platform=platform,
        python_tag=python_tag,
        packages=packages,
        pkg_info=f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: Made up\n",
        summary="Made up",
    )
    contents: dict[str, bytes] = {f"{name}/__init__.py": f'__version__ = "{version}"\n'.encode()}
    contents.update(files or {})
    members: list[_Member] = [(arcname, (data,)) for arcname, data in contents.items()]
    if payload_bytes:
        members.append((f"{name}/payload.bin", _noise(payload_bytes, seed)))
    return _write(Path(destination), egg_metadata, members, zipfile.ZIP_STORED)


def _find(distribution: str) -> metadata.Distribution:
    try:
        found = metadata.distribution(distribution)
    except (metadata.PackageNotFoundError, ValueError) as error:
        what = f"No distribution named {distribution!r} is installed here."
        advice = "Give a name as 'pip list' shows it, without a version."
        raise UnsuitableDistributionError(what, advice=advice) from error
    wheel = found.read_text("WHEEL")
    if wheel is None or None in map(found.read_text, ("METADATA", "RECORD")):
        raise UnsuitableDistributionError(
            f"{distribution} was not installed from a wheel, so its files are not known.",
            advice=_reinstall(distribution),
        )
    if _is_editable(found):
        raise UnsuitableDistributionError(
            f"{distribution} is installed in editable mode, so its files are not in site-packages.",
            advice="Install it as a wheel (python -m pip install .), or choose another one.",
        )
    tags = re.findall(r"(?m)^Tag:\s*(\S+)", wheel)
    compiled = [file for file in _recorded(found) if file.suffix in _COMPILED]
    if compiled or not all(tag.endswith("-none-any") for tag in tags):
        raise UnsuitableDistributionError(
            f"{distribution} is not pure Python ({compiled[0] if compiled else ', '.join(tags)}).",
            advice="Choose a pure-Python distribution: only a build for its platform can make an "
            "egg of this one.",
        )
    return found


def _reinstall(distribution: str) -> str:
    return f"Reinstall it with: python -m pip install --force-reinstall {distribution}"


def _is_editable(found: metadata.Distribution) -> bool:
    try:
        origin = json.loads(found.read_text("direct_url.json") or "{}")
    except ValueError:
        return False
    return isinstance(origin, dict) and bool((origin.get("dir_info") or {}).get("editable"))


def _recorded(found: metadata.Distribution) -> list[PurePosixPath]:
    # Not `files`, which from Python 3.12 on is silent about those that are missing.
    record = found.read_text("RECORD") or ""
    return [PurePosixPath(row[0]) for row in csv.reader(record.splitlines()) if row and row[0]]


def _members(found: metadata.Distribution) -> dict[str, Path]:
    """The files to take over, by their path in the egg."""
    members: dict[str, Path] = {}
    scripts = {_NUMBERED.sub("", point.name) for point in found.entry_points}
    for file in _recorded(found):
        top = file.parts[0]
        if file.suffix == ".pyc":
            continue
        if ".." in file.parts or file.is_absolute():
            script = _NUMBERED.sub("", _OF_A_SCRIPT.sub("", file.name))
            if file.parent.name in {"bin", "Scripts"} and script in scripts:
                continue
            raise UnsuitableDistributionError(
                f"{found.name} has files outside site-packages, such as {file}, which an egg "
                "cannot hold.",
                advice="Choose another distribution.",
            )
        path = Path(str(found.locate_file(file)))
        if top.endswith(".dist-info"):
            inside = "/".join(file.parts[1:])
            if inside not in _OF_THE_INSTALLATION:
                members[f"EGG-INFO/{inside}"] = path
        else:
            members[file.as_posix()] = path
    if not any(arcname.endswith((".py", ".pyi")) for arcname in members):
        raise UnsuitableDistributionError(
            f"{found.name} has no Python files in this environment.",
            advice="Choose another distribution; one that is installed in editable mode can be "
            "installed as a wheel.",
        )
    missing = [path for path in members.values() if not path.is_file()]
    if missing:
        raise UnsuitableDistributionError(
            f"{found.name} is damaged: {missing[0]} is missing.", advice=_reinstall(found.name)
        )
    return members


def _requirements(found: metadata.Distribution) -> list[str]:
    """The names required of the running Python, with the version where only one will do."""
    from packaging.requirements import Requirement

    requirements: dict[str, str] = {}
    for line in found.requires or ():
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = requirement.name.replace("-", "_")
        exact = [part.version for part in requirement.specifier if part.operator == "=="]
        pinned = len(exact) == 1 and "*" not in exact[0]
        requirements[name] = f"{name} {exact[0]}" if pinned else name
    return sorted(requirements.values())


def _pkg_info(found: metadata.Distribution, name: str | None, version: str | None) -> str:
    """The distribution's own PKG-INFO, under the egg's name and in a version that can be read."""
    text = found.read_text("METADATA") or ""
    written = re.search(r"(?m)^Metadata-Version:\s*(\d+)\.(\d+)", text)
    replacements = {"Name": name, "Version": version}
    if written is not None and (int(written[1]), int(written[2])) > _NEWEST_PKG_INFO:
        replacements["Metadata-Version"] = ".".join(map(str, _NEWEST_PKG_INFO))
    for header, value in replacements.items():
        if value is not None:
            before, rest = re.split(rf"(?m)^{header}:.*$", text, maxsplit=1)
            text = f"{before}{header}: {value}{rest}"
    return text


def _suits(platform: str | None, python_tag: str | None) -> tuple[Any, Any]:
    """Return the platform and the Python that an egg is for, None for all."""
    from okonomiyaki.errors import OkonomiyakiError
    from okonomiyaki.platforms import EPDPlatform, PythonImplementation

    try:
        problem = (
            f"{python_tag!r} is no Python tag of an egg. Give one with a minor version, "
            "such as 'cp311', or none at all for an egg that suits every Python."
        )
        python = python_tag and PythonImplementation.from_string(python_tag)
        problem = (
            f"{platform!r} is no platform of an egg. Give an EPD name such as 'rh8-x86_64', "
            "'win-x86_64' or 'osx-arm64', or none at all for an egg that suits every platform."
        )
        return platform and EPDPlatform.from_string(platform), python
    except OkonomiyakiError as error:
        raise InvalidArgumentError(problem) from error


def _metadata(
    *,
    name: str,
    version: str,
    build: int,
    platform: str | None,
    python_tag: str | None,
    packages: Sequence[str],
    pkg_info: str,
    summary: str,
) -> EggMetadata:
    from okonomiyaki.file_formats import (
        Dependencies,
        EggMetadata,
        PackageInfo,
        Requirement,
        is_egg_name_valid,
    )
    from okonomiyaki.versions import EnpkgVersion

    if not is_egg_name_valid(f"{name}-{version}-{build}.egg"):
        raise InvalidArgumentError(
            f"No egg can be named {name!r}, version {version!r}, build {build!r}: a name consists "
            "of letters, digits, '_' and '.', a version has no '-', a build is a number from 0."
        )
    place, python = _suits(platform, python_tag)
    return EggMetadata(
        name,
        EnpkgVersion.from_upstream_and_build(version, build),
        place,
        python,
        None,  # no ABI: there is nothing compiled inside
        None,
        Dependencies(tuple(map(Requirement.from_spec_string, packages))),
        PackageInfo.from_string(pkg_info),
        summary,
    )


def _write(
    destination: Path, egg_metadata: EggMetadata, members: list[_Member], compression: int
) -> Path:
    if not destination.is_dir():
        raise NotADirectoryError(f"{destination} is no folder. Create it before building eggs.")
    target: Path = destination / egg_metadata.egg_name
    information: list[_Member] = [
        ("EGG-INFO/PKG-INFO", (egg_metadata.pkg_info.to_string().encode(),)),
        ("EGG-INFO/spec/depend", (egg_metadata.spec_depend_string.encode(),)),
        ("EGG-INFO/spec/summary", (egg_metadata.summary.encode(),)),
    ]
    with replacing(target, sync=False) as unfinished:
        with zipfile.ZipFile(unfinished.path, "w", compression) as egg:
            for arcname, blocks in (*information, *members):
                _add(egg, arcname, blocks)
        _check(unfinished.path, egg_metadata)
    return target


def _check(path: str, egg_metadata: EggMetadata) -> None:
    """Read the egg as its users will: a few combinations can be written, but not read."""
    from okonomiyaki.errors import OkonomiyakiError
    from okonomiyaki.file_formats import EggMetadata

    try:
        read = EggMetadata.from_egg(path)
    except (OkonomiyakiError, KeyError) as error:
        raise InvalidArgumentError(
            f"An egg for platform {egg_metadata.platform} and Python tag "
            f"{egg_metadata.python_tag} could be written, but not read by okonomiyaki: {error!r}. "
            "Choose another combination."
        ) from error
    if read.spec_depend_string != egg_metadata.spec_depend_string:
        raise InvalidArgumentError(
            f"{egg_metadata.egg_name} would be read as {read.egg_name} for platform "
            f"{read.platform} and Python tag {read.python_tag}. Choose another combination."
        )


def _add(egg: zipfile.ZipFile, arcname: str, blocks: Iterable[bytes]) -> None:
    member = zipfile.ZipInfo(arcname, _TIMESTAMP)
    member.compress_type = egg.compression
    member.create_system = 3  # Unix, on every system
    member.external_attr = 0o100644 << 16
    # The size is not known before the blocks have been read; only a Zip64 member may pass 2 GiB.
    with egg.open(member, "w", force_zip64=True) as file:
        for block in blocks:
            file.write(block)


def _blocks_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            yield block


def _noise(size: int, seed: int) -> Iterator[bytes]:
    source = random.Random(seed)  # noqa: S311 - reproducible bytes, not secrets
    while size > 0:
        block = source.randbytes(min(size, _BLOCK))
        size -= len(block)
        yield block
