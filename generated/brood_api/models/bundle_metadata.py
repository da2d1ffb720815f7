from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

if TYPE_CHECKING:
    from ..models.bundle_document import BundleDocument


T = TypeVar("T", bound="BundleMetadata")


@_attrs_define
class BundleMetadata:
    """A bundle and its document

    Example:
        {'name': 'analysis', 'version': '2.0.0', 'build': 1, 'full_version': '2.0.0-1', 'platform': 'rh8_x86_64',
            'filename': 'analysis-2.0.0-1.bundle', 'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'data': {'runtime': {'implementation':
            'cpython', 'platform': 'rh8_x86_64', 'version': '3.11.9+1'}, 'requirements': [{'name': 'numpy', 'version':
            '1.26.4-1'}]}}

    Attributes:
        name (str): Name of the bundle
        version (str): Version without the build
        data (BundleDocument): A bundle file, version 2.0 of its format Example: {'runtime': {'implementation':
            'cpython', 'platform': 'rh8_x86_64', 'version': '3.11.9+1'}, 'requirements': [{'name': 'numpy', 'version':
            '1.26.4-1', 'repository': 'acme/dev'}], 'repositories': ['acme/dev']}.
        build (int | Unset): Build number
        full_version (str | Unset): Version and build
        platform (str | Unset): Platform, such as `rh8_x86_64`
        python_tag (None | str | Unset): Python tag of its runtime; null if none is known
        filename (str | Unset): Name of the file
        sha256 (str | Unset): Hexadecimal digits
    """

    name: str
    version: str
    data: BundleDocument
    build: int | Unset = UNSET
    full_version: str | Unset = UNSET
    platform: str | Unset = UNSET
    python_tag: None | str | Unset = UNSET
    filename: str | Unset = UNSET
    sha256: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        version = self.version

        data = self.data.to_dict()

        build = self.build

        full_version = self.full_version

        platform = self.platform

        python_tag: None | str | Unset
        if isinstance(self.python_tag, Unset):
            python_tag = UNSET
        else:
            python_tag = self.python_tag

        filename = self.filename

        sha256 = self.sha256

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "version": version,
                "data": data,
            }
        )
        if build is not UNSET:
            field_dict["build"] = build
        if full_version is not UNSET:
            field_dict["full_version"] = full_version
        if platform is not UNSET:
            field_dict["platform"] = platform
        if python_tag is not UNSET:
            field_dict["python_tag"] = python_tag
        if filename is not UNSET:
            field_dict["filename"] = filename
        if sha256 is not UNSET:
            field_dict["sha256"] = sha256

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.bundle_document import BundleDocument

        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        version = checked(d.pop("version"), str)

        data = BundleDocument.from_dict(d.pop("data"))

        build = checked(d.pop("build", UNSET), int)

        full_version = checked(d.pop("full_version", UNSET), str)

        platform = checked(d.pop("platform", UNSET), str)

        def _parse_python_tag(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        python_tag = _parse_python_tag(d.pop("python_tag", UNSET))

        filename = checked(d.pop("filename", UNSET), str)

        sha256 = checked(d.pop("sha256", UNSET), str)

        bundle_metadata = cls(
            name=name,
            version=version,
            data=data,
            build=build,
            full_version=full_version,
            platform=platform,
            python_tag=python_tag,
            filename=filename,
            sha256=sha256,
        )

        bundle_metadata.additional_properties = d
        return bundle_metadata

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
