"""What `hatcher serve --demo` shows: a Brood of this machine alone, with something in it."""

from __future__ import annotations

import hashlib
import ipaddress
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hatcher.cli.refusals import Refusal
from hatcher.cli.terminal import say, write

if TYPE_CHECKING:
    from hatcher.api import BroodClient
    from hatcher.server.settings import Settings

#: For a server that nobody else can reach, with data that everybody has.
PASSWORD = "demo-password"  # noqa: S105

#: Distributions that hatcher itself needs, and that need no others.
_DISTRIBUTIONS = ("attrs", "click", "idna")
_PLATFORM = "rh8-x86_64"
_PYTHON = {"implementation": "cpython", "version": "3.11.9+1", "platform": "rh8_x86_64"}

#: The file that makes a folder one of a demo; it has a text once everything is in it.
_MARK = "demo.txt"


def is_one(data: Path) -> bool:
    """Return whether a folder has the data of a demo."""
    return (data / _MARK).exists()


def check_host(host: str) -> None:
    """Refuse to show a demo to other machines: its password is known."""
    try:
        is_local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_local = False
    if not is_local:
        raise Refusal(
            f"A demo is for this machine only, and not for {host}: everybody knows its password.",
            "Leave --host out; or serve other data, without --demo.",
        )


@contextmanager
def folder(data: Path | None) -> Iterator[Path]:
    """Give the folder of a demo: a temporary one, or one that is new or of a demo already."""
    if data is None:
        with TemporaryDirectory(prefix="hatcher-demo-") as made:
            yield Path(made)
        return
    if data.exists() and not is_one(data) and any(data.iterdir()):
        raise Refusal(
            f"The folder '{data}' has other data than those of a demo.",
            "Give --data a new or empty folder; or leave --demo out to serve what is there.",
        )
    yield data


def run(settings: Settings, *, is_temporary: bool) -> None:
    """Serve a demo until Ctrl-C or SIGTERM."""
    from hatcher.api import BroodClient
    from hatcher.server.runner import BackgroundServer

    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = settings.data / _MARK
    mark.touch()
    try:
        with BackgroundServer(settings) as server:
            made = None
            if not mark.read_text(encoding="utf-8"):
                who = (settings.admin, PASSWORD)
                with BroodClient.from_url(server.url, who, api_version=1, cache=False) as client:
                    made = _fill(client)
                mark.write_text("The data of 'hatcher serve --demo'.\n", encoding="utf-8")
            write(f"Brood is serving at {server.url}\n")
            where = (
                "a temporary folder, removed when it ends" if is_temporary else f"'{settings.data}'"
            )
            say(_greeting(server.url, settings.admin, where, made), always=True)
            threading.Event().wait()
    except KeyboardInterrupt:
        return  # to stop when told so is no failure


def _fill(client: BroodClient) -> tuple[str, list[str]]:
    """Make what a demo has; what is there already, as after a kill, stays.

    Return an API token, and the names of the eggs.
    """
    from hatcher.testing import write_bundle, write_runtime
    from hatcher.testing.eggs import UnsuitableDistributionError, build_egg

    acme = client.organization("acme")
    if "acme" not in client.list_organizations():
        client.create_organization("acme", "Makers of everything")
    there = acme.list_repositories()
    for name, what in (("dev", "Builds of the night"), ("prod", "What customers get")):
        if name not in there:
            acme.create_repository(name, what)
    dev = acme.repository("dev")
    with TemporaryDirectory(prefix="hatcher-demo-") as scratch:
        eggs = []
        for distribution in _DISTRIBUTIONS:
            try:
                eggs.append(build_egg(distribution, scratch, packages=()))
            except UnsuitableDistributionError as error:  # as of a system's own packages
                say(f"Without an egg of {distribution}: {error.what}", "yellow")
        dev.platform(_PLATFORM).upload_eggs(eggs).raise_for_failures()
        runtime = write_runtime(scratch, **_PYTHON, language_version="3.11.9", python_tag="cp311")
        dev.upload_runtimes([runtime]).raise_for_failures()
        required = [
            {
                "name": egg.name.split("-")[0],
                "version": egg.stem.partition("-")[2],
                "sha256": hashlib.sha256(egg.read_bytes()).hexdigest(),
            }
            for egg in eggs
        ]
        bundle = write_bundle(
            scratch, runtime=_PYTHON, requirements=required, repositories=["acme/dev"]
        )
        dev.upload_bundles([bundle]).raise_for_failures()
    if "demo" in {token["name"] for token in client.list_api_tokens()}:
        client.delete_api_token("demo")
    token: str = client.create_api_token("demo")["token"]
    return token, [egg.stem for egg in eggs]


def _greeting(url: str, user: str, where: str, made: tuple[str, list[str]] | None) -> str:
    token, eggs = made or (None, [])
    lines = [f"This demo is for this machine only. Its data are in {where}.", ""]
    lines += [f"  URL       {url}", f"  user      {user}", f"  password  {PASSWORD}"]
    if token is None:
        lines += ["", "It goes on with what it had. Its API token was shown at the first start;"]
        lines += ["'hatcher api-tokens create NAME' makes another one."]
    else:
        lines += [f"  token     {token} (shown this once)", ""]
        lines += ["It has two repositories: acme/dev with eggs, a runtime and a bundle, and"]
        lines += ["acme/prod, which is empty."]
    lines += ["", "To try in another terminal:", ""]
    lines += [f"  export HATCHER_URL={url}"]
    lines += [f"  export HATCHER_USERNAME={user} HATCHER_PASSWORD={PASSWORD}"]
    lines += [f"  hatcher eggs list acme dev {_PLATFORM} cp311"]
    for egg in eggs[:1]:
        named = egg.replace("-", " ", 1)
        lines += [f"  hatcher eggs download acme dev {_PLATFORM} none {named}"]
    lines += [f"  hatcher bundles check acme dev {_PLATFORM} cp311 tools 1.0.0-1"]
    lines += ["  hatcher mirror plan acme/dev acme/prod", ""]
    lines += [f"To stop it, press Ctrl-C or run: kill {os.getpid()}"]
    return "\n".join(lines)
