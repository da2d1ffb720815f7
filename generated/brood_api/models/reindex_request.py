from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.egg_reference import EggReference


T = TypeVar("T", bound="ReindexRequest")


@_attrs_define
class ReindexRequest:
    """The eggs to enable

    Example:
        {'eggs': [{'name': 'pyyaml', 'version': '6.0.1-2', 'python_tag': 'cp311'}]}

    Attributes:
        eggs (list[EggReference]): Each by its own tag
    """

    eggs: list[EggReference]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        eggs = []
        for eggs_item_data in self.eggs:
            eggs_item = eggs_item_data.to_dict()
            eggs.append(eggs_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "eggs": eggs,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.egg_reference import EggReference

        d = dict(checked(src_dict, Mapping))
        eggs = []
        _eggs = checked(d.pop("eggs"), list)
        for eggs_item_data in _eggs:
            eggs_item = EggReference.from_dict(eggs_item_data)

            eggs.append(eggs_item)

        reindex_request = cls(
            eggs=eggs,
        )

        reindex_request.additional_properties = d
        return reindex_request

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
