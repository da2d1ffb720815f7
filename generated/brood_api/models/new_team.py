from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

T = TypeVar("T", bound="NewTeam")


@_attrs_define
class NewTeam:
    """A team to create

    Example:
        {'name': 'builders', 'group': 'upload_repository'}

    Attributes:
        name (str): What to call it within its organization
        group (str): What a team's members, or the caller, may do in a repository. From the least to the
            most: `read_index` (see the index), `read_repository` (also download),
            `upload_repository` (also upload and delete), `organization_administrator` (everything
            in the organization). The embedded Brood has these four, and above them
            `server_administrator`; other servers may have more.
             Example: read_repository.
    """

    name: str
    group: str
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        group = self.group

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "group": group,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        group = checked(d.pop("group"), str)

        new_team = cls(
            name=name,
            group=group,
        )

        new_team.additional_properties = d
        return new_team

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
