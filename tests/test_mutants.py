"""Mutants are made in a copy, and it is told which of them no test has noticed."""

from __future__ import annotations

import pytest

from scripts import mutants
from scripts.mutants import Mutant, Tree, problems_of

HERE = "tests/test_characters.py"
SECRET = "tests/transport/test_auth.py::test_a_secret_shows_itself_only_when_asked"


def test_every_mutant_can_be_made():
    listed = mutants.read_mutants()
    assert len(listed) == 100
    assert [problem for mutant in listed for problem in problems_of(mutant)] == []


@pytest.mark.parametrize(
    ("file", "find", "test"),
    [
        ("hatcher/errors.py", "not in that file", HERE),
        ("hatcher/errors.py", "import", HERE),
        ("hatcher/missing.py", "import", HERE),
        ("hatcher/errors.py", "import errno\n", "tests/missing.py"),
        ("hatcher/errors.py", "import errno\n", f"{HERE}::test_missing"),
        ("hatcher/errors.py", "import errno\n", f"{HERE}::TestMissing::test_missing"),
    ],
)
def test_what_cannot_be_made_is_said(file, find, test):
    (problem,) = problems_of(Mutant(7, file, find, "", [test]))
    assert "Mutant 7" in problem


@pytest.mark.long
def test_what_becomes_of_mutants(tmp_path):
    tree = Tree(tmp_path)
    file, find = "hatcher/transport/secret.py", 'return "<Secret>"'
    for replace, became in (
        ("return self._value", "killed"),
        ('return "<" + "Secret>"', "SURVIVED"),
        ("return <Secret>", "not applicable"),
        ("while True: pass", "killed"),
    ):
        assert tree.try_mutant(Mutant(1, file, find, replace, [SECRET]), 60)[0] == became
        assert (tmp_path / file).read_text() == (mutants.ROOT / file).read_text()
    assert tree.test([SECRET], 60)[0] == 0
