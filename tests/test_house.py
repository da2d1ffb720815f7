"""The picture of the house and the walks through it are what is so."""

from __future__ import annotations

import re

from scripts import picture, walks


def test_the_walks_are_up_to_date():
    assert walks.main(["--check"]) == 0, "Run make walks"


def test_a_walk_that_has_changed_is_told(tmp_path, monkeypatch, capsys):
    page = tmp_path / walks.PAGE
    page.write_text("Words.\n\n### A walk\n\nWords.\n\n```text\nold\n```\n\n```text\nmore\n```\n")
    monkeypatch.setattr(walks, "ROOT", tmp_path)
    monkeypatch.setattr(walks, "walks", lambda: {"A walk": "hatcher.api  new\n"})
    assert walks.main(["--check"]) == 1
    told = capsys.readouterr().err
    assert "-old" in told and "+hatcher.api  new" in told and "make walks" in told
    assert walks.main([]) == walks.main(["--check"]) == 0
    assert page.read_text().endswith("```text\nhatcher.api  new\n```\n\n```text\nmore\n```\n")


def test_figures_are_drawn_anew_when_they_are_wrong_by_a_tenth():
    assert picture.rounded(1234, None) == 1200
    assert picture.rounded(77, None) == 80
    assert picture.rounded(1300, 1200) == 1200
    assert picture.rounded(1400, 1200) == 1400
    assert picture.rounded(1000, 1200) == 1000


def test_rooms_stand_on_what_they_import():
    needs = {"a": {"b", "c", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert picture.direct(needs) == {"a": {"b", "d"}, "b": {"c"}, "c": set(), "d": set()}
    assert picture.floors(needs) == {"a": 2, "b": 1, "c": 0, "d": 0}
    rooms = {"hatcher.cli.run": "cli", "hatcher.api": "api", "hatcher.errors": "errors", "json": ""}
    assert {name: picture.room_of(name) for name in rooms} == rooms
    drawn = (picture.ROOT / picture.PICTURE).read_text("utf-8")
    assert {"cli", "core", "server", "tests"} <= set(re.findall(r'<g id="(\w+)">', drawn))
