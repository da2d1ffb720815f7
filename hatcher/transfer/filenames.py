"""The names of files: what a user or a server calls one, and what of that may become a path."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote_to_bytes

from hatcher.characters import all_show, shown
from hatcher.errors import MissingFilenameError

#: Signs that no file name may hold on one system or another.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*/\\]')

#: What Windows takes for a device, whatever follows the first full stop.
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$) *(?:\.|\Z)", re.I
)

#: Bytes of a name that every file system takes.
_MOST_BYTES = 255

#: One parameter of a header (RFC 6266), and the value of one whose name ends in ``*`` (RFC 8187).
_PARAMETER = re.compile(
    r';[ \t]*(?:([^\s=;"]+)[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"[ \t]*|([^;"]*)))?(?=;|\Z)', re.DOTALL
)
_EXTENDED = re.compile(r"(utf-8|iso-8859-1)'[\w-]*'((?:[^%]|%[0-9a-f]{2})*)", re.I | re.ASCII)

#: Characters of a header or name that a message repeats.
_SHOWN = 200


def filename_from(headers: Mapping[str, str], is_called: Callable[[str], object]) -> str:
    """Return the file name in a Content-Disposition header.

    Parameters
    ----------
    headers : mapping of str to str
        The headers of an answer.
    is_called : callable
        As for `server_filename`.

    Returns
    -------
    str
        A bare name, without any folder.

    Raises
    ------
    MissingFilenameError
        There is no header, no file name in it, or none that may be used.
    """
    header = headers.get("Content-Disposition")
    if header is None:
        raise MissingFilenameError(
            "The server did not say how the file is called (there is no Content-Disposition "
            "header). Give a name with the `filename` argument."
        )
    name = _name_in(header)
    if not name:
        raise MissingFilenameError(
            "The server did not say how the file is called (Content-Disposition: "
            f"'{shown(header[:_SHOWN])}' names no file). Give a name with the `filename` argument."
        )
    return server_filename(name, "The server's name for the file", is_called)


def _name_in(header: str) -> str | None:
    """Return the name in a header; None where there is none, or more than one."""
    found: dict[str, str] = {}
    at = header.find(";")
    while 0 <= at < len(header):
        parameter = _PARAMETER.match(header, at)
        if parameter is None:
            return None
        at = parameter.end()
        key, quoted, token = parameter.groups()
        if key is None:
            continue
        text = _text(quoted, token)
        if found.setdefault(key.lower(), text) != text:
            return None
    extended = _EXTENDED.fullmatch(found.get("filename*", ""))
    if extended is not None:
        try:
            return unquote_to_bytes(extended[2]).decode(extended[1])
        except UnicodeError:
            pass  # the plain one may do
    return found.get("filename")


def _text(quoted: str | None, token: str) -> str:
    text = token.strip(" \t") if quoted is None else re.sub(r"(?s)\\(.)", r"\1", quoted)
    try:
        # Many servers send UTF-8 where a header is taken for Latin-1.
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def server_filename(name: str, what: str, is_called: Callable[[str], object]) -> str:
    """Return a name that a server gives, when it is that of the file that was asked for.

    Parameters
    ----------
    name : str
    what : str
        What the name is, for the message.
    is_called : callable
        Returns whether a file of that name is what was asked for.

    Raises
    ------
    MissingFilenameError
        It is not, or may not be used on every system.
    """
    server_name(name, what)
    if _DEVICE.match(name):
        raise _refused(name, what, "is that of a device")
    if not is_called(name):
        raise _refused(name, what, "is not the name of what was asked for")
    return name


def server_name(name: str, what: str) -> str:
    """Return a name that a server gives, when a folder or file may be called so everywhere.

    Parameters
    ----------
    name : str
    what : str
        What the name is, for the message.

    Raises
    ------
    MissingFilenameError
        It leads elsewhere, would be hidden, holds characters that do not show, ends in a full
        stop or a blank, or is too long.
    """
    bare_filename(name, what)
    if name.startswith("."):
        raise _refused(name, what, "begins with a full stop")
    if name.endswith((".", " ")):
        raise _refused(name, what, "ends in a full stop or a blank")
    if not all_show(name):
        raise _refused(name, what, "holds characters that do not show")
    if len(name.encode()) > _MOST_BYTES:
        raise _refused(name, what, f"has more than {_MOST_BYTES} bytes")
    return name


def bare_filename(name: str, what: str) -> str:
    """Return `name` when it is safe as the name of a file in a folder.

    Parameters
    ----------
    name : str
    what : str
        What the name is, for the message.

    Raises
    ------
    MissingFilenameError
        It leads to another folder, or holds signs that no file name may hold.
    """
    if not isinstance(name, str) or not name.strip(". ") or _UNSAFE.search(name):
        raise _refused(str(name), what, "is not a bare file name")
    return name


def _refused(name: str, what: str, why: str) -> MissingFilenameError:
    return MissingFilenameError(
        f"{what}, '{shown(name[:_SHOWN])}', {why}, so nothing was written. Give a safe one with "
        "the `filename` argument."
    )
