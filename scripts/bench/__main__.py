"""The command: ``python -m scripts.bench [case …] [--rounds 7] [--quick] [--profile]``."""

from __future__ import annotations

import argparse
import os
import pkgutil
import re
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path

from attrs import evolve

from scripts.bench import cases, environments
from scripts.bench.comparison import Comparison, Outcome
from scripts.bench.environments import Environment
from scripts.bench.options import Options
from scripts.bench.page import PAGE, REMARKS, RESULTS, Circumstances, Results
from scripts.bench.report import Table, machine, summary
from scripts.bench.runner import MeasurementFailedError, Runner
from scripts.bench.scene import Scene

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9}
#: How much is measured in full, and with `--quick`.
_AMOUNTS = {"rounds": (7, 3), "scale": (1.0, 0.02), "size": (10**9, 150_000_000)}
_SIGNALS = (signal.SIGINT, signal.SIGTERM)
#: The names of all that begins with them: what goes over a long link, and async programs.
_GROUPS = ("far", "async")
#: The order in which the manual shows the modules of cases.
_ORDER = ("starting", "tiny", "large", "index", "many", "mirroring", "far", "awaited", "memory")


def size(text: str) -> int:
    """Read a size such as ``1GB`` or ``500MB``, in bytes."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMG]?B?)", text.strip().upper())
    if match is None or match[2] not in _UNITS:
        raise argparse.ArgumentTypeError(f"{text!r} is no size; give one such as 1GB or 500MB.")
    return int(float(match[1]) * _UNITS[match[2]])


def positive(text: str) -> int:
    """Read a number of rounds."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds; give 1 or more.")
    return int(text)


def part(text: str) -> float:
    """Read what part of the full sizes to take."""
    try:
        scale = float(text)
    except ValueError:
        scale = 0.0
    if not 0 < scale <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no part; give more than 0, and at most 1.")
    return scale


def known() -> tuple[list[Comparison], dict[str, Callable[[Options], Table]]]:
    """Return the comparisons, and what else can be measured, by its name."""
    found = {module.name for module in pkgutil.iter_modules(cases.__path__)}
    comparisons: list[Comparison] = []
    others: dict[str, Callable[[Options], Table]] = {}
    rest = sorted(found.difference(_ORDER))
    for name in [*(name for name in _ORDER if name in found), *rest]:
        module = import_module(f"scripts.bench.cases.{name}")
        comparisons += getattr(module, "COMPARISONS", ())
        if hasattr(module, "run"):
            others[name] = module.run
    return comparisons, others


def arguments_of(
    command_line: Sequence[str] | None, names: Sequence[str], comparable: Sequence[str]
) -> argparse.Namespace:
    """Read the command line, and refuse what cannot be measured."""
    parser = _parser(names)
    arguments = parser.parse_args(command_line)
    groups = {each: [n for n in comparable if n.startswith(f"{each}-")] for each in _GROUPS}
    arguments.cases = [name for each in arguments.cases for name in groups.get(each, [each])]
    unknown = [name for name in arguments.cases if name not in names]
    if unknown:
        parser.error(f"there is no case {unknown[0]!r}; there are: {', '.join(names)}")
    if arguments.profile and len(arguments.cases) != 1:
        parser.error("--profile needs the name of one case")
    if arguments.profile and arguments.cases[0] not in comparable:
        parser.error(f"{arguments.cases[0]} has no profile; only what compares clients has")
    if arguments.render and not RESULTS.is_file():
        parser.error("nothing has been measured in full yet; run make bench first")
    if arguments.scratch is not None and not arguments.scratch.is_dir():
        parser.error(f"--scratch: there is no folder {str(arguments.scratch)!r}")
    arguments.ours = arguments.ours or (sys.executable if arguments.dev else None)
    for name, (full, quick) in _AMOUNTS.items():
        given = getattr(arguments, name)
        setattr(arguments, name, given or (quick if arguments.quick else full))
    return arguments


def _parser(names: Sequence[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.bench",
        description="Measure hatcher beside the existing client.",
        epilog="The status is 1 when something is slower, or takes more memory, than it must.",
    )
    add = parser.add_argument
    rounds = f"how often to measure; medians are told ({_AMOUNTS['rounds'][0]})"
    page = f"write the page here ({PAGE.name} in docs, when everything is measured in full)"
    add(
        "cases",
        nargs="*",
        metavar="case",
        help=f"of {', '.join(names)}; or {' or '.join(_GROUPS)}; all",
    )
    add("--rounds", type=positive, help=rounds)
    add("--scale", type=part, help="take this part of all sizes and numbers; judges nothing (1)")
    add("--size", type=size, help="of the egg of the case memory (1GB)")
    add("--quick", action="store_true", help="little of everything, 3 rounds")
    add("--dev", action="store_true", help="measure this very environment as ours")
    for name, whose in (("--ours", "ours"), ("--peer", "the existing client")):
        add(name, metavar="PYTHON", help=f"interpreter of an environment to measure as {whose}")
    add("--profile", action="store_true", help="print where our time goes, instead of measuring")
    add("--without-nginx", action="store_true", help="use a small server of ours")
    add("--log", type=Path, metavar="FILE", help="have nginx write each request to this file")
    add("--output", type=Path, metavar="FILE", help=page)
    add("--render", action="store_true", help="write the page anew from the last full measurement")
    add("--scratch", type=Path, help="folder on the disk to measure with; needs about 5 GB")
    return parser


def main(command_line: Sequence[str] | None = None) -> int:
    """Measure what is asked for; the status is 1 when a must is missed."""
    comparisons, others = known()
    names = [*(comparison.name for comparison in comparisons), *others]
    arguments = arguments_of(command_line, names, names[: len(comparisons)])
    if arguments.render:
        return tell(Results.load(RESULTS, comparisons), arguments.output or PAGE)

    chosen = arguments.cases or names
    wanted = [comparison for comparison in comparisons if comparison.name in chosen]
    with tempfile.TemporaryDirectory(prefix="bench-", dir=arguments.scratch) as scratch:
        ours = _environment(arguments.ours, environments.ours)
        options = Options(
            arguments.size, arguments.rounds, Path(scratch), arguments.scale, ours.python
        )
        peer = ours  # where nothing is compared
        with_existing = any(comparison.with_existing for comparison in wanted)
        if arguments.peer or (with_existing and not arguments.profile):
            peer = _environment(arguments.peer, environments.peer)
        with Scene(options, arguments.without_nginx, arguments.log) as scene:
            runner = Runner(peer, ours, scene, options.rounds)
            if arguments.profile:
                for comparison in wanted:
                    runner.profile(comparison)
                return 0
            results = measure(runner, wanted, options, [others[n] for n in others if n in chosen])
    if options.scale == 1 and set(chosen) == set(names) and not results.failed:
        results.save(RESULTS)
        return tell(results, arguments.output or PAGE)
    return tell(results, arguments.output)


def _environment(python: str | None, made: Callable[[], Environment]) -> Environment:
    return environments.describe(python) if python else made()


def measure(
    runner: Runner,
    comparisons: Sequence[Comparison],
    options: Options,
    others: Sequence[Callable[[Options], Table]],
) -> Results:
    """Run the cases, and say after each of them what came out."""
    both, today = (runner.peer, runner.ours), date.today().isoformat()
    told = (today, machine(), runner.scene.server, options.rounds)
    compared = any(comparison.with_existing for comparison in comparisons)
    peer_is_right = not compared or runner.peer.client == environments.PEER_VERSION
    link = runner.link() if any(comparison.link for comparison in comparisons) else ""
    judged = options.scale == 1 and peer_is_right
    circumstances = Circumstances(*told, judged, *both, load(), link)
    print(circumstances.markdown(compared=compared), flush=True)
    outcomes: list[Outcome] = []
    failed = []
    for comparison in comparisons:
        runs = (o for o in outcomes if o.comparison.name == comparison.runs_of)
        try:
            had = next(runs, None)
            outcome = evolve(had, comparison=comparison) if had else runner.run(comparison)
        except MeasurementFailedError as error:
            print(f"{comparison.name}: {error}", flush=True)
            failed.append(comparison.name)
            continue
        print(summary(outcome), flush=True)
        outcomes.append(outcome)
    tables = []
    for run in others:
        tables.append(run(options))
        print(f"{tables[-1].title}: {'within' if tables[-1].within else 'MISSED'}", flush=True)
    return Results(circumstances, outcomes, tables, failed)


def load() -> float:
    """Return how many processes want to run, as far as the system says it."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return 0.0


def tell(results: Results, path: Path | None) -> int:
    """Print the results, and write the page if there is to be one."""
    remarks = REMARKS.read_text(encoding="utf-8")
    page = results.markdown(remarks)
    print(f"\n{page}", flush=True)
    if path is not None:
        path.write_text(page, encoding="utf-8")
        print(f"written to {path}")
    for name in results.unexplained(remarks):
        print(f"The aim of {name} is missed; {REMARKS.name} does not say why yet.")
    if results.failed:
        print(f"Not measured, since a client failed: {', '.join(results.failed)}.")
    elif not results.met:
        print("Something is slower, or takes more memory, than it must.")
    return 0 if results.met else 1


def _end(number: int, frame: object) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # what follows is not to be interrupted in its turn
    sys.exit(128 + number)  # by way of everything that stops servers and removes files


if __name__ == "__main__":
    for number in _SIGNALS:
        signal.signal(number, _end)
    sys.exit(main())
