from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

T = TypeVar("T", bound="EggReference")


@_attrs_define
class EggReference:
    """One egg of a platform

    Example:
        {'name': 'pyyaml', 'version': '6.0.1-2', 'python_tag': 'cp311'}

    Attributes:
        name (str): The egg's name, lower-cased
        version (str): Full version
        python_tag (str): `none` if the egg has none
    """

    name: str
    version: str
    python_tag: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        version = self.version

        python_tag = self.python_tag

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "version": version,
                "python_tag": python_tag,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        version = checked(d.pop("version"), str)

        python_tag = checked(d.pop("python_tag"), str)

        egg_reference = cls(
            name=name,
            version=version,
            python_tag=python_tag,
        )

        egg_reference.additional_properties = d
        return egg_reference

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
