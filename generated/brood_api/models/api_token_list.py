from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import checked

if TYPE_CHECKING:
    from ..models.api_token import ApiToken


T = TypeVar("T", bound="ApiTokenList")


@_attrs_define
class ApiTokenList:
    """API tokens

    Example:
        {'tokens': [{'name': 'laptop', 'created': '2024-03-01T09:30:00.123456', 'last_used':
            '2024-03-02T10:00:00.000001'}]}

    Attributes:
        tokens (list[ApiToken]): In no promised order
    """

    tokens: list[ApiToken]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tokens = []
        for tokens_item_data in self.tokens:
            tokens_item = tokens_item_data.to_dict()
            tokens.append(tokens_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tokens": tokens,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.api_token import ApiToken

        d = dict(checked(src_dict, Mapping))
        tokens = []
        _tokens = checked(d.pop("tokens"), list)
        for tokens_item_data in _tokens:
            tokens_item = ApiToken.from_dict(tokens_item_data)

            tokens.append(tokens_item)

        api_token_list = cls(
            tokens=tokens,
        )

        api_token_list.additional_properties = d
        return api_token_list

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
