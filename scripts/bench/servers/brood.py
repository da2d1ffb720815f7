"""An embedded Brood at the other end of a long link."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from hatcher.testing import BroodProcess
from scripts.bench.servers.process import Process
from scripts.bench.servers.site import ORGANIZATION, PLATFORM


class Brood(NamedTuple):
    """A Brood that serves: its process, its port, and how to log in."""

    process: Process
    port: int
    auth: tuple[str, str]


def start(
    data: Path, eggs: Mapping[str, Sequence[Path]], address: str, within: Sequence[str]
) -> Brood:
    """Start a Brood that has repositories with eggs.

    Parameters
    ----------
    data : pathlib.Path
        The folder that it is to make, and to keep everything in.
    eggs : mapping of str to sequence of pathlib.Path
        What to put into each repository before, while it is near.
    address : str
        Where to listen.
    within : sequence of str
        A command that runs others.

    Returns
    -------
    Brood
    """
    with BroodProcess(data) as near:
        auth = (near.admin_email, near.admin_password)
        organization = near.client().create_organization(ORGANIZATION, "")
        for name, paths in eggs.items():
            platform = organization.create_repository(name, "").platform(PLATFORM)
            if paths:
                platform.upload_eggs(paths).raise_for_failures()
    told = ("--data", str(data), "--host", address, "--port", "0", "--admin", auth[0])
    command = [*within, sys.executable, "-m", "hatcher", "serve", *told]
    settings = {"HATCHER_SERVER_ADMIN_PASSWORD": auth[1], "PYTHONUNBUFFERED": "1"}
    process = Process(command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL)
    return Brood(process, int(process.read_line().rpartition(":")[2]), auth)
