"""The README's examples, run from top to bottom as a reader would.

Only the address of the server is put in place of the README's; everything else runs as
it is printed there.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClient
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings
from hatcher.testing.eggs import write_egg

README = Path(__file__).parent.parent / "README.md"
BLOCK = re.compile(r"^## (?P<title>.*?)$|^```(?P<kind>\w+)\n(?P<code>.*?)^```$", re.M | re.S)

#: The sections that are run, in the order in which they stand.
RUN = {
    "A first script",
    "Who is asking",
    "Nothing is sent until you ask",
    "Exploring",
    "The raw way",
}


def blocks() -> Iterator[tuple[str, str, str]]:
    """Give each code block with the title of its section and its language."""
    title = ""
    for match in BLOCK.finditer(README.read_text(encoding="utf-8")):
        if match["title"]:
            title = match["title"]
        else:
            yield title, match["kind"], match["code"]


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundServer]:
    """A server that knows the README's user, and a folder with the README's files."""
    (tmp_path / "downloads").mkdir()
    for build in (1, 2):
        write_egg(tmp_path, "nose", "1.3.0", build)
    monkeypatch.chdir(tmp_path)
    settings = Settings(
        data=tmp_path / "data", port=0, admin="ada@example.com", admin_password="password"
    )
    with BackgroundServer(settings) as server:
        yield server


def test_the_examples_work_as_printed(reader: BackgroundServer) -> None:
    namespace: dict[str, Any] = {}
    printed = io.StringIO()
    ran = []
    for title, kind, code in blocks():
        if title not in RUN:
            continue
        code = code.replace("https://brood.example.com", reader.url)
        if kind == "python":
            with contextlib.redirect_stdout(printed):
                exec(compile(code, f"README.md: {title}", "exec"), namespace)
        elif kind == "pycon":
            transcript(title, code, namespace)
        ran.append(title)
    assert set(ran) == RUN
    original, downloaded = (Path(folder, "nose-1.3.0-1.egg") for folder in (".", "downloads"))
    assert downloaded.read_bytes() == original.read_bytes()
    assert "nose-1.3.0-1.egg" in printed.getvalue()
    assert "no connection to https://no.such.host.invalid" in printed.getvalue()


def transcript(title: str, code: str, namespace: dict[str, Any]) -> None:
    """Run an interactive session, and compare what it prints."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    test = doctest.DocTestParser().get_doctest(code, namespace, title, "README.md", 0)
    output = io.StringIO()
    failed, attempted = runner.run(test, out=output.write, clear_globs=False)
    assert attempted > 5 and not failed, output.getvalue()
    namespace.update(test.globs)


def test_the_appetizer_works(reader: BackgroundServer) -> None:
    _, kind, code = next(blocks())
    assert kind == "python"
    client = BroodClient.from_url(reader.url, auth=("ada@example.com", "password"))
    client.create_organization("enthought", "-").create_repository("dev", "-")
    exec(code.replace("https://brood.example.com", reader.url), {})
    platform = client.organization("enthought").repository("dev").platform("rh8-x86_64")
    assert [egg["name"] for egg in platform.list_eggs("cp311")] == ["nose-1.3.0-1.egg"]


def test_the_commands_exist() -> None:
    makefile = (README.parent / "Makefile").read_text(encoding="utf-8")
    commands = [
        line.partition("#")[0].split()[1:]
        for _, kind, code in blocks()
        if kind == "console"
        for line in code.splitlines()
        if line.startswith("$")
    ]
    assert ["make", "demo"] in commands and ["make", "test"] in commands
    for command in commands:
        if command[0] == "make":
            assert f"\n{command[1]}:" in makefile
