"""The names of a platform, of which there are several."""

from __future__ import annotations

#: Other names of the architectures, the oldest first.
ARCHITECTURES = {
    "32": "x86",
    "64": "x86_64",
    "i386": "x86",
    "i686": "x86",
    "amd64": "x86_64",
    "x86-64": "x86_64",
    "aarch64": "arm64",
    "armv8": "arm64",
    "armv9": "arm64",
}


def usual_platform(name: str) -> str:
    """Return the name that a platform has today, whatever it is called.

    Parameters
    ----------
    name : str
        Such as ``rh5-x86_64``, ``rh5_x86_64`` or ``rh5-64``.

    Returns
    -------
    str
        Such as ``rh5-x86_64``.
    """
    system, _, architecture = name.lower().replace("_", "-", 1).partition("-")
    return f"{system}-{ARCHITECTURES.get(architecture, architecture)}"
