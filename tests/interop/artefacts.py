"""Eggs that releases of all ages can read."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from hatcher.testing import write_egg


def write_old_egg(folder: Path, name: str, version: str, **more: Any) -> Path:
    """An egg as `write_egg` makes it, with metadata so old that all releases can read them."""
    egg = write_egg(folder, name, version, **more)
    with zipfile.ZipFile(egg) as archive:
        members = {member: archive.read(member).decode() for member in archive.namelist()}
    depend = members["EGG-INFO/spec/depend"].replace("'1.4'", "'1.3'")
    members["EGG-INFO/spec/depend"] = depend.replace("platform_abi = None\n", "")
    members["EGG-INFO/PKG-INFO"] = members["EGG-INFO/PKG-INFO"].replace(": 2.1", ": 1.1", 1)
    with zipfile.ZipFile(egg, "w") as archive:
        for member, text in members.items():
            archive.writestr(member, text)
    return egg
