"""What the tests of mirrors share: a repository with something of every kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.api import BroodClient, Repository
from hatcher.testing import BroodServer, write_app, write_bundle, write_egg, write_runtime

PLATFORM = "rh8-x86_64"


def files(folder: Path) -> dict[str, bytes]:
    """What a folder holds, by path, but for what is written down about it."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path != folder / "manifest.json"
    }


def make_repository(client: BroodClient, name: str = "dev") -> Repository:
    """A repository in the organization acme, which is made when it is missing."""
    if "acme" not in client.list_organizations():
        client.create_organization("acme", "Makers of everything")
    return client.organization("acme").create_repository(name, "Builds of the night")


def fill(repository: Repository, folder: Path) -> dict[str, bytes]:
    """Upload something of every kind; return what an export of it is to hold."""
    folder.mkdir()
    expected = {}
    for name, platform, tag in [
        ("MyEgg", PLATFORM, "cp311"),
        ("old", PLATFORM, "cp38"),
        ("pure", PLATFORM, None),
        ("win", "win-x86_64", "cp311"),
    ]:
        egg = write_egg(folder, name, "1.0", platform=platform, python_tag=tag)
        repository.platform(platform).upload_egg(egg)
        expected[f"{platform}/eggs/{tag}/{egg.name}"] = egg.read_bytes()
    hidden = write_egg(folder, "hidden", platform=PLATFORM, python_tag="cp311")
    repository.platform(PLATFORM).upload_egg(hidden, enabled=False)
    repository.upload_app(write_app(folder))
    runtimes = [
        write_runtime(folder),
        write_runtime(folder, version="3.11.9+2", language_version="3.11.9", python_tag="cp311"),
    ]
    for runtime in runtimes:
        repository.upload_runtime(runtime)
        expected[f"{PLATFORM}/runtimes/{runtime.name}"] = runtime.read_bytes()
    bundle = write_bundle(folder)
    repository.upload_bundle(bundle)
    repository.platform(PLATFORM).bundle("cp38", "tools", "1.0.0-1").save(folder, overwrite=True)
    expected[f"{PLATFORM}/bundles/cp38/{bundle.name}"] = bundle.read_bytes()
    return {f"v1/{repository}/{path}": content for path, content in expected.items()}


@pytest.fixture
def client(brood_server: BroodServer) -> BroodClient:
    """The administrator's client."""
    return brood_server.client(api_version=1)


@pytest.fixture
def repository(client: BroodClient) -> Repository:
    return make_repository(client)
