from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.egg_index_entry import EggIndexEntry


T = TypeVar("T", bound="EggIndex")


@_attrs_define
class EggIndex:
    """`{file name: entry}`; the file name keeps its case

    Example:
        {'PyYAML-6.0.1-2.egg': {'name': 'pyyaml', 'version': '6.0.1', 'build': 2, 'python_tag': 'cp311', 'size': 262144,
            'sha256': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}}

    """

    additional_properties: dict[str, EggIndexEntry] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.egg_index_entry import EggIndexEntry

        d = dict(checked(src_dict, Mapping))
        egg_index = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = EggIndexEntry.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        egg_index.additional_properties = additional_properties
        return egg_index

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> EggIndexEntry:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: EggIndexEntry) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
