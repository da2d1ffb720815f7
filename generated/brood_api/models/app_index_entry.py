from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="AppIndexEntry")


@_attrs_define
class AppIndexEntry:
    """An app

    Example:
        {'id': 'com.acme.viewer', 'name': 'Viewer', 'description': 'Looks at things', 'version': '1.0.0', 'build': 1,
            'full_version': '1.0.0-1', 'platform': 'rh8-x86_64', 'python_tag': 'cp311', 'filename': 'viewer-1.0.0-1.yaml',
            'sha256': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}

    Attributes:
        id (str | Unset): Identifier of the app
        name (str | Unset): Name of the app for people
        description (None | str | Unset): A few words for people
        version (str | Unset): Version without the build
        build (int | Unset): Build number
        full_version (str | Unset): Version and build
        platform (str | Unset): Platform that the app names
        python_tag (None | str | Unset): Python tag that the app names; null if it names none
        filename (str | Unset): Name of the file
        sha256 (str | Unset): Hexadecimal digits
    """

    id: str | Unset = UNSET
    name: str | Unset = UNSET
    description: None | str | Unset = UNSET
    version: str | Unset = UNSET
    build: int | Unset = UNSET
    full_version: str | Unset = UNSET
    platform: str | Unset = UNSET
    python_tag: None | str | Unset = UNSET
    filename: str | Unset = UNSET
    sha256: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        name = self.name

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        version = self.version

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
        field_dict.update({})
        if id is not UNSET:
            field_dict["id"] = id
        if name is not UNSET:
            field_dict["name"] = name
        if description is not UNSET:
            field_dict["description"] = description
        if version is not UNSET:
            field_dict["version"] = version
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
        d = dict(checked(src_dict, Mapping))
        id = checked(d.pop("id", UNSET), str)

        name = checked(d.pop("name", UNSET), str)

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        description = _parse_description(d.pop("description", UNSET))

        version = checked(d.pop("version", UNSET), str)

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

        app_index_entry = cls(
            id=id,
            name=name,
            description=description,
            version=version,
            build=build,
            full_version=full_version,
            platform=platform,
            python_tag=python_tag,
            filename=filename,
            sha256=sha256,
        )

        app_index_entry.additional_properties = d
        return app_index_entry

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
