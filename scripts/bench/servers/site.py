"""The files that the clients under measurement ask for, laid out as their paths are.

What is on the disk is what every server serves, so that none of them knows more than another.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attrs import frozen

from hatcher.testing import write_egg

#: Where the protocol's paths begin, and where its files do below that.
ROOT_PATH = "/api/v1/json"
DATA = "/data"

ORGANIZATION = "acme"
PLATFORM = "rh8-x86_64"
PYTHON_TAG = "cp311"
VERSION = "1.0.0"
BUILD = 1
FULL_VERSION = f"{VERSION}-{BUILD}"

#: The repository of the large egg and of the large index; its uploads are swallowed.
REPOSITORY = "dev"
#: The repository of the many small eggs that are downloaded.
SMALL = "small"
#: A repository with nothing in it, which the many small eggs are uploaded to.
EMPTY = "empty"

_PLATFORMS = ["osx-x86_64", "rh7-x86_64", "rh8-x86_64", "win-x86_64"]
_TAGS = ["cp27", "cp38", "cp311"]


def answer_to_upload(path: str) -> tuple[str, bytes]:
    """Return status and body of the answer to a POST whose body has been read."""
    if path.endswith("/upload"):
        return "201 Created", b"{}"
    if path.endswith("/re-index"):
        return "202 Accepted", b"{}"
    return "404 Not Found", b'{"error": "not found"}'


@frozen
class File:
    """An egg that a client downloads or uploads.

    Attributes
    ----------
    name : str
    path : pathlib.Path
        Where it is on the disk.
    size : int
        In bytes.
    sha256 : str
    """

    name: str
    path: Path
    size: int
    sha256: str


class Site:
    """A folder that becomes what a Brood would serve.

    Parameters
    ----------
    folder : pathlib.Path
        An existing, empty folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._write("metadata/platforms", {"platforms": _PLATFORMS})
        for tags in ("python-tags/all", "python-tags.json"):
            self._write(f"metadata/{tags}", {"python_tags": _TAGS})
        repositories = [
            {"name": f"{ORGANIZATION}/{name}", "access": "upload_repository", "description": ""}
            for name in (REPOSITORY, SMALL, EMPTY)
        ]
        self._write("metadata/user/repositories", {"repositories": repositories})
        self._write(_index(EMPTY), {})

    def add_egg(self, name: str, size: int, repository: str = REPOSITORY, seed: int = 0) -> File:
        """Serve an egg of about that many bytes, and its metadata."""
        path = self._path(
            f"data/{ORGANIZATION}/{repository}/{PLATFORM}/{PYTHON_TAG}/eggs/{name}/{FULL_VERSION}"
        )
        path.parent.mkdir(parents=True)
        egg = make_egg(path.parent, name, size, seed)
        egg.path.rename(path)
        file = File(name, path, egg.size, egg.sha256)
        metadata = _entry(file) | {
            "change_date": "2024-05-14T12:00:00.000000",
            "egg_basename": name,
            "enabled": True,
            "filename": filename_of(name),
        }
        self._write(
            f"metadata/{ORGANIZATION}/{repository}/{PLATFORM}/{PYTHON_TAG}/eggs/{name}/{FULL_VERSION}",
            metadata,
        )
        return file

    def add_index(self, repository: str, files: Iterable[File]) -> None:
        """Serve the index of a repository's eggs, gzipped."""
        self._write(_index(repository), {filename_of(file.name): _entry(file) for file in files})

    def index_of(self, repository: str) -> Path:
        """Return where the index of a repository is, as plain JSON."""
        return self._path(_index(repository))

    def _write(self, path: str, document: Any) -> None:
        """Write a document twice: as it is, and gzipped."""
        file = self._path(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        content = json.dumps(document).encode()
        file.write_bytes(content)
        if len(content) > 1000:
            packed = gzip.compress(content, compresslevel=6, mtime=0)
            file.with_name(f"{file.name}.gz").write_bytes(packed)

    def _path(self, path: str) -> Path:
        return self.folder / ROOT_PATH.lstrip("/") / path


def make_egg(folder: Path, name: str, size: int, seed: int = 0) -> File:
    """Write an egg of about that many bytes into a folder."""
    path = write_egg(
        folder,
        name,
        VERSION,
        BUILD,
        platform=PLATFORM,
        python_tag=PYTHON_TAG,
        payload_bytes=size,
        seed=seed,
    )
    with path.open("rb", buffering=0) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return File(name, path, path.stat().st_size, sha256)


def made_up(count: int) -> Iterator[File]:
    """Tell of eggs that do not exist, for an index as long as one likes."""
    random_bytes = random.Random(0).randbytes
    for number in range(count):
        name = f"package_{number:06}"
        size = int.from_bytes(random_bytes(3), "big")
        yield File(name, Path(filename_of(name)), size, random_bytes(32).hex())


def filename_of(name: str) -> str:
    """Return the file name of an egg of the site."""
    return f"{name}-{FULL_VERSION}.egg"


def _index(repository: str) -> str:
    return f"indices/{ORGANIZATION}/{repository}/{PLATFORM}/{PYTHON_TAG}/eggs"


def _entry(file: File) -> dict[str, Any]:
    return {
        "available": True,
        "build": BUILD,
        "full_version": FULL_VERSION,
        "md5": file.sha256[:32],
        "mtime": 1715688000.0,
        "name": file.name.lower(),
        "packages": ["numpy 1.26.4", "scipy 1.13.0"],
        "platform_abi": "gnu",
        "product": "free",
        "python": "3.11",
        "python_tag": PYTHON_TAG,
        "sha256": file.sha256,
        "size": file.size,
        "type": "egg",
        "version": VERSION,
    }
