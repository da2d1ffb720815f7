"""Our client does what the existing one does, call by call, but for its faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from attrs import evolve

from ..interop.environments import NEWEST, WITH_TEAMS
from . import answers
from .calls import CALLS, Call
from .intended import ELSEWHERE, HEADERS, INTENDED, intended
from .observing import differences

pytestmark = pytest.mark.programs

#: What names may be made of, in every place where there is one.
ODD = {
    "letters": " Ünï cödé 日本 e\N{COMBINING ACUTE ACCENT} UPPER",
    "signs": "a+b@c:;,&='~!*()$",
    "brackets": '100%"<>[]{}|^\\`',
}

#: What names had better not be made of: they lead elsewhere when they are not quoted.
DANGEROUS = {
    "a slash": "a/b",
    "a question mark": "a?b",
    "a hash": "a#b",
    "an escape": "a%20b",
    "a newline": "a\nb",
    "two dots": "..",
    "a dot": ".",
    "nothing": "",
}


def variants(call: Call) -> Iterator[tuple[str, Call]]:
    """A call, and the same with other answers and other names."""
    yield "", call
    if call.note:
        return
    yield " / compressed", evolve(call, answer=answers.compressed)
    yield " / wordy", evolve(call, answer=answers.wordy)
    for status in (400, 403):
        yield f" / {status}", evolve(call, answer=answers.refusing(status))
    what = "404 in a place" if call.is_in_a_place else "404"
    yield f" / {what}", evolve(call, answer=answers.refusing(404))
    if call.has_names:
        for what, word in ODD.items():
            yield f" / {what}", call.renamed(word)
    if call.sends_names and "save" not in call.method:
        for what, word in DANGEROUS.items():
            yield f" / {what}", call.renamed(word)


#: Each call in each version of the API, by the newest release that has it.
CASES = {
    f"v{version} {call}": (call.releases[0], version, call)
    for call in CALLS
    for version in call.versions
    if call.releases[0] is NEWEST or version == 0
}

#: And by an older one, which speaks API version 0 whatever it is asked to.
OLD_CASES = {str(call): call for call in CALLS if WITH_TEAMS in call.releases}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.sampled(2)
def test_call(case, observers):
    release, version, call = CASES[case]
    wrong = []
    for variant, varied in variants(call):
        ours, theirs = observers[release].both(varied, version)
        if not call.note and not variant and "error" in theirs.answer:
            assert theirs.answer["error"]["kind"] == "NotImplementedError", theirs
        wrong += _surprises(case + variant, differences(ours, theirs))
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


@pytest.mark.parametrize("case", OLD_CASES)
def test_old_call(case, observers):
    call = OLD_CASES[case]
    wrong = []
    for version in call.versions:
        ours, theirs = observers[WITH_TEAMS].both(call, version)
        found = differences(ours, theirs)
        if version == 1 and ours.requests and theirs.requests:
            assert ("root" in found) is ("runtime" not in call.method), call
            found.pop("root", None)
        wrong += _surprises(f"old v{version} {case}", found)
    if wrong:
        pytest.fail("\n".join(wrong), pytrace=False)


def _surprises(case: str, found: dict[str, str]) -> list[str]:
    expected = intended(case)
    return [
        *(f"{case}: another {what}\n    {found[what]}" for what in sorted(found.keys() - expected)),
        *(
            f"{case}: the {what} is to be another, and is not; take it out of the table"
            for what in sorted(expected - found.keys())
        ),
    ]


def test_every_intended_difference_has_a_call():
    cases = [
        case + variant for case, (_, _, call) in CASES.items() for variant, _ in variants(call)
    ]
    cases += [f"old v{v} {case}" for case, call in OLD_CASES.items() for v in call.versions]
    unused = [difference for difference in INTENDED if not any(map(difference.has, cases))]
    assert unused == []


def test_the_manual_tells_each_difference_once():
    page = (Path(__file__).parents[2] / "docs" / "porting.md").read_text(encoding="utf-8")
    python = page.partition("\n## The command line")[0]
    rows = [line for line in python.splitlines() if line.startswith("| ") and line[2] != "|"]
    told = [difference.manual for difference in INTENDED]
    for begin in {*told, *HEADERS.values(), *ELSEWHERE}:
        assert len([row for row in rows if row.startswith(f"| {begin}")]) == 1, begin
    firsts = [row.split(" | ")[0] for row in rows]
    assert len({*firsts}) == len(firsts)
