"""Eggs: uploads, indices, downloads, deletion."""

from __future__ import annotations

import pytest

from hatcher.testing.eggs import write_egg

from .conftest import PLATFORM, error_of, sha256_of


def test_egg_from_upload_to_deletion(admin, egg):
    assert admin.upload_egg(egg).status_code == 201
    entry = admin.index()["Spam-1.0.0-1.egg"]
    assert isinstance(entry.pop("mtime"), float)
    assert isinstance(entry.pop("md5"), str)
    assert entry == {
        "available": True,
        "build": 1,
        "full_version": "1.0.0-1",
        "name": "spam",
        "packages": ["eggs 2.0-1"],
        "platform_abi": None,
        "product": None,
        "python": "3.11",
        "python_tag": "cp311",
        "sha256": sha256_of(egg),
        "size": egg.stat().st_size,
        "type": "egg",
        "version": "1.0.0",
    }
    url = f"acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1"
    metadata = admin.get(f"/metadata/{url}").json()
    assert metadata["filename"] == "Spam-1.0.0-1.egg"
    assert metadata["egg_basename"] == "Spam"
    assert metadata["enabled"] is True
    download = admin.get(f"/data/{url}")
    assert download.content == egg.read_bytes()
    assert admin.delete(f"/data/{url}", params={"force": "False"}).status_code == 204
    assert admin.get(f"/metadata/{url}").status_code == 404
    assert admin.index() == {}


@pytest.mark.parametrize("own", ["none", "py38"])
def test_what_changes_an_egg_needs_its_own_tag(admin, tmp_path, own):
    """An egg that merely suits `cp38` is found by it, but never deleted."""
    egg = write_egg(tmp_path, "spam", python_tag=None if own == "none" else own)
    assert admin.upload_egg(egg, enabled="False").status_code == 201
    url = f"acme/dev/{PLATFORM}/{{}}/eggs/spam/1.0.0-1"
    assert admin.get(f"/metadata/{url.format('cp38')}").status_code == 200
    assert admin.get(f"/data/{url.format('cp38')}").content == egg.read_bytes()

    assert f"has the tag '{own}'" in error_of(
        admin.delete(f"/data/{url.format('cp38')}", params={"force": "True"}), 404
    )
    reference = {"name": "spam", "version": "1.0.0-1", "python_tag": "cp38"}
    reindex = f"/data/acme/dev/{PLATFORM}/eggs/re-index"
    assert admin.post(reindex, json={"eggs": [reference]}).status_code == 404
    assert admin.index("cp38") == {}

    reference["python_tag"] = own
    assert admin.post(reindex, json={"eggs": [reference]}).status_code == 202
    assert list(admin.index("cp38")) == [egg.name]
    assert admin.delete(f"/data/{url.format(own.upper())}").status_code == 204
    assert admin.index("cp38") == {}


def test_an_egg_is_stored_under_the_platform_of_the_url(admin, tmp_path):
    """Whatever platform it names itself."""
    egg = write_egg(tmp_path, "spam", platform="rh6-x86_64", python_tag="cp311")
    assert admin.upload_egg(egg, "rh5-64").status_code == 201
    assert admin.index(platform="rh6-x86_64") == {}
    assert list(admin.index(platform="rh5-x86_64")) == [egg.name]
    url = "acme/dev/rh5-x86_64/cp311/eggs/spam/1.0.0-1"
    assert admin.get(f"/metadata/{url}").json()["sha256"] == sha256_of(egg)
    assert admin.get(f"/data/{url}").content == egg.read_bytes()
    assert admin.delete(f"/data/{url.replace('rh5', 'rh6')}").status_code == 404
    assert admin.delete(f"/data/{url}").status_code == 204


@pytest.mark.parametrize("settings", [True], indirect=True)
def test_a_strict_server_takes_an_egg_for_its_own_platform_only(admin, tmp_path):
    egg = write_egg(tmp_path, "spam", platform="rh8-x86_64")
    assert "is for rh8-x86_64, not for win-x86_64" in error_of(
        admin.upload_egg(egg, "win-x86_64"), 400
    )
    for platform in ("rh8-x86_64", "rh8_x86_64", "rh8-64", "RH8-amd64"):
        assert admin.upload_egg(egg, platform).is_success
    assert list(admin.index()) == [egg.name]


def test_an_egg_for_no_platform_goes_anywhere(admin, tmp_path):
    egg = write_egg(tmp_path, "spam")
    for platform in ("rh8-x86_64", "win-x86_64", "osx-arm64"):
        assert admin.upload_egg(egg, platform).status_code == 201
        assert list(admin.index(platform=platform)) == [egg.name]
