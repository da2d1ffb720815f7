from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="TeamCreated")


@_attrs_define
class TeamCreated:
    """A team that was created

    Example:
        {'name': 'builders', 'group': 'upload_repository'}

    Attributes:
        name (str | Unset): What the team is called within its organization
        group (str | Unset): What a team's members, or the caller, may do in a repository. From the least to the
            most: `read_index` (see the index), `read_repository` (also download),
            `upload_repository` (also upload and delete), `organization_administrator` (everything
            in the organization). The embedded Brood has these four, and above them
            `server_administrator`; other servers may have more.
             Example: read_repository.
    """

    name: str | Unset = UNSET
    group: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        group = self.group

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if group is not UNSET:
            field_dict["group"] = group

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name", UNSET), str)

        group = checked(d.pop("group", UNSET), str)

        team_created = cls(
            name=name,
            group=group,
        )

        team_created.additional_properties = d
        return team_created

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
