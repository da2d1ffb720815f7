"""Where artefacts stand in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from hatcher.errors import InvalidArgumentError, InvalidNameError
from hatcher.mirror.layout import (
    Location,
    files_in,
    folder_in,
    parse,
    platforms_in,
    repositories_in,
)

EGG = Location(1, "acme", "dev", "rh8-x86_64", "eggs", "cp311", "nose-1.3.0-1.egg")


@pytest.mark.parametrize(
    ("location", "path"),
    [
        (EGG, "v1/acme/dev/rh8-x86_64/eggs/cp311/nose-1.3.0-1.egg"),
        (EGG._replace(python_tag=None), "v1/acme/dev/rh8-x86_64/eggs/None/nose-1.3.0-1.egg"),
        (
            EGG._replace(kind="runtimes", python_tag=None, filename="a.runtime", api_version=0),
            "v0/acme/dev/rh8-x86_64/runtimes/a.runtime",
        ),
        (
            EGG._replace(kind="bundles", python_tag="cp38", filename="a-1-1.bundle"),
            "v1/acme/dev/rh8-x86_64/bundles/cp38/a-1-1.bundle",
        ),
    ],
)
def test_a_location_and_its_path_are_the_same(location, path):
    assert location.path == path
    assert location.below(Path("out")) == Path("out", *path.split("/"))
    assert parse(path) == location


@pytest.mark.parametrize("field", ["organization", "repository", "platform", "filename"])
@pytest.mark.parametrize("name", ["..", ".", "", ".hidden", "a/b", "a\\b", "/etc", "a\0b", "C:"])
def test_no_name_leads_out_of_the_folder(field, name):
    with pytest.raises(InvalidNameError):
        EGG._replace(**{field: name}).below(Path("out"))


def test_a_tag_leads_nowhere_either():
    with pytest.raises(InvalidNameError, match="python tag"):
        EGG._replace(python_tag="../../..").below(Path("out"))


@pytest.mark.parametrize("path", ["", "v1", "x1/a/b/c/eggs/cp311/d.egg", "v1/a/b/c/wheels/d.egg"])
def test_what_is_not_of_the_layout(path):
    with pytest.raises(InvalidNameError):
        parse(path)


def test_a_folder_is_read_without_what_is_hidden_or_foreign(tmp_path):
    for path in [
        "v1/acme/dev/rh8-x86_64/eggs/cp311/a-1-1.egg",
        "v1/acme/dev/rh8-x86_64/eggs/None/deeper/b-1-1.egg",
        "v1/acme/dev/rh8-x86_64/eggs/cp311/.c-1-1.egg",
        "v1/acme/dev/rh8-x86_64/eggs/cp311/d-1-1.egg.0.hatcher-partial",
        "v1/acme/dev/rh8-x86_64/runtimes/a.runtime",
        "v1/acme/dev/rh8-x86_64/apps/a.yml",
        "v1/acme/dev/.git/eggs/cp311/a-1-1.egg",
        "v1/acme/dev/README",
        "v1/.trash/dev/rh8-x86_64/eggs/a-1-1.egg",
        "v1/README",
    ]:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    assert list(repositories_in(tmp_path, 1)) == [("acme", "dev")]
    assert platforms_in(tmp_path, 1, "acme", "dev") == ["rh8-x86_64"]
    folder = folder_in(tmp_path, 1, "acme", "dev", "rh8-x86_64")
    for kind, found in {
        "eggs": [(("None", "deeper"), "b-1-1.egg"), (("cp311",), "a-1-1.egg")],
        "runtimes": [((), "a.runtime")],
        "apps": [((), "a.yml")],
        "bundles": [],
    }.items():
        assert [(parts, one.name) for parts, one in files_in(folder / kind, kind)] == found


def test_a_folder_that_is_no_export(tmp_path):
    (tmp_path / "v0").mkdir()
    with pytest.raises(InvalidArgumentError, match=r"'v1'.* v0"):
        folder_in(tmp_path, 1)
