from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.versions_of_language import VersionsOfLanguage


T = TypeVar("T", bound="RuntimeIndexV0")


@_attrs_define
class RuntimeIndexV0:
    """`{language: {version: {build: entry}}}`

    Example:
        {'python': {'2.7.13': {'1': {'language': 'python', 'version': '2.7.13', 'build': 1, 'filename':
            'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}}}}

    """

    additional_properties: dict[str, VersionsOfLanguage] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.versions_of_language import VersionsOfLanguage

        d = dict(checked(src_dict, Mapping))
        runtime_index_v0 = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = VersionsOfLanguage.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        runtime_index_v0.additional_properties = additional_properties
        return runtime_index_v0

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> VersionsOfLanguage:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: VersionsOfLanguage) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
