from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from .. import types
from ..types import File, checked

if TYPE_CHECKING:
    from ..models.runtime_upload_data_v0 import RuntimeUploadDataV0


T = TypeVar("T", bound="RuntimeUploadV0")


@_attrs_define
class RuntimeUploadV0:
    """A runtime of v0 and its description

    Example:
        {'file': '(the bytes of the file)', 'data': {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language': 'python', 'version': '2.7.13',
            'build': 1, 'build_system_version': '1.0.0', 'file_format': 'zip', 'filename':
            'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}}

    Attributes:
        file (File): The zip file
        data (RuntimeUploadDataV0): What the file of a v0 runtime does not say of itself Example: {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'language': 'python', 'version': '2.7.13',
            'build': 1, 'build_system_version': '1.0.0', 'file_format': 'zip', 'filename':
            'python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip'}.
    """

    file: File
    data: RuntimeUploadDataV0

    def to_dict(self) -> dict[str, Any]:
        file = self.file.to_tuple()

        data = self.data.to_dict()

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "file": file,
                "data": data,
            }
        )

        return field_dict

    def to_multipart(self) -> types.Multipart:
        files: types.RequestFiles = []

        files.append(("file", self.file.to_tuple()))

        files.append(
            (
                "data",
                ("", json.dumps(self.data.to_dict()).encode(), "application/json; charset=UTF-8"),
            )
        )

        return types.Multipart(files)

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.runtime_upload_data_v0 import RuntimeUploadDataV0

        d = dict(checked(src_dict, Mapping))
        file = File(payload=BytesIO(d.pop("file")))

        data = RuntimeUploadDataV0.from_dict(d.pop("data"))

        runtime_upload_v0 = cls(
            file=file,
            data=data,
        )

        return runtime_upload_v0
