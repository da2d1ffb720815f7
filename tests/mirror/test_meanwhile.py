"""What changes between the look and the deed: at the source, at the target, or the server dies."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.errors import ChecksumMismatchError, FileChangedError, NotFoundError
from hatcher.testing import BroodProcess
from hatcher.transfer.hashing import file_sha256

from . import conftest
from .conftest import PLATFORM, once

#: Kills of the server, of which each has to hit.
KILLS = int(os.environ.get("HATCHER_KILLS", "2"))

SOME: dict[str, Any] = {"kinds": ["eggs"], "platforms": [PLATFORM], "python_tags": ["cp311"]}


@pytest.fixture
def egg(tmp_path: Path) -> Callable[..., Path]:
    """Write an egg; another number gives another content under the same name."""
    return lambda name, number=1: conftest.egg(tmp_path, name, 500 + number)


def test_a_source_that_changes_between_listing_and_packing(lab, egg, tmp_path):
    source, archive = lab.new("source"), tmp_path / "delta.zip"
    platform = source.platform(PLATFORM)
    for name in ("kept", "replaced"):
        platform.upload_egg(egg(name))

    def replace() -> None:
        platform.upload_egg(egg("replaced", 2), overwrite=True)

    report = mirror.pack(source, archive, progress=once("downloading", replace), **SOME)
    (failed,) = report.failed
    assert failed.name.endswith("/replaced-1.0.0-1.egg")
    assert isinstance(failed.error, FileChangedError)
    assert not archive.exists()

    def delete() -> None:
        platform.delete_egg("cp311", "kept", "1.0.0-1")

    report = mirror.pack(source, archive, progress=once("downloading", delete), **SOME)
    assert [Path(failed.name).name for failed in report.failed] in (["kept-1.0.0-1.egg"], [])
    mirror.pack(source, archive, **SOME).raise_for_failures()
    assert mirror.verify(archive, source, **SOME)


@pytest.mark.parametrize("when", ["after the plan", "while it is applied"])
@pytest.mark.parametrize("to", ["folder", "server"])
def test_a_file_that_changes_between_plan_and_delete(to, when, lab, egg, tmp_path):
    """What the plan has not seen is not deleted."""
    source, copy = lab.new("source"), lab.new()
    source.platform(PLATFORM).upload_egg(egg("kept"))
    folder = tmp_path / f"folder/v1/acme/dev/{PLATFORM}/eggs/cp311"
    folder.mkdir(parents=True)
    target: Any = copy if to == "server" else mirror.Folder(tmp_path / "folder", "acme/dev")

    def put(number: int) -> None:
        surplus = egg("surplus", number)
        if to == "server":
            copy.platform(PLATFORM).upload_egg(surplus, overwrite=number > 1)
        else:
            (folder / surplus.name).write_bytes(surplus.read_bytes())

    put(1)
    plan = mirror.plan(source, target, prune=True, **SOME)
    assert [step.action for step in plan.steps] == ["copy", "delete"]
    progress = None
    if when == "after the plan":
        put(2)
    else:
        # By then all has been read and hashed again, and nothing has been deleted.
        phase = "uploading" if to == "server" else "downloading"
        progress = once(phase, lambda: put(2))
    report = plan.apply(progress=progress)
    (failed,) = report.failed
    assert failed.name.endswith("/surplus-1.0.0-1.egg")
    assert "has changed since the plan was made" in str(failed.error)
    assert not report.deleted
    if to == "server":
        sha256 = copy.platform(PLATFORM).egg_index("cp311")["surplus-1.0.0-1.egg"]["sha256"]
    else:
        sha256 = file_sha256(folder / "surplus-1.0.0-1.egg")
    assert sha256 == file_sha256(egg("surplus", 2))
    # A new plan has seen it.
    assert len(mirror.plan(source, target, prune=True, **SOME).apply().deleted) == 1


@pytest.mark.long
def test_a_server_that_is_killed_during_an_apply(lab, egg, dice, tmp_path):
    """It shows all that is new or nothing of it; and the next plan does the rest."""
    source = lab.new("source")
    names = {f"egg{number}-1.0.0-1.egg" for number in range(20)}
    eggs = [egg(name.partition("-")[0]) for name in names]
    source.platform(PLATFORM).upload_eggs(eggs).raise_for_failures()
    with BroodProcess(tmp_path / "data") as victim:
        victim.client().create_organization("acme", "")
        for number in range(KILLS):
            name = f"copy{number}"
            victim.client().organization("acme").create_repository(name, "")
            target = victim.client(retries=0).organization("acme").repository(name)
            plan = mirror.plan(source, target, **SOME)
            # A part of the bytes has gone out by then, or all of them but for the index.
            after = dice.randrange(plan.bytes)

            def kill(done: int, total: int | None, phase: str) -> None:
                if done >= after:  # noqa: B023 - called at once
                    victim.kill()

            report = plan.apply(progress=kill, concurrency=4)
            victim.start()
            shown = set(target.platform(PLATFORM).egg_index("cp311"))
            assert shown in (set(), names)
            assert bool(report) <= (shown == names)
            mirror.plan(source, target, **SOME).apply().raise_for_failures()
            assert not mirror.plan(source, target, prune=True, **SOME)
            assert mirror.verify(target, source, download=True, **SOME)


@pytest.mark.parametrize("to", ["server", "folder"])
def test_a_file_that_changes_between_hashing_and_copying(to, lab, egg, tmp_path):
    """What would move is no longer what was hashed, and is not kept."""
    folders = [tmp_path / name / f"v1/acme/dev/{PLATFORM}/eggs/cp311" for name in ("from", "to")]
    folders[0].mkdir(parents=True)
    file = folders[0] / "spam-1.0.0-1.egg"
    file.write_bytes(egg("spam").read_bytes())
    source, folder = (mirror.Folder(tmp_path / name, "acme/dev") for name in ("from", "to"))
    target = lab.target() if to == "server" else folder

    def change() -> None:
        file.write_bytes(egg("spam", 2).read_bytes())

    phase = "uploading" if to == "server" else "downloading"
    report = mirror.plan(source, target, **SOME).apply(progress=once(phase, change))
    (failed,) = report.failed
    if to == "server":
        assert isinstance(failed.error, FileChangedError)
        with pytest.raises(NotFoundError):
            target.platform(PLATFORM).egg_metadata("cp311", "spam", "1.0.0-1")
    else:
        assert isinstance(failed.error, ChecksumMismatchError)
        assert failed.error.expected == file_sha256(egg("spam"))
        assert failed.error.actual == file_sha256(egg("spam", 2))
        assert list(folders[1].iterdir()) == []
    mirror.plan(source, target, **SOME).apply().raise_for_failures()
    assert mirror.verify(target, source, **SOME)
