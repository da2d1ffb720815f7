"""Names that servers give to files: a bare one is taken, all others are refused."""

import pytest

from hatcher.errors import MissingFilenameError
from hatcher.transfer.filenames import filename_from


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="nose-1.3.0-1.egg"', "nose-1.3.0-1.egg"),
        ("attachment; filename=nose-1.3.0-1.egg", "nose-1.3.0-1.egg"),
        ('attachment; filename="a b;c.egg"', "a b;c.egg"),
        ("attachment; filename*=UTF-8''%C3%A4-1-1.egg", "ä-1-1.egg"),
        ('attachment; filename="..egg"', "..egg"),
        ('attachment; filename="Nose-1.0+x-1.egg"', "Nose-1.0+x-1.egg"),
    ],
)
def test_a_bare_name_is_taken(header: str, name: str) -> None:
    assert filename_from({"Content-Disposition": header}) == name


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "..",
        ".",
        "/etc/passwd",
        "a/b",
        "..\\\\x",
        "C:\\\\x",
        "c:x",
        "a\x00b",
        "",
        " ",
        "con|x",
        "%2e%2e/x",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(MissingFilenameError, match="filename"):
        filename_from({"Content-Disposition": f'attachment; filename="{name}"'})


def test_encoded_ways_out_are_refused_too() -> None:
    with pytest.raises(MissingFilenameError):
        filename_from({"Content-Disposition": "attachment; filename*=UTF-8''..%2Fx"})


@pytest.mark.parametrize("headers", [{}, {"Content-Disposition": "attachment"}])
def test_no_name_is_an_error_that_says_what_to_do(headers: dict[str, str]) -> None:
    with pytest.raises(MissingFilenameError, match="`filename` argument"):
        filename_from(headers)
