"""Enthought eggs: what one says of itself.

An egg is a zip file called ``name-version-build.egg`` that describes itself in
``EGG-INFO/spec/depend``.
"""

from __future__ import annotations

import os

from hatcher.artefacts.archives import read_description
from hatcher.artefacts.depend import DESCRIPTIONS, LOCATION, EggFile, read_depend
from hatcher.artefacts.local_files import named_file, refusing
from hatcher.errors import InvalidEgg


def read_egg(path: str | os.PathLike[str]) -> EggFile:
    """Read what an egg says of itself, and check it on the way.

    Parameters
    ----------
    path : str or path-like
        A file called ``name-version-build.egg``.

    Returns
    -------
    EggFile

    Raises
    ------
    InvalidEgg
        The file is missing, is not called as an egg must be, is no zip file, or
        holds no valid ``EGG-INFO/spec/depend``; or its file name contradicts what
        stands there.
    """
    file, (name, version, build) = named_file(path, InvalidEgg, ".egg", "an egg", "nose-1.3.0-1")
    text = read_description(file, DESCRIPTIONS, InvalidEgg)
    if text is None:
        raise InvalidEgg(
            f"'{file}' holds no {LOCATION}: it is a setuptools egg or another zip "
            "file, not an Enthought egg. Repack it as one."
        )
    problem = f"The metadata in '{file}' ({LOCATION}) is not valid"
    with refusing(InvalidEgg, problem, "Build the egg again."):
        egg = read_depend(file, text)
    # Names are compared as indices do; the version and build must be the same.
    if (egg.name.lower(), egg.version, egg.build) != (name.lower(), version, int(build)):
        raise InvalidEgg(
            f"'{file.name}' says inside ({LOCATION}) that it is '{egg.filename}'. "
            "Rename it to that, or build it again."
        )
    return egg
