from __future__ import annotations

import json
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define

from .. import types
from ..types import File, checked

if TYPE_CHECKING:
    from ..models.bundle_upload_data import BundleUploadData


T = TypeVar("T", bound="BundleUpload")


@_attrs_define
class BundleUpload:
    """A bundle file and its name

    Example:
        {'file': '(the bytes of the file)', 'data': {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'bundle_name': 'analysis', 'bundle_version':
            '2.0.0', 'bundle_build': 1}}

    Attributes:
        file (File): The bundle file
        data (BundleUploadData): What an uploaded bundle is to be called Example: {'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', 'bundle_name': 'analysis', 'bundle_version':
            '2.0.0', 'bundle_build': 1}.
    """

    file: File
    data: BundleUploadData

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
        from ..models.bundle_upload_data import BundleUploadData

        d = dict(checked(src_dict, Mapping))
        file = File(payload=BytesIO(d.pop("file")))

        data = BundleUploadData.from_dict(d.pop("data"))

        bundle_upload = cls(
            file=file,
            data=data,
        )

        return bundle_upload
