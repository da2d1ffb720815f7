"""`hatcher promote`, and what is asked of bundles before: `hatcher bundles check` and `fetch`."""

from __future__ import annotations

import hashlib
import shlex
from pathlib import Path

import pytest

from hatcher.mirror import check_bundle
from hatcher.testing import BroodServer, write_app, write_bundle, write_egg, write_runtime

from .conftest import Cli, keep, outcomes

PLATFORM = "rh8-x86_64"
BUNDLE = shlex.split(f"acme dev {PLATFORM} cp38 tools 1.0.0-1")
CLOSURE = [
    f"{PLATFORM}/bundles/cp38/tools-1.0.0-1.bundle",
    f"{PLATFORM}/eggs/cp38/spam-1.0-1.egg",
    f"{PLATFORM}/runtimes/cpython-3.8.17+1-rh8_x86_64-gnu.runtime",
]


@pytest.fixture
def bundle(cli: Cli, dev: str, tmp_path: Path) -> Path:
    """A bundle's file; it is in acme/dev, with all that belongs to it; acme/prod is empty."""
    acme = cli.client().organization("acme")
    acme.create_repository("prod", "What customers get")
    repository = acme.repository("dev")
    egg = write_egg(tmp_path, "spam", "1.0", platform=PLATFORM, python_tag="cp38")
    repository.platform(PLATFORM).upload_egg(egg)
    repository.upload_runtime(write_runtime(tmp_path))
    repository.upload_app(write_app(tmp_path))
    sha256 = hashlib.sha256(egg.read_bytes()).hexdigest()
    required = [{"name": "spam", "version": "1.0-1", "sha256": sha256, "repository": dev}]
    path = write_bundle(tmp_path, requirements=required, repositories=[dev])
    repository.upload_bundle(path)
    return path


def test_check(cli, bundle):
    done = cli("bundles", "check", *BUNDLE, "-o", "json")
    assert [(record["kind"], record["state"]) for record in done.data] == [
        ("runtimes", "present"),
        ("eggs", "present"),
    ]
    assert "2 artefacts: 2 present" in done.err
    done = cli("bundles", "check", *BUNDLE, "--in", "acme/prod")
    assert done.code == 8
    assert done.out.count("missing") == 2
    assert "missing: egg spam 1.0-1 in acme/prod" in done.err
    assert cli("bundles", "check-file", bundle).code == 0
    assert cli("bundles", "check-file", bundle, "--in", "acme/prod").code == 8
    assert cli("bundles", "check", *BUNDLE, "--in", "acme/prud").code == 4
    cli.fails(2, "'--in': 'prod' is no repository", "bundles", "check", *BUNDLE, "--in", "prod")


@pytest.mark.usefixtures("bundle")
def test_fetch(cli, tmp_path):
    expected = [f"v1/acme/dev/{path}" for path in CLOSURE]
    would = cli("bundles", "fetch", *BUNDLE, "out", "-n", "-o", "json")
    assert outcomes(would.data) == dict.fromkeys(expected, "would download")
    assert not Path("out").exists()
    cli.setenv("HATCHER_CACHE_DIR", tmp_path / "cache")
    done = cli("bundles", "fetch", *BUNDLE, "out", "--cache", "-o", "json")
    assert outcomes(done.data) == dict.fromkeys(expected, "downloaded")
    assert sorted(
        path.relative_to("out").as_posix() for path in Path("out").rglob("*.*") if path.is_file()
    ) == ["manifest.json", *sorted(expected)]
    assert cli("cache", "show", "-o", "json").data["files"] == 2
    assert cli("bundles", "fetch", *BUNDLE, "there", "--in", "acme/prod").code == 7


@pytest.mark.usefixtures("bundle")
def test_promote(cli):
    to = ("--to", "acme/prod")
    would = cli("promote", "bundle", *BUNDLE, *to, "--closure", "-n", "-o", "json")
    assert outcomes(would.data) == dict.fromkeys(CLOSURE, "would upload")
    done = cli("promote", "egg", "acme", "dev", PLATFORM, "cp38", "spam", "1.0-1", *to)
    assert done.code == 0, done
    assert "1 file: 1 uploaded" in done.err
    done = cli("promote", "bundle", *BUNDLE, *to, "--closure", "-o", "json")
    assert list(outcomes(done.data).values()) == ["uploaded", "already there", "uploaded"]
    app = cli(
        "promote", "app", "acme", "dev", PLATFORM, "cp38", "com.example.viewer", "1.10-2", *to
    )
    assert app.code == 0, app
    platform = cli.client().at(f"acme/prod/{PLATFORM}")
    assert platform.list_apps() == [("com.example.viewer", "1.10-2", "cp38")]
    assert check_bundle(platform.bundle("cp38", "tools", "1.0.0-1"), platform)


@pytest.mark.usefixtures("bundle")
def test_to_the_server_of_a_profile(cli):
    with BroodServer() as other:
        client = other.client(api_version=1)
        client.create_organization("corp", "Others").create_repository("main", "Releases")
        config = Path("config.toml")
        config.write_text(f'[profiles.other]\nurl = "{other.url}"\n')
        cli.setenv("HATCHER_CONFIG", config.absolute())
        refused = cli("promote", "bundle", *BUNDLE, "--to", "corp/main", "--to-profile", "other")
        assert refused.code == 4, "Nobody may see it there without credentials."
        assert "hatcher login" in refused.err
        assert not client.at("corp/main").platform(PLATFORM).bundle_list()
        keep(cli, other, "other")
        done = cli(
            *("promote", "bundle", *BUNDLE, "--closure", "-o", "json"),
            *("--to", "corp/main", "--to-profile", "other"),
        )
        assert outcomes(done.data) == dict.fromkeys(CLOSURE, "uploaded")
        assert client.at("corp/main").platform(PLATFORM).bundle_list()


@pytest.mark.usefixtures("bundle")
def test_nothing_is_sent(cli, tmp_path):
    """When something is missing, or the target has another one."""
    there = cli.client().at(f"acme/prod/{PLATFORM}")
    egg = ("promote", "egg", "acme", "dev", PLATFORM, "cp38")
    assert cli(*egg, "gone", "1.0-1", "--to", "acme/prod").code == 4
    (tmp_path / "other").mkdir()
    there.upload_egg(
        write_egg(
            tmp_path / "other", "spam", "1.0", platform=PLATFORM, python_tag="cp38", payload_bytes=9
        )
    )
    done = cli("promote", "bundle", *BUNDLE, "--to", "acme/prod", "--closure")
    assert (done.code, done.out) == (5, "")
    assert "--force" in done.err.splitlines()[-1]
    assert there.list_runtimes() == []
    assert cli(*egg, "spam", "1.0-1", "--to", "acme/prod", "--force").code == 0
    cli.client().at(f"acme/dev/{PLATFORM}").runtime_delete("cpython", "3.8.17+1")
    done = cli("promote", "bundle", *BUNDLE, "--to", "acme/prod", "--closure")
    assert (done.code, done.out) == (1, "")
    assert (
        "is there, so nothing was sent: missing: runtime cpython 3.8.17+1 in acme/dev.\n"
        in done.err
    )
    assert "Upload or enable what is not there" in done.err
    assert cli(*egg, "spam", "1.0-1").code == 2
    assert "is no repository" in cli(*egg, "spam", "1.0-1", "--to", "prod").err
