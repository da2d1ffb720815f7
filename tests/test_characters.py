"""Characters that show as themselves, and those that do not."""

from __future__ import annotations

import pytest

from hatcher.characters import all_show, shown


@pytest.mark.parametrize(
    ("text", "as_shown"),
    [
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\r\nb", r"a\r\nb"),
        ("a\x85b\x9bc", r"a\x85b\x9bc"),
        ("a\u202egge.exe", r"a\u202egge.exe"),
        ("a\u200bb\u2060c\ufeffd\u00ade", r"a\u200bb\u2060c\ufeffd\xade"),
        ("a\u2028b", r"a\u2028b"),
        ("a\ud800b", r"a\ud800b"),
        ("a\u3164b\ufe0f", r"a\u3164b\ufe0f"),
        ("\U000e0041", r"\U000e0041"),
    ],
)
def test_what_does_not_show_is_written_out(text, as_shown):
    assert not all_show(text)
    assert shown(text) == as_shown


@pytest.mark.parametrize("text", ["", "nose 1.3.0", "é", "e\u0301", "日本", "Ωμέγα", "🥚"])
def test_what_shows_is_left_alone(text):
    assert all_show(text)
    assert shown(text) == text


def test_wide_blanks_and_what_is_to_be_kept_stay():
    assert shown("日\u3000本\nb\t\x07", keep="\n\t") == "日\u3000本\nb\t\\x07"
