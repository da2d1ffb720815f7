"""Everyday jobs on a site of 3 organizations, 30 repositories and 5,000 eggs."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher import access, mirror
from hatcher.testing import BroodServer, write_egg

from .conftest import Cli, command_line

pytestmark = pytest.mark.long

ORGANIZATIONS = ("acme", "initech", "umbrella")
REPOSITORIES = [f"{owner}/r{n}" for owner in ORGANIZATIONS for n in range(10)]
TAGS = ("cp311", "cp312")
PLATFORM = "rh8-x86_64"

#: Versions of every package in every repository: 5,000 eggs, and one more name in the first place.
VERSIONS = ("1.9.0", "1.10.0", "2.0.0rc1", "2.0.0")
NAMES = [f"pkg{n:02}" for n in range(21)]
EGGS = len(REPOSITORIES) * len(NAMES) * len(VERSIONS) * len(TAGS)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BroodServer]:
    folder = tmp_path_factory.mktemp("site")
    with BroodServer() as server, server.client(api_version=1) as client:
        eggs = [
            write_egg(
                folder / tag, name, version, python_tag=tag, platform=PLATFORM, packages=needs
            )
            for tag in TAGS
            if not (folder / tag).mkdir()  # type: ignore[func-returns-value]
            for name, needs in zip(
                NAMES, [[], *([f"{each} 2.0.0-1"] for each in NAMES)], strict=False
            )
            for version in VERSIONS
        ]
        for place in REPOSITORIES:
            owner, _, name = place.partition("/")
            organization = client.create_organization(owner, "-", exist_ok=True)
            repository = organization.create_repository(name, "-")
            repository.platform(PLATFORM).upload_eggs(eggs).raise_for_failures()
        team = client.organization("acme").create_team("builders", "upload_repository")
        team.add_repository("r0")
        client.organization("acme").create_user("grace@example.com", teams=[team])
        yield server
    shutil.rmtree(folder)


@pytest.fixture
def cli(site, tmp_path):
    with command_line(site, tmp_path) as made:
        yield made


def test_search(cli):
    assert EGGS > 5000
    with cli.client() as client:
        results = client.search("pkg07>=1.10,<2.1", platform="rh8-*", kind="egg")
        found = [(result.artefact.python_tag, result.version) for result in results]
        assert len(found) == 30 * 2 * 2 and not results.unreadable
        assert set(found) == {(tag, f"{v}-1") for tag in TAGS for v in ("1.10.0", "2.0.0")}
    data = cli(
        *[
            "search",
            "pkg0?==1.9.0",
            "acme",
            "-t",
            "cp311",
            "-p",
            "rh8-x86_64",
            "--kind",
            "egg",
            "-o",
            "json",
        ]
    ).data
    assert len(data) == 10 * 10
    assert cli("search", "pkg99", "acme", "-p", PLATFORM, "--kind", "egg").code != 0


def test_latest_and_requirements(cli):
    with cli.client() as client:
        platform = client.platform(f"acme/r0/{PLATFORM}")
        assert platform.latest("pkg03", "cp312").version == "2.0.0-1"
        assert len(list(platform.requirements_of("pkg20", "cp311"))) == 21
    why = cli("eggs", "why", f"acme/r0/{PLATFORM}", "cp311", "pkg00", "-o", "json").data
    assert "pkg20" in str(why)


def test_sizes(cli):
    with cli.client() as client:
        usage = mirror.usage(client, platforms=[PLATFORM], kinds=["eggs"])
        assert usage and usage.total.artefacts == EGGS
        assert [share.name for share in usage.shares] != []
    result = cli("du", "acme", "-p", PLATFORM, "--kind", "eggs", "-o", "json")
    assert sum(share["artefacts"] for share in result.data) == EGGS // 3


def test_differences_and_old_versions(cli):
    with cli.client() as client:
        old, new = client.repository("initech/r0"), client.repository("initech/r1")
        asked = {"platforms": [PLATFORM], "kinds": ["eggs"]}
        assert not mirror.diff(old, new, **asked)
        plan = mirror.prune(new, keep=1, max_deletes=1000)
        plan.apply().raise_for_failures()
        difference = mirror.diff(old, new, **asked)
        assert len(difference.removed) == len(NAMES) * len(TAGS) * 3 and not difference.problems
        acme, umbrella = map(client.organization, ("acme", "umbrella"))
        difference = mirror.diff(acme, umbrella, **asked)
        assert (bool(difference), difference.same) == (False, EGGS // 3)
        plan = mirror.prune(umbrella, keep=1, platforms=[PLATFORM], python_tags=TAGS)
        assert plan.problems and len(plan.those("delete")) == EGGS // 3 * 3 // 4
        there = umbrella.repository("r9").platform(PLATFORM)
        assert len(there.delete_eggs(["pkg00-*", "pkg2?-*"], "cp311").results) == 2 * len(VERSIONS)
    done = cli("diff", "initech/r0", "initech/r1", "-p", PLATFORM, "--kind", "eggs", "-o", "json")
    assert done.code == 0, done
    planned = cli("eggs", "prune", "umbrella/r0", "--keep", "2", "--max-deletes", "84", "-n")
    assert planned.code == 0, planned


def test_people(cli: Cli, tmp_path: Path):
    with cli.client() as client:
        acme = client.organization("acme")
        assert "grace@example.com" in acme.list_users()
        assert client.repository("acme/r9").list_platforms() == [PLATFORM]
        assert "grace@example.com" in str(access.read(client.repository("acme/r0")).rows)
    for owner in ORGANIZATIONS:
        exported = cli("access", "export", owner)
        assert exported.code == 0, exported
        Path("people.yaml").write_text(exported.out)
        planned = cli("access", "plan", "people.yaml", "-o", "json")
        assert planned.code == 0, planned
