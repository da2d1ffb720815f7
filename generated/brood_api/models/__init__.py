"""The documents of the Brood protocol, each in a module of its own, imported when asked for."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api_token import ApiToken
    from .api_token_list import ApiTokenList
    from .app_document import AppDocument
    from .app_index import AppIndex
    from .app_index_entry import AppIndexEntry
    from .app_metadata import AppMetadata
    from .apps_of_tag import AppsOfTag
    from .available_repository import AvailableRepository
    from .available_repository_list import AvailableRepositoryList
    from .builds_of_app import BuildsOfApp
    from .builds_of_bundle import BuildsOfBundle
    from .builds_of_language import BuildsOfLanguage
    from .bundle_document import BundleDocument
    from .bundle_index import BundleIndex
    from .bundle_index_entry import BundleIndexEntry
    from .bundle_metadata import BundleMetadata
    from .bundle_requirement import BundleRequirement
    from .bundle_runtime import BundleRuntime
    from .bundle_upload import BundleUpload
    from .bundle_upload_data import BundleUploadData
    from .bundles_of_tag import BundlesOfTag
    from .checksum import Checksum
    from .egg_index import EggIndex
    from .egg_index_entry import EggIndexEntry
    from .egg_metadata import EggMetadata
    from .egg_reference import EggReference
    from .error import Error
    from .file_upload import FileUpload
    from .member_list import MemberList
    from .new_api_token import NewApiToken
    from .new_api_token_request import NewApiTokenRequest
    from .new_organization import NewOrganization
    from .new_repository import NewRepository
    from .new_team import NewTeam
    from .new_user import NewUser
    from .organization_created import OrganizationCreated
    from .organization_list import OrganizationList
    from .platform_list import PlatformList
    from .public_level import PublicLevel
    from .python_boolean import PythonBoolean
    from .python_tag_list import PythonTagList
    from .reindex_accepted import ReindexAccepted
    from .reindex_request import ReindexRequest
    from .repository_created import RepositoryCreated
    from .repository_list import RepositoryList
    from .runtime_index import RuntimeIndex
    from .runtime_index_entry import RuntimeIndexEntry
    from .runtime_index_entry_v0 import RuntimeIndexEntryV0
    from .runtime_index_v0 import RuntimeIndexV0
    from .runtime_metadata import RuntimeMetadata
    from .runtime_metadata_v0 import RuntimeMetadataV0
    from .runtime_upload_data_v0 import RuntimeUploadDataV0
    from .runtime_upload_v0 import RuntimeUploadV0
    from .session_token import SessionToken
    from .stored_file import StoredFile
    from .team import Team
    from .team_created import TeamCreated
    from .team_list import TeamList
    from .user import User
    from .user_created import UserCreated
    from .versions_of_app import VersionsOfApp
    from .versions_of_bundle import VersionsOfBundle
    from .versions_of_implementation import VersionsOfImplementation
    from .versions_of_language import VersionsOfLanguage

__all__ = (
    "ApiToken",
    "ApiTokenList",
    "AppDocument",
    "AppIndex",
    "AppIndexEntry",
    "AppMetadata",
    "AppsOfTag",
    "AvailableRepository",
    "AvailableRepositoryList",
    "BuildsOfApp",
    "BuildsOfBundle",
    "BuildsOfLanguage",
    "BundleDocument",
    "BundleIndex",
    "BundleIndexEntry",
    "BundleMetadata",
    "BundleRequirement",
    "BundleRuntime",
    "BundlesOfTag",
    "BundleUpload",
    "BundleUploadData",
    "Checksum",
    "EggIndex",
    "EggIndexEntry",
    "EggMetadata",
    "EggReference",
    "Error",
    "FileUpload",
    "MemberList",
    "NewApiToken",
    "NewApiTokenRequest",
    "NewOrganization",
    "NewRepository",
    "NewTeam",
    "NewUser",
    "OrganizationCreated",
    "OrganizationList",
    "PlatformList",
    "PublicLevel",
    "PythonBoolean",
    "PythonTagList",
    "ReindexAccepted",
    "ReindexRequest",
    "RepositoryCreated",
    "RepositoryList",
    "RuntimeIndex",
    "RuntimeIndexEntry",
    "RuntimeIndexEntryV0",
    "RuntimeIndexV0",
    "RuntimeMetadata",
    "RuntimeMetadataV0",
    "RuntimeUploadDataV0",
    "RuntimeUploadV0",
    "SessionToken",
    "StoredFile",
    "Team",
    "TeamCreated",
    "TeamList",
    "User",
    "UserCreated",
    "VersionsOfApp",
    "VersionsOfBundle",
    "VersionsOfImplementation",
    "VersionsOfLanguage",
)

_MODULES = {
    "ApiToken": ".api_token",
    "ApiTokenList": ".api_token_list",
    "AppDocument": ".app_document",
    "AppIndex": ".app_index",
    "AppIndexEntry": ".app_index_entry",
    "AppMetadata": ".app_metadata",
    "AppsOfTag": ".apps_of_tag",
    "AvailableRepository": ".available_repository",
    "AvailableRepositoryList": ".available_repository_list",
    "BuildsOfApp": ".builds_of_app",
    "BuildsOfBundle": ".builds_of_bundle",
    "BuildsOfLanguage": ".builds_of_language",
    "BundleDocument": ".bundle_document",
    "BundleIndex": ".bundle_index",
    "BundleIndexEntry": ".bundle_index_entry",
    "BundleMetadata": ".bundle_metadata",
    "BundleRequirement": ".bundle_requirement",
    "BundleRuntime": ".bundle_runtime",
    "BundleUpload": ".bundle_upload",
    "BundleUploadData": ".bundle_upload_data",
    "BundlesOfTag": ".bundles_of_tag",
    "Checksum": ".checksum",
    "EggIndex": ".egg_index",
    "EggIndexEntry": ".egg_index_entry",
    "EggMetadata": ".egg_metadata",
    "EggReference": ".egg_reference",
    "Error": ".error",
    "FileUpload": ".file_upload",
    "MemberList": ".member_list",
    "NewApiToken": ".new_api_token",
    "NewApiTokenRequest": ".new_api_token_request",
    "NewOrganization": ".new_organization",
    "NewRepository": ".new_repository",
    "NewTeam": ".new_team",
    "NewUser": ".new_user",
    "OrganizationCreated": ".organization_created",
    "OrganizationList": ".organization_list",
    "PlatformList": ".platform_list",
    "PublicLevel": ".public_level",
    "PythonBoolean": ".python_boolean",
    "PythonTagList": ".python_tag_list",
    "ReindexAccepted": ".reindex_accepted",
    "ReindexRequest": ".reindex_request",
    "RepositoryCreated": ".repository_created",
    "RepositoryList": ".repository_list",
    "RuntimeIndex": ".runtime_index",
    "RuntimeIndexEntry": ".runtime_index_entry",
    "RuntimeIndexEntryV0": ".runtime_index_entry_v0",
    "RuntimeIndexV0": ".runtime_index_v0",
    "RuntimeMetadata": ".runtime_metadata",
    "RuntimeMetadataV0": ".runtime_metadata_v0",
    "RuntimeUploadDataV0": ".runtime_upload_data_v0",
    "RuntimeUploadV0": ".runtime_upload_v0",
    "SessionToken": ".session_token",
    "StoredFile": ".stored_file",
    "Team": ".team",
    "TeamCreated": ".team_created",
    "TeamList": ".team_list",
    "User": ".user",
    "UserCreated": ".user_created",
    "VersionsOfApp": ".versions_of_app",
    "VersionsOfBundle": ".versions_of_bundle",
    "VersionsOfImplementation": ".versions_of_implementation",
    "VersionsOfLanguage": ".versions_of_language",
}


if not TYPE_CHECKING:  # which would take every name for one of a model

    def __getattr__(name: str) -> Any:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name], __name__), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
