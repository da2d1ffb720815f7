from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="BundleRequirement")


@_attrs_define
class BundleRequirement:
    """An egg that belongs to a bundle

    Example:
        {'name': 'numpy', 'version': '1.26.4-1', 'repository': 'acme/dev'}

    Attributes:
        name (str): Name of the egg
        version (str): Full version
        sha256 (str | Unset): Hexadecimal digits
        repository (None | str | Unset): `organization/repository`
    """

    name: str
    version: str
    sha256: str | Unset = UNSET
    repository: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        version = self.version

        sha256 = self.sha256

        repository: None | str | Unset
        if isinstance(self.repository, Unset):
            repository = UNSET
        else:
            repository = self.repository

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "version": version,
            }
        )
        if sha256 is not UNSET:
            field_dict["sha256"] = sha256
        if repository is not UNSET:
            field_dict["repository"] = repository

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        version = checked(d.pop("version"), str)

        sha256 = checked(d.pop("sha256", UNSET), str)

        def _parse_repository(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        repository = _parse_repository(d.pop("repository", UNSET))

        bundle_requirement = cls(
            name=name,
            version=version,
            sha256=sha256,
            repository=repository,
        )

        bundle_requirement.additional_properties = d
        return bundle_requirement

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
