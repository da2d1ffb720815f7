"""Eggs: uploads, indices, downloads, deletion."""

from __future__ import annotations

from pathlib import Path

from .conftest import PLATFORM, Client, sha256_of


def test_egg_from_upload_to_deletion(admin: Client, egg: Path) -> None:
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
