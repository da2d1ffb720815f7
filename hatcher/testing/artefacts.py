"""Small valid runtimes, apps and bundles; eggs are in `hatcher.testing.eggs`."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

#: Every archive of the same content has the same bytes.
_TIMESTAMP = (2000, 1, 1, 0, 0, 0)


def write_runtime(
    destination: str | os.PathLike[str], *, filename: str | None = None, **fields: Any
) -> Path:
    """Write a runtime of API version 1: a zip file that says what it is, and no more.

    Parameters
    ----------
    destination : str or path-like
        An existing folder.
    filename : str, optional
        What to call it, instead of as it says it is.
    **fields
        What its ``enthought/runtime.json`` says otherwise than by default, which is
        CPython 3.8.17+1 for rh8_x86_64; for example ``version='3.11.9+1'``.

    Returns
    -------
    pathlib.Path
    """
    described = {
        "metadata_version": "1.0",
        "implementation": "cpython",
        "version": "3.8.17+1",
        "language_version": "3.8.17",
        "platform": "rh8_x86_64",
        "abi": "gnu",
        "build_revision": "2.1.0",
        "executable": "${prefix}/bin/python",
        "paths": ["${prefix}/bin"],
        "post_install": [],
        "scriptsdir": "${prefix}/bin",
        "site_packages": "${prefix}/lib/python3.8/site-packages",
        "python_tag": "cp38",
        **fields,
    }
    called = "{implementation}-{version}-{platform}-{abi}.runtime".format_map(described)
    path = Path(destination, filename or called)
    _write_archive(path, "enthought/runtime.json", json.dumps(described))
    return path


def write_legacy_runtime(
    destination: str | os.PathLike[str],
    *,
    version: str = "2.7.10",
    platform: str = "rh8-64",
    build: int = 1,
    content: str = "",
) -> Path:
    """Write a runtime of API version 0, which says everything in its name.

    Parameters
    ----------
    destination : str or path-like
        An existing folder.
    version, platform : str
        The version of Python, and a platform without underscores.
    build : int
    content : str
        What is in it; other content makes another sha256.

    Returns
    -------
    pathlib.Path
    """
    path = Path(destination, f"python_runtime_{version}_6.0.0_{platform}_{build}.zip")
    _write_archive(path, "bin/python", content)
    return path


def write_bundle(
    destination: str | os.PathLike[str],
    name: str = "tools",
    version: str = "1.0.0",
    build: int = 1,
    **fields: Any,
) -> Path:
    """Write a bundle.

    Parameters
    ----------
    destination : str or path-like
        An existing folder.
    name, version : str
    build : int
    **fields
        What its document says otherwise than by default, which is a runtime of
        CPython 3.8.17+1 for rh8_x86_64 and nothing else.

    Returns
    -------
    pathlib.Path
    """
    document = {
        "metadata_version": "2.0",
        "runtime": {"implementation": "cpython", "platform": "rh8_x86_64", "version": "3.8.17+1"},
        "requirements": [],
        "repositories": [],
        "modifiers": {},
        **fields,
    }
    path = Path(destination, f"{name}-{version}-{build}.bundle")
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def write_app(
    destination: str | os.PathLike[str], filename: str = "viewer.yaml", **fields: Any
) -> Path:
    """Write an app.

    Parameters
    ----------
    destination : str or path-like
        An existing folder.
    filename : str
    **fields
        What it says otherwise than by default, which is version 1.10, build 2, of
        ``com.example.viewer`` for rh8_x86_64 and cp38.

    Returns
    -------
    pathlib.Path
    """
    described = {
        "id": "com.example.viewer",
        "version": "1.10",
        "build": 2,
        "platform": "rh8_x86_64",
        "python_tag": "cp38",
        **fields,
    }
    path = Path(destination, filename)
    # JSON is YAML, and writing it needs no further library.
    path.write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")
    return path


def _write_archive(path: Path, member: str, content: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(member, _TIMESTAMP), content)
