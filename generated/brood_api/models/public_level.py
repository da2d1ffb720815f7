from typing import Literal

PublicLevel = Literal["read_index", "read_repository"]

PUBLIC_LEVEL_VALUES: set[PublicLevel] = {
    "read_index",
    "read_repository",
}


def check_public_level(value: str) -> PublicLevel:
    if value in PUBLIC_LEVEL_VALUES:
        return value
    raise TypeError(f"Unexpected value {value!r}. Expected one of {PUBLIC_LEVEL_VALUES!r}")
