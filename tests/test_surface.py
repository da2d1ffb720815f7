"""What users build on is written down, and what changes of it is said."""

from __future__ import annotations

from scripts import branches, surface

OLD = ["hatcher.api.A(b, c=1)", "hatcher.api.A.d(self)", "hatcher get --e = 'f'", "DONE = 0"]


def test_each_difference_is_a_line():
    assert list(surface.differences(OLD, OLD)) == []
    assert list(surface.differences(OLD, OLD[1:])) == [f"gone: {OLD[0]}"]
    assert list(surface.differences(OLD[1:], OLD)) == [f"added: {OLD[0]}"]
    for number, other in enumerate(["hatcher.api.A(b, c=2)", None, "hatcher get --e = 'g'"]):
        if other is not None:
            new = [*OLD[:number], other, *OLD[number + 1 :]]
            assert list(surface.differences(OLD, new)) == [f"changed: {OLD[number]} -> {other}"]


def test_the_files_are_compared(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(surface, "FOLDER", tmp_path / "surface")
    monkeypatch.setattr(surface, "surface", lambda: {"exit-codes": {"DONE = 0", "USAGE = 2"}})
    assert surface.main([]) == surface.main(["--check"]) == 0
    path = tmp_path / "surface" / "exit-codes.txt"
    path.write_text(path.read_text().replace("DONE = 0", "DONE = 1"))
    assert surface.main(["--check"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert told == ["changed: DONE = 1 -> DONE = 0", "To accept this, run: make surface"]


def test_all_that_users_see_is_there():
    found = surface.surface()
    assert {
        "hatcher.api.BroodClient.close(self)",  # a method
        "hatcher.errors.BroodHTTPError.request_id",  # what only a constructor sets
        "hatcher.errors.NotFoundError.missing",
        "hatcher.mirror.Plan.steps",  # a field
        "hatcher.testing.FaultProxy.__enter__(self)",
        "hatcher eggs list",
        "hatcher eggs list PLATFORM = None required",
        "hatcher --api-version = '1' 0|1",
        "USAGE = 2",
    } - set().union(*found.values()) == set()


def test_covered_branches_may_not_become_fewer():
    record = {"core": 98.0, "mirror": 97.0, "gone": 90.0}
    assert branches.fallen(record, {"core": 97.1, "mirror": 99.0, "new": 10.0}) == []
    (told,) = branches.fallen(record, {"core": 96.9, "mirror": 97.0})
    assert "hatcher/core" in told
