from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

if TYPE_CHECKING:
    from ..models.bundle_requirement import BundleRequirement
    from ..models.bundle_runtime import BundleRuntime


T = TypeVar("T", bound="BundleDocument")


@_attrs_define
class BundleDocument:
    """A bundle file, version 2.0 of its format

    Example:
        {'runtime': {'implementation': 'cpython', 'platform': 'rh8_x86_64', 'version': '3.11.9+1'}, 'requirements':
            [{'name': 'numpy', 'version': '1.26.4-1', 'repository': 'acme/dev'}], 'repositories': ['acme/dev']}

    Attributes:
        runtime (BundleRuntime | Unset): `implementation`, `platform`, `version` and more
        requirements (list[BundleRequirement] | Unset): The eggs of the bundle
        repositories (Any | Unset): Where the eggs are, such as `[acme/dev]`
        modifiers (Any | Unset): What changes the environment beside the eggs
        metadata_version (Any | Unset): Version of the format, `2.0`
        mark (Any | Unset): What the maker of the bundle marked it with
    """

    runtime: BundleRuntime | Unset = UNSET
    requirements: list[BundleRequirement] | Unset = UNSET
    repositories: Any | Unset = UNSET
    modifiers: Any | Unset = UNSET
    metadata_version: Any | Unset = UNSET
    mark: Any | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        runtime: dict[str, Any] | Unset = UNSET
        if not isinstance(self.runtime, Unset):
            runtime = self.runtime.to_dict()

        requirements: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.requirements, Unset):
            requirements = []
            for requirements_item_data in self.requirements:
                requirements_item = requirements_item_data.to_dict()
                requirements.append(requirements_item)

        repositories = self.repositories

        modifiers = self.modifiers

        metadata_version = self.metadata_version

        mark = self.mark

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if runtime is not UNSET:
            field_dict["runtime"] = runtime
        if requirements is not UNSET:
            field_dict["requirements"] = requirements
        if repositories is not UNSET:
            field_dict["repositories"] = repositories
        if modifiers is not UNSET:
            field_dict["modifiers"] = modifiers
        if metadata_version is not UNSET:
            field_dict["metadata_version"] = metadata_version
        if mark is not UNSET:
            field_dict["mark"] = mark

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.bundle_requirement import BundleRequirement
        from ..models.bundle_runtime import BundleRuntime

        d = dict(checked(src_dict, Mapping))
        _runtime = d.pop("runtime", UNSET)
        runtime: BundleRuntime | Unset
        if isinstance(_runtime, Unset):
            runtime = UNSET
        else:
            runtime = BundleRuntime.from_dict(_runtime)

        _requirements = checked(d.pop("requirements", UNSET), list)
        requirements: list[BundleRequirement] | Unset = UNSET
        if _requirements is not UNSET:
            requirements = []
            for requirements_item_data in _requirements:
                requirements_item = BundleRequirement.from_dict(requirements_item_data)

                requirements.append(requirements_item)

        repositories = checked(d.pop("repositories", UNSET), Any)

        modifiers = checked(d.pop("modifiers", UNSET), Any)

        metadata_version = checked(d.pop("metadata_version", UNSET), Any)

        mark = checked(d.pop("mark", UNSET), Any)

        bundle_document = cls(
            runtime=runtime,
            requirements=requirements,
            repositories=repositories,
            modifiers=modifiers,
            metadata_version=metadata_version,
            mark=mark,
        )

        bundle_document.additional_properties = d
        return bundle_document

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
