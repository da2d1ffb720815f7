"""What the versions of Brood's API do differently: one table.

Everything else is the same under another root. An operation that only one version
has is known to the description, and asking the other version for it is an error
before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from hatcher.artefacts.python_tags import python_tag_of

if TYPE_CHECKING:
    import os
    from pathlib import Path


class LocalRuntime(NamedTuple):
    """A runtime's file, as one version of the API is told of it.

    Attributes
    ----------
    path : pathlib.Path
    platform : str
        The platform that it goes to.
    selector : str or None
        What addresses it on the server beside its version; None when the file does
        not say.
    version : str
    described : dict
        What is said of it beside its sha256.
    """

    path: Path
    platform: str
    selector: str | None
    version: str
    described: dict[str, Any]


class Dialect(NamedTuple):
    """One version of the API.

    Attributes
    ----------
    runtime_selector : {'python_tag', 'implementation'}
        What addresses a runtime beside its version.
    read_runtime : callable
        Reads a runtime's file.
    list_runtimes : callable
        Makes the list of runtimes from their index.
    runtime_entries : callable
        Gives what an index says of each runtime, with what addresses the runtime: its
        selector, or None when the index does not say, and its version.
    is_runtime_called : callable
        Whether a runtime with that selector and version may have a file of that name.
    available_repositories_take_flag : bool
        Whether the server, rather than the client, leaves out the repositories of
        which only the index may be read.
    """

    runtime_selector: str
    read_runtime: Callable[[str | os.PathLike[str]], LocalRuntime]
    list_runtimes: Callable[[Mapping[str, Any]], list[str] | list[tuple[str, str]]]
    runtime_entries: Callable[
        [Mapping[str, Any]], Iterator[tuple[str | None, str, Mapping[str, Any]]]
    ]
    is_runtime_called: Callable[[str, str, str], bool]
    available_repositories_take_flag: bool


def _read_v0(path: str | os.PathLike[str]) -> LocalRuntime:
    # Imported here, for those who read no runtime, and so need no zipfile.
    from hatcher.artefacts.runtime import read_legacy_runtime

    runtime = read_legacy_runtime(path)
    described = {
        "language": runtime.language,
        "filename": runtime.path.name,
        "build_system_version": runtime.build_system_version,
        "version": runtime.version,
        "file_format": runtime.file_format,
        "build": runtime.build,
    }
    return LocalRuntime(
        runtime.path, runtime.platform, runtime.python_tag, runtime.full_version, described
    )


def _read_v1(path: str | os.PathLike[str]) -> LocalRuntime:
    from hatcher.artefacts.runtime import read_runtime

    runtime = read_runtime(path)
    return LocalRuntime(runtime.path, runtime.platform, runtime.implementation, runtime.version, {})


def _list_v0(index: Mapping[str, Any]) -> list[str]:
    filenames = (
        entry["filename"]
        for versions in index.values()
        for builds in versions.values()
        for entry in builds.values()
    )
    return list(dict.fromkeys(filenames))


def _list_v1(index: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(name, version) for name, versions in index.items() for version in versions]


def _entries_v0(
    index: Mapping[str, Any],
) -> Iterator[tuple[str | None, str, Mapping[str, Any]]]:
    for language, versions in index.items():
        for version, builds in versions.items():
            for build, entry in builds.items():
                tag = entry.get("python_tag") or python_tag_of(language, version)
                yield tag, f"{version}-{build}", entry


def _entries_v1(
    index: Mapping[str, Any],
) -> Iterator[tuple[str | None, str, Mapping[str, Any]]]:
    for implementation, versions in index.items():
        for version, entry in versions.items():
            yield implementation, version, entry


def _is_called_v1(implementation: str, version: str, filename: str) -> bool:
    # Such as cpython-3.8.17+1-rh8_x86_64-gnu.runtime.
    begin = f"{implementation}-{version}"
    return filename.startswith((f"{begin}-", f"{begin}.")) and filename.endswith(".runtime")


def _is_called_v0(python_tag: str, version: str, filename: str) -> bool:
    # Such as python_runtime_2.7.10_6.0.0_rh5-64_1.zip.
    number, _, build = version.rpartition("-")
    if f"_runtime_{number}_" in filename and filename.endswith(f"_{build}.zip"):
        return True
    return _is_called_v1(python_tag, version, filename)


DIALECTS: Mapping[int, Dialect] = {
    0: Dialect(
        runtime_selector="python_tag",
        read_runtime=_read_v0,
        list_runtimes=_list_v0,
        runtime_entries=_entries_v0,
        is_runtime_called=_is_called_v0,
        available_repositories_take_flag=True,
    ),
    1: Dialect(
        runtime_selector="implementation",
        read_runtime=_read_v1,
        list_runtimes=_list_v1,
        runtime_entries=_entries_v1,
        is_runtime_called=_is_called_v1,
        available_repositories_take_flag=False,
    ),
}
