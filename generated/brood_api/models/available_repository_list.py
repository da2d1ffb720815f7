from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.available_repository import AvailableRepository


T = TypeVar("T", bound="AvailableRepositoryList")


@_attrs_define
class AvailableRepositoryList:
    """The repositories that the caller may see

    Example:
        {'repositories': [{'name': 'acme/dev', 'access': 'upload_repository', 'description': 'Our own packages'},
            {'name': 'globex/open', 'access': 'read_index', 'description': '', 'public': 'read_index'}]}

    Attributes:
        repositories (list[AvailableRepository]): In no promised order
    """

    repositories: list[AvailableRepository]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        repositories = []
        for repositories_item_data in self.repositories:
            repositories_item = repositories_item_data.to_dict()
            repositories.append(repositories_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "repositories": repositories,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.available_repository import AvailableRepository

        d = dict(checked(src_dict, Mapping))
        repositories = []
        _repositories = checked(d.pop("repositories"), list)
        for repositories_item_data in _repositories:
            repositories_item = AvailableRepository.from_dict(repositories_item_data)

            repositories.append(repositories_item)

        available_repository_list = cls(
            repositories=repositories,
        )

        available_repository_list.additional_properties = d
        return available_repository_list

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
