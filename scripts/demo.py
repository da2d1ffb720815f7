#!/usr/bin/env python
"""The main job, from an empty server to a verified download; run by ``make demo``.

Everything is real: the server is ``hatcher serve`` in a process of its own, and the
eggs are made from distributions that are installed here. All of it is removed at the end.
"""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from hatcher.api import BroodBearerTokenAuth, BroodClient
from hatcher.testing import BroodProcess
from hatcher.testing.eggs import build_egg

DISTRIBUTIONS = ("attrs", "httpx", "idna")
PLATFORM = "rh8-x86_64"
PYTHON_TAG = "cp311"


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="hatcher-demo-") as folder:
        eggs = Path(folder, "eggs")
        downloads = Path(folder, "downloads")
        eggs.mkdir()
        downloads.mkdir()
        with BroodProcess() as server:
            run(server, eggs, downloads)


def run(server: BroodProcess, eggs: Path, downloads: Path) -> None:
    step(f"Started a Brood server at {server.url}")

    with server.client(api_version=1) as administrator:
        token = administrator.create_api_token("demo")["token"]
    step("Made an API token as the administrator; the other steps use only the token")

    auth = BroodBearerTokenAuth(token)
    with BroodClient.from_url(server.url, auth=auth, api_version=1) as client:
        organization = client.create_organization("acme", "Makers of everything")
        step(f"Created the organization {organization.name}")
        repository = organization.create_repository("dev", "Builds of the night")
        step(f"Created the repository {repository}")
        platform = repository.platform(PLATFORM)

        built = [build_egg(distribution, eggs) for distribution in DISTRIBUTIONS]
        for egg in built:
            platform.upload_egg(egg, enabled=False)
            step(f"Uploaded {egg.name} ({egg.stat().st_size:,} bytes), disabled for now")
        assert platform.list_eggs(PYTHON_TAG) == []
        platform.reindex(built)
        step("Enabled them: all appear in the index at once")

        index = platform.egg_index(PYTHON_TAG)
        step(f"The index for {PYTHON_TAG} has {', '.join(sorted(index))}")

        for filename, entry in sorted(index.items()):
            names = entry["python_tag"], entry["name"], entry["full_version"]
            platform.download_egg(*names, downloads)
            original, digest = (
                hashlib.sha256((folder / filename).read_bytes()).hexdigest()
                for folder in (eggs, downloads)
            )
            if not digest == original == entry["sha256"]:
                raise SystemExit(f"{filename} is not what was uploaded: {digest} != {original}")
            step(f"Downloaded {filename} and verified its SHA-256, {digest[:16]}...")

    print("\nDone. The server and its data are removed. To try hatcher yourself:\n")
    print("  . .venv/bin/activate\n  hatcher serve --demo")


def step(words: str) -> None:
    print(f"  * {words}", flush=True)


if __name__ == "__main__":
    main()
