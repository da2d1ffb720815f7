"""Which characters show as themselves: the one home of what is kept out of names and terminals."""

from __future__ import annotations

import re
import unicodedata

#: Characters without a width that `str.isprintable` takes for printable.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)


def all_show(text: str) -> bool:
    """Return whether a text holds no control, format, bidi, invisible or surrogate character."""
    return text.isprintable() and _INVISIBLE.search(text) is None


def shown(text: str, keep: str = "") -> str:
    r"""Return a text in which every character shows, others as ``\x1b`` or ``\u202e``.

    Characters in `keep`, such as the line end, stay as they are, and so do wide blanks.
    """
    if all_show(text):
        return text
    return "".join(
        character
        if character in keep or all_show(character) or unicodedata.category(character) == "Zs"
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )
