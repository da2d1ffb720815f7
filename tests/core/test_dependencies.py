"""Which eggs require which: trees of an index, in both directions."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from hatcher.api import SinglePlatformRepository
from hatcher.core.dependencies import Dependencies
from hatcher.errors import InvalidNameError, NoMatchError, NotFoundError
from hatcher.testing import write_egg


def index_of(**eggs: list[str] | None) -> dict[str, dict[str, Any]]:
    """An index of eggs called like ``numpy_1_26_4``, each with what it requires."""
    index = {}
    for called, packages in eggs.items():
        name, *version = called.split("_")
        told = {} if packages is None else {"packages": packages}
        index[f"{name}-{'.'.join(version)}-1.egg"] = {"python_tag": "cp311", **told}
    return index


STACK = index_of(
    mkl_2022=[],
    mkl_2023=["MKL", "tbb"],
    numpy_1_9=["MKL 2022"],
    numpy_1_10=["MKL 2023-1", "libfoo 1.0"],
    Scipy_1_0=["numpy 1.10", "six"],
    sixer_2=["six", "sixer 2-1"],
    six_1=["Scipy"],
)


@pytest.mark.parametrize(
    ("method", "name", "version", "drawn"),
    [
        (
            "requirements_of",
            *("scipy", None),
            """
            Scipy 1.0-1
            ├── numpy 1.10-1 (numpy 1.10)
            │   ├── mkl 2023-1 (MKL 2023-1)
            │   │   ├── mkl 2023-1: see above, a cycle
            │   │   └── tbb: not in this index
            │   └── libfoo 1.0: not in this index
            └── six 1-1
                └── Scipy 1.0-1: see above, a cycle
            """,
        ),
        ("requirements_of", "numpy", "1.9", "numpy 1.9-1\n└── mkl 2022-1 (MKL 2022)"),
        ("requirements_of", "MKL", "2022-1", "mkl 2022-1"),
        (
            "dependents_of",
            *("mkl", None),
            """
            mkl
            ├── mkl 2023-1
            │   ├── mkl 2023-1: see above, a cycle
            │   └── numpy 1.10-1 (MKL 2023-1)
            │       └── Scipy 1.0-1 (numpy 1.10)
            │           └── six 1-1 (Scipy)
            │               ├── Scipy 1.0-1 (six): see above, a cycle
            │               └── sixer 2-1 (six)
            │                   └── sixer 2-1 (sixer 2-1): see above, a cycle
            ├── numpy 1.9-1 (MKL 2022)
            └── numpy 1.10-1 (MKL 2023-1): see above
            """,
        ),
        (
            "dependents_of",
            *("mkl", "2022"),
            """
            mkl 2022-1
            ├── mkl 2023-1
            │   ├── mkl 2023-1: see above, a cycle
            │   └── numpy 1.10-1 (MKL 2023-1)
            │       └── Scipy 1.0-1 (numpy 1.10)
            │           └── six 1-1 (Scipy)
            │               ├── Scipy 1.0-1 (six): see above, a cycle
            │               └── sixer 2-1 (six)
            │                   └── sixer 2-1 (sixer 2-1): see above, a cycle
            └── numpy 1.9-1 (MKL 2022)
            """,
        ),
        (
            "dependents_of",
            *("LibFoo", None),
            """
            LibFoo: not in this index
            └── numpy 1.10-1 (libfoo 1.0)
                └── Scipy 1.0-1 (numpy 1.10)
                    └── six 1-1 (Scipy)
                        ├── Scipy 1.0-1 (six): see above, a cycle
                        └── sixer 2-1 (six)
                            └── sixer 2-1 (sixer 2-1): see above, a cycle
            """,
        ),
        (
            "dependents_of",
            *("tbb", "1-1"),
            """
            tbb 1-1: not in this index
            └── mkl 2023-1 (tbb)
                ├── mkl 2023-1: see above, a cycle
                └── numpy 1.10-1 (MKL 2023-1)
                    └── Scipy 1.0-1 (numpy 1.10)
                        └── six 1-1 (Scipy)
                            ├── Scipy 1.0-1 (six): see above, a cycle
                            └── sixer 2-1 (six)
                                └── sixer 2-1 (sixer 2-1): see above, a cycle
            """,
        ),
        (
            "dependents_of",
            "sixer",
            "2-1",
            "sixer 2-1\n└── sixer 2-1 (sixer 2-1): see above, a cycle",
        ),
        ("dependents_of", "numpy", "1.9-1", "numpy 1.9-1"),
    ],
)
def test_trees(method, name, version, drawn):
    tree = getattr(Dependencies(STACK), method)(name, version)
    assert str(tree) == dedent(drawn).strip()
    assert tree.unknown == ()


def test_lines_say_what_they_are():
    top, numpy, *_ = Dependencies(STACK).requirements_of("scipy", None)
    assert top == {
        "depth": 0,
        "name": "Scipy",
        "version": "1.0-1",
        "python_tag": "cp311",
        "filename": "Scipy-1.0-1.egg",
        "requirement": None,
        "state": "found",
    }
    assert (numpy["depth"], numpy["requirement"]) == (1, "numpy 1.10")


def test_what_is_not_told_is_not_taken_for_nothing():
    index = index_of(spam_1=["eggs"], eggs_1=None)
    index["odd-1-1.egg"] = {"packages": ["spam", 7]}
    eggs = Dependencies(index)
    tree = eggs.requirements_of("spam", None)
    assert str(tree).endswith("eggs 1-1: the index does not say what it requires")
    assert tree.unknown == ("eggs-1-1.egg",)
    assert eggs.dependents_of("spam", None).unknown == ("eggs-1-1.egg", "odd-1-1.egg")


def test_a_long_chain_is_drawn_in_bounds():
    chain = {f"a{n}-1-1.egg": {"packages": [f"a{n + 1}", " "]} for n in range(3000)}
    tree = Dependencies(chain).requirements_of("a0", None)
    assert len(tree) == 3001 and tree[-1]["state"] == "missing"
    assert max(map(len, str(tree).splitlines())) < 200
    assert "<pre>a0 1-1\n" in tree._repr_html_()


@pytest.mark.parametrize(
    ("name", "version", "said"),
    [
        ("nunpy", None, "no egg called 'nunpy', and none that requires it. Did you mean 'numpy'?"),
        ("libfo", None, "Did you mean 'libfoo'?"),
        ("\u3042", None, "no egg called '\u3042'.* Check the name and the python tag"),
        ("numpy", "1.1", "no 'numpy' 1.1. It has: 1.9-1, 1.10-1"),
        ("six", "1-", "no 'six' 1-. It has: 1-1"),
    ],
)
def test_what_the_index_has_nothing_of(name, version, said):
    for ask in ("requirements_of", "dependents_of"):
        if (name, ask) != ("six", "dependents_of"):
            with pytest.raises(NoMatchError, match=said):
                getattr(Dependencies(STACK), ask)(name, version)


@pytest.mark.parametrize("wrong", ["", "  ", ".", "..", "a\nb", "a\x1bb", "a\udc80", None, 7, b"a"])
def test_names_are_checked_before_anything_is_sent(brood_server, wrong):
    client = brood_server.client(api_version=1)
    nowhere = client.at("no/such/platform")
    assert isinstance(nowhere, SinglePlatformRepository)
    for ask in (nowhere.requirements_of, nowhere.dependents_of):
        with pytest.raises(InvalidNameError, match="name of the egg"):
            ask(wrong, "cp311")
        if wrong is not None:
            with pytest.raises(InvalidNameError, match="version of the egg"):
                ask("numpy", "cp311", wrong)
        with pytest.raises(NotFoundError):
            ask("numpy", "cp311", "1" * 5000)


def test_of_real_eggs(platform, tmp_path):
    for name, packages in (("mkl", []), ("Numpy", ["MKL 1.0.0"]), ("scipy", ["numpy 1.0.0-1"])):
        platform.upload_egg(write_egg(tmp_path, name, packages=packages))
    assert [line["name"] for line in platform.dependents_of("mkl", "cp311")] == [
        *("mkl", "Numpy", "scipy")
    ]
    assert [line["name"] for line in platform.requirements_of("scipy", None)] == [
        *("scipy", "Numpy", "mkl")
    ]
