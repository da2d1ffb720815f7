"""What the tests of mirrors share: a repository with something of every kind."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Bundle, Repository, RetryPolicy
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    write_app,
    write_bundle,
    write_egg,
    write_runtime,
)
from hatcher.transfer.hashing import file_sha256

PLATFORM = "rh8-x86_64"

#: Where all is that `fill` makes: without this more than thousand indices are read.
SOME: dict[str, Any] = {"platforms": (PLATFORM, "win-x86_64"), "python_tags": ("cp311", "cp38")}
EGG = f"{PLATFORM}/eggs/cp311/MyEgg-1.0-1.egg"
OLD = f"{PLATFORM}/eggs/cp38/old-1.0-1.egg"
RUNTIME = f"{PLATFORM}/runtimes/cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
APP = f"{PLATFORM}/apps/cp38/com.example.viewer-1.10-2.yaml"
BUNDLE = f"{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle"

#: How much that is: four eggs, two runtimes, a bundle and an app.
FILLED = 8


def refused(path: str, status: int = 404, **options: Any) -> RequestFault:
    """A server that refuses."""
    return answered(path, {"error": "no such thing"}, status, **options)


def answered(path: str, document: object, status: int = 200, **options: Any) -> RequestFault:
    """A server that says something else."""
    answer = Answer(status, {"Content-Type": "application/json"}, json.dumps(document).encode())
    return RequestFault("replace", path=path, answer=answer, **{"times": 999, **options})


def outcomes(report: mirror.MirrorReport) -> dict[str, str]:
    return {result.name: result.outcome for result in report.results}


def actions(plan: mirror.Plan) -> dict[str, str]:
    return {step.path: step.action for step in plan.steps}


def places(found: Any) -> list[str]:
    """The places of all problems."""
    return [problem.place for problem in found.problems]


class Lab:
    """Two servers: acme/dev on the first has something of every kind, and is not changed.

    Attributes
    ----------
    expected : dict of str to bytes
        The files of acme/dev but for the app, by the path in the layout.
    gateway : FaultyGateway
        The one that was made last.
    """

    def __init__(self, servers: tuple[BroodServer, BroodServer], expected: dict[str, bytes]):
        self.server, self.other = servers
        self.expected = expected
        self.client, there = self.server.client(), self.other.client()
        self.acme, self.corp = self.client.organization("acme"), there.organization("corp")
        self.dev = self.acme.repository("dev")
        self._gateways: list[FaultyGateway] = []

    def new(self, name: str = "copy") -> Repository:
        """Make a repository in acme, which is deleted after the test."""
        return self.acme.create_repository(name, "")

    def target(self) -> Repository:
        """Make a repository on the other server."""
        return self.corp.create_repository("main", "")

    def behind(self, *faults: RequestFault, of: Any = None, **options: Any) -> Repository:
        """A repository behind a gateway, which may fail; by default acme/dev."""
        of = of or self.dev
        server = self.other if of.organization_name == "corp" else self.server
        self.gateway = FaultyGateway(server.url, *faults).__enter__()
        self._gateways.append(self.gateway)
        client = server.client(url=self.gateway.url, **options)
        return client.organization(of.organization_name).repository(of.name)

    def close(self) -> None:
        for gateway in self._gateways:
            gateway.__exit__(None, None, None)
        for organization, kept in ((self.acme, {"dev"}), (self.corp, set())):
            for name in set(organization.list_repositories()) - kept:
                organization.repository(name).delete(force=True)


@pytest.fixture(scope="session")
def servers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[tuple[BroodServer, BroodServer], dict[str, bytes]]]:
    """Those of `Lab`, and what acme/dev has."""
    with BroodServer() as server, BroodServer() as other:
        other.client().create_organization("corp", "")
        dev = make_repository(server.client())
        yield (server, other), fill(dev, tmp_path_factory.mktemp("source") / "artefacts")


@pytest.fixture
def lab(servers: Any) -> Iterator[Lab]:
    lab = Lab(*servers)
    yield lab
    lab.close()


def egg(folder: Path, name: str, number: int = 0, tag: str | None = "cp311") -> Path:
    """Write an egg; another number gives another content, and size, under the same name."""
    folder = folder / f"eggs{number}"
    folder.mkdir(exist_ok=True)
    return write_egg(folder, name, platform=PLATFORM, python_tag=tag, payload_bytes=number)


def renew(repository: Repository, folder: Path) -> Path:
    """Put others in the place of four artefacts that `fill` has made; return the egg."""
    options: dict[str, Any] = {"platform": PLATFORM, "python_tag": "cp311", "payload_bytes": 9}
    other = write_egg(folder, "MyEgg", "1.0", **options)
    repository.platform(PLATFORM).upload_egg(other, overwrite=True)
    repository.upload_runtime(write_runtime(folder, build_revision="2.2.2"), overwrite=True)
    repository.upload_app(write_app(folder, name="Viewer"), overwrite=True)
    repository.upload_bundle(write_bundle(folder, mark="other"), overwrite=True)
    return other


def once(phase: str, act: Callable[[], object]) -> Callable[..., None]:
    """Return a progress that does something when a phase is told of for the first time."""
    done: list[str] = []

    def progress(_: int, __: int | None, now: str) -> None:
        if now == phase and not done:
            done.append(now)
            act()

    return progress


def interrupt() -> None:
    raise KeyboardInterrupt


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
def target(lab: Lab) -> Repository:
    """An empty repository on the other server."""
    return lab.target()


@pytest.fixture(scope="module")
def pair() -> Iterator[list[BroodServer]]:
    """Two servers of the module's own, with the organization acme."""
    with BroodServer() as one, BroodServer() as two:
        for server in (one, two):
            server.client().create_organization("acme", "")
        yield [one, two]


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("HATCHER_FAULTS_SEED", random.SystemRandom().randrange(10**9)))
    print(f"HATCHER_FAULTS_SEED={seed} repeats these moments")  # shown when the test fails
    return random.Random(seed)


@pytest.fixture
def client(brood_server: BroodServer) -> BroodClient:
    """The administrator's client."""
    return brood_server.client(api_version=1)


@pytest.fixture
def repository(client: BroodClient) -> Repository:
    return make_repository(client)


def nowhere() -> BroodClient:
    """A client of a server that is not there."""
    retries = RetryPolicy(backoff=0)
    return BroodClient.from_url("http://127.0.0.1:9", ("a", "b"), api_version=1, retries=retries)


class Requiring(NamedTuple):
    """A bundle in acme/dev with all that belongs to it, of which the runtime is in acme/base."""

    server: BroodServer
    client: BroodClient
    dev: Repository
    bundle: Bundle
    document: dict[str, Any]
    expected: dict[str, bytes]
    folder: Path

    def behind(self, gateway: FaultyGateway) -> BroodClient:
        return self.server.client(url=gateway.url)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requiring]:
    folder, place = tmp_path_factory.mktemp("artefacts"), f"v1/acme/dev/{PLATFORM}"
    with BroodServer() as server:
        client = server.client()
        acme = client.create_organization("acme", "Makers of everything")
        dev, base = (acme.create_repository(name, "Builds") for name in ("dev", "base"))
        runtime = write_runtime(folder)
        base.upload_runtime(runtime)
        dev.upload_app(write_app(folder))
        expected = {f"v1/acme/base/{PLATFORM}/runtimes/{runtime.name}": runtime.read_bytes()}
        requirements = []
        for name, tag in [("MyEgg", "cp38"), ("pure", None), ("old", "cp38")]:
            made = write_egg(folder, name, "1.0", platform=PLATFORM, python_tag=tag)
            dev.platform(PLATFORM).upload_egg(made)
            expected[f"{place}/eggs/{tag}/{made.name}"] = made.read_bytes()
            sha256 = file_sha256(made)
            requirements.append({"name": name.lower(), "version": "1.0-1", "sha256": sha256})
        requirements[0]["repository"] = "acme/dev"
        document = {
            "metadata_version": "2.0",
            "runtime": {
                "implementation": "cpython",
                "platform": "rh8_x86_64",
                "version": "3.8.17+1",
                "sha256": file_sha256(runtime),
                "repository": "acme/base",
            },
            "requirements": requirements,
            "repositories": {"packages": ["acme/base", "acme/dev"], "runtimes": ["acme/base"]},
            "modifiers": {"allow_newer": []},
        }
        dev.upload_bundle(write_bundle(folder, **document))
        bundle = dev.platform(PLATFORM).bundle("cp38", "tools", "1.0.0-1")
        text = json.dumps(document, indent=2, sort_keys=True).encode()
        expected[f"{place}/bundles/cp38/tools-1.0.0-1.bundle"] = text
        yield Requiring(server, client, dev, bundle, document, expected, folder)
