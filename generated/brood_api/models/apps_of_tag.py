from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.versions_of_app import VersionsOfApp


T = TypeVar("T", bound="AppsOfTag")


@_attrs_define
class AppsOfTag:
    """ """

    additional_properties: dict[str, VersionsOfApp] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:

        field_dict: dict[str, Any] = {}
        for prop_name, prop in self.additional_properties.items():
            field_dict[prop_name] = prop.to_dict()

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.versions_of_app import VersionsOfApp

        d = dict(checked(src_dict, Mapping))
        apps_of_tag = cls()

        additional_properties = {}
        for prop_name, prop_dict in d.items():
            additional_property = VersionsOfApp.from_dict(prop_dict)

            additional_properties[prop_name] = additional_property

        apps_of_tag.additional_properties = additional_properties
        return apps_of_tag

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> VersionsOfApp:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: VersionsOfApp) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
