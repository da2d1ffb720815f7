from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.versions_of_implementation import VersionsOfImplementation


T = TypeVar("T", bound="RuntimeIndex")


@_attrs_define
class RuntimeIndex:
    """`{implementation: {version: entry}}`

    Example:
        {'cpython': {'3.11.9+1': {'implementation': 'cpython', 'version': '3.11.9+1', 'filename':
            'cpython-3.11.9+1-rh8_x86_64-gnu.runtime'}}}

    """

    additional_properties: dict[str, VersionsOfImplementation] = _attrs_field(
        init=False, factory=dict
    )

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.versions_of_implementation import VersionsOfImplementation

        d = dict(checked(src_dict, Mapping))
        runtime_index = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = VersionsOfImplementation.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        runtime_index.additional_properties = additional_properties
        return runtime_index

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> VersionsOfImplementation:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: VersionsOfImplementation) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
