from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.public_level import PublicLevel, check_public_level
from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="AvailableRepository")


@_attrs_define
class AvailableRepository:
    """A repository that the caller may see, and how far

    Example:
        {'name': 'acme/dev', 'access': 'upload_repository', 'description': 'Our own packages'}

    Attributes:
        name (str): `organization/repository`
        access (str): What a team's members, or the caller, may do in a repository. From the least to the
            most: `read_index` (see the index), `read_repository` (also download),
            `upload_repository` (also upload and delete), `organization_administrator` (everything
            in the organization). The embedded Brood has these four, and above them
            `server_administrator`; other servers may have more.
             Example: read_repository.
        description (None | str | Unset): A few words for people
        public (PublicLevel | Unset): The access that everybody has to a public repository, with or without an account;
            missing where it is not public. An extension of the embedded Brood: other servers
            ignore it in a request and leave it out of their answers
             Example: read_repository.
    """

    name: str
    access: str
    description: None | str | Unset = UNSET
    public: PublicLevel | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        access = self.access

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        public: str | Unset = UNSET
        if not isinstance(self.public, Unset):
            public = self.public

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "access": access,
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

        access = checked(d.pop("access"), str)

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        description = _parse_description(d.pop("description", UNSET))

        _public = d.pop("public", UNSET)
        public: PublicLevel | Unset
        if isinstance(_public, Unset):
            public = UNSET
        else:
            public = check_public_level(_public)

        available_repository = cls(
            name=name,
            access=access,
            description=description,
            public=public,
        )

        available_repository.additional_properties = d
        return available_repository

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
