"""Where the time of a driver's work goes, in two ways.

``calls`` is cProfile, of the main thread alone; ``samples`` looks a thousand times a second at
what every thread is doing, which distorts less and misses nothing but what is quick.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import CodeType, FrameType

_TOP = 25
_EVERY = 0.001


def profile(work: Callable[[], None], how: str) -> None:
    """Run the work, and print its profile."""
    if how == "calls":
        profiler = cProfile.Profile()
        profiler.runcall(work)
        stats = pstats.Stats(profiler, stream=sys.stdout)
        stats.strip_dirs().sort_stats("tottime").print_stats(_TOP)
    else:
        _sample(work)


def _sample(work: Callable[[], None]) -> None:
    innermost: Counter[str] = Counter()
    anywhere: Counter[str] = Counter()
    done = threading.Event()
    sampler = threading.Thread(target=_look, args=(done, innermost, anywhere), daemon=True)
    sampler.start()
    try:
        work()
    finally:
        done.set()
        sampler.join()
    for title, counter in (("at the innermost line", innermost), ("in the function", anywhere)):
        print(f"samples {title}")
        for place, count in counter.most_common(_TOP):
            print(f"{count:8} {place}")


def _look(done: threading.Event, innermost: Counter[str], anywhere: Counter[str]) -> None:
    me = threading.get_ident()
    while not done.wait(_EVERY):
        names = {thread.ident: thread.name for thread in threading.enumerate()}
        for ident, running in sys._current_frames().items():
            if ident == me:
                continue
            frame: FrameType | None = running
            # One of a pool is as good as another.
            name = names.get(ident, "?").rstrip("0123456789_-() ")
            innermost[f"{name}: {_short(running.f_code)}:{running.f_lineno}"] += 1
            functions = set()
            while frame is not None:
                functions.add(f"{name}: {_short(frame.f_code)}")
                frame = frame.f_back
            anywhere.update(functions)


def _short(code: CodeType) -> str:
    return f"{'/'.join(Path(code.co_filename).parts[-2:])} {code.co_qualname}"
