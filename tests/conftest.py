"""What holds in every test: an embedded Brood answers nothing but what is described.

Servers of this process are all told the same description, which is read once, and find out about
passwords quickly; clients of this process soon try again. Those in processes of their own do it as
for users.

Nor does anything leave descriptors open, of which a process has but so many: what grows is told at
the end, with the tests that it grew in.

What it has answered is also what docs/operations.md says of tests: with ``--record-operations`` it
is written down, and otherwise the page is held to it.
"""

from __future__ import annotations

import gc
import json
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from starlette.applications import Starlette

from hatcher.server import accounts, runner
from hatcher.server.description import Description
from hatcher.transport.retry import RetryPolicy
from scripts import operations, programs

from .described import Notes, Observer

ROOT = Path(__file__).resolve().parents[1]
NOTES = pytest.StashKey[Notes]()
ANSWERED = pytest.StashKey[dict[str, list[str]]]()
SHOWN = pytest.StashKey[dict[str, set[str]]]()
LEFT_OPEN = pytest.StashKey[Counter[str]]()

#: What a process of tests may hold open when it ends: servers that many tests share, and what
#: waits for Python to look for garbage.
MOST_DESCRIPTORS = 200


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--record-operations",
        metavar="FOLDER",
        type=Path,
        help="write down which operations each test is answered, for scripts/operations.py",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave one in so many cases of a sampled test to `make test`; the others are long."""
    cases: Counter[str] = Counter()
    for item in items:
        sampled = item.get_closest_marker("sampled")
        if sampled is None or item.get_closest_marker("long") is not None:
            continue
        name = item.nodeid.partition("[")[0]
        if cases[name] % sampled.args[0]:
            item.add_marker(pytest.mark.long)
        cases[name] += 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Half as many workers again as there are cores: tests wait for disks and for processes."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return ((cores or 1) * 3 + 1) // 2


def pytest_configure(config: pytest.Config) -> None:
    """Let every server that runs in this process be observed, and start in half the time."""
    notes = config.stash[NOTES] = Notes()
    config.stash[ANSWERED] = {}
    config.stash[SHOWN] = shown()
    config.stash[LEFT_OPEN] = Counter()
    # What makes guessing dear made up more than half of the start of a server.
    accounts._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    # As often as for users, but with pauses that nobody waits for.
    RetryPolicy.__init__.__defaults__ = (3, 0.005, 30.0)
    # What asks without hatcher waits as long as a busy machine takes, instead of 5 s.
    waits = httpx._config.DEFAULT_TIMEOUT_CONFIG
    waits.connect = waits.read = waits.write = waits.pool = 60.0
    create_app = runner.create_app
    description = Description.installed()

    def create_observed_app(*args: Any, **options: Any) -> Starlette:
        app = create_app(*args, **{"description": description, **options})
        app.add_middleware(Observer, notes=notes)
        return app

    runner.create_app = create_observed_app


def descriptors() -> int:
    """How many descriptors this process has open; 0 where that cannot be told."""
    folder = Path("/dev/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else 0


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Note what each file of tests leaves open, and which programs each test looks for."""
    before = descriptors()
    programs.asked.clear()
    result = yield
    item.config.stash[LEFT_OPEN][item.nodeid.partition("::")[0]] += descriptors() - before
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = session.config.getoption("--record-operations")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        worker = getattr(session.config, "workerinput", {"workerid": "main"})["workerid"]
        answered = json.dumps(session.config.stash[ANSWERED])
        (folder / f"tests.{worker}.json").write_text(answered)


def shown() -> dict[str, set[str]]:
    """The operations that the page says a test shows, by the test's id below ``tests``."""
    shown = defaultdict(set)
    page = ROOT / operations.PAGE
    if page.exists():
        for operation, tests in operations.read_page(page.read_text("utf-8")).tests.items():
            for test in tests:
                shown[test].add(operation)
    return shown


@pytest.fixture(scope="session", autouse=True)
def few_descriptors(request: pytest.FixtureRequest) -> Iterator[None]:
    """What is opened is closed: when all is over, there are no more descriptors than a few."""
    yield
    most = request.config.stash[LEFT_OPEN].most_common(5)
    assert descriptors() <= MOST_DESCRIPTORS, f"Descriptors are left open, most of all by {most}"


@pytest.fixture(scope="session", autouse=True)
def cache_of_the_tests(
    few_descriptors: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """Where indices are kept: not among those of whoever runs the tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HATCHER_CACHE_DIR", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def own_state(few_descriptors: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Profiles are kept in folders of the tests, not in the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HATCHER_CONFIG", str(tmp_path_factory.mktemp("config") / "config.toml"))
        yield


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes import what they do for users, and hold as much memory: coverage is not in them."""
    monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)


@pytest.fixture(autouse=True)
def programs_are_told(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test that looks for programs is marked, and starts none that is hidden."""
    yield
    marked = request.node.get_closest_marker("programs") is not None
    assert marked or not programs.asked, f"Mark it `programs`: it looks for {programs.asked}"
    hidden, programs.started[:] = [*programs.started], []
    assert not hidden, f"{programs.VARIABLE} hides {hidden}, started all the same"


@pytest.fixture(autouse=True)
def wire_notes(request: pytest.FixtureRequest) -> Iterator[Notes]:
    """What the servers have answered; a test fails when something is not as described."""
    config = request.config
    notes = config.stash[NOTES]
    notes.clear()
    yield notes
    assert not notes.faults, "\n".join(notes.faults)
    assert gc.isenabled(), "Garbage, and what it holds open, would stay until the end."
    test = request.node.nodeid.removeprefix("tests/")
    if config.getoption("--record-operations") is not None:
        config.stash[ANSWERED][test] = sorted(notes.operations)
        return
    promised = config.stash[SHOWN].get(test, set())
    assert promised <= notes.operations, "docs/operations.md says otherwise. Run: make operations"


@pytest.fixture
def hears_ctrl_c() -> Iterator[None]:
    """What a shell has started in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
