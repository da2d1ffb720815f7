"""The platforms and python tags that Brood knows.

The tables are okonomiyaki's, written down so that a start needs no import of it; a test
compares them.
"""

from __future__ import annotations

from hatcher.artefacts.platforms import usual_platform
from hatcher.artefacts.python_tags import NO_TAG, check_tag, preference, usable_tags
from hatcher.server.names import wrong_value
from hatcher.server.refusals import bad_request

__all__ = [
    "GENERIC_PYTHON_TAGS",
    "NO_TAG",
    "PLATFORMS",
    "PYTHON_TAGS",
    "canonical_platform",
    "canonical_tag",
    "legacy_rank",
    "preference",
    "usable_tags",
]

PLATFORMS = (
    "osx-arm64",
    "osx-x86",
    "osx-x86_64",
    "rh3-x86",
    "rh3-x86_64",
    "rh5-x86",
    "rh5-x86_64",
    "rh6-x86",
    "rh6-x86_64",
    "rh7-x86",
    "rh7-x86_64",
    "rh8-arm64",
    "rh8-x86",
    "rh8-x86_64",
    "sol-x86",
    "sol-x86_64",
    "win-arm64",
    "win-x86",
    "win-x86_64",
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
    try:
        return check_tag(tag).lower()
    except ValueError as error:
        raise wrong_value(error) from error


def legacy_rank(tag: str) -> tuple[bool, int, str]:
    """Order the tags of eggs that an index for all Pythons can show one of: Python 2.7 reads it."""
    rank = preference(tag, usable_tags("cp27"))
    return rank is None, rank or 0, tag
