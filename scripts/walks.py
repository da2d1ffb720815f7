#!/usr/bin/env python
"""Write into CONTRIBUTING.md which functions a call goes through, as they were met on a real run.

::

    python -m scripts.walks             renew the walks
    python -m scripts.walks --check     change nothing; fail if they are not up to date

An upload is followed to the socket, and a mirror to the socket and to the last file. Only functions
of hatcher are told; each walk stands in the first block below its heading.
"""

from __future__ import annotations

import os
import re
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple
from unittest.mock import patch

from hatcher import mirror
from hatcher.testing import BroodProcess, write_egg
from scripts.common import only_check, renew

ROOT = Path(__file__).resolve().parent.parent
PAGE = Path("CONTRIBUTING.md")
#: Ends of a walk: what is called there, and what to call that.
SENDS = {"send", "sendall", "sendmsg", "sendfile"}
MOVES = {"replace", "rename", "link"}
#: The package whose functions wait for those that run in other threads.
POOLS = "hatcher.transfer"


class Frame(NamedTuple):
    """A function of hatcher."""

    module: str
    name: str


class End(NamedTuple):
    """Where a walk ends: what was called with what, and the functions on the way to it."""

    call: str
    arguments: tuple[Any, ...]
    frames: list[Frame]


def main(arguments: list[str] | None = None) -> int:
    """Write or check; return the exit status."""
    check = only_check(arguments, __doc__)
    text = (ROOT / PAGE).read_text("utf-8")
    for heading, walk in walks().items():
        block = re.compile(rf"(?s)(\n### {re.escape(heading)}\n.*?```text\n).*?(?=```\n)")
        if not block.search(text):
            raise SystemExit(f"{PAGE} has no block below the heading {heading!r}")
        text = block.sub(lambda found: found[1] + walk, text, count=1)  # noqa: B023
    return renew(ROOT, PAGE, text, "walks", check=check)


def walks() -> dict[str, str]:
    """Return the walks by their headings."""
    with tempfile.TemporaryDirectory() as temporary, BroodProcess() as brood:
        folder = Path(temporary)
        egg = write_egg(folder, platform="rh8-x86_64", python_tag="cp311")
        with brood.client(api_version=1) as client:
            repository = client.create_organization("acme", "").create_repository("dev", "")
            with watched() as uploading:
                repository.platform("rh8-x86_64").upload_egg(egg)
            with watched() as planning:
                chosen = {"kinds": ["eggs"], "platforms": ["rh8-x86_64"], "python_tags": ["cp311"]}
                plan = mirror.plan(repository, folder / "mirror", **chosen)
            with watched() as applying:
                plan.apply().raise_for_failures()
    upload = last(uploading, SENDS)
    index = last(planning, SENDS)
    file = last(applying, MOVES, lambda end: Path(end.arguments[-1]).suffix == ".egg")
    known = [frame for frame in upload.frames if frame.module.startswith("hatcher.transport")]
    way = next(number for number, frame in enumerate(index.frames) if frame in known)
    asked = [*index.frames[: way + 1], Frame("...", "as in an upload, to the socket")]
    return {
        "An upload, from `upload_egg` to the socket": shown(
            [*upload.frames, Frame("socket", upload.call)]
        ),
        "A mirror, from `plan` to the index of the source": shown(asked),
        "A mirror, from `apply` to the last file": shown([*file.frames, Frame("os", file.call)]),
    }


@contextmanager
def watched() -> Iterator[list[End]]:
    """Note what is sent and moved meanwhile."""
    ends: list[End] = []

    def spy(owner: Any, name: str) -> Callable[..., Any]:
        original = getattr(owner, name)

        def noting(*arguments: Any, **named: Any) -> Any:
            ends.append(End(name, arguments, way_to(sys._getframe(1))))
            return original(*arguments, **named)

        return noting

    with ExitStack() as stack:
        for owner, names in ((socket.socket, SENDS), (os, MOVES)):
            for name in names:
                stack.enter_context(patch.object(owner, name, spy(owner, name)))
        yield ends


def way_to(frame: FrameType) -> list[Frame]:
    """Return the functions on the way to a frame; before those of a thread, what waits for it."""
    found = functions(frame)
    if threading.current_thread() is threading.main_thread():
        return found
    waiting = functions(sys._current_frames()[threading.main_thread().ident or 0])
    pool = next((n for n, each in enumerate(waiting) if each.module.startswith(POOLS)), -1)
    return [*waiting[: pool + 1], Frame("...", "in a thread of the pool"), *found]


def functions(frame: FrameType | None) -> list[Frame]:
    """Return the named functions of hatcher, from the outermost to that of a frame."""
    found: list[Frame] = []
    while frame is not None:
        module, name = frame.f_globals.get("__name__", ""), frame.f_code.co_qualname
        if module.startswith("hatcher.") and not name.endswith(">"):
            found.insert(0, Frame(module, name.replace(".<locals>", "")))
        frame = frame.f_back
    return found


def last(ends: list[End], calls: set[str], fits: Callable[[End], bool] = bool) -> End:
    """Return the last end of a kind."""
    return [end for end in ends if end.call in calls and fits(end)][-1]


def shown(frames: list[Frame]) -> str:
    """Return a line for each function; a module is named where it begins."""
    wide = max(len(frame.module) for frame in frames) + 2
    before = ""
    lines = []
    for module, name in frames:
        lines.append(f"{'' if module == before else module:{wide}}{name}\n")
        before = module
    return "".join(lines)


if __name__ == "__main__":
    sys.exit(main())
