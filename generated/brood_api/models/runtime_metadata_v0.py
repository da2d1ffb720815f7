from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="RuntimeMetadataV0")


@_attrs_define
class RuntimeMetadataV0:
    """A runtime, as v0 knows it

    Example:
        {'language': 'python', 'version': '2.7.13', 'build': 1, 'filename':
            'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip', 'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}

    Attributes:
        version (str): Version without the build
        filename (str): Name of the file
        sha256 (str): Hexadecimal digits
        language (str | Unset): Language, `python`
        build (int | str | Unset): A build number; in old documents also its digits as a string Example: 1.
        full_version (str | Unset): Version and build
        python_tag (None | str | Unset): Python tag, such as `cp27`; null if none is known
        platform (str | Unset): Platform, such as `rh5-x86_64`
        file_format (None | str | Unset): Format of the file, such as `zip`
        build_system_version (None | str | Unset): Version of what built the runtime
    """

    version: str
    filename: str
    sha256: str
    language: str | Unset = UNSET
    build: int | str | Unset = UNSET
    full_version: str | Unset = UNSET
    python_tag: None | str | Unset = UNSET
    platform: str | Unset = UNSET
    file_format: None | str | Unset = UNSET
    build_system_version: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        version = self.version

        filename = self.filename

        sha256 = self.sha256

        language = self.language

        build: int | str | Unset
        if isinstance(self.build, Unset):
            build = UNSET
        else:
            build = self.build

        full_version = self.full_version

        python_tag: None | str | Unset
        if isinstance(self.python_tag, Unset):
            python_tag = UNSET
        else:
            python_tag = self.python_tag

        platform = self.platform

        file_format: None | str | Unset
        if isinstance(self.file_format, Unset):
            file_format = UNSET
        else:
            file_format = self.file_format

        build_system_version: None | str | Unset
        if isinstance(self.build_system_version, Unset):
            build_system_version = UNSET
        else:
            build_system_version = self.build_system_version

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "version": version,
                "filename": filename,
                "sha256": sha256,
            }
        )
        if language is not UNSET:
            field_dict["language"] = language
        if build is not UNSET:
            field_dict["build"] = build
        if full_version is not UNSET:
            field_dict["full_version"] = full_version
        if python_tag is not UNSET:
            field_dict["python_tag"] = python_tag
        if platform is not UNSET:
            field_dict["platform"] = platform
        if file_format is not UNSET:
            field_dict["file_format"] = file_format
        if build_system_version is not UNSET:
            field_dict["build_system_version"] = build_system_version

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        version = checked(d.pop("version"), str)

        filename = checked(d.pop("filename"), str)

        sha256 = checked(d.pop("sha256"), str)

        language = checked(d.pop("language", UNSET), str)

        def _parse_build(data: object) -> int | str | Unset:
            if isinstance(data, Unset):
                return data
            return cast(int | str | Unset, checked(data, int | str))

        build = _parse_build(d.pop("build", UNSET))

        full_version = checked(d.pop("full_version", UNSET), str)

        def _parse_python_tag(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        python_tag = _parse_python_tag(d.pop("python_tag", UNSET))

        platform = checked(d.pop("platform", UNSET), str)

        def _parse_file_format(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        file_format = _parse_file_format(d.pop("file_format", UNSET))

        def _parse_build_system_version(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        build_system_version = _parse_build_system_version(d.pop("build_system_version", UNSET))

        runtime_metadata_v0 = cls(
            version=version,
            filename=filename,
            sha256=sha256,
            language=language,
            build=build,
            full_version=full_version,
            python_tag=python_tag,
            platform=platform,
            file_format=file_format,
            build_system_version=build_system_version,
        )

        runtime_metadata_v0.additional_properties = d
        return runtime_metadata_v0

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
