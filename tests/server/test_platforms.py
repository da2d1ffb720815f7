"""The platforms and python tags: as okonomiyaki knows them, and as PEP 425 orders them."""

from __future__ import annotations

import pytest

from hatcher.artefacts.platforms import ARCHITECTURES
from hatcher.artefacts.python_tags import NO_TAG, preference, usable_tags
from hatcher.server.names import PLATFORMS, PYTHON_TAGS, canonical_platform

from .conftest import error_of


def test_the_table_is_okonomiyakis():
    from okonomiyaki.errors import OkonomiyakiError
    from okonomiyaki.platforms import EPDPlatform
    from okonomiyaki.platforms.epd_platform import PLATFORM_NAMES

    known = set()
    for system in PLATFORM_NAMES:
        for architecture in ("x86", "x86_64", "arm64"):
            try:
                platform = EPDPlatform.from_string(f"{system}_{architecture}")
            except OkonomiyakiError:
                continue
            known.add(str(platform).replace("_", "-", 1))
    assert set(PLATFORMS) == known
    assert list(PLATFORMS) == sorted(PLATFORMS)


@pytest.mark.parametrize("alias", ARCHITECTURES)
def test_other_names_are_okonomiyakis(alias):
    from okonomiyaki.platforms import EPDPlatform

    # Its parser takes no second hyphen in a platform, but knows the name.
    theirs = str(EPDPlatform.from_string(f"rh8_{alias.replace('x86-64', 'x86_64')}"))
    assert canonical_platform(f"rh8-{alias}") == theirs.replace("_", "-", 1)


def test_the_tags_are_okonomiyakis():
    from okonomiyaki.platforms import PythonImplementation

    for tag in PYTHON_TAGS:
        assert str(PythonImplementation.from_string(tag)) == tag


def test_what_a_runtime_can_use_is_what_packaging_says():
    from packaging.tags import compatible_tags

    for minor in (8, 11):
        theirs = [
            tag.interpreter
            for tag in compatible_tags((3, minor), f"cp3{minor}", ["linux_x86_64"])
            if tag.platform == "any"
        ]
        ours = usable_tags(f"cp3{minor}")
        assert ours[0] == f"cp3{minor}"
        assert [tag for tag in dict.fromkeys(theirs) if tag.startswith("py")] == ours[1:-1]
        assert ours[-1] == NO_TAG


@pytest.mark.parametrize(
    ("runtime", "usable", "not_usable"),
    [
        (
            "cp38",
            ("cp38", "py38", "py37", "py3", "py2.py3", "none"),
            ("py39", "cp37", "py2", "pp38"),
        ),
        ("cp311", ("py3", "py2.py3", "py38", "none"), ("cp38", "py27", "py312")),
        ("cp27", ("cp27", "py27", "py2", "py2.py3", "none"), ("py3", "pp27", "cp26")),
        ("pp27", ("pp27", "py27", "py2.py3", "none"), ("cp27", "py3")),
        ("py3", ("py3", "py2.py3", "none"), ("cp38", "py38")),
        ("py2.py3", ("py2", "py3", "py2.py3", "none"), ("cp38",)),
        ("none", ("none",), ("py3", "cp38")),
    ],
)
def test_preference(runtime, usable, not_usable):
    theirs = usable_tags(runtime)
    assert all(preference(tag, theirs) is not None for tag in usable)
    assert all(preference(tag, theirs) is None for tag in not_usable)
    assert preference(runtime, theirs) == 0


def test_the_more_specific_the_better():
    usable = usable_tags("cp38")
    ranks = [preference(tag, usable) for tag in ("cp38", "py38", "py3", "py2.py3", "py37", "none")]
    assert ranks == sorted(ranks, key=lambda rank: -1 if rank is None else rank)
    assert len(set(ranks)) == 5, "py3 and py2.py3 are as good as each other"


def test_lists(admin):
    assert admin.get("/metadata/platforms").json() == {"platforms": list(PLATFORMS)}
    tags = admin.get("/metadata/python-tags").json()["python_tags"]
    everything = admin.get("/metadata/python-tags/all").json()["python_tags"]
    assert {"cp27", "pp27", "cp38", "cp311"} <= set(tags)
    assert not any(tag.startswith("py") for tag in tags)
    assert set(tags) | {"py2", "py3", "py2.py3", "py27"} <= set(everything)


@pytest.mark.parametrize("platform", ["rh99-x86_64", "rh8", "plan9-x86_64"])
def test_an_unknown_platform_is_not_there(admin, egg, platform):
    for path in (
        f"/indices/acme/dev/{platform}/cp311/eggs",
        f"/indices/acme/dev/{platform}/runtimes",
        f"/indices/acme/dev/{platform}/apps",
        f"/indices/acme/dev/{platform}/bundles",
        f"/metadata/acme/dev/{platform}/cp311/eggs/spam/1.0.0-1",
        f"/data/acme/dev/{platform}/cp311/eggs/spam/1.0.0-1",
        f"/data/acme/dev/{platform}/runtimes/cpython/3.8.17+1",
        f"{admin.base_url.copy_with(path='/repo')}/acme/dev/{platform}/index.json",
    ):
        assert f"'{platform}' is no platform" in error_of(admin.get(path), 404)
    assert admin.upload_egg(egg, platform).status_code == 404
    # Who may not see the repository hears nothing of platforms.
    hidden = admin.get(f"/indices/acme/absent/{platform}/cp311/eggs")
    assert "repository" in hidden.json()["error"]


@pytest.mark.parametrize("tag", ["cp17", "py1"])
def test_a_tag_of_no_python(admin, tag):
    for path in (
        f"/indices/acme/dev/rh8-x86_64/{tag}/eggs",
        f"/metadata/acme/dev/rh8-x86_64/{tag}/eggs/spam/1.0.0-1",
        f"/data/acme/dev/rh8-x86_64/{tag}/eggs/spam/1.0.0-1",
    ):
        assert f"'{tag}' is no python tag" in error_of(admin.get(path), 400)
