from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="RuntimeMetadata")


@_attrs_define
class RuntimeMetadata:
    """A runtime, as its index entry and more

    Example:
        {'implementation': 'cpython', 'version': '3.11.9+1', 'filename': 'cpython-3.11.9+1-rh8_x86_64-gnu.runtime',
            'build_revision': '2.1.0', 'metadata_version': '1.0', 'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}

    Attributes:
        implementation (str): Implementation of Python, such as `cpython`
        version (str): Version of the runtime with its build, `3.11.9+1`
        sha256 (str): Hexadecimal digits
        language_version (str | Unset): Version of Python
        platform (str | Unset): Platform, such as `rh8_x86_64`
        abi (None | str | Unset): ABI of the platform, such as `gnu`; null if it names none
        filename (str | Unset): Name of the file
        build_revision (None | str | Unset): Revision of what built the runtime
        metadata_version (None | str | Unset): Version of the format of its description
    """

    implementation: str
    version: str
    sha256: str
    language_version: str | Unset = UNSET
    platform: str | Unset = UNSET
    abi: None | str | Unset = UNSET
    filename: str | Unset = UNSET
    build_revision: None | str | Unset = UNSET
    metadata_version: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        implementation = self.implementation

        version = self.version

        sha256 = self.sha256

        language_version = self.language_version

        platform = self.platform

        abi: None | str | Unset
        if isinstance(self.abi, Unset):
            abi = UNSET
        else:
            abi = self.abi

        filename = self.filename

        build_revision: None | str | Unset
        if isinstance(self.build_revision, Unset):
            build_revision = UNSET
        else:
            build_revision = self.build_revision

        metadata_version: None | str | Unset
        if isinstance(self.metadata_version, Unset):
            metadata_version = UNSET
        else:
            metadata_version = self.metadata_version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "implementation": implementation,
                "version": version,
                "sha256": sha256,
            }
        )
        if language_version is not UNSET:
            field_dict["language_version"] = language_version
        if platform is not UNSET:
            field_dict["platform"] = platform
        if abi is not UNSET:
            field_dict["abi"] = abi
        if filename is not UNSET:
            field_dict["filename"] = filename
        if build_revision is not UNSET:
            field_dict["build_revision"] = build_revision
        if metadata_version is not UNSET:
            field_dict["metadata_version"] = metadata_version

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        implementation = checked(d.pop("implementation"), str)

        version = checked(d.pop("version"), str)

        sha256 = checked(d.pop("sha256"), str)

        language_version = checked(d.pop("language_version", UNSET), str)

        platform = checked(d.pop("platform", UNSET), str)

        def _parse_abi(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        abi = _parse_abi(d.pop("abi", UNSET))

        filename = checked(d.pop("filename", UNSET), str)

        def _parse_build_revision(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        build_revision = _parse_build_revision(d.pop("build_revision", UNSET))

        def _parse_metadata_version(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        metadata_version = _parse_metadata_version(d.pop("metadata_version", UNSET))

        runtime_metadata = cls(
            implementation=implementation,
            version=version,
            sha256=sha256,
            language_version=language_version,
            platform=platform,
            abi=abi,
            filename=filename,
            build_revision=build_revision,
            metadata_version=metadata_version,
        )

        runtime_metadata.additional_properties = d
        return runtime_metadata

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
