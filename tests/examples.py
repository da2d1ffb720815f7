"""The examples of Markdown pages, run from top to bottom as a reader would.

``python`` blocks are executed, ``pycon`` blocks are executed and compared, and blocks that define
tests are given to pytest. All may ``await``, as at IPython's prompt. Only the address of the server
is put in place of the printed one; the files and the folder that the examples speak of are real.

A block that cannot be run bears its reason, in the line above it: ``% Not run: ...``.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import doctest
import gc
import io
import re
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from attrs import Factory, define, frozen

from hatcher.api import BroodClient
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings
from hatcher.testing import write_app, write_bundle, write_egg, write_runtime

#: What the pages call the server, and who its administrator is; and a second one, with the same.
SERVER = "https://brood.example.com"
SITE = "https://site.example.com"
USER = "ada@example.com"
PASSWORD = "password"

_PARTS = re.compile(
    r"^#+ (?P<title>[^\n]*)$|(?:^% Not run: (?P<reason>[^\n]+)\n)?^```(?P<kind>\w+)\n(?P<code>.*?)^```$",
    re.M | re.S,
)
_TEST = re.compile(r"^(?:async )?def test_", re.M)
_AWAITS = re.compile(r"\bawait\b|\basync (?:for|with)\b")


@frozen
class Example:
    """A block of code on a page.

    Attributes
    ----------
    page : pathlib.Path
    line : int
        Where its code begins on the page, counted from 1.
    section : str
        The heading that it stands under.
    kind : str
        Its language, such as ``python`` or ``console``.
    code : str
    not_run : str or None
        Why it cannot be run, if it cannot.
    """

    page: Path
    line: int
    section: str
    kind: str
    code: str
    not_run: str | None

    @property
    def defines_tests(self) -> bool:
        """Whether it is a part of a test module."""
        return self.kind == "python" and _TEST.search(self.code) is not None


def examples_of(page: Path) -> Iterator[Example]:
    """Give the blocks of code of a page, in order."""
    text = page.read_text(encoding="utf-8")
    section = ""
    for part in _PARTS.finditer(text):
        if part["kind"] is None:
            section = part["title"].strip()
            continue
        line = text.count("\n", 0, part.start("code")) + 1
        yield Example(page, line, section, part["kind"], part["code"], part["reason"])


@define
class Reader:
    """Somebody who types in what a page shows, in a folder with the files that it speaks of.

    Attributes
    ----------
    addresses : dict of str to str
        Where the servers are, by what the page calls them.
    folder : pathlib.Path
    namespace : dict
        The names that the examples have defined.
    printed : io.StringIO
        What ``python`` blocks have printed.
    loop : asyncio.Runner
        The event loop of what awaits.
    """

    addresses: dict[str, str]
    folder: Path
    namespace: dict[str, Any] = Factory(dict)
    printed: io.StringIO = Factory(io.StringIO)
    loop: asyncio.Runner = Factory(asyncio.Runner)

    def run(self, examples: Iterable[Example]) -> list[Example]:
        """Run examples in order; return those that were run."""
        ran: list[Example] = []
        tests: list[Example] = []
        for example in examples:
            if example.not_run is not None or example.kind not in ("python", "pycon"):
                continue
            if example.defines_tests:
                tests.append(example)
            elif example.kind == "pycon":
                self._compare(example)
            else:
                self._execute(example)
            ran.append(example)
        if tests:
            self._test(tests)
        return ran

    def client(self, api_version: int = 1) -> BroodClient:
        """Make a client of the server's administrator."""
        url = self.addresses[SERVER]
        return BroodClient.from_url(url, (USER, PASSWORD), api_version=api_version)

    def _here(self, code: str) -> str:
        for printed, url in self.addresses.items():
            code = code.replace(printed, url)
        return code

    def _execute(self, example: Example) -> None:
        # The empty lines before it make tracebacks show the line of the page.
        code = "\n" * (example.line - 1) + self._here(example.code)
        with contextlib.redirect_stdout(self.printed):
            self._do(code, str(example.page), "exec", self.namespace)

    def _do(self, code: str, name: str, mode: str, names: dict[str, Any]) -> None:
        compiled = compile(code, name, mode, ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        waiting = eval(compiled, names)
        if asyncio.iscoroutine(waiting):
            self.loop.run(waiting)

    def _compare(self, example: Example) -> None:
        test = doctest.DocTestParser().get_doctest(
            self._here(example.code),
            self.namespace,
            example.section,
            str(example.page),
            example.line - 1,
        )
        for each in test.examples:
            if _AWAITS.search(each.source):
                test.globs["_do"] = self._do
                each.source = f"_do({each.source!r}, '<example>', 'single', globals())\n"
        output = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        failed, attempted = runner.run(test, out=output.write, clear_globs=False)
        assert attempted and not failed, output.getvalue()
        self.namespace.update(test.globs)

    def _test(self, examples: list[Example]) -> None:
        module = self.folder / "test_examples.py"
        module.write_text("\n\n".join(self._here(each.code) for each in examples))
        command = [sys.executable, "-m", "pytest", "-q", module.name]
        command += ["-p", "no:schemathesis"]  # takes two seconds to load
        run = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        tests = len(_TEST.findall(module.read_text()))
        assert run.returncode == 0 and f"{tests} passed" in run.stdout, run.stdout + run.stderr


@contextlib.contextmanager
def reading(folder: Path, *, furnished: bool, with_site: bool = False) -> Iterator[Reader]:
    """Run a server, and make `folder` the working directory with the files of the examples.

    Parameters
    ----------
    folder : pathlib.Path
        An empty one.
    furnished : bool
        Whether the server has the organization ``acme`` with the repositories ``dev`` and
        ``prod`` from the start.
    with_site : bool, default False
        Whether there is a second server, with an empty ``acme/dev``; the first one then has an
        egg for every Python, one for CPython 3.11, and a runtime in its ``acme/dev``.
    """
    (folder / "downloads").mkdir()
    for build in (1, 2):
        write_egg(folder, "nose", "1.3.0", build, seed=build, payload_bytes=1000)
    numpy = write_egg(folder, "numpy", "1.26.4", 1, python_tag="cp311", platform="rh8-x86_64")
    python = {"implementation": "cpython", "version": "3.11.9+1", "platform": "rh8_x86_64"}
    runtime = write_runtime(folder, **python, language_version="3.11.9", python_tag="cp311")
    write_bundle(folder, runtime=python)
    write_app(folder, name="Viewer", python_tag="cp311", description="Shows data")
    with contextlib.ExitStack() as stack:
        server, *others = (
            stack.enter_context(BackgroundServer(_settings(folder / data)))
            for data in ["data", *(["site-data"] if with_site else [])]
        )
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(warnings.catch_warnings(action="ignore", category=ResourceWarning))
        urls = [server.url, *(site.url for site in others)]
        reader = Reader(dict(zip([SERVER, SITE], urls, strict=False)), folder)
        if furnished:
            with reader.client() as client:
                acme = client.create_organization("acme", "Makers of everything")
                acme.create_repository("dev", "Builds of the night")
                acme.create_repository("prod", "What customers get")
        for site in others:
            with BroodClient.from_url(site.url, (USER, PASSWORD)) as client:
                acme = client.create_organization("acme", "Makers of everything")
                acme.create_repository("dev", "Builds of the night")
            with reader.client() as client:
                dev = client.organization("acme").repository("dev")
                for egg in (folder / "nose-1.3.0-1.egg", numpy):
                    dev.platform("rh8-x86_64").upload_egg(egg)
                dev.upload_runtime(runtime)
        yield reader
        # Who tries things out ends without closing every client: do it here, quietly.
        reader.loop.close()
        reader.namespace.clear()
        gc.collect()


def _settings(data: Path) -> Settings:
    return Settings(data=data, port=0, admin=USER, admin_password=PASSWORD)
