"""What is asked for: names, patterns, and comparisons of versions as the field orders them."""

from __future__ import annotations

import pytest

from hatcher.artefacts.requirements import Requirement
from hatcher.artefacts.versions import is_prerelease, release_of, upstream_of
from hatcher.errors import InvalidArgumentError

VERSIONS = "1.9-1 1.25.0-3 1.26-1 1.26.4-1 1.26.10-2 1.27-1 2.0b1-1 2.0rc1-1 2.0-1 2.0.1.dev3-1"


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("numpy", "1.9-1 1.25.0-3 1.26-1 1.26.4-1 1.26.10-2 1.27-1 2.0-1"),
        ("numpy>=1.26,<2", "1.26-1 1.26.4-1 1.26.10-2 1.27-1"),
        ("numpy >= 1.26 , < 2", "1.26-1 1.26.4-1 1.26.10-2 1.27-1"),
        ("numpy==1.26", "1.26-1"),
        ("numpy==1.26.0", "1.26-1"),
        ("numpy==1.26.4-1", "1.26.4-1"),
        ("numpy==1.26.4-2", ""),
        ("numpy>1.26.10-1,<1.27", "1.26.10-2"),
        ("numpy==1.26.*", "1.26-1 1.26.4-1 1.26.10-2"),
        ("numpy!=1.26.*,>1.9", "1.25.0-3 1.27-1 2.0-1"),
        ("numpy~=1.26.4", "1.26.4-1 1.26.10-2"),
        ("numpy~=1.26", "1.26-1 1.26.4-1 1.26.10-2 1.27-1"),
        ("numpy!=2.0,>=1.27", "1.27-1"),
        ("numpy>=2.0rc1", "2.0rc1-1 2.0-1 2.0.1.dev3-1"),
        ("numpy<=2.0b1,>=1.27", "1.27-1 2.0b1-1"),
        ("numpy>=1.0rc1,<2", "1.9-1 1.25.0-3 1.26-1 1.26.4-1 1.26.10-2 1.27-1 2.0b1-1 2.0rc1-1"),
    ],
)
def test_versions_that_are_asked_for(text, taken):
    requirement = Requirement(text)
    assert [one for one in VERSIONS.split() if requirement.takes_version(one)] == taken.split()


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("numpy", "numpy NumPy"),
        ("NUM*>1", "numpy NumPy numba"),
        ("num[!p]*", "numba"),
        ("com.example.viewer", "com.example.viewer"),
        ("a~b!c", "a~b!c"),
        ("Größe", "größe"),
    ],
)
def test_names_that_are_asked_for(text, taken):
    names = [
        "numpy",
        "NumPy",
        "numba",
        "com.example.viewer",
        "comXexample.viewer",
        "a~b!c",
        "größe",
    ]
    assert [name for name in names if Requirement(text).takes_name(name)] == taken.split()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "begins with no name"),
        ("  ", "begins with no name"),
        (">=1", "begins with no name"),
        ("numpy>=", "A version is missing behind '>='"),
        ("numpy>=1,", "A comparison is empty"),
        ("numpy,>1", "A comparison is empty"),
        ("numpy 1.26", "'1.26' is no comparison"),
        ("numpy=1", "'=' in 'numpy=1' compares nothing"),
        ("numpy===1", "'===' in .* compares nothing"),
        ("numpy>=abc", "'abc' is no version"),
        ("numpy>=1..2", "'1..2' is no version"),
        ("numpy>=1-2-3", "'1-2-3' is no version"),
        ("numpy>=1.26.*", r"Only == and != take one that ends in"),
        ("numpy~=1", "says too little"),
        ("numpy>=\N{ARABIC-INDIC DIGIT ONE}", "is no version"),
        ("a\tb", r"'a\\tb' has characters that do not show"),
        ("a\x00", "do not show"),
        ("\ud800", "do not show"),
        ("numpy\N{RIGHT-TO-LEFT OVERRIDE}", "do not show"),
        ("x" * 2000, "too long"),
        ("numpy>=" + "1." * 490 + "x!", "is no version"),
        (None, "not a NoneType"),
        (b"numpy", "not a bytes"),
    ],
)
def test_what_cannot_be_read_says_why(text, said):
    with pytest.raises(InvalidArgumentError, match=said) as failed:
        Requirement(text)
    assert len(str(failed.value)) < 400


@pytest.mark.parametrize(
    ("version", "upstream", "release", "comes_before"),
    [
        ("1.3.0-1", "1.3.0", (1, 3, 0), False),
        ("3.12.0rc1+1", "3.12.0rc1", (3, 12, 0), True),
        ("1.0+local1-3", "1.0+local1", (1, 0), False),
        ("2013b-1", "2013b", (2013,), False),
        ("1.0.dev3-1", "1.0.dev3", (1, 0), True),
        ("9" * 30 + "-1", "9" * 30, (int("9" * 18),), False),
        ("weird", "weird", (), False),
    ],
)
def test_parts_of_versions(version, upstream, release, comes_before):
    assert upstream_of(version) == upstream
    assert release_of(version) == release
    assert is_prerelease(version) is comes_before
