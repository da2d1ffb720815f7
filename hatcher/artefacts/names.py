"""What files of artefacts are called: ``name-version-build``, and an ending."""

from __future__ import annotations

import re

_EGG = re.compile(r".+-[^-]+-\d+\.egg")


def is_egg_name(filename: str) -> bool:
    """Return whether a server may call an egg so."""
    return _EGG.fullmatch(filename) is not None


def split_filename(filename: str) -> tuple[str, str]:
    """Split the name of an artefact's file: ``nose`` and ``1.3.0-1`` for ``nose-1.3.0-1.egg``.

    Parameters
    ----------
    filename : str
        Of an egg, an app or a bundle, with its ending.

    Returns
    -------
    name, version : str
        The version has the build number; what is called otherwise may have none.
    """
    name, *version = (filename.rpartition(".")[0] or filename).rsplit("-", 2)
    return name, "-".join(version)


def split_runtime(filename: str) -> tuple[str, str]:
    """Split the name of a runtime's file, ``implementation-version-…``.

    Returns
    -------
    implementation, version : str
        The version is empty where there is none.
    """
    implementation, _, rest = filename.partition("-")
    return implementation, rest.partition("-")[0]
