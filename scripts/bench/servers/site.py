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
from typing import Any, TypeAlias

from attrs import evolve, frozen

from hatcher.testing import write_egg

#: Where the protocol's paths begin, and where its files do below that.
ROOT_PATH = "/api/v1/json"
DATA = "/data"

ORGANIZATION = "acme"
PLATFORM = "rh8-x86_64"
PYTHON_TAG = "cp311"
#: The platform and the python tag of an egg.
Place: TypeAlias = tuple[str, str]
HERE: Place = (PLATFORM, PYTHON_TAG)
VERSION = "1.0.0"
BUILD = 1
FULL_VERSION = f"{VERSION}-{BUILD}"

#: The repository of the large egg and of the large index; its uploads are swallowed.
REPOSITORY = "dev"
#: The repository of the many small eggs that are downloaded.
SMALL = "small"
#: A repository with nothing in it, which the many small eggs are uploaded to.
EMPTY = "empty"
#: The repository of the eggs of some size that go up and down again and again.
BUSY = "busy"
#: The repository of what is downloaded over a long link.
DISTANT = "distant"
#: The repositories of the Broods there: what is mirrored, what commands ask about, and empty ones.
SENT = "sent"
FEW = "few"
TARGETS = tuple(f"target-{number}" for number in range(32))
#: The repository that is exported, and the places of its eggs: platforms and python tags.
MIRRORED = "mirrored"
MIRRORED_PLATFORMS = ("rh8-x86_64", "win-x86_64")
MIRRORED_TAGS = ("cp38", "cp311")
#: The repository whose index is nearly that of the large one.
NEARLY = "nearly"
#: The repositories that are searched.
SEARCHED = tuple(f"searched-{number:02}" for number in range(50))

#: Where the server says how many requests it has had, as nginx's stub_status does.
REQUESTS = "/requests"

_PLATFORMS = ["osx-x86_64", "rh7-x86_64", "rh8-x86_64", "win-x86_64"]
_TAGS = ["cp27", "cp38", "cp311"]


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
    place : tuple of str
        Its platform and its python tag.
    """

    name: str
    path: Path
    size: int
    sha256: str
    place: Place = HERE


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
            for name in (REPOSITORY, SMALL, EMPTY, BUSY, DISTANT, MIRRORED, NEARLY, *SEARCHED)
        ]
        self._write("metadata/user/repositories", {"repositories": repositories})
        path = f"admin/organizations/{ORGANIZATION}/repositories"
        self._write(path, {"repositories": [*SEARCHED]})
        self._write(_index(EMPTY), {})

    def add_egg(
        self,
        name: str,
        size: int,
        repository: str = REPOSITORY,
        seed: int = 0,
        place: Place = HERE,
    ) -> File:
        """Serve an egg of about that many bytes, and its metadata."""
        path = self.folder / egg_path(name, repository, place).lstrip("/")
        path.parent.mkdir(parents=True)
        egg = make_egg(path.parent, name, size, seed, place)
        egg.path.rename(path)
        file = evolve(egg, path=path)
        metadata = _entry(file) | {
            "change_date": "2024-05-14T12:00:00.000000",
            "egg_basename": name,
            "enabled": True,
            "filename": filename_of(name),
        }
        below = egg_path(name, repository, place).removeprefix(f"{ROOT_PATH}{DATA}/")
        self._write(f"metadata/{below}", metadata)
        return file

    def add_index(self, repository: str, files: Iterable[File], place: Place = HERE) -> None:
        """Serve the index of a repository's eggs, gzipped."""
        entries = {filename_of(file.name): _entry(file) for file in files}
        self._write(_index(repository, place), entries)

    def index_of(self, repository: str) -> Path:
        """Return where the index of a repository is, as plain JSON."""
        return self._path(_index(repository))

    @staticmethod
    def index_url(repository: str) -> str:
        """Return the path of the URL of a repository's index."""
        return f"{ROOT_PATH}/{_index(repository)}"

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


def make_egg(folder: Path, name: str, size: int, seed: int = 0, place: Place = HERE) -> File:
    """Write an egg of about that many bytes into a folder."""
    where = dict(zip(("platform", "python_tag"), place, strict=True))
    path = write_egg(folder, name, VERSION, BUILD, payload_bytes=size, seed=seed, **where)
    with path.open("rb", buffering=0) as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return File(name, path, path.stat().st_size, sha256, place)


def made_up(count: int) -> Iterator[File]:
    """Tell of eggs that do not exist, for an index as long as one likes."""
    random_bytes = random.Random(0).randbytes
    for number in range(count):
        name = f"package_{number:06}"
        size = int.from_bytes(random_bytes(3), "big")
        yield File(name, Path(filename_of(name)), size, random_bytes(32).hex())


def nearly(files: Iterable[File]) -> Iterator[File]:
    """Tell of the same eggs but for some: of a hundred, one lacks, one is new and one is another."""
    for number, file in enumerate(files):
        if number % 100 == 2:
            yield evolve(file, name=f"new_{file.name}")
        if number % 100 == 1:
            yield evolve(file, sha256=file.sha256[::-1])
        elif number % 100 != 0:
            yield file


def nearly_count(count: int) -> dict[str, int]:
    """Say what it takes to make `nearly` of so many eggs equal to all of them, by kinds of steps."""
    lacking, others, new = (len(range(first, count, 100)) for first in range(3))
    found = {"copy": lacking, "update": others, "delete": new, "skip": count - lacking - others}
    return {action: number for action, number in found.items() if number}


def egg_path(name: str, repository: str, place: Place = HERE) -> str:
    """Return the path of an egg's URL."""
    where = f"{ORGANIZATION}/{repository}/{'/'.join(place)}"
    return f"{ROOT_PATH}{DATA}/{where}/eggs/{name}/{FULL_VERSION}"


def upload_path(repository: str) -> str:
    """Return the path of the URL that eggs are sent to."""
    return f"{ROOT_PATH}{DATA}/{ORGANIZATION}/{repository}/{PLATFORM}/eggs/upload"


def filename_of(name: str) -> str:
    """Return the file name of an egg of the site."""
    return f"{name}-{FULL_VERSION}.egg"


def _index(repository: str, place: Place = HERE) -> str:
    return f"indices/{ORGANIZATION}/{repository}/{'/'.join(place)}/eggs"


def _entry(file: File) -> dict[str, Any]:
    _, tag = file.place
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
        "python": f"{tag[2]}.{tag[3:]}",
        "python_tag": tag,
        "sha256": file.sha256,
        "size": file.size,
        "type": "egg",
        "version": VERSION,
    }
