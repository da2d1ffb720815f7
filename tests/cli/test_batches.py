"""Many files at once on the command line: what is said of each, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
from pathlib import Path

import pytest

from hatcher.sizes import human_size
from hatcher.testing import RequestFault, write_egg

from .conftest import Cli, outcomes
from .test_interrupts import interrupted

PLACE = ("acme", "dev", "rh8-x86_64")
UPLOAD = ("eggs", "batch-upload", *PLACE)
DOWNLOAD = ("eggs", "batch-download", *PLACE, "cp311")

pytestmark = pytest.mark.usefixtures("dev")


def egg(folder: Path, number: int, *, seed: int = 0) -> Path:
    return write_egg(
        folder, f"Egg{number}", "1.0", platform="rh8-x86_64", payload_bytes=2000, seed=seed
    )


@pytest.fixture
def eggs(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "eggs"
    folder.mkdir()
    return [egg(folder, number) for number in range(4)]


def shown(cli: Cli) -> list[str]:
    platform = cli.client().organization("acme").repository("dev").platform("rh8-x86_64")
    return sorted(listed["name"] for listed in platform.list_eggs("cp311"))


def test_files_folders_and_lists(cli, eggs, tmp_path):
    (eggs[0].parent / "notes.txt").write_text("no egg")
    listed = "".join(f"{path}\n" for path in eggs[2:])
    for given, input, number in (
        ([eggs[0]], "", 1),
        ([eggs[0], eggs[1], eggs[0]], "", 2),
        (["-"], listed, 2),
        ([eggs[0], "-"], listed + "\n", 3),
        ([eggs[0].parent], "", 4),
        ([eggs[0].parent, eggs[3]], "", 4),
        ([], "", 0),
    ):
        done = cli(*UPLOAD, *given, "--dry-run", "-o", "json", input=input)
        assert done.code == 0, done.err
        assert len(done.data) == number
        assert set(outcomes(done.out).values()) <= {"would upload"}
    assert shown(cli) == []


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text there")
def test_a_list_names_what_is_no_text(cli, eggs):
    folder = eggs[0].parent / os.fsdecode(b"f\xff")
    folder.mkdir()
    listed = eggs[0].rename(folder / eggs[0].name)
    done = cli.process(*UPLOAD, "-", "-o", "json", input=os.fsencode(listed))
    assert outcomes(done.out) == {eggs[0].name: "uploaded"}
    assert cli(*UPLOAD, folder).code == 0


def test_a_batch_is_said_in_every_format(cli, eggs):
    table = cli(*UPLOAD, *eggs[:2])
    assert (table.code, table.err) == (0, "2 files: 2 uploaded\n")
    headings, _, *rows = table.out.splitlines()
    assert headings.split() == ["File", "Outcome", "Size", "Path", "Error"]
    assert [row.split()[:4] for row in rows] == [
        [path.name, "uploaded", *human_size(path.stat().st_size).split()] for path in eggs[:2]
    ]
    assert shown(cli) == [path.name for path in eggs[:2]]

    wanted = [
        {
            "file": path.name,
            "outcome": outcome,
            "size": path.stat().st_size,
            "path": str(path),
            "error": None,
        }
        for path, outcome in zip(eggs, ["already there"] * 2 + ["would upload"] * 2, strict=True)
    ]
    dry = (*UPLOAD, *eggs, "--dry-run", "--output")
    assert cli(*dry, "json").data == wanted
    assert [json.loads(line) for line in cli(*dry, "jsonl").out.splitlines()] == wanted
    rows_of_csv = list(csv.DictReader(io.StringIO(cli(*dry, "csv").out)))
    assert [(row["file"], row["outcome"]) for row in rows_of_csv] == [
        (record["file"], record["outcome"]) for record in wanted
    ]
    assert shown(cli) == [path.name for path in eggs[:2]]


def test_one_failure_does_not_stop_the_others(cli, eggs):
    assert cli("eggs", "upload", *PLACE, eggs[1]).code == 0
    egg(eggs[1].parent, 1, seed=1)
    broken = eggs[0].with_name("broken-1.0-1.egg")
    broken.write_text("no zip file")
    wanted = {eggs[1].name: "failed", broken.name: "failed"}

    dry = cli(*UPLOAD, *eggs, broken, "-n", "-o", "json")
    others = [path.name for path in (eggs[0], *eggs[2:])]
    assert dry.code == 7
    assert outcomes(dry.out) == wanted | dict.fromkeys(others, "would upload")
    assert shown(cli) == [eggs[1].name]
    done = cli(*UPLOAD, *eggs, broken, "-o", "json")
    assert done.code == 7
    assert outcomes(done.out) == wanted | dict.fromkeys(others, "uploaded")
    errors = [record["error"] for record in json.loads(done.out) if record["error"]]
    assert len(errors) == 2
    told = json.loads(done.err)
    assert told["what"] == "5 files: 3 uploaded, 2 failed"
    assert any(line.startswith(f"failed: {broken.name}: ") for line in told["details"])
    assert told["advice"].endswith(
        "Files that are done are skipped when you run the command again."
    )
    assert shown(cli) == [path.name for path in eggs]

    forced = cli(*UPLOAD, *eggs, "--force", "--concurrency", "1", "-o", "json")
    assert outcomes(forced.out) == dict.fromkeys([path.name for path in eggs], "already there") | {
        eggs[1].name: "uploaded"
    }


def test_the_network_fails_in_the_middle(cli, eggs, faulty_gateway):
    gateway = faulty_gateway()
    cli.setenv("HATCHER_URL", gateway.url)
    gateway.add(RequestFault("cut", at="request", path="*/eggs/upload", skip=1, times=99))
    failed = cli(*UPLOAD, *eggs, "--concurrency", "1", "-o", "json")
    assert failed.code == 7
    assert list(outcomes(failed.out).values()) == ["uploaded", "failed", "failed", "failed"]
    gateway.clear()
    again = cli(*UPLOAD, *eggs, "-o", "json")
    assert again.code == 0
    assert list(outcomes(again.out).values()) == ["already there", *["uploaded"] * 3]
    assert shown(cli) == [path.name for path in eggs]


def test_eggs_come_back(cli, eggs, tmp_path):
    assert cli(*UPLOAD, *eggs).code == 0
    folder = tmp_path / "back"
    folder.mkdir()
    dry = cli(*DOWNLOAD, folder, "-n", "-o", "json")
    assert set(outcomes(dry.out).values()) == {"would download"}
    assert list(folder.iterdir()) == []
    some = cli(*DOWNLOAD, folder, "--name", "Egg[01]-*", "--name", eggs[3].name)
    assert (some.code, some.err) == (0, "3 files: 3 downloaded\n")
    (folder / eggs[0].name).write_text("spoiled")
    dry = cli(*DOWNLOAD, folder, "-n", "-o", "json")
    assert outcomes(dry.out) == {
        path.name: "would download" if path in (eggs[0], eggs[2]) else "already there"
        for path in eggs
    }
    assert (folder / eggs[0].name).read_text() == "spoiled"
    assert cli(*DOWNLOAD, folder).err == "4 files: 2 downloaded, 2 already there\n"
    for path in eggs:
        assert (folder / path.name).read_bytes() == path.read_bytes()
    missing = cli(*DOWNLOAD, folder, "--name", "spam-1.0-1.egg", "-o", "json")
    assert missing.code == 7
    assert outcomes(missing.out) == {"spam-1.0-1.egg": "failed"}


def test_a_dry_run_writes_nothing_on_either_side(cli, eggs, faulty_gateway):
    gateway = faulty_gateway()
    cli.setenv("HATCHER_URL", gateway.url)
    assert cli("eggs", "upload", *PLACE, eggs[0], "--disabled").code == 0
    gateway.clear()
    sent = gateway.sent("POST", "*/eggs/*")
    done = cli(*UPLOAD, *eggs, "--dry-run", "-o", "json")
    # The hidden one is found too, since the server is asked for what the index does not show.
    assert list(outcomes(done.out).values()) == ["already there", *["would upload"] * 3]
    assert gateway.sent("POST", "*/eggs/*") == sent
    assert shown(cli) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for others")
def test_ctrl_c_tells_what_has_been_done(cli, eggs, faulty_gateway):
    gateway = faulty_gateway()
    stalled = RequestFault("stall", at="request", path="*/eggs/upload", skip=2, times=99)
    gateway.add(stalled)
    cli.setenv("HATCHER_URL", gateway.url)
    command = (*UPLOAD, *eggs, "--concurrency", "1", "-o", "json")
    code, out, err = interrupted(cli, gateway, signal.SIGINT, "*/eggs/upload", *command, after=3)
    assert code == 130
    assert list(outcomes(out).values()) == ["uploaded", "uploaded", "not tried", "not tried"]
    assert "4 files: 2 uploaded, 2 not tried\n" in err
    assert "Traceback" not in err
    assert shown(cli) == []

    gateway.clear()
    again = cli(*UPLOAD, *eggs, "-o", "json")
    assert list(outcomes(again.out).values()) == [*["already there"] * 2, *["uploaded"] * 2]
    assert shown(cli) == [path.name for path in eggs]
