"""`hatcher cache`."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from hatcher.mirror import Cache

from .conftest import Cli


@pytest.fixture
def cache(cli: Cli, tmp_path: Path) -> Cache:
    """The user's cache, with three artefacts; the server does not matter."""
    cli.setenv("HATCHER_CACHE_DIR", tmp_path / "cache")
    cli.delenv("HATCHER_URL")
    cache = Cache()
    for content in (b"a" * 1000, b"b" * 1000, b"c" * 1000):
        path = tmp_path / "artefact"
        path.write_bytes(content)
        assert cache.add(path, hashlib.sha256(content).hexdigest())
    return cache


def test_show(cli, cache):
    assert cli("cache", "show", "-o", "json").data == {
        "folder": str(cache.folder),
        "files": 3,
        "size": 3000,
        "limit": 10 * 1024**3,
    }
    assert str(cache.folder) in cli("cache", "show").out
    cli.setenv("HATCHER_CACHE_DIR", "")
    assert cli("cache", "show", "-o", "json").data["folder"] is None


def test_prune_and_clear(cli, cache):
    done = cli("cache", "prune")
    assert (done.code, done.out) == (0, "")
    assert done.err == "Nothing to remove: 3 artefacts of 3.00 kB.\n"
    for limit in ("2.5kB", "2KiB", "2k", "2100"):
        done = cli("cache", "prune", "--limit", limit, "-n")
        assert done.err == "Would remove 1 of 1.00 kB; 2 of 2.00 kB stay.\n"
    assert cache.usage().files == 3
    assert len(cli("cache", "prune", "--limit", "2kB", "-o", "json").data["removed"]) == 1
    assert cli("cache", "clear", "--dry-run").code == 0
    assert cache.usage().files == 2
    assert cli("cache", "clear").err == "Removed 2 of 2.00 kB; 0 of 0 B stay.\n"
    assert cache.usage().files == 0
    cli.fails(2, "such as 500MB or 10GiB", "cache", "prune", "--limit", "a lot")


def test_verify(cli, cache):
    assert cli("cache", "verify").code == 0
    sha256 = hashlib.sha256(b"a" * 1000).hexdigest()
    path = cache.get(sha256)
    path.chmod(0o600)
    path.write_bytes(b"x" * 1000)
    for options in (["-n"], []):
        assert cache.usage().files == 3
        cli.fails(8, f"damaged: {sha256}", "cache", "verify", *options)
    assert cache.usage().files == 2
    assert cli("cache", "verify", "-o", "json").data["damaged"] == []


def test_a_folder_that_is_not_the_users_alone(cli, cache):
    cache.folder.chmod(0o777)
    for command in ("show", "verify", "prune", "clear"):
        done = cli.fails(1, "others may write", "cache", command)
        assert "HATCHER_CACHE_DIR" in done.err
