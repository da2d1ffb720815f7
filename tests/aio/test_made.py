"""What makes the async graph: it notices what is new, and makes a twin of it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: A method that users might be given one day.
NEW = '''
    def rename(self, name: str, *, progress: Progress | None = None) -> Team:
        """Give the team another name.

        Parameters
        ----------
        name : str
        progress : Progress, optional
            Is told of it, from the calling thread.

        Returns
        -------
        Team

        Examples
        --------
        >>> with BroodClient.from_url(url) as client:
        ...     client.team('a').rename('b').delete()

        Notes
        -----
        Ctrl-C ends the call within about a second with a `BatchInterrupted`.
        """
        return self
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what the async graph is made of."""
    for name in ("hatcher", "scripts"):
        ignored = shutil.ignore_patterns("__pycache__", "*.js*", "bench", "server")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    return tmp_path


def make(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.make_async", *options]
    return subprocess.run(command, capture_output=True, text=True, cwd=tree)


def test_a_new_method_gets_a_twin(tree):
    team = tree / "hatcher" / "core" / "team.py"
    team.write_text(team.read_text("utf-8") + NEW, "utf-8")
    done = make(tree, "--check")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("hatcher/aio/graph.py is not up to date. Renew it: make async\n")
    added = [line[5:] for line in done.stderr.splitlines() if line.startswith("+    ")]
    signature, doc = "\n".join(added).split('"""')[:2]
    assert " ".join(signature.split()) == (
        "async def rename( self, name: str, *, progress: Progress | AsyncProgress | None = None )"
        " -> AsyncTeam:"
    )
    for said in (
        "progress : Progress or AsyncProgress, optional\n        Is told of it.\n",
        "-------\n    AsyncTeam\n",
        "    >>> async with AsyncBroodClient.from_url(url) as client:\n",
        "    ...     await (await client.team('a').rename('b')).delete()\n",
        "    Cancelling the task, as Ctrl-C does, ends the call.\n",
    ):
        assert said in doc
    assert make(tree).returncode == 0
    assert make(tree, "--check").returncode == 0


def test_an_attribute_is_described(tree):
    plans = tree / "hatcher" / "access" / "plans.py"
    text = plans.read_text("utf-8")
    assert "    server: str\n" in text
    plans.write_text(text.replace("    server: str\n", "    server: str\n    mood: str\n"), "utf-8")
    done = make(tree, "--check")
    assert done.returncode == 1
    assert "The docstring of Plan does not say what mood is" in done.stderr
