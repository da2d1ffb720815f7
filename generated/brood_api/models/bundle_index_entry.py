from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="BundleIndexEntry")


@_attrs_define
class BundleIndexEntry:
    """A bundle

    Example:
        {'name': 'analysis', 'version': '2.0.0', 'build': 1, 'full_version': '2.0.0-1', 'platform': 'rh8_x86_64',
            'python_tag': 'cp311'}

    Attributes:
        name (str): Name of the bundle
        version (str): Version without the build
        build (int | Unset): Build number
        full_version (str | Unset): Version and build
        platform (str | Unset): Platform, such as `rh8_x86_64`
        python_tag (None | str | Unset): Python tag of its runtime; null if none is known
    """

    name: str
    version: str
    build: int | Unset = UNSET
    full_version: str | Unset = UNSET
    platform: str | Unset = UNSET
    python_tag: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        version = self.version

        build = self.build

        full_version = self.full_version

        platform = self.platform

        python_tag: None | str | Unset
        if isinstance(self.python_tag, Unset):
            python_tag = UNSET
        else:
            python_tag = self.python_tag

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "version": version,
            }
        )
        if build is not UNSET:
            field_dict["build"] = build
        if full_version is not UNSET:
            field_dict["full_version"] = full_version
        if platform is not UNSET:
            field_dict["platform"] = platform
        if python_tag is not UNSET:
            field_dict["python_tag"] = python_tag

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        version = checked(d.pop("version"), str)

        build = checked(d.pop("build", UNSET), int)

        full_version = checked(d.pop("full_version", UNSET), str)

        platform = checked(d.pop("platform", UNSET), str)

        def _parse_python_tag(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        python_tag = _parse_python_tag(d.pop("python_tag", UNSET))

        bundle_index_entry = cls(
            name=name,
            version=version,
            build=build,
            full_version=full_version,
            platform=platform,
            python_tag=python_tag,
        )

        bundle_index_entry.additional_properties = d
        return bundle_index_entry

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
