from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="User")


@_attrs_define
class User:
    """A user of an organization

    Example:
        {'email': 'ada@example.com', 'organization': 'acme', 'created': '2024-03-01T09:30:00.123456', 'teams':
            ['builders']}

    Attributes:
        email (str): The e-mail address that one logs in with
        organization (str | Unset): Name of the organization that was asked
        created (str | Unset): When the account was created, as ISO 8601 in UTC without an offset
        teams (list[str] | Unset): Names of the user's teams in this organization
    """

    email: str
    organization: str | Unset = UNSET
    created: str | Unset = UNSET
    teams: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        email = self.email

        organization = self.organization

        created = self.created

        teams: list[str] | Unset = UNSET
        if not isinstance(self.teams, Unset):
            teams = self.teams

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "email": email,
            }
        )
        if organization is not UNSET:
            field_dict["organization"] = organization
        if created is not UNSET:
            field_dict["created"] = created
        if teams is not UNSET:
            field_dict["teams"] = teams

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        email = checked(d.pop("email"), str)

        organization = checked(d.pop("organization", UNSET), str)

        created = checked(d.pop("created", UNSET), str)

        teams = checked(d.pop("teams", UNSET), list[str])

        user = cls(
            email=email,
            organization=organization,
            created=created,
            teams=teams,
        )

        user.additional_properties = d
        return user

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
