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
    "OrganizationCreated",
    "RepositoryList",
    "AvailableRepository",
    "AvailableRepositoryList",
    "NewRepository",
    "RepositoryCreated",
    "NewTeam",
    "TeamCreated",
    "Team",
    "TeamList",
    "MemberList",
    "NewUser",
    "User",
    "UserCreated",
    "Checksum",
    "StoredFile",
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
    "PublicLevel",
    "EggIndex",
    "ReindexAccepted",
    "AppIndex",
    "RuntimeIndex",
    "BuildNumber",
    "RuntimeIndexV0",
    "BundleIndex",
]


class Error(TypedDict):
    """What went wrong, in words"""

    error: str
    """The reason, in a sentence for people"""


class SessionToken(TypedDict):
    """A short-lived token; renew it after 240 seconds"""

    token: str
    """Sent as Bearer"""


class ApiToken(TypedDict):
    """What is told of an API token"""

    name: str
    """What its owner calls it"""
    created: str
    """When it was created, in UTC: with microseconds, and without an offset"""
    last_used: NotRequired["str | None"]
    """When it was last used, in the form of ``created``; null if it never was"""


class ApiTokenList(TypedDict):
    """API tokens"""

    tokens: "list[ApiToken]"
    """In no promised order"""


class NewApiTokenRequest(TypedDict):
    """The wish for an API token"""

    name: str
    """What to call it; each token of an account has a name of its own"""


class NewApiToken(TypedDict):
    """A new API token. The only time that ``token`` is shown"""

    name: str
    """What its owner calls it"""
    token: str
    """Sent as Bearer, or exchanged for a session token"""


class PlatformList(TypedDict):
    """Names of platforms"""

    platforms: list[str]
    """Their names, such as ``rh8-x86_64``"""


class PythonTagList(TypedDict):
    """Python tags, as of PEP 425"""

    python_tags: list[str]
    """The tags, such as ``cp311``"""


class OrganizationList(TypedDict):
    """Names of organizations"""

    organizations: list[str]
    """Their names"""


class NewOrganization(TypedDict):
    """An organization to create"""

    name: str
    """What to call the organization: its name in paths"""
    description: NotRequired[str]
    """A few words for people"""


class OrganizationCreated(TypedDict):
    """An organization that was created"""

    name: NotRequired[str]
    """What the organization is called in paths"""
    description: NotRequired[str]
    """A few words for people"""


class RepositoryList(TypedDict):
    """Names of repositories: bare below an organization or a team, ``organization/repository``
    where v0 lists all that the caller may see"""

    repositories: list[str]
    """The names"""


class AvailableRepository(TypedDict):
    """A repository that the caller may see, and how far"""

    name: str
    """``organization/repository``"""
    access: str
    description: NotRequired["str | None"]
    """A few words for people"""
    public: NotRequired["Literal['read_index', 'read_repository']"]


class AvailableRepositoryList(TypedDict):
    """The repositories that the caller may see"""

    repositories: "list[AvailableRepository]"
    """In no promised order"""


class NewRepository(TypedDict):
    """A repository to create"""

    name: str
    """What to call the repository: its name in paths"""
    description: NotRequired[str]
    """A few words for people"""
    public: NotRequired["Literal['read_index', 'read_repository']"]


class RepositoryCreated(TypedDict):
    """A repository that was created"""

    name: NotRequired[str]
    """What the repository is called in its organization"""
    description: NotRequired[str]
    """A few words for people"""
    public: NotRequired["Literal['read_index', 'read_repository']"]


class NewTeam(TypedDict):
    """A team to create"""

    name: str
    """What to call it within its organization"""
    group: str


class TeamCreated(TypedDict):
    """A team that was created"""

    name: NotRequired[str]
    """What the team is called within its organization"""
    group: NotRequired[str]


class Team(TypedDict):
    """A team. Lists only have its name and its group"""

    name: str
    """What the team is called within its organization"""
    group: str
    organization: NotRequired[str]
    """Name of the organization that it belongs to"""
    members: NotRequired[list[str]]
    """Its members, by e-mail address"""
    repositories: NotRequired[list[str]]
    """Names of its repositories, without the organization"""


class TeamList(TypedDict):
    """The teams of an organization"""

    teams: "list[Team]"
    """In no promised order"""


class MemberList(TypedDict):
    """The members of a team, by e-mail address"""

    members: list[str]
    """E-mail addresses"""


class NewUser(TypedDict):
    """A user to create"""

    email: str
    """The e-mail address that one logs in with"""
    teams: NotRequired[list[str]]
    """Names of the teams to belong to from the start"""


class User(TypedDict):
    """A user of an organization"""

    email: str
    """The e-mail address that one logs in with"""
    organization: NotRequired[str]
    """Name of the organization that was asked"""
    created: NotRequired[str]
    """When the account was created, as ISO 8601 in UTC without an offset"""
    teams: NotRequired[list[str]]
    """Names of the user's teams in this organization"""


class UserCreated(TypedDict):
    """A user that was created, and the first password of a new account"""

    email: NotRequired[str]
    """The e-mail address that one logs in with"""
    teams: NotRequired[list[str]]
    """Names of the user's teams"""
    one_time_password: NotRequired[str]
    """Shown this once only; missing when the account existed already"""


class Checksum(TypedDict):
    """What the server is to find when it hashes the file"""

    sha256: str


class StoredFile(TypedDict):
    """What the server has stored, or had already"""

    filename: NotRequired[str]
    """Name of the file"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class EggIndexEntry(TypedDict):
    """An egg in the index. Old indices have neither ``md5`` nor ``sha256``"""

    name: str
    """May be lower-cased where the file name is not"""
    version: str
    """Version without the build"""
    build: int
    """Build number"""
    full_version: NotRequired[str]
    """Version and build"""
    available: NotRequired[bool]
    """Whether the caller may download it"""
    type: NotRequired[str]
    """Always ``egg``"""
    packages: NotRequired[list[str]]
    """What the egg needs, as ``name version``"""
    python_tag: NotRequired["str | None"]
    """Python tag, as of PEP 425; null if the egg suits every Python"""
    python: NotRequired["str | None"]
    """Older form of the tag, ``2.7``"""
    platform_abi: NotRequired["str | None"]
    """ABI of the platform, such as ``gnu``; null if it is not known"""
    product: NotRequired["str | None"]
    """Product that the egg belongs to, such as ``free``; null if to none"""
    size: NotRequired[int]
    """Bytes"""
    mtime: NotRequired[float]
    """Seconds since 1970-01-01 UTC"""
    md5: NotRequired[str]
    """Hexadecimal digits"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class EggMetadata(TypedDict):
    """An egg, in the index or not"""

    name: str
    """May be lower-cased where the file name is not"""
    version: str
    """Version without the build"""
    build: int
    """Build number"""
    full_version: NotRequired[str]
    """Version and build"""
    available: NotRequired[bool]
    """Whether the caller may download it"""
    type: NotRequired[str]
    """Always ``egg``"""
    packages: NotRequired[list[str]]
    """What the egg needs, as ``name version``"""
    python_tag: NotRequired["str | None"]
    """Python tag, as of PEP 425; null if the egg suits every Python"""
    python: NotRequired["str | None"]
    """Older form of the tag, ``2.7``"""
    platform_abi: NotRequired["str | None"]
    """ABI of the platform, such as ``gnu``; null if it is not known"""
    product: NotRequired["str | None"]
    """Product that the egg belongs to, such as ``free``; null if to none"""
    size: NotRequired[int]
    """Bytes"""
    mtime: NotRequired[float]
    """Seconds since 1970-01-01 UTC"""
    md5: NotRequired[str]
    """Hexadecimal digits"""
    sha256: str
    """Hexadecimal digits"""
    filename: str
    """Name of the file, which tells the case of the egg's name"""
    egg_basename: NotRequired[str]
    """Name in the case of the file name"""
    enabled: NotRequired[bool]
    """Whether the egg is in the index"""
    change_date: NotRequired["str | None"]
    """When it last changed, as ISO 8601 in UTC without an offset"""


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
    """Each by its own tag"""


class AppIndexEntry(TypedDict):
    """An app"""

    id: NotRequired[str]
    """Identifier of the app"""
    name: NotRequired[str]
    """Name of the app for people"""
    description: NotRequired["str | None"]
    """A few words for people"""
    version: NotRequired[str]
    """Version without the build"""
    build: NotRequired[int]
    """Build number"""
    full_version: NotRequired[str]
    """Version and build"""
    platform: NotRequired[str]
    """Platform that the app names"""
    python_tag: NotRequired["str | None"]
    """Python tag that the app names; null if it names none"""
    filename: NotRequired[str]
    """Name of the file"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class AppMetadata(TypedDict):
    """An app, as its index entry and more"""

    id: NotRequired[str]
    """Identifier of the app"""
    name: NotRequired[str]
    """Name of the app for people"""
    description: NotRequired["str | None"]
    """A few words for people"""
    version: NotRequired[str]
    """Version without the build"""
    build: NotRequired[int]
    """Build number"""
    full_version: NotRequired[str]
    """Version and build"""
    platform: NotRequired[str]
    """Platform that the app names"""
    python_tag: NotRequired["str | None"]
    """Python tag that the app names; null if it names none"""
    filename: NotRequired[str]
    """Name of the file"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""
    data: NotRequired["dict[str, Any]"]
    """The YAML document that was uploaded"""


class RuntimeIndexEntry(TypedDict):
    """A runtime"""

    implementation: str
    """Implementation of Python, such as ``cpython``"""
    version: str
    """Version of the runtime with its build, ``3.11.9+1``"""
    language_version: NotRequired[str]
    """Version of Python"""
    platform: NotRequired[str]
    """Platform, such as ``rh8_x86_64``"""
    abi: NotRequired["str | None"]
    """ABI of the platform, such as ``gnu``; null if it names none"""
    filename: NotRequired[str]
    """Name of the file"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class RuntimeMetadata(TypedDict):
    """A runtime, as its index entry and more"""

    implementation: str
    """Implementation of Python, such as ``cpython``"""
    version: str
    """Version of the runtime with its build, ``3.11.9+1``"""
    language_version: NotRequired[str]
    """Version of Python"""
    platform: NotRequired[str]
    """Platform, such as ``rh8_x86_64``"""
    abi: NotRequired["str | None"]
    """ABI of the platform, such as ``gnu``; null if it names none"""
    filename: NotRequired[str]
    """Name of the file"""
    sha256: str
    """Hexadecimal digits"""
    build_revision: NotRequired["str | None"]
    """Revision of what built the runtime"""
    metadata_version: NotRequired["str | None"]
    """Version of the format of its description"""


class RuntimeIndexEntryV0(TypedDict):
    """A runtime, as v0 knows it"""

    language: NotRequired[str]
    """Language, ``python``"""
    version: str
    """Version without the build"""
    build: NotRequired[int | str]
    full_version: NotRequired[str]
    """Version and build"""
    python_tag: NotRequired["str | None"]
    """Python tag, such as ``cp27``; null if none is known"""
    platform: NotRequired[str]
    """Platform, such as ``rh5-x86_64``"""
    filename: str
    """Name of the file"""
    file_format: NotRequired["str | None"]
    """Format of the file, such as ``zip``"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class RuntimeMetadataV0(TypedDict):
    """A runtime, as v0 knows it"""

    language: NotRequired[str]
    """Language, ``python``"""
    version: str
    """Version without the build"""
    build: NotRequired[int | str]
    full_version: NotRequired[str]
    """Version and build"""
    python_tag: NotRequired["str | None"]
    """Python tag, such as ``cp27``; null if none is known"""
    platform: NotRequired[str]
    """Platform, such as ``rh5-x86_64``"""
    filename: str
    """Name of the file"""
    file_format: NotRequired["str | None"]
    """Format of the file, such as ``zip``"""
    sha256: str
    """Hexadecimal digits"""
    build_system_version: NotRequired["str | None"]
    """Version of what built the runtime"""


class RuntimeUploadDataV0(TypedDict):
    """What the file of a v0 runtime does not say of itself"""

    sha256: str
    language: str
    """Language, ``python``"""
    version: str
    """Version without the build"""
    build: int | str
    build_system_version: NotRequired[str]
    """Version of what built the runtime"""
    file_format: NotRequired[str]
    """Format of the file, such as ``zip``"""
    filename: str
    """Name of the file: the one that its part has"""


class BundleIndexEntry(TypedDict):
    """A bundle"""

    name: str
    """Name of the bundle"""
    version: str
    """Version without the build"""
    build: NotRequired[int]
    """Build number"""
    full_version: NotRequired[str]
    """Version and build"""
    platform: NotRequired[str]
    """Platform, such as ``rh8_x86_64``"""
    python_tag: NotRequired["str | None"]
    """Python tag of its runtime; null if none is known"""


class BundleMetadata(TypedDict):
    """A bundle and its document"""

    name: str
    """Name of the bundle"""
    version: str
    """Version without the build"""
    build: NotRequired[int]
    """Build number"""
    full_version: NotRequired[str]
    """Version and build"""
    platform: NotRequired[str]
    """Platform, such as ``rh8_x86_64``"""
    python_tag: NotRequired["str | None"]
    """Python tag of its runtime; null if none is known"""
    data: "BundleDocument"
    filename: NotRequired[str]
    """Name of the file"""
    sha256: NotRequired[str]
    """Hexadecimal digits"""


class BundleDocument(TypedDict):
    """A bundle file, version 2.0 of its format"""

    runtime: NotRequired["dict[str, Any]"]
    """``implementation``, ``platform``, ``version`` and more"""
    requirements: NotRequired["list[BundleRequirement]"]
    """The eggs of the bundle"""
    repositories: NotRequired["Any"]
    """Where the eggs are, such as ``[acme/dev]``"""
    modifiers: NotRequired["Any"]
    """What changes the environment beside the eggs"""
    metadata_version: NotRequired["Any"]
    """Version of the format, ``2.0``"""
    mark: NotRequired["Any"]
    """What the maker of the bundle marked it with"""


class BundleRequirement(TypedDict):
    """An egg that belongs to a bundle"""

    name: str
    """Name of the egg"""
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
    """What to call the bundle"""
    bundle_version: str
    """Without the build"""
    bundle_build: int
    """Build number"""


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

PublicLevel: TypeAlias = Literal["read_index", "read_repository"]
"""The access that everybody has to a public repository, with or without an account;
missing where it is not public. An extension of the embedded Brood: other servers
ignore it in a request and leave it out of their answers"""

EggIndex: TypeAlias = dict[str, EggIndexEntry]
"""``{file name: entry}``; the file name keeps its case"""

ReindexAccepted: TypeAlias = dict[str, Any]
"""Nothing is told as yet"""

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
