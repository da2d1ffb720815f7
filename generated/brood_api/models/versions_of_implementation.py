from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.runtime_index_entry import RuntimeIndexEntry


T = TypeVar("T", bound="VersionsOfImplementation")


@_attrs_define
class VersionsOfImplementation:
    """ """

    additional_properties: dict[str, RuntimeIndexEntry] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.runtime_index_entry import RuntimeIndexEntry

        d = dict(checked(src_dict, Mapping))
        versions_of_implementation = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = RuntimeIndexEntry.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        versions_of_implementation.additional_properties = additional_properties
        return versions_of_implementation

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> RuntimeIndexEntry:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: RuntimeIndexEntry) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
