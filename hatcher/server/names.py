"""Names that people give: what they must not be."""

from __future__ import annotations

from hatcher.artefacts.checks import check_name
from hatcher.server.refusals import Refusal, bad_request
from hatcher.server.settings import is_email


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
    try:
        return check_name(f"the name of {what}", name, without="" if slash else "/")
    except ValueError as error:
        raise wrong_value(error) from error


def wrong_value(error: ValueError) -> Refusal:
    """Return the answer to what breaks a rule of `hatcher.artefacts.checks`."""
    text = str(error)
    return bad_request(f"{text[0].upper()}{text[1:]}.")


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
