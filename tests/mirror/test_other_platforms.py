"""Eggs that name another platform than the one they are kept under, as public recipes make them."""

from __future__ import annotations

from typing import Any

from hatcher import mirror
from hatcher.testing import write_egg

from .conftest import files

SOME: dict[str, Any] = {"platforms": ("rh5-x86_64", "rh6-x86_64"), "python_tags": ("cp38",)}


def test_they_stay_where_they_are(client, repository, tmp_path):
    """Out into a folder, from there and from server to server, compared and verified."""
    eggs = tmp_path / "eggs"
    eggs.mkdir()
    platform = repository.platform("rh5-x86_64")
    one, two = (
        write_egg(eggs, name, platform="rh6-x86_64", python_tag="cp38") for name in ("one", "two")
    )
    platform.upload_egg(one, verify=True)
    assert platform.upload_eggs([one, two])
    assert len(platform.egg_index("cp38")) == 2
    assert repository.platform("rh6-x86_64").egg_index("cp38") == {}

    folder = tmp_path / "folder"
    mirror.export(client, folder, repositories=["acme/dev"], **SOME).raise_for_failures()
    expected = {
        f"v1/acme/dev/rh5-x86_64/eggs/cp38/{egg.name}": egg.read_bytes() for egg in (one, two)
    }
    assert files(folder) == expected
    here = mirror.Folder(folder, "acme/dev")
    assert not mirror.plan(repository, here, **SOME)
    assert mirror.verify(here, repository, **SOME)

    target = client.organization("acme").create_repository("copy", "")
    mirror.plan(here, target, **SOME).apply().raise_for_failures()
    assert not mirror.plan(repository, target, **SOME)
    assert mirror.verify(target, repository, download=True, **SOME)
    assert target.platform("rh5-x86_64").list_eggs("cp38") == platform.list_eggs("cp38")

    third = client.organization("acme").create_repository("third", "")
    archive = tmp_path / "all.zip"
    mirror.pack(repository, archive, **SOME).raise_for_failures()
    mirror.plan(archive, third, **SOME).apply().raise_for_failures()
    assert not mirror.plan(repository, third, **SOME)
