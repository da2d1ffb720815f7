from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="RuntimeUploadDataV0")


@_attrs_define
class RuntimeUploadDataV0:
    """What the file of a v0 runtime does not say of itself

    Example:
        {'sha256': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language': 'python', 'version':
            '2.7.13', 'build': 1, 'build_system_version': '1.0.0', 'file_format': 'zip', 'filename':
            'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}

    Attributes:
        sha256 (str): SHA-256 of a file, in hexadecimal digits Example:
            9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08.
        language (str): Language, `python`
        version (str): Version without the build
        build (int | str): A build number; in old documents also its digits as a string Example: 1.
        filename (str): Name of the file: the one that its part has
        build_system_version (str | Unset): Version of what built the runtime
        file_format (str | Unset): Format of the file, such as `zip`
    """

    sha256: str
    language: str
    version: str
    build: int | str
    filename: str
    build_system_version: str | Unset = UNSET
    file_format: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        sha256 = self.sha256

        language = self.language

        version = self.version

        build: int | str
        build = self.build

        filename = self.filename

        build_system_version = self.build_system_version

        file_format = self.file_format

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "sha256": sha256,
                "language": language,
                "version": version,
                "build": build,
                "filename": filename,
            }
        )
        if build_system_version is not UNSET:
            field_dict["build_system_version"] = build_system_version
        if file_format is not UNSET:
            field_dict["file_format"] = file_format

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        sha256 = checked(d.pop("sha256"), str)

        language = checked(d.pop("language"), str)

        version = checked(d.pop("version"), str)

        def _parse_build(data: object) -> int | str:
            return cast(int | str, checked(data, int | str))

        build = _parse_build(d.pop("build"))

        filename = checked(d.pop("filename"), str)

        build_system_version = checked(d.pop("build_system_version", UNSET), str)

        file_format = checked(d.pop("file_format", UNSET), str)

        runtime_upload_data_v0 = cls(
            sha256=sha256,
            language=language,
            version=version,
            build=build,
            filename=filename,
            build_system_version=build_system_version,
            file_format=file_format,
        )

        runtime_upload_data_v0.additional_properties = d
        return runtime_upload_data_v0

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
