from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

T = TypeVar("T", bound="BundleUploadData")


@_attrs_define
class BundleUploadData:
    """What an uploaded bundle is to be called

    Example:
        {'sha256': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'bundle_name': 'analysis',
            'bundle_version': '2.0.0', 'bundle_build': 1}

    Attributes:
        sha256 (str): SHA-256 of a file, in hexadecimal digits Example:
            9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.
        bundle_name (str): What to call the bundle
        bundle_version (str): Without the build
        bundle_build (int): Build number
    """

    sha256: str
    bundle_name: str
    bundle_version: str
    bundle_build: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        sha256 = self.sha256

        bundle_name = self.bundle_name

        bundle_version = self.bundle_version

        bundle_build = self.bundle_build

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "sha256": sha256,
                "bundle_name": bundle_name,
                "bundle_version": bundle_version,
                "bundle_build": bundle_build,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        sha256 = checked(d.pop("sha256"), str)

        bundle_name = checked(d.pop("bundle_name"), str)

        bundle_version = checked(d.pop("bundle_version"), str)

        bundle_build = checked(d.pop("bundle_build"), int)

        bundle_upload_data = cls(
            sha256=sha256,
            bundle_name=bundle_name,
            bundle_version=bundle_version,
            bundle_build=bundle_build,
        )

        bundle_upload_data.additional_properties = d
        return bundle_upload_data

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
