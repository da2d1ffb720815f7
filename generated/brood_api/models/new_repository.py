from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.public_level import PublicLevel, check_public_level
from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="NewRepository")


@_attrs_define
class NewRepository:
    """A repository to create

    Example:
        {'name': 'dev', 'description': 'Our own packages'}

    Attributes:
        name (str): What to call the repository: its name in paths
        description (str | Unset): A few words for people Default: ''.
        public (PublicLevel | Unset): The access that everybody has to a public repository, with or without an account;
            missing where it is not public. An extension of the embedded Brood: other servers
            ignore it in a request and leave it out of their answers
             Example: read_repository.
    """

    name: str
    description: str | Unset = ""
    public: PublicLevel | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        description = self.description

        public: str | Unset = UNSET
        if not isinstance(self.public, Unset):
            public = self.public

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if public is not UNSET:
            field_dict["public"] = public

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        description = checked(d.pop("description", UNSET), str)

        _public = d.pop("public", UNSET)
        public: PublicLevel | Unset
        if isinstance(_public, Unset):
            public = UNSET
        else:
            public = check_public_level(_public)

        new_repository = cls(
            name=name,
            description=description,
            public=public,
        )

        new_repository.additional_properties = d
        return new_repository

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
