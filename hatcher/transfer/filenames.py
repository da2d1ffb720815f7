"""The name that a server gives to a download, reduced to a safe one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from hatcher.errors import MissingFilenameError

#: Signs that no file name may hold on one system or another.
_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"|?*/\\]')

#: The header as Brood gives it, with a name that no standard has anything to say about.
_PLAIN = re.compile(r'attachment; filename="([A-Za-z0-9](?:[\w.+ -]*[\w.+-])?)"', re.ASCII)


def filename_from(headers: Mapping[str, str]) -> str:
    """Return the file name in a Content-Disposition header.

    Parameters
    ----------
    headers : mapping of str to str
        The headers of an answer.

    Returns
    -------
    str
        A bare name, without any folder.

    Raises
    ------
    MissingFilenameError
        There is no header, no file name in it, or none that is safe to use.
    """
    value = headers.get("Content-Disposition")
    if value is None:
        raise MissingFilenameError(
            "The server did not say how the file is called (there is no Content-Disposition "
            "header). Give a name with the `filename` argument."
        )
    plain = _PLAIN.fullmatch(value)
    if plain is not None:
        return bare_filename(plain[1], "The server's name for the file")

    # Imported here, for the others: it takes 15 ms.
    from email.message import EmailMessage

    message = EmailMessage()
    message["Content-Disposition"] = value.replace("\r", " ").replace("\n", " ")
    name = message.get_filename()
    if not name:
        raise MissingFilenameError(
            f"The server did not say how the file is called (Content-Disposition: {value!r} names "
            "no file). Give a name with the `filename` argument."
        )
    return bare_filename(name, "The server's name for the file")


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
    if not name.strip(". ") or _UNSAFE.search(name):
        raise MissingFilenameError(
            f"{what}, {name!r}, is not a bare file name, so nothing was written. Give a safe one "
            "with the `filename` argument."
        )
    return name
