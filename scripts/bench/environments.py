"""The environments that are measured: the existing client's, and ours as users install it.

Each holds one client and what that needs, and nothing else: a package more in an environment can
change what an import costs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]
CACHE = ROOT / ".cache" / "bench"

#: The existing client. With click 8.2 it breaks.
PEER = ("hatcher==0.17.0", "click<8.2")
PEER_VERSION = "0.17.0"

_LIST = (
    "import json, platform, ssl, importlib.metadata as m;"
    "print(json.dumps([platform.python_version(), ssl.OPENSSL_VERSION,"
    " {d.metadata['Name']: d.version for d in m.distributions()}]))"
)


@frozen
class Environment:
    """An environment with a client in it.

    Attributes
    ----------
    python : str
        Its interpreter.
    python_version, openssl : str
    versions : mapping of str to str
        The versions of all distributions in it, by their names.
    """

    python: str
    python_version: str
    openssl: str
    versions: Mapping[str, str]

    @property
    def client(self) -> str:
        """The version of hatcher in it (`str`)."""
        return self.versions.get("hatcher", "none")


def peer() -> Environment:
    """Return the existing client's environment, made when it is not there."""
    return _environment("peer", PEER, "\n".join(PEER))


def ours() -> Environment:
    """Return an environment with this project as it is now, made or renewed when need be."""
    return _environment("ours", [str(ROOT)], _fingerprint())


def describe(python: str) -> Environment:
    """Return what is in the environment of an interpreter."""
    done = subprocess.run([python, "-c", _LIST], capture_output=True, text=True, check=True)
    python_version, openssl, versions = json.loads(done.stdout)
    return Environment(python, python_version, openssl, dict(sorted(versions.items())))


def surroundings(home: Path) -> dict[str, str]:
    """Return an environment with nothing of the user's: no proxies, no caches, no .netrc."""
    folders = {f"XDG_{n.upper()}_HOME": str(home / n) for n in ("cache", "config", "data", "state")}
    path = os.environ.get("PATH", os.defpath)
    return {"HOME": str(home), "LANG": "C.UTF-8", "PATH": path, **folders}


def _environment(name: str, requirements: Sequence[str], stamp: str) -> Environment:
    folder = CACHE / name
    python = str(folder / "bin" / "python")
    stamped = folder / "stamp"
    if not stamped.is_file() or stamped.read_text(encoding="utf-8") != stamp:
        print(f"installing {', '.join(requirements)} into {folder.relative_to(ROOT)}", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", *requirements], check=True)
        stamped.write_text(stamp, encoding="utf-8")
    return describe(python)


def _fingerprint() -> str:
    """Return a hash of all that becomes part of an installation of this project."""
    paths = [ROOT / "pyproject.toml", *(ROOT / "hatcher").rglob("*")]
    paths += (ROOT / "generated").rglob("*")
    found = hashlib.sha256()
    for path in sorted(paths):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
            found.update(path.read_bytes())
    return found.hexdigest()
