from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

T = TypeVar("T", bound="AppMetadata")


@_attrs_define
class AppMetadata:
    """An app, as its index entry and more

    Example:
        {'name': 'Viewer', 'python_tag': 'cp311', 'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}

    Attributes:
        name (str | Unset):
        description (None | str | Unset):
        python_tag (None | str | Unset):
        sha256 (str | Unset): Hexadecimal digits
    """

    name: str | Unset = UNSET
    description: None | str | Unset = UNSET
    python_tag: None | str | Unset = UNSET
    sha256: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        python_tag: None | str | Unset
        if isinstance(self.python_tag, Unset):
            python_tag = UNSET
        else:
            python_tag = self.python_tag

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if description is not UNSET:
            field_dict["description"] = description
        if python_tag is not UNSET:
            field_dict["python_tag"] = python_tag
        if sha256 is not UNSET:
            field_dict["sha256"] = sha256

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        def _parse_python_tag(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        python_tag = _parse_python_tag(d.pop("python_tag", UNSET))

        sha256 = d.pop("sha256", UNSET)

        app_metadata = cls(
            name=name,
            description=description,
            python_tag=python_tag,
            sha256=sha256,
        )

        app_metadata.additional_properties = d
        return app_metadata

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
