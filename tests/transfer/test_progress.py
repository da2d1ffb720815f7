"""What long calls tell of their progress, and the bar that shows it."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys

import pytest
from rich.console import Console

from hatcher.api import Phase, ProgressBar
from hatcher.errors import ChecksumMismatchError, InvalidArgumentError
from hatcher.testing import Fault, FaultProxy, write_app, write_bundle, write_egg, write_runtime

from .common import platform_at

MB = 1_000_000


class Notes:
    """A progress that keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int | None, Phase]] = []

    def __call__(self, done: int, total: int | None, phase: Phase) -> None:
        self.told.append((done, total, phase))

    def check(self, phase: Phase, size: int) -> None:
        """Hold it to what the protocol promises."""
        of_phase = [(done, total) for done, total, told in self.told if told == phase]
        bytes_done = [done for done, _ in of_phase]
        assert bytes_done == sorted(bytes_done)
        assert bytes_done[-1] == size
        assert {total for _, total in of_phase} == {size}


@pytest.mark.parametrize("size", [10, 1024 * 1024, 5 * MB])
def test_an_upload_tells_of_every_byte(platform, tmp_path, size):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=size)
    notes = Notes()
    platform.upload_egg(egg, progress=notes)
    notes.check("uploading", egg.stat().st_size)
    assert notes.told[0][0] == 0
    assert {phase for _, _, phase in notes.told} == {"uploading"}


def test_a_file_that_is_compared_first_is_hashed(platform, tmp_path):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=3 * MB)
    platform.upload_egg(egg)
    notes = Notes()
    platform.upload_egg(egg, verify=True, progress=notes)
    notes.check("hashing", egg.stat().st_size)
    assert {phase for _, _, phase in notes.told} == {"hashing"}
    other = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=10)
    with pytest.raises(ChecksumMismatchError):
        platform.upload_egg(other, verify=True, progress=notes)


def test_every_kind_of_upload_tells(repository, tmp_path):
    files = write_runtime(tmp_path), write_app(tmp_path), write_bundle(tmp_path)
    uploads = repository.upload_runtime, repository.upload_app, repository.upload_bundle
    for file, upload in zip(files, uploads, strict=True):
        notes = Notes()
        upload(file, progress=notes)
        notes.check("uploading", file.stat().st_size)
    notes = Notes()
    bundle = repository.platform("rh8-x86_64").bundles.from_file(files[2])
    bundle.upload(True, progress=notes)
    notes.check("uploading", files[2].stat().st_size)


def test_what_is_sent_again_does_not_fall_back(repository, brood_server, tmp_path):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=8 * MB)
    notes = Notes()
    auth = (brood_server.admin_email, brood_server.admin_password)
    with FaultProxy(brood_server.url, [Fault("reset", 5 * MB, "up")]) as proxy:
        platform_at(proxy.url, auth).upload_egg(egg, progress=notes)
        assert proxy.connections == 2
    notes.check("uploading", egg.stat().st_size)


@pytest.mark.parametrize("error", [RuntimeError, BrokenPipeError, TimeoutError, KeyboardInterrupt])
@pytest.mark.parametrize("size", [10, 3 * MB])
def test_what_progress_raises_comes_out_and_nothing_is_stored(platform, tmp_path, size, error):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=size)
    raised = error("enough")

    def progress(done: int, total: int | None, phase: Phase) -> None:
        if done > 0 or size == 10:
            raise raised

    with pytest.raises(error) as caught:
        platform.upload_egg(egg, progress=progress)
    assert caught.value is raised
    assert platform.list_eggs("cp311") == []
    platform.upload_egg(egg)


# -- the bar ---------------------------------------------------------------------------------


def drawn(*, width: int = 100, transient: bool = False) -> tuple[ProgressBar, io.StringIO]:
    file = io.StringIO()
    console = Console(file=file, force_terminal=True, width=width, color_system=None)
    return ProgressBar("nose [1.3]", console=console, transient=transient), file


def lines(file: io.StringIO) -> list[str]:
    return [line for line in re.split(r"[\r\n]|\x1b\[[\d?;]*[A-Za-z]", file.getvalue()) if line]


def test_a_bar_shows_how_far_it_is():
    bar, file = drawn()
    with bar:
        for done in range(11):
            bar(done * MB, 10 * MB, "uploading")
    last = lines(file)[-1]
    assert last.startswith("nose [1.3] uploading")
    assert "10.0/10.0 MB" in last
    assert re.search(r"\d(\.\d)? .?B/s", last) or "?" in last
    assert "0:00:00" in last


def test_a_bar_shows_one_phase_after_the_other_and_one_file_after_the_other():
    bar, file = drawn()
    with bar:
        bar(5 * MB, 5 * MB, "hashing")
        bar(1 * MB, 5 * MB, "uploading")
        bar(0, 3 * MB, "uploading")
        bar(2 * MB, 3 * MB, "uploading")
    last = lines(file)[-1]
    assert "uploading" in last
    assert "2.0/3.0 MB" in last
    assert file.getvalue().count("\n") == 1


def test_a_bar_without_a_total_shows_the_bytes():
    bar, file = drawn()
    with bar:
        bar(3 * MB, None, "downloading")
    assert "3.0/? MB" in lines(file)[-1]


def test_a_bar_can_vanish():
    bar, file = drawn(transient=True)
    with bar:
        bar(3 * MB, 4 * MB, "downloading")
    assert file.getvalue().endswith("\x1b[1A\x1b[2K")


def test_outside_its_block_a_bar_says_how_to_use_it(platform, tmp_path):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1)
    with pytest.raises(InvalidArgumentError, match="with ProgressBar"):
        platform.upload_egg(egg, progress=ProgressBar())
    assert platform.list_eggs("cp311") == []


def test_a_bar_shows_a_real_upload(platform, tmp_path):
    egg = write_egg(tmp_path, "nose", "1.3.0", 1, payload_bytes=3 * MB)
    bar, file = drawn()
    with bar:
        platform.upload_egg(egg, progress=bar)
        platform.upload_egg(egg, verify=True, progress=bar)
    assert "hashing" in lines(file)[-1]
    assert "3.0/3.0 MB" in lines(file)[-1]


PROGRAM = """
from hatcher.api import ProgressBar
with ProgressBar("nose") as bar:
    bar(1, 2, "uploading")
    print("data")
    bar(2, 2, "uploading")
"""


def test_where_there_is_no_terminal_nothing_is_shown():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "data\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_bar_is_on_standard_error_and_leaves_standard_output_alone():
    import pty

    master, slave = pty.openpty()
    done = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=slave)
    shown = os.read(master, 65536).decode()
    os.close(master)
    os.close(slave)
    assert done.stdout == b"data\n"
    assert "nose uploading" in shown
    assert "data" not in shown


def test_a_bar_in_a_notebook_is_drawn_anew_in_its_place():
    program = """
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from rich.console import Console
from hatcher.api import ProgressBar
InteractiveShell.instance()
with capture_output() as captured:
    with ProgressBar("nose", console=Console(force_jupyter=True, width=100)) as bar:
        for done in range(11):
            bar(done * 1_000_000, 10_000_000, "uploading")
first, *rest = captured.outputs
print(len(rest), rest[-1].update, first.transient == rest[-1].transient)
print(rest[-1].data["text/plain"], "<pre" in rest[-1].data["text/html"])
print(repr(captured.stdout), repr(captured.stderr))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    counts, shown, html, written = done.stdout.splitlines()
    assert counts.endswith("True True")
    assert shown.startswith("nose uploading")
    assert "10.0/10.0 MB" in shown
    assert html.strip() == "True"
    assert written == "'' ''"
