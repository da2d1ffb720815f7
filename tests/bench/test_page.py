"""What is told of figures, and what is a miss."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from attrs import evolve

from scripts.bench.__main__ import arguments_of, known, measure, tell
from scripts.bench.comparison import EXISTING, Comparison, Limit, Measure, Outcome, Sample
from scripts.bench.environments import Environment
from scripts.bench.options import Options
from scripts.bench.page import REMARKS, Circumstances, Results
from scripts.bench.report import Table, awaited, distance, seconds, summary
from scripts.bench.runner import PROGRAMS
from scripts.bench.servers.link import Link

COMPARISONS, OTHERS = known()
PEER = Environment("python", "3.11.7", "OpenSSL 3", {"hatcher": "0.17.0", "requests": "2.34.2"})
OURS = Environment("python", "3.11.7", "OpenSSL 3", {"hatcher": "1.0.0", "attrs": "26.1.0"})


def samples(*times: float, memory: int | None = 1_000_000) -> list[Sample]:
    return [Sample(time, time / 2, time + 0.1, memory) for time in times]


def peer_name(comparison: Comparison) -> str:
    return comparison.peers[0].name if comparison.peers else EXISTING


def results(
    peer: float, ours: float, *, name: str = "download", memory: int = 10**6, judged: bool = True
) -> Results:
    (comparison,) = (each for each in COMPARISONS if each.name == name)
    outcome = Outcome(
        comparison,
        {peer_name(comparison): samples(peer, peer - 0.5, peer + 0.5)},
        samples(ours, ours / 2, ours * 2, memory=memory),
        {"curl": samples(0.25)},
    )
    told = Circumstances("2026-01-31", "a machine", "nginx", 3, judged, PEER, OURS)
    return Results(told, [outcome], [Table("Memory", ("a",), [("b",)])])


def test_the_ratio_is_that_of_the_medians():
    page = results(3.0, 1.5).markdown("")
    assert (
        "| download 512 MB egg, known hash | 3.00 s (2.50 s to 3.50 s) | 1.50 s (750 ms to 3.00 s) "
        "| **2.00** | 1.4 met | 1.9 met | curl 250 ms |"
    ) in page
    assert "Measured on 2026-01-31: a machine. The server is nginx" in page
    assert "hatcher 0.17.0 on Python 3.11.7 with OpenSSL 3; requests 2.34.2." in page
    assert "Why an aim is missed" not in page


def test_what_is_compared_is_the_case_s_choice():
    assert results(3.0, 1.0, name="first-answer").outcomes[0].value == pytest.approx(3.1 / 1.1)
    assert results(4.0, 1.0, name="tiny-get").outcomes[0].value == pytest.approx(4.0)


@pytest.mark.parametrize(
    ("found", "met", "shown"),
    [
        (results(3.0, 1.5), True, "1.9 met"),
        (results(3.4, 2.0), True, "1.9 **missed**"),
        (results(3.0, 2.2), False, "1.4 **missed**"),
        (results(3.0, 1.5, memory=46_000_000), False, "46.0 MB (at most 45 MB: **missed**)"),
        (results(3.0, 2.0, judged=False), True, "| 1.4 | 1.9 |"),
    ],
)
def test_a_must_that_is_missed_fails(found, met, shown, tmp_path, capsys):
    assert tell(found, tmp_path / "page.md") == (0 if met else 1)
    assert shown in (tmp_path / "page.md").read_text()
    assert ("than it must.\n" in capsys.readouterr().out.splitlines(keepends=True)[-1]) is not met


def test_a_busy_machine_is_told_of():
    found = results(3.0, 1.5)
    assert "busy" not in found.markdown("")
    assert "(load average 3.2)" in evolve(
        found, circumstances=evolve(found.circumstances, load=3.2)
    ).markdown("")


def test_a_table_out_of_its_limits_fails():
    found = results(3.0, 1.5)
    found.tables[0].within = False
    assert not found.met


def test_a_missed_aim_is_explained_by_hand():
    found = results(3.4, 2.0)
    assert found.unexplained("") == ["download"]
    remarks = "Words.\n\n## upload\n\nNot this.\n\n## download\n\nThe disk is slow.\n"
    assert found.unexplained(remarks) == []
    page = found.markdown(remarks)
    assert "### download 512 MB egg, known hash\n\nThe disk is slow.\n" in page
    assert "Not this" not in page
    assert "The disk is slow" not in results(3.0, 1.5).markdown(remarks)


def test_the_remarks_are_of_cases_that_exist():
    names = {comparison.name for comparison in COMPARISONS} | set(OTHERS)
    headings = [line[3:] for line in REMARKS.read_text().splitlines() if line.startswith("## ")]
    assert set(headings) <= names


def test_figures_are_kept(tmp_path):
    found = results(3.0, 1.5)
    found.save(tmp_path / "results.json")
    again = Results.load(tmp_path / "results.json", COMPARISONS)
    assert again.markdown("") == found.markdown("")


def test_every_comparison_of_the_table_is_there():
    wanted = {
        "import": (4, 8),
        "first-answer": (2, None),
        "cli-help": (4, None),
        "cli-completion": (3, None),
        "tiny-get": (2.5, 3),
        "download": (1.4, 1.9),
        "download-memory": (1.4, 1.9),
        "download-tls": (1.2, 1.5),
        "upload": (2.2, 2.8),
        "index": (1.8, 3.5),
        "list": (3, 6),
        "index-again": (3, 10),
        "search": (0.77, None),
        "many-up": (2.5, 6),
        "many-up-far": (11, 19),
        "many-down": (1.5, 3),
        "many-down-far": (9, 14),
        "export-first": (9, None),
        "export-again": (30, None),
        "plan": (0.34, None),
    }
    near = [each for each in COMPARISONS if each.kind == "near" and each.must is not None]
    assert {each.name: (each.must, each.aim) for each in near} == wanted
    assert list(OTHERS) == ["memory"]


def test_every_case_over_a_long_link_is_there():
    wanted = {
        "large-limited": (1.4, 1.1),
        "large-80": (1.4, 1.15),
        "large-20": (1.4, 1.15),
        "large-tls": (None, None),
        "large-loss": (2, 1.2),
        "full": (None, None),
        "below": (1.05, 1.02),
        "no-ranges": (1.05, 1.02),
        "429": (1.05, 1.02),
        "killed": (4, 3.2),
        "many-down": (1.3, 1.1),
        "many-up": (1.8, 1.3),
        "mirror": (1.3, 1.15),
        "indices": (7, 3.5),
        "command-whoami": (2, 2),
        "command-organizations": (2, 2),
        "command-eggs": (2, 2),
        "command-download": (4, 3),
    }
    far = {each.name: (each.must, each.aim) for each in COMPARISONS if each.link is not None}
    assert far == {f"far-{name}": both for name, both in wanted.items()}
    names = [each.name for each in COMPARISONS]
    assert arguments_of(["far", "plan"], names, names).cases == [*far, "plan"]


def test_every_case_of_async_programs_is_there():
    wanted = {
        "late": (20, "ms"),
        "late-most": (100, "ms"),
        "lists": (1, "times as long"),
        "lists-cpu": (1, "times as long"),
        "call": (150, "µs more"),
        "call-cpu": (150, "µs more"),
        "many-up": (1.1, "times as long"),
        "many-down": (1.1, "times as long"),
        "import": (60, "ms"),
        "import-client": (60, "ms"),
    }
    twin = {each.name: (each.must, each.measure) for each in COMPARISONS if each.kind == "async"}
    assert twin == {f"async-{name}": both for name, both in wanted.items()}
    names = [each.name for each in COMPARISONS]
    assert arguments_of(["async"], names, names).cases == [*twin]


def test_what_one_run_tells_is_measured_once():
    both = [each for each in COMPARISONS if each.name.startswith("async-lists")]
    (found,) = results(1.0, 0.5, name="async-lists").outcomes
    runner = Mock(peer=PEER, ours=OURS, scene=Mock(server="none"))
    runner.run.return_value = found
    outcomes = measure(runner, both, Options(0, 1, Path()), []).outcomes

    runner.run.assert_called_once_with(found.comparison)
    assert [each.comparison for each in outcomes] == both
    assert outcomes[1].ours is found.ours


def test_how_much_more_it_takes_is_told():
    page = results(0.0004, 0.0005, name="async-call").markdown("")
    assert "## In async programs" in page
    assert "| **100 µs more** | 150 met |" in page
    assert "150 **missed**" in results(0.0004, 0.0006, name="async-call").markdown("")


def test_how_late_an_event_loop_is_is_told():
    (late,) = (each for each in COMPARISONS if each.name == "async-late")
    for seconds_late, met in ((0.0123, True), (0.0201, False)):
        found = [evolve(samples(30.0)[0], late=seconds_late)]
        outcome = Outcome(late, {peer_name(late): found}, found)
        assert outcome.must_met is met
    assert "| **20.10 ms** | 20 **missed** |" in awaited([outcome], judged=True).markdown()


def test_drivers_exist():
    drivers = Path(REMARKS).parent / "drivers"
    works = "".join((drivers / f"{name}.py").read_text() for name in ("works", "awaited"))
    for comparison in COMPARISONS:
        limits = (*comparison.limits, *comparison.peers)
        for driver in (comparison.driver, *(limit.driver for limit in limits)):
            alone = driver in PROGRAMS or (drivers / f"{driver}.py").is_file()
            assert alone or f"\ndef {driver}(job: Job)" in works


def test_what_stands_in_for_the_existing_client_is_named():
    page = results(1.0, 2.5, name="plan").markdown("")
    assert (
        "| both indices alone, hatcher: 1.00 s (500 ms to 1.50 s) | 2.50 s (1.25 s to 5.00 s) "
        "| **0.40** | 0.34 met |"
    ) in page


def test_rounds_are_told_where_they_are_fewer():
    (export,) = (each for each in COMPARISONS if each.name == "export-first")
    assert export.most_rounds is not None
    assert export.rounds(1) == 1
    assert export.rounds(export.most_rounds + 4) == export.most_rounds
    assert f"{export.title} (3 rounds) |" in results(9.0, 1.0, name="export-first").markdown("")


def test_requests_are_told_where_they_were_counted():
    found = results(9.0, 1.0)
    assert "1.0 MB (at most 45 MB: met) |  |  |" in found.markdown("")
    outcome = found.outcomes[0]
    peer = outcome.peers[EXISTING]
    peer[0] = evolve(peer[0], requests=2_004)
    outcome.ours[:] = [evolve(each, requests=4 + n) for n, each in enumerate(outcome.ours)]
    assert "1.0 MB (at most 45 MB: met) | 2,004 | 6 |" in found.markdown("")


@pytest.mark.parametrize(
    ("number", "shown"),
    [(12.345, "12.35 s"), (0.4567, "457 ms"), (0.04567, "45.7 ms"), (0.000187, "187 µs")],
)
def test_times_are_short(number, shown):
    assert seconds(number) == shown


def test_a_comparison_without_a_must_is_never_missed():
    outcome = Outcome(
        Comparison("x", "x", "bare", lambda scene, folder: []),
        {EXISTING: samples(1.0)},
        samples(2.0),
    )
    assert outcome.must_met and outcome.aim_met


def far(
    measure: Measure, must: float, peers: dict[str, float], ours: float, **more: Any
) -> Outcome:
    limits = [Limit(name, name, lambda scene, folder: []) for name in ("aria2", "rclone")]
    comparison = Comparison(
        "far-x",
        "a case",
        "bare",
        lambda scene, folder: [],
        must=must,
        measure=measure,
        peers=limits,
        link=Link(round_trip=0.1),
        **more,
    )
    return Outcome(comparison, {n: samples(t) for n, t in peers.items()}, samples(ours))


BOTH = {"aria2": 2.0, "rclone": 3.0}


@pytest.mark.parametrize(
    ("outcome", "value", "met", "shown"),
    [
        (far("times as long", 1.2, BOTH, 2.2), 1.1, True, "**1.10** | 1.2 met"),
        (far("times as long", 1.2, BOTH, 3.0), 1.5, False, "**1.50** | 1.2 **missed**"),
        (far("times as long", 1.2, BOTH, 3.0, slowest=True), 1.0, True, "**1.00** | 1.2 met"),
        (far("times faster", 0.9, BOTH, 2.0), 1.0, True, "**1.00** | 0.9 met"),
        (far("s", 7, {}, 6.5), 6.5, True, "6.50 s (6.50 s to 6.50 s) | **6.50 s** | 7 met"),
        (far("s", 7, {}, 7.5), 7.5, False, "7 **missed**"),
        (far("round trips", 2, BOTH, 2.21), 2, True, "**2 round trips** | 2 met"),
        (far("round trips", 2, BOTH, 2.31), 3, False, "**3 round trips** | 2 **missed**"),
        (far("times as long", 1.2, {}, 9.0), None, True, "not installed: aria2, rclone | 9.00 s"),
        (far("times as long", 1, {"rclone": 3.0}, 3.0), 1, True, "not installed: aria2 | 3.00 s"),
    ],
)
def test_what_a_long_link_is_judged_by(outcome, value, met, shown):
    assert outcome.value == (value if value is None else pytest.approx(value))
    assert outcome.must_met is met
    table = distance([outcome], "A relay.", judged=True)
    assert table.within is met
    assert shown in table.markdown()
    assert "A relay." in table.markdown()


def test_round_trips_are_those_of_the_fastest():
    outcome = far("round trips", 2, {"near": 0.1}, 0.31)
    assert outcome.value == 2
    outcome.ours[:] = samples(0.9, 0.31, 0.8)
    outcome.peers["near"][:] = samples(0.7, 0.6, 0.1)
    assert outcome.value == 2


def test_bytes_are_judged():
    outcome = far("MB", 4, {}, 1.0, figure="twice")
    outcome.ours[:] = [Sample(1.0, 1.0, 1.0, None, None, twice) for twice in (3_900_000, 4_300_000)]
    assert outcome.value == pytest.approx(4.1)
    assert (
        "4.1 MB (3.9 MB to 4.3 MB) | **4.10 MB** | 4 **missed**"
        in distance([outcome], "", judged=True).markdown()
    )
    assert summary(outcome) == "far-x: 4.1 MB = 4.10 MB"


def test_what_cannot_be_measured_here_is_left_out():
    left_out = Outcome(far("times as long", 1, {}, 1.0).comparison, lacking=["real TCP", "nginx"])
    assert left_out.must_met and left_out.aim_met
    assert summary(left_out) == "far-x: left out"
    page = distance([left_out], "", judged=True).markdown()
    assert "| a case |  | left out, since there is no real TCP nor nginx |  | 1 |  |" in page


def test_the_page_tells_of_the_link_apart():
    found = results(3.0, 1.5)
    told = evolve(found.circumstances, link="The link is a relay.")
    both = evolve(found, outcomes=[*found.outcomes, far("s", 7, {}, 6.5)], circumstances=told)
    fast, _, rest = both.markdown("").partition("## Over a long link")
    assert "a case" not in fast and "download 512 MB" not in rest
    assert "| a case |" in rest and "The link is a relay." in rest
    assert "Over a long link" not in found.markdown("")
