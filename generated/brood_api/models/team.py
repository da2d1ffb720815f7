from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="Team")


@_attrs_define
class Team:
    """A team. Lists only have its name and its group

    Example:
        {'name': 'builders', 'group': 'upload_repository', 'organization': 'acme', 'members': ['ada@example.com'],
            'repositories': ['dev']}

    Attributes:
        name (str): What the team is called within its organization
        group (str): What a team's members, or the caller, may do in a repository. From the least to the
            most: `read_index` (see the index), `read_repository` (also download),
            `upload_repository` (also upload and delete), `organization_administrator` (everything
            in the organization). The embedded Brood has these four, and above them
            `server_administrator`; other servers may have more.
             Example: read_repository.
        organization (str | Unset): Name of the organization that it belongs to
        members (list[str] | Unset): Its members, by e-mail address
        repositories (list[str] | Unset): Names of its repositories, without the organization
    """

    name: str
    group: str
    organization: str | Unset = UNSET
    members: list[str] | Unset = UNSET
    repositories: list[str] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        group = self.group

        organization = self.organization

        members: list[str] | Unset = UNSET
        if not isinstance(self.members, Unset):
            members = self.members

        repositories: list[str] | Unset = UNSET
        if not isinstance(self.repositories, Unset):
            repositories = self.repositories

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "group": group,
            }
        )
        if organization is not UNSET:
            field_dict["organization"] = organization
        if members is not UNSET:
            field_dict["members"] = members
        if repositories is not UNSET:
            field_dict["repositories"] = repositories

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        group = checked(d.pop("group"), str)

        organization = checked(d.pop("organization", UNSET), str)

        members = checked(d.pop("members", UNSET), list[str])

        repositories = checked(d.pop("repositories", UNSET), list[str])

        team = cls(
            name=name,
            group=group,
            organization=organization,
            members=members,
            repositories=repositories,
        )

        team.additional_properties = d
        return team

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
