from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset, checked

T = TypeVar("T", bound="EggMetadata")


@_attrs_define
class EggMetadata:
    """An egg, in the index or not

    Example:
        {'name': 'pyyaml', 'egg_basename': 'PyYAML', 'version': '6.0.1', 'build': 2, 'filename': 'PyYAML-6.0.1-2.egg',
            'enabled': True, 'change_date': '2024-03-01T09:30:00.123456', 'sha256':
            '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'}

    Attributes:
        name (str): May be lower-cased where the file name is not
        version (str): Version without the build
        build (int): Build number
        sha256 (str): Hexadecimal digits
        filename (str): Name of the file, which tells the case of the egg's name
        full_version (str | Unset): Version and build
        available (bool | Unset): Whether the caller may download it
        type_ (str | Unset): Always `egg`
        packages (list[str] | Unset): What the egg needs, as `name version`
        python_tag (None | str | Unset): Python tag, as of PEP 425; null if the egg suits every Python
        python (None | str | Unset): Older form of the tag, `2.7`
        platform_abi (None | str | Unset): ABI of the platform, such as `gnu`; null if it is not known
        product (None | str | Unset): Product that the egg belongs to, such as `free`; null if to none
        size (int | Unset): Bytes
        mtime (float | Unset): Seconds since 1970-01-01 UTC
        md5 (str | Unset): Hexadecimal digits
        egg_basename (str | Unset): Name in the case of the file name
        enabled (bool | Unset): Whether the egg is in the index
        change_date (None | str | Unset): When it last changed, as ISO 8601 in UTC without an offset
    """

    name: str
    version: str
    build: int
    sha256: str
    filename: str
    full_version: str | Unset = UNSET
    available: bool | Unset = UNSET
    type_: str | Unset = UNSET
    packages: list[str] | Unset = UNSET
    python_tag: None | str | Unset = UNSET
    python: None | str | Unset = UNSET
    platform_abi: None | str | Unset = UNSET
    product: None | str | Unset = UNSET
    size: int | Unset = UNSET
    mtime: float | Unset = UNSET
    md5: str | Unset = UNSET
    egg_basename: str | Unset = UNSET
    enabled: bool | Unset = UNSET
    change_date: None | str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        version = self.version

        build = self.build

        sha256 = self.sha256

        filename = self.filename

        full_version = self.full_version

        available = self.available

        type_ = self.type_

        packages: list[str] | Unset = UNSET
        if not isinstance(self.packages, Unset):
            packages = self.packages

        python_tag: None | str | Unset
        if isinstance(self.python_tag, Unset):
            python_tag = UNSET
        else:
            python_tag = self.python_tag

        python: None | str | Unset
        if isinstance(self.python, Unset):
            python = UNSET
        else:
            python = self.python

        platform_abi: None | str | Unset
        if isinstance(self.platform_abi, Unset):
            platform_abi = UNSET
        else:
            platform_abi = self.platform_abi

        product: None | str | Unset
        if isinstance(self.product, Unset):
            product = UNSET
        else:
            product = self.product

        size = self.size

        mtime = self.mtime

        md5 = self.md5

        egg_basename = self.egg_basename

        enabled = self.enabled

        change_date: None | str | Unset
        if isinstance(self.change_date, Unset):
            change_date = UNSET
        else:
            change_date = self.change_date

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "name": name,
                "version": version,
                "build": build,
                "sha256": sha256,
                "filename": filename,
            }
        )
        if full_version is not UNSET:
            field_dict["full_version"] = full_version
        if available is not UNSET:
            field_dict["available"] = available
        if type_ is not UNSET:
            field_dict["type"] = type_
        if packages is not UNSET:
            field_dict["packages"] = packages
        if python_tag is not UNSET:
            field_dict["python_tag"] = python_tag
        if python is not UNSET:
            field_dict["python"] = python
        if platform_abi is not UNSET:
            field_dict["platform_abi"] = platform_abi
        if product is not UNSET:
            field_dict["product"] = product
        if size is not UNSET:
            field_dict["size"] = size
        if mtime is not UNSET:
            field_dict["mtime"] = mtime
        if md5 is not UNSET:
            field_dict["md5"] = md5
        if egg_basename is not UNSET:
            field_dict["egg_basename"] = egg_basename
        if enabled is not UNSET:
            field_dict["enabled"] = enabled
        if change_date is not UNSET:
            field_dict["change_date"] = change_date

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        d = dict(checked(src_dict, Mapping))
        name = checked(d.pop("name"), str)

        version = checked(d.pop("version"), str)

        build = checked(d.pop("build"), int)

        sha256 = checked(d.pop("sha256"), str)

        filename = checked(d.pop("filename"), str)

        full_version = checked(d.pop("full_version", UNSET), str)

        available = checked(d.pop("available", UNSET), bool)

        type_ = checked(d.pop("type", UNSET), str)

        packages = checked(d.pop("packages", UNSET), list[str])

        def _parse_python_tag(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        python_tag = _parse_python_tag(d.pop("python_tag", UNSET))

        def _parse_python(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        python = _parse_python(d.pop("python", UNSET))

        def _parse_platform_abi(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        platform_abi = _parse_platform_abi(d.pop("platform_abi", UNSET))

        def _parse_product(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        product = _parse_product(d.pop("product", UNSET))

        size = checked(d.pop("size", UNSET), int)

        mtime = checked(d.pop("mtime", UNSET), float)

        md5 = checked(d.pop("md5", UNSET), str)

        egg_basename = checked(d.pop("egg_basename", UNSET), str)

        enabled = checked(d.pop("enabled", UNSET), bool)

        def _parse_change_date(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, checked(data, None | str))

        change_date = _parse_change_date(d.pop("change_date", UNSET))

        egg_metadata = cls(
            name=name,
            version=version,
            build=build,
            sha256=sha256,
            filename=filename,
            full_version=full_version,
            available=available,
            type_=type_,
            packages=packages,
            python_tag=python_tag,
            python=python,
            platform_abi=platform_abi,
            product=product,
            size=size,
            mtime=mtime,
            md5=md5,
            egg_basename=egg_basename,
            enabled=enabled,
            change_date=change_date,
        )

        egg_metadata.additional_properties = d
        return egg_metadata

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
