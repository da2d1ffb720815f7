"""Sizes for people: in units of a thousand, as progress bars show them."""

from __future__ import annotations

_UNITS = ("kB", "MB", "GB", "TB", "PB")

#: Servers may say anything, and no larger number becomes a float for certain.
_HUGE = 10**24


def human_size(size: int) -> str:
    """Return a number of bytes with three digits that count, such as ``1.23 GB``."""
    if size < 1000:
        return f"{size} B"
    number, power = min(size, _HUGE) / 1000, 0
    # What would be rounded to a thousand is one of the next unit.
    while number >= 999.5 and power < len(_UNITS) - 1:
        number, power = number / 1000, power + 1
    return f"{number:.{2 if number < 9.995 else 1 if number < 99.95 else 0}f} {_UNITS[power]}"
