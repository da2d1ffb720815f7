"""The documents of the Brood protocol as the types of plain JSON.

They are dicts at run time. What a server may leave out is ``NotRequired``; it may add fields of
its own. Each schema of the description is here by its name, but for forms with files.
"""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

__all__ = [
    "Error",
    "SessionToken",
    "ApiToken",
    "ApiTokenList",
    "NewApiTokenRequest",
    "NewApiToken",
    "PlatformList",
    "PythonTagList",
    "OrganizationList",
    "NewOrganization",
    "RepositoryList",
    "AvailableRepository",
    "AvailableRepositoryList",
    "NewRepository",
    "Team",
    "TeamList",
    "MemberList",
    "User",
    "UserCreated",
    "Checksum",
    "EggIndexEntry",
    "EggMetadata",
    "EggReference",
    "ReindexRequest",
    "AppIndexEntry",
    "AppMetadata",
    "RuntimeIndexEntry",
    "RuntimeMetadata",
    "RuntimeIndexEntryV0",
    "RuntimeMetadataV0",
    "RuntimeUploadDataV0",
    "BundleIndexEntry",
    "BundleMetadata",
    "BundleDocument",
    "BundleRequirement",
    "BundleUploadData",
    "PythonBoolean",
    "AccessLevel",
    "Sha256",
    "EggIndex",
    "AppIndex",
    "RuntimeIndex",
    "BuildNumber",
    "RuntimeIndexV0",
    "BundleIndex",
]


class Error(TypedDict):
    """What went wrong, in words"""

    error: str


class SessionToken(TypedDict):
    """A short-lived token; renew it after 240 seconds"""

    token: str


class ApiToken(TypedDict):
    """What is told of an API token. Times are ISO 8601 with microseconds and without an
    offset; read them as UTC"""

    name: str
    created: str
    last_used: NotRequired["str | None"]
    """Null if the token was never used"""


class ApiTokenList(TypedDict):
    """API tokens"""

    tokens: "list[ApiToken]"


class NewApiTokenRequest(TypedDict):
    """The wish for an API token"""

    name: str


class NewApiToken(TypedDict):
    """A new API token. The only time that ``token`` is shown"""

    name: str
    token: str


class PlatformList(TypedDict):
    """Names of platforms"""

    platforms: list[str]


class PythonTagList(TypedDict):
    """Python tags, as of PEP 425"""

    python_tags: list[str]


class OrganizationList(TypedDict):
    """Names of organizations"""

    organizations: list[str]


class NewOrganization(TypedDict):
    """An organization to create"""

    name: str
    description: NotRequired[str]


class RepositoryList(TypedDict):
    """Names of repositories: bare below an organization or a team, ``organization/repository``
    where v0 lists all that the caller may see"""

    repositories: list[str]


class AvailableRepository(TypedDict):
    """A repository that the caller may see, and how far"""

    name: str
    """``organization/repository``"""
    access: str
    description: NotRequired["str | None"]


class AvailableRepositoryList(TypedDict):
    """The repositories that the caller may see"""

    repositories: "list[AvailableRepository]"


class NewRepository(TypedDict):
    """A repository to create"""

    name: str
    description: NotRequired[str]


class Team(TypedDict):
    """A team"""

    name: str
    group: str


class TeamList(TypedDict):
    """The teams of an organization"""

    teams: "list[Team]"


class MemberList(TypedDict):
    """The members of a team, by e-mail address"""

    members: list[str]


class User(TypedDict):
    """A user of an organization"""

    email: str
    teams: NotRequired[list[str]]
    """Names of the user's teams"""


class UserCreated(TypedDict):
    """A user that was created, and the first password of a new account"""

    email: NotRequired[str]
    teams: NotRequired[list[str]]
    """Names of the user's teams"""
    one_time_password: NotRequired[str]
    """Shown this once only; missing when the account existed already"""


class Checksum(TypedDict):
    """What the server is to find when it hashes the file"""

    sha256: str


class EggIndexEntry(TypedDict):
    """An egg in the index. Old indices have neither ``md5`` nor ``sha256``"""

    name: str
    """May be lower-cased where the file name is not"""
    version: str
    """Version without the build"""
    build: int
    full_version: NotRequired[str]
    """Version and build"""
    available: NotRequired[bool]
    """Whether the caller may download it"""
    type: NotRequired[str]
    """Always ``egg``"""
    packages: NotRequired[list[str]]
    """What the egg needs, as ``name version``"""
    python_tag: NotRequired["str | None"]
    python: NotRequired["str | None"]
    """Older form of the tag, ``2.7``"""
    platform_abi: NotRequired["str | None"]
    product: NotRequired["str | None"]
    size: NotRequired[int]
    """Bytes"""
    mtime: NotRequired[float]
    """Seconds since 1970-01-01 UTC"""
    md5: NotRequired[str]
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class EggMetadata(TypedDict):
    """An egg, in the index or not"""

    name: str
    """May be lower-cased where the file name is not"""
    version: str
    """Version without the build"""
    build: int
    full_version: NotRequired[str]
    """Version and build"""
    available: NotRequired[bool]
    """Whether the caller may download it"""
    type: NotRequired[str]
    """Always ``egg``"""
    packages: NotRequired[list[str]]
    """What the egg needs, as ``name version``"""
    python_tag: NotRequired["str | None"]
    python: NotRequired["str | None"]
    """Older form of the tag, ``2.7``"""
    platform_abi: NotRequired["str | None"]
    product: NotRequired["str | None"]
    size: NotRequired[int]
    """Bytes"""
    mtime: NotRequired[float]
    """Seconds since 1970-01-01 UTC"""
    md5: NotRequired[str]
    sha256: str
    """Hexadecimal digits"""
    filename: str
    egg_basename: NotRequired[str]
    """Name in the case of the file name"""
    enabled: NotRequired[bool]
    """Whether the egg is in the index"""
    change_date: NotRequired["str | None"]
    """ISO 8601"""


class EggReference(TypedDict):
    """One egg of a platform"""

    name: str
    """The egg's name, lower-cased"""
    version: str
    """Full version"""
    python_tag: str
    """``none`` if the egg has none"""


class ReindexRequest(TypedDict):
    """The eggs to enable"""

    eggs: "list[EggReference]"


class AppIndexEntry(TypedDict):
    """An app"""

    name: NotRequired[str]
    description: NotRequired["str | None"]
    python_tag: NotRequired["str | None"]


class AppMetadata(TypedDict):
    """An app, as its index entry and more"""

    name: NotRequired[str]
    description: NotRequired["str | None"]
    python_tag: NotRequired["str | None"]
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class RuntimeIndexEntry(TypedDict):
    """A runtime"""

    implementation: str
    version: str
    """Version of the runtime with its build, ``3.11.9+1``"""
    language_version: NotRequired[str]
    """Version of Python"""
    platform: NotRequired[str]
    abi: NotRequired["str | None"]
    filename: NotRequired[str]
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class RuntimeMetadata(TypedDict):
    """A runtime, as its index entry and more"""

    implementation: str
    version: str
    """Version of the runtime with its build, ``3.11.9+1``"""
    language_version: NotRequired[str]
    """Version of Python"""
    platform: NotRequired[str]
    abi: NotRequired["str | None"]
    filename: NotRequired[str]
    sha256: str
    """Hexadecimal digits"""
    build_revision: NotRequired["str | None"]
    metadata_version: NotRequired["str | None"]


class RuntimeIndexEntryV0(TypedDict):
    """A runtime, as v0 knows it"""

    language: NotRequired[str]
    version: str
    """Version without the build"""
    build: NotRequired[int | str]
    full_version: NotRequired[str]
    """Version and build"""
    python_tag: NotRequired["str | None"]
    platform: NotRequired[str]
    filename: str
    file_format: NotRequired["str | None"]
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class RuntimeMetadataV0(TypedDict):
    """A runtime, as v0 knows it"""

    language: NotRequired[str]
    version: str
    """Version without the build"""
    build: NotRequired[int | str]
    full_version: NotRequired[str]
    """Version and build"""
    python_tag: NotRequired["str | None"]
    platform: NotRequired[str]
    filename: str
    file_format: NotRequired["str | None"]
    sha256: str
    """Hexadecimal digits"""


class RuntimeUploadDataV0(TypedDict):
    """What the file of a v0 runtime does not say of itself"""

    sha256: str
    language: str
    version: str
    """Version without the build"""
    build: int | str
    build_system_version: NotRequired[str]
    file_format: NotRequired[str]
    filename: str


class BundleIndexEntry(TypedDict):
    """A bundle"""

    name: str
    version: str
    """Version without the build"""
    build: NotRequired[int]
    full_version: NotRequired[str]
    """Version and build"""
    platform: NotRequired[str]
    python_tag: NotRequired["str | None"]


class BundleMetadata(TypedDict):
    """A bundle and its document"""

    name: str
    version: str
    """Version without the build"""
    build: NotRequired[int]
    full_version: NotRequired[str]
    """Version and build"""
    platform: NotRequired[str]
    python_tag: NotRequired["str | None"]
    data: "BundleDocument"


class BundleDocument(TypedDict):
    """A bundle file, version 2.0 of its format"""

    runtime: NotRequired["dict[str, Any]"]
    """``implementation``, ``platform``, ``version`` and more"""
    requirements: NotRequired["list[BundleRequirement]"]


class BundleRequirement(TypedDict):
    """An egg that belongs to a bundle"""

    name: str
    version: str
    """Full version"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""
    repository: NotRequired["str | None"]
    """``organization/repository``"""


class BundleUploadData(TypedDict):
    """What an uploaded bundle is to be called"""

    sha256: str
    bundle_name: str
    bundle_version: str
    """Without the build"""
    bundle_build: int


PythonBoolean: TypeAlias = Literal["True", "False"]
"""A boolean in the query, as Python writes it"""

AccessLevel: TypeAlias = str
"""What a team's members, or the caller, may do in a repository. From the least to the
most: ``read_index`` (see the index), ``read_repository`` (also download),
``upload_repository`` (also upload and delete), ``organization_administrator`` (everything
in the organization). The embedded Brood has these four, and above them
``server_administrator``; other servers may have more."""

Sha256: TypeAlias = str
"""SHA-256 of a file, in hexadecimal digits"""

EggIndex: TypeAlias = dict[str, EggIndexEntry]
"""``{file name: entry}``; the file name keeps its case"""

AppIndex: TypeAlias = dict[str, dict[str, dict[str, dict[str, AppIndexEntry]]]]
"""``{Python tag: {app id: {version: {build: entry}}}}``"""

RuntimeIndex: TypeAlias = dict[str, dict[str, RuntimeIndexEntry]]
"""``{implementation: {version: entry}}``"""

BuildNumber: TypeAlias = int | str
"""A build number; in old documents also its digits as a string"""

RuntimeIndexV0: TypeAlias = dict[str, dict[str, dict[str, RuntimeIndexEntryV0]]]
"""``{language: {version: {build: entry}}}``"""

BundleIndex: TypeAlias = dict[str, dict[str, dict[str, dict[str, BundleIndexEntry]]]]
"""``{Python tag: {name: {version: {build: entry}}}}``"""
