from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="UserCreated")


@_attrs_define
class UserCreated:
    """A user that was created, and the first password of a new account

    Example:
        {'email': 'ada@example.com', 'teams': ['builders'], 'one_time_password': 'correct-horse'}

    Attributes:
        email (str | Unset): The e-mail address that one logs in with
        teams (list[str] | Unset): Names of the user's teams
        one_time_password (str | Unset): Shown this once only; missing when the account existed already
    """

    email: str | Unset = UNSET
    teams: list[str] | Unset = UNSET
    one_time_password: str | Unset = _attrs_field(default=UNSET, repr=False)
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        email = self.email

        teams: list[str] | Unset = UNSET
        if not isinstance(self.teams, Unset):
            teams = self.teams

        one_time_password = self.one_time_password

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if email is not UNSET:
            field_dict["email"] = email
        if teams is not UNSET:
            field_dict["teams"] = teams
        if one_time_password is not UNSET:
            field_dict["one_time_password"] = one_time_password

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        email = checked(d.pop("email", UNSET), str)

        teams = checked(d.pop("teams", UNSET), list[str])

        one_time_password = checked(d.pop("one_time_password", UNSET), str)

        user_created = cls(
            email=email,
            teams=teams,
            one_time_password=one_time_password,
        )

        user_created.additional_properties = d
        return user_created

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
