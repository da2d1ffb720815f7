"""The documents that Brood answers with, as types.

They are plain dicts at run time. A server may leave out what is not required here,
and may add fields of its own: those are handed through untouched.
"""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class APIToken(TypedDict):
    """An API token, without its secret.

    Dates are naive ISO 8601 date-times in UTC, such as
    ``2024-05-01T12:00:00.000000``.
    """

    name: str
    created: str
    last_used: str | None


class NewAPIToken(TypedDict):
    """An API token at the only time that it is shown."""

    name: str
    token: str


class AvailableRepository(TypedDict):
    """A repository that the caller can see, and what the caller may do there."""

    name: str
    access: str
    description: NotRequired[str]


class EggListing(TypedDict):
    """One egg in a list: the name of its file, and its python tag."""

    name: str
    python_tag: str | None


class EggIndexEntry(TypedDict, total=False):
    """What an index says of an egg. Old indices lack the hashes."""

    available: bool
    build: int
    full_version: str
    md5: str
    mtime: float
    name: str
    packages: list[str]
    platform_abi: str | None
    product: str | None
    python: str | None
    python_tag: str | None
    sha256: str
    size: int
    type: str
    version: str


class EggMetadata(EggIndexEntry, total=False):
    """What a server says of one egg."""

    change_date: str
    egg_basename: str
    enabled: bool
    filename: str


class RuntimeIndexEntry(TypedDict, total=False):
    """What an index of API version 1 says of a runtime."""

    abi: str
    filename: str
    implementation: str
    language_version: str
    platform: str
    sha256: str
    version: str


class LegacyRuntimeIndexEntry(TypedDict, total=False):
    """What an index of API version 0 says of a runtime."""

    build: int
    file_format: str
    filename: str
    full_version: str
    language: str
    platform: str
    python_tag: str | None
    sha256: str
    version: str


class RuntimeMetadata(RuntimeIndexEntry, total=False):
    """What a server says of one runtime; API version 0 says the legacy fields."""

    build: int
    build_revision: str
    full_version: str
    language: str
    metadata_version: str
    python_tag: str | None


class AppIndexEntry(TypedDict, total=False):
    """What an index says of an app."""

    build: int
    description: str | None
    full_version: str
    id: str
    name: str
    python_tag: str | None
    version: str


class AppMetadata(AppIndexEntry, total=False):
    """What a server says of one app; `data`, where there is one, is the app itself."""

    data: dict[str, Any]
    platform: str
    sha256: str


class BundleIndexEntry(TypedDict, total=False):
    """What an index says of a bundle."""

    build: int
    full_version: str
    name: str
    platform: str
    python_tag: str
    version: str


class BundleRequirement(TypedDict, total=False):
    """An egg that belongs to a bundle."""

    name: str
    repository: str
    sha256: str
    version: str


class BundleDocument(TypedDict, total=False):
    """A bundle, as it stands in its file."""

    mark: Any
    metadata_version: str
    modifiers: Any
    repositories: list[Any]
    requirements: list[BundleRequirement]
    runtime: dict[str, Any]


class BundleMetadata(BundleIndexEntry, total=False):
    """What a server says of one bundle; `data` is the bundle itself."""

    data: BundleDocument


class BundleListing(TypedDict):
    """One bundle in a list; the version is the full one."""

    python_tag: str
    name: str
    version: str


class TeamMetadata(TypedDict):
    """What a server says of a team: `group` is the access level that it gives."""

    name: str
    group: str
    members: NotRequired[list[str]]
    organization: NotRequired[str]
    repositories: NotRequired[list[str]]


class UserMetadata(TypedDict):
    """What a server says of a user."""

    email: str
    organization: NotRequired[str]
    teams: NotRequired[list[str]]


class WhoAmI(TypedDict):
    """Who a client is, as far as it knows, and what that one may do.

    `repositories` has the access level by the repository's name, such as
    ``acme/dev``; None where API version 0 does not tell.
    """

    server: str
    api_version: int
    authentication: str
    user: str | None
    repositories: dict[str, str | None]
