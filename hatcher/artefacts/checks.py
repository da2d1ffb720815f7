"""What files and requests may say: names, builds and JSON documents, each by one rule.

What breaks a rule is a `ValueError` that says why: the readers of files make an error of
hatcher from it, and the server answers 400.
"""

from __future__ import annotations

import json
import re
from typing import Any

from hatcher.characters import all_show, shown

#: Characters that a name, a version or the like may have.
LONGEST_NAME = 200

#: The largest build number: what every database and every client takes.
LARGEST_BUILD = 2**31 - 1

#: Lists and objects that may stand in each other in a document.
_DEEPEST = 100

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
_BUILD = re.compile(r"[0-9]{1,10}")


def check_name(what: str, name: object, *, without: str = "/\\") -> str:
    """Return a name that a URL and a file name can hold.

    Parameters
    ----------
    what : str
        What it names, such as ``a version``.
    name : object
    without : str
        What may not be in it: by default all that parts the names of files and folders.

    Raises
    ------
    ValueError
    """
    if not isinstance(name, str):
        problem = "it is no text"
    elif not name or name != name.strip() or not all_show(name):
        problem = "it is empty, begins or ends with a blank, or has characters that do not show"
    elif name in (".", ".."):
        problem = "in a URL this means another place"
    elif not set(without).isdisjoint(name):
        problem = "it has a slash"
    elif len(name) > LONGEST_NAME:
        problem = f"it has more than {LONGEST_NAME} characters"
    else:
        return name
    called = shown(name[:40]) if isinstance(name, str) else type(name).__name__
    raise ValueError(f"{what} cannot be '{called}': {problem}")


def check_names(**names: str | None) -> None:
    """Check several names, each under the word for it; None stands for none.

    Raises
    ------
    ValueError
    """
    for what, name in names.items():
        if name is not None:
            check_name(f"the {what.replace('_', ' ')}", name)


def check_build(build: object) -> int:
    """Return a build number, given as a number or in digits.

    Raises
    ------
    ValueError
    """
    number = int(build) if isinstance(build, str) and _BUILD.fullmatch(build) else build
    if type(number) is int and 0 <= number <= LARGEST_BUILD:
        return number
    raise ValueError(f"the build is no number from 0 to {LARGEST_BUILD}")


def read_json(text: str | bytes) -> Any:
    """Return what JSON text says.

    Raises
    ------
    ValueError
        It is none, or says what `check_document` refuses.
    """
    try:
        document = json.loads(
            text.decode() if isinstance(text, bytes) else text, parse_int=_integer
        )
    except RecursionError as error:
        raise _too_deep() from error
    check_document(document)
    return document


def check_document(document: Any) -> None:
    """Check that every reader of JSON can read a document.

    Raises
    ------
    ValueError
        It is too deep, or has NaN, an infinite or a very large number, or half a character.
    """
    level = [document]
    for _ in range(_DEEPEST):
        if any(isinstance(each, int) and each.bit_length() > 63 for each in level):
            raise _too_large()
        level = [
            child
            for each in level
            if isinstance(each, (dict, list))
            for child in (each.values() if isinstance(each, dict) else each)
        ]
        if not level:
            break
    else:
        raise _too_deep()
    try:
        text = json.dumps(document, ensure_ascii=False, allow_nan=False)
        text.encode()
    except TypeError as error:
        raise ValueError(str(error)) from error
    except UnicodeEncodeError as error:
        raise ValueError("a text in it has half a character (a lone surrogate)") from error
    if "\\u0000" in text and _NUL.search(text):
        raise ValueError("a text in it has the character NUL, which not every database can hold")


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise _too_large()  # before it takes time
    return int(digits)


def _too_large() -> ValueError:
    return ValueError("a number in it has more than 64 bits")


def _too_deep() -> ValueError:
    return ValueError(f"more than {_DEEPEST} lists and objects stand in each other")
