"""Runtimes: what one says of itself.

Those of API version 1 are zip files called
``cpython-3.8.17+1-rh8_x86_64-gnu.runtime`` that describe themselves in
``enthought/runtime.json``. Those of version 0 say everything in their name,
``python_runtime_2.7.10_6.0.0_rh5-64_1.zip``.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from types import SimpleNamespace

from attrs import frozen

from hatcher.artefacts.archives import read_description
from hatcher.artefacts.checks import check_build, check_names, read_json
from hatcher.artefacts.local_files import existing_file, refusing
from hatcher.artefacts.python_tags import python_tag_of
from hatcher.characters import shown
from hatcher.errors import InvalidRuntime

_DESCRIPTION = "enthought/runtime.json"
_LEGACY_NAME = re.compile(
    r"(?P<language>[^_]+)_runtime_(?P<version>[^_]+)_(?P<build_system_version>[^_]+)"
    r"_(?P<platform>[^_]+)_(?P<build>[0-9]+)\.(?P<file_format>[^_]+)\Z"
)


@frozen
class RuntimeFile:
    """What a runtime of API version 1 says of itself.

    Attributes
    ----------
    path : pathlib.Path
    implementation : str
        Such as ``cpython``.
    version : str
        The full version, such as ``3.8.17+1``.
    language_version : str
        The version of the language, such as ``3.8.17``.
    platform : str
        Such as ``rh8_x86_64``.
    abi : str
        Such as ``gnu``.
    build_revision, metadata_version : str
    filename : str
        What such a runtime is called.
    """

    path: Path
    implementation: str
    version: str
    language_version: str
    platform: str
    abi: str
    build_revision: str
    metadata_version: str
    filename: str


@frozen
class LegacyRuntimeFile:
    """What a runtime of API version 0 says in its name.

    Attributes
    ----------
    path : pathlib.Path
    language : str
        Such as ``python``.
    version : str
        The version of the language, such as ``2.7.10``.
    build : int
    build_system_version : str
    platform : str
        Such as ``rh5-64``.
    file_format : str
        Such as ``zip``.
    """

    path: Path
    language: str
    version: str
    build: int
    build_system_version: str
    platform: str
    file_format: str

    @property
    def full_version(self) -> str:
        """The version and the build number, such as ``2.7.10-1``."""
        return f"{self.version}-{self.build}"

    @property
    def python_tag(self) -> str | None:
        """The PEP 425 tag, such as ``cp27``; None when the version has none."""
        return python_tag_of("cpython", self.version)


def read_runtime(path: str | os.PathLike[str]) -> RuntimeFile:
    """Read what a runtime of API version 1 says of itself, and check it on the way.

    Parameters
    ----------
    path : str or path-like
        A file called ``implementation-version-platform-abi.runtime``.

    Returns
    -------
    RuntimeFile

    Raises
    ------
    InvalidRuntime
        The file is missing, unreadable, no zip file, without a valid
        ``enthought/runtime.json``, or is called otherwise than that says.
    """
    file = existing_file(path, InvalidRuntime, ".runtime", "a runtime")
    runtime = _read_description(file)
    if file.name != runtime.filename:
        raise InvalidRuntime(
            f"'{shown(file.name)}' says inside ({_DESCRIPTION}) that it is '{runtime.filename}'. "
            "Rename it to that, or build it again."
        )
    return runtime


def read_legacy_runtime(path: str | os.PathLike[str]) -> LegacyRuntimeFile:
    """Read what a runtime of API version 0 says in its name.

    Parameters
    ----------
    path : str or path-like
        A file called ``language_runtime_version_buildsystem_platform_build.zip``.

    Returns
    -------
    LegacyRuntimeFile

    Raises
    ------
    InvalidRuntime
        The file is missing, unreadable, or not called so.
    """
    file = existing_file(path, InvalidRuntime, "", "a runtime")
    called = _LEGACY_NAME.match(file.name)
    if called is None:
        raise InvalidRuntime(
            f"'{file.name}' is not called as a runtime of API version 0 must be: "
            "python_runtime_version_buildsystem_platform_build.zip, for example "
            "python_runtime_2.7.10_6.0.0_rh5-64_1.zip. Rename it; or, for a .runtime file, make "
            "the client with api_version=1."
        )
    told = called.groupdict()
    with refusing(InvalidRuntime, f"'{shown(file.name)}' is no runtime", "Rename it."):
        build = check_build(told.pop("build"))
        check_names(**told)
    return LegacyRuntimeFile(path=file, build=build, **told)


def _read_description(file: Path) -> RuntimeFile:
    text = read_description(file, (_DESCRIPTION,), InvalidRuntime)
    if text is None:
        raise InvalidRuntime(f"'{file}' is no runtime: it holds no {_DESCRIPTION}. Build it again.")
    # Imported here because it takes 0.1 s.
    from okonomiyaki.platforms import EPDPlatform
    from okonomiyaki.runtimes import IRuntimeMetadata

    problem = f"'{file}' is no valid runtime ({_DESCRIPTION})"
    with refusing(InvalidRuntime, problem, "Build it again."):
        read_json(text)
        try:
            # It opens no file: this is all that it reads.
            metadata = IRuntimeMetadata.factory_from_path(SimpleNamespace(read=lambda _: text))
            platform = str(EPDPlatform(metadata.platform))
        except Exception as error:  # whatever okonomiyaki makes of a hostile document
            raise ValueError(shown(str(error)[:300])) from error
        plain = ("implementation", "abi", "build_revision", "filename")
        told = {key: getattr(metadata, key) for key in plain} | {"platform": platform}
        for key in ("version", "language_version", "metadata_version"):
            told[key] = str(getattr(metadata, key))
        check_names(**{key: text or None for key, text in told.items()})
    return RuntimeFile(path=file, **told)
