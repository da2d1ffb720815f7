from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="RuntimeIndexEntry")


@_attrs_define
class RuntimeIndexEntry:
    """A runtime

    Example:
        {'implementation': 'cpython', 'version': '3.11.9+1', 'language_version': '3.11.9', 'platform': 'rh8_x86_64',
            'abi': 'gnu', 'filename': 'cpython-3.11.9+1-rh8_x86_64-gnu.runtime', 'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}

    Attributes:
        implementation (str): Implementation of Python, such as `cpython`
        version (str): Version of the runtime with its build, `3.11.9+1`
        language_version (str | Unset): Version of Python
        platform (str | Unset): Platform, such as `rh8_x86_64`
        abi (None | str | Unset): ABI of the platform, such as `gnu`; null if it names none
        filename (str | Unset): Name of the file
        sha256 (str | Unset): Hexadecimal digits
    """

    implementation: str
    version: str
    language_version: str | Unset = UNSET
    platform: str | Unset = UNSET
    abi: None | str | Unset = UNSET
    filename: str | Unset = UNSET
    sha256: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        implementation = self.implementation

        version = self.version

        language_version = self.language_version

        platform = self.platform

        abi: None | str | Unset
        if isinstance(self.abi, Unset):
            abi = UNSET
        else:
            abi = self.abi

        filename = self.filename

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "implementation": implementation,
                "version": version,
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
        if sha256 is not UNSET:
            field_dict["sha256"] = sha256

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        implementation = checked(d.pop("implementation"), str)

        version = checked(d.pop("version"), str)

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

        sha256 = checked(d.pop("sha256", UNSET), str)

        runtime_index_entry = cls(
            implementation=implementation,
            version=version,
            language_version=language_version,
            platform=platform,
            abi=abi,
            filename=filename,
            sha256=sha256,
        )

        runtime_index_entry.additional_properties = d
        return runtime_index_entry

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
