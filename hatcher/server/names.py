"""Names that people give: what they must not be."""

from __future__ import annotations

from hatcher.server.refusals import bad_request
from hatcher.server.settings import is_email

_LONGEST = 200


def usable_name(what: str, name: str, *, slash: bool = True) -> str:
    """Return a name that can be asked for again.

    Parameters
    ----------
    what : str
        What it is to name, such as ``an organization``.
    name : str
        The name.
    slash : bool
        Whether it may contain one; not where names are joined by slashes.

    Raises
    ------
    Refusal
        400: it says what is wrong with the name.
    """
    problem = None
    if name != name.strip() or not name.isprintable() or not name:
        problem = "it is empty, begins or ends with a blank, or has characters that do not show"
    elif name in (".", ".."):
        problem = "in a URL this means another place"
    elif "/" in name and not slash:
        problem = "it has a slash, which parts organization and repository"
    elif len(name) > _LONGEST:
        problem = f"it has more than {_LONGEST} characters"
    if problem is not None:
        raise bad_request(f"{what.capitalize()} cannot be called {name!r}: {problem}.")
    return name


def usable_email(email: str) -> str:
    """Return an e-mail address that its owner can log in with.

    Raises
    ------
    Refusal
        400: it is none.
    """
    if not is_email(usable_name("a user", email)):
        raise bad_request(f"'{email}' is no e-mail address. Give one such as ada@example.com.")
    return email
