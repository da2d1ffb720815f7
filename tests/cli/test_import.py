"""`hatcher import`."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hatcher.testing import write_app, write_bundle, write_egg, write_runtime

from .conftest import Cli

PLATFORM = "rh8-x86_64"


@pytest.fixture
def exported(cli: Cli, dev: str) -> Path:
    """A folder with something of every kind for acme/dev, which is empty."""
    place = Path("in", "v1", "acme", "dev", PLATFORM)
    for kind in ("eggs/cp311", "runtimes", "apps", "bundles/cp38"):
        (place / kind).mkdir(parents=True)
    write_egg(place / "eggs/cp311", platform=PLATFORM, python_tag="cp311")
    write_runtime(place / "runtimes")
    write_app(place / "apps")
    write_bundle(place / "bundles/cp38")
    return Path("in")


def test_import(cli, exported):
    done = cli("import", exported, "-o", "json")
    assert done.code == 0, done
    assert {
        record["file"].split("/")[4]: record["outcome"] for record in done.data
    } == dict.fromkeys(("eggs", "runtimes", "apps", "bundles"), "uploaded")
    assert "4 files: 4 uploaded" in done.err
    platform = cli.client().organization("acme").repository("dev").platform(PLATFORM)
    assert [egg["name"] for egg in platform.list_eggs("cp311")] == ["spam-1.0.0-1.egg"]
    assert len(platform.list_runtimes()) == len(platform.list_apps()) == 1
    again = cli("import", exported)
    assert again.code == 0
    assert "4 files: 4 already there" in again.err


def test_options(cli, exported):
    some = ("-r", "acme/dev", "-p", PLATFORM)
    done = cli("import", "--dry-run", *some, "-a", "eggs", "-a", "bundles", exported, "-o", "jsonl")
    assert done.code == 0
    assert done.out.count("would upload") == 2
    long = ("--repository", "acme/dev", "--platform", PLATFORM, "--artefact-kind", "eggs")
    assert "1 uploaded" in cli("import", *long, exported).err
    egg = next(exported.rglob("*.egg"))
    write_egg(egg.parent, platform=PLATFORM, python_tag="cp311", payload_bytes=1)
    refused = cli("import", *long, exported)
    assert refused.code == 7 and "1 failed" in refused.err
    assert "1 uploaded" in cli("import", "--force", *long, exported).err


def test_missing_repositories(cli, exported):
    organization = exported / "v1" / "acme"
    shutil.copytree(organization / "dev", organization / "new")
    shutil.copytree(organization, exported / "v1" / "nobody")
    done = cli("import", exported, "-o", "json")
    assert done.code == 7
    outcomes = [record["outcome"] for record in json.loads(done.out)]
    assert (outcomes.count("uploaded"), outcomes.count("not tried")) == (4, 12)
    assert "There is no repository 'acme/new'" in done.err
    assert "There is no organization 'nobody'" in done.err
    done = cli("import", "-c", "-r", "acme/new", exported)
    assert done.code == 0, done
    assert cli("repositories", "list", "acme").out.split() == ["dev", "new"]


def test_usage(cli, tmp_path):
    assert cli("import", "nowhere").code == 2
    empty = tmp_path / "empty"
    empty.mkdir()
    cli.fails(2, "There is no folder 'v1'", "import", empty)
    cli.fails(2, "version 1 of the API", "--api-version", "0", "import", empty)
