"""What the versions of Brood's API do differently: a class for each, the newest first.

Most of what differs is in the generated client; here is what a node has to know.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hatcher import endpoints
from hatcher.artefacts.python_tags import python_tag_of
from hatcher.core.index import LEGACY_RUNTIMES, RUNTIMES, leaves
from hatcher.errors import BroodHTTPError
from hatcher.transport.parsing import text_in

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from hatcher.transport.session import Session

#: What an index says of a runtime, after what addresses it: the selector and the version.
RuntimeEntries: TypeAlias = "Iterator[tuple[str | None, str, Mapping[str, Any]]]"


class RuntimeDescription(NamedTuple):
    """A runtime's file, as one version of the API is told of it.

    Attributes
    ----------
    path : pathlib.Path
    platform : str
        The platform that it is for.
    selector : str or None
        The implementation or python tag that addresses it beside its version; None when
        its version gives no tag.
    version : str
    described : dict
        What the server is told of it beside its sha256.
    """

    path: Path
    platform: str
    selector: str | None
    version: str
    described: dict[str, Any]


class Dialect:
    """Version 1 of the API."""

    #: What addresses a runtime beside its version.
    runtime_selector = "implementation"
    #: How an index of runtimes is laid out.
    runtime_layout = RUNTIMES

    def read_runtime(self, path: str | os.PathLike[str]) -> RuntimeDescription:
        """Read a runtime's file."""
        # Imported here, for those who read no runtime, and so need no zipfile.
        from hatcher.artefacts.runtime import read_runtime

        file = read_runtime(path)
        return RuntimeDescription(file.path, file.platform, file.implementation, file.version, {})

    def list_runtimes(self, text: bytes) -> list[str] | list[tuple[str, str]]:
        """List the runtimes in an index's text."""
        index = self.runtime_layout.read(text)
        return [(implementation, version) for (implementation, version), _ in leaves(index, 2)]

    def runtime_entries(self, index: Mapping[str, Any]) -> RuntimeEntries:
        """Give what an index says of each runtime."""
        for (implementation, version), entry in leaves(index, 2):
            yield implementation, version, entry

    def is_runtime_called(self, selector: str, version: str, filename: str) -> bool:
        """Whether a runtime's file may be called so: ``cpython-3.8.17+1-rh8_x86_64-gnu.runtime``."""
        begin = f"{selector}-{version}"
        return filename.startswith((f"{begin}-", f"{begin}.")) and filename.endswith(".runtime")


class DialectV0(Dialect):
    """Version 0 of the API."""

    runtime_selector = "python_tag"
    runtime_layout = LEGACY_RUNTIMES

    def read_runtime(self, path: str | os.PathLike[str]) -> RuntimeDescription:
        """Read a runtime's file, whose name says it all."""
        from hatcher.artefacts.runtime import read_legacy_runtime

        file = read_legacy_runtime(path)
        described = {
            "language": file.language,
            "filename": file.path.name,
            "build_system_version": file.build_system_version,
            "version": file.version,
            "file_format": file.file_format,
            "build": file.build,
        }
        return RuntimeDescription(
            file.path, file.platform, file.python_tag, file.full_version, described
        )

    def list_runtimes(self, text: bytes) -> list[str] | list[tuple[str, str]]:
        """List the runtimes in an index's text, by the names of their files."""
        entries = leaves(self.runtime_layout.read(text), 3)
        return list(dict.fromkeys(text_in(entry, "filename") for _, entry in entries))

    def runtime_entries(self, index: Mapping[str, Any]) -> RuntimeEntries:
        """Give what an index says of each runtime."""
        for (language, version, build), entry in leaves(index, 3):
            tag = entry.get("python_tag")
            if not tag or not isinstance(tag, str):
                tag = python_tag_of(language, version)
            yield tag, f"{version}-{build}", entry

    def is_runtime_called(self, selector: str, version: str, filename: str) -> bool:
        """Whether it may be called so; also ``python_runtime_2.7.10_6.0.0_rh5-64_1.zip``."""
        number, _, build = version.rpartition("-")
        if f"_runtime_{number}_" in filename and filename.endswith(f"_{build}.zip"):
            return True
        return super().is_runtime_called(selector, version, filename)


DIALECTS: Mapping[int, Dialect] = {0: DialectV0(), 1: Dialect()}


def newest_version(session: Session) -> int:
    """Find out the newest version of the API that a server speaks, by a small list of each.

    Raises
    ------
    HatcherException
        The server cannot be asked, or gives the list in no version.
    """
    for version in sorted(DIALECTS, reverse=True):
        question = endpoints.request(version, "list_platforms")
        try:
            session.items(question._replace(may_be_missing=True), "platforms")
        except BroodHTTPError as error:
            if error.status_code not in (404, 405) or version == min(DIALECTS):
                raise
        else:
            break
    return version
