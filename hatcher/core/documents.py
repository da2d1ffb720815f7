"""The documents that Brood answers with, as types.

They are plain dicts at run time. A server may leave out what is not required here,
and may add fields of its own: those are handed through untouched. What the wire knows
is generated from the description, into `brood_api.documents`.
"""

from __future__ import annotations

from typing import TypeAlias, TypedDict

from brood_api import documents as described

AppIndexEntry: TypeAlias = described.AppIndexEntry
AppMetadata: TypeAlias = described.AppMetadata
AvailableRepository: TypeAlias = described.AvailableRepository
BundleDocument: TypeAlias = described.BundleDocument
BundleIndexEntry: TypeAlias = described.BundleIndexEntry
BundleMetadata: TypeAlias = described.BundleMetadata
BundleRequirement: TypeAlias = described.BundleRequirement
EggIndexEntry: TypeAlias = described.EggIndexEntry
EggMetadata: TypeAlias = described.EggMetadata
RuntimeIndexEntry: TypeAlias = described.RuntimeIndexEntry

#: What a server says of one runtime: the first of API version 1, the other of API version 0.
RuntimeMetadata: TypeAlias = described.RuntimeMetadata | described.RuntimeMetadataV0


class APIToken(described.ApiToken):
    """An API token, without its secret.

    Dates are naive ISO 8601 date-times in UTC, such as
    ``2024-05-01T12:00:00.000000``.
    """


class NewAPIToken(described.NewApiToken):
    """An API token at the only time that it is shown."""


class LegacyRuntimeIndexEntry(described.RuntimeIndexEntryV0):
    """What an index of API version 0 says of a runtime."""


class TeamMetadata(described.Team):
    """What a server says of a team: `group` is the access level that it gives."""


class UserMetadata(described.User):
    """What a server says of a user."""


class EggListing(TypedDict):
    """One egg in a list: the name of its file, and its python tag."""

    name: str
    python_tag: str | None


class BundleListing(TypedDict):
    """One bundle in a list; the version is the full one."""

    python_tag: str
    name: str
    version: str


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
