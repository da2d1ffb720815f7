"""Pages that a newcomer follows literally: every block, in order, in one shell and one Python.

Both work in one empty folder, with a home of their own and without a keyring. Nothing of what a page
prints is replaced but the port 8080, which others may be using. A `console` block goes into the shell
and a `python` or `pycon` block into Python; a block of another kind is an error.

One rule stands for what cannot be done within a test: a command of `SETTING_UP` makes or enters an
environment, so it is not typed in. Instead, what it names must exist: the target of the Makefile, the
extra of pyproject.toml.
"""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import chdir, contextmanager, suppress
from pathlib import Path

from attrs import Factory, define

from .examples import Reader, examples_of
from .transcripts import Step, is_as_printed, steps_of

ROOT = Path(__file__).resolve().parents[1]
SETTING_UP = re.compile(
    r"make (?P<target>[\w-]+)|python3? -m pip install '?\.(\[(?P<extra>\w+)\])?'?"
    r"|python3 -m venv \.venv|\. \.venv/bin/activate"
)
PRINTED = "127.0.0.1:8080"


def check_setting_up(command: str) -> None:
    """Fail when a command that sets up an environment names what there is not."""
    match = SETTING_UP.fullmatch(command)
    assert match is not None
    if target := match["target"]:
        assert f"\n{target}:" in (ROOT / "Makefile").read_text(encoding="utf-8"), target
    if extra := match["extra"]:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert extra in project["optional-dependencies"], extra


@define
class OneShell:
    """One shell, whose commands are typed one after the other; jobs stay in the background."""

    process: subprocess.Popen[str]
    _lines: queue.Queue[str] = Factory(queue.Queue)

    def __attrs_post_init__(self) -> None:
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)

    def run(self, command: str, printed: str) -> str:
        """Type a command; return what it wrote, or with ``&`` what it wrote so far."""
        assert self.process.stdin is not None
        end = "the end of the command"
        in_background = command.endswith("&")
        self.process.stdin.write(f"{command}\n")
        if not in_background:
            self.process.stdin.write(f"echo; echo {end}\n")
        self.process.stdin.flush()
        written, deadline = "", time.monotonic() + 120
        while True:
            try:
                line = self._lines.get(timeout=1)
            except queue.Empty:
                if in_background and is_as_printed(printed, written):
                    return written
                assert self.process.poll() is None, written
                assert time.monotonic() < deadline, written
                continue
            if line.rstrip() == end:
                return written.removesuffix("\n")
            written += line


@contextmanager
def one_shell(folder: Path, port: int) -> Iterator[OneShell]:
    """A shell of a newcomer, in a folder; `hatcher` in it is this one."""
    home = folder.with_name(f"{folder.name}-home")
    home.mkdir()
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HATCHER_", "XDG_", "PYTHON_KEYRING"))
    }
    kept["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", "")])
    kept |= {"HOME": str(home), "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
    kept |= {"HATCHER_SERVE_PORT": str(port), "TMPDIR": str(home)}
    with subprocess.Popen(
        ["bash", "--norc", "--noprofile"],
        cwd=folder,
        env=kept,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as process:
        shell = OneShell(process)
        try:
            yield shell
        finally:
            # Its jobs, too: they have its end of the pipe.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def follow(page: Path, folder: Path) -> Reader:
    """Do all that a page says, and compare what it prints; return the reader."""
    examples = list(examples_of(page))
    fences = re.findall(r"(?m)^\s*(?:```|~~~)", page.read_text(encoding="utf-8"))
    fences = fences[2 * page.read_text(encoding="utf-8").count("\n```{toctree}") :]
    assert len(fences) == 2 * len(examples), "A block is not seen: begin it with ``` and its kind."
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    here = f"127.0.0.1:{port}"
    reader = Reader({PRINTED: here}, folder)
    with one_shell(folder, port) as shell, chdir(folder):
        for example in examples:
            assert example.not_run is None
            if example.kind != "console":
                assert reader.run([example]) == [example], f"{page.name}, line {example.line}"
                continue
            for step in steps_of(example):
                _type(shell, page, step, here)
    return reader


def _type(shell: OneShell, page: Path, step: Step, here: str) -> None:
    if SETTING_UP.fullmatch(step.command):
        check_setting_up(step.command)
        return
    printed = step.output.replace(PRINTED, here)
    written = shell.run(step.command.replace(PRINTED, here), printed)
    assert is_as_printed(printed, written), (
        f"{page.name}, line {step.line}: $ {step.command}\n{written}"
        f"-- where the page has --\n{printed}"
    )
