"""Names that people give: what they must not be, and the platforms and python tags there are.

The tables are okonomiyaki's, written down so that a start needs no import of it; a test
compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hatcher.artefacts.checks import check_name
from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.python_tags import check_tag, preference, usable_tags
from hatcher.server.refusals import bad_request
from hatcher.server.settings import is_email

_SYSTEMS = ("osx", "rh3", "rh5", "rh6", "rh7", "rh8", "sol", "win")
_SYSTEMS_ON_ARM = ("osx", "rh8", "win")

PLATFORMS = tuple(
    sorted(
        [f"{system}-{architecture}" for system in _SYSTEMS for architecture in ("x86", "x86_64")]
        + [f"{system}-arm64" for system in _SYSTEMS_ON_ARM]
    )
)

#: The tags of real implementations.
PYTHON_TAGS = (
    *(f"cp2{minor}" for minor in range(5, 8)),
    *(f"cp3{minor}" for minor in range(3, 15)),
    "pp27",
    *(f"pp3{minor}" for minor in range(6, 12)),
)

#: The tags that any implementation of the language version can use.
GENERIC_PYTHON_TAGS = (
    "py2",
    *(f"py2{minor}" for minor in range(5, 8)),
    "py3",
    *(f"py3{minor}" for minor in range(3, 15)),
    "py2.py3",
)


@contextmanager
def checked() -> Iterator[None]:
    """Answer 400 when something breaks a rule of `hatcher.artefacts.checks`."""
    try:
        yield
    except ValueError as error:
        text = str(error)
        raise bad_request(f"{text[0].upper()}{text[1:]}.") from error


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
    with checked():
        return check_name(f"the name of {what}", name, without="" if slash else "/")


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


def canonical_platform(name: str) -> str:
    """Return the one name of a platform.

    Parameters
    ----------
    name : str
        Any of its names: ``rh5-x86_64``, ``rh5_x86_64``, ``rh5-64``.

    Raises
    ------
    Refusal
        400: there is no such platform.
    """
    platform = usual_platform(name)
    if platform not in PLATFORMS:
        raise bad_request(
            f"'{name}' is no platform that this server knows. Choose one of: "
            f"{', '.join(PLATFORMS)}."
        )
    return platform


def canonical_tag(tag: str) -> str:
    """Return a python tag in lower case.

    Raises
    ------
    Refusal
        400: it is none.
    """
    with checked():
        return check_tag(tag).lower()


def legacy_rank(tag: str) -> tuple[bool, int, str]:
    """Order the tags of eggs that an index for all Pythons can show one of: Python 2.7 reads it."""
    rank = preference(tag, usable_tags("cp27"))
    return rank is None, rank or 0, tag
