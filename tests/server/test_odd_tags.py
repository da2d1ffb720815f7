"""A tag that is safe in a URL and a file name: whatever bears it is found by it, all its life."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from hatcher.artefacts.python_tags import preference, usable_tags
from hatcher.testing import write_app, write_bundle, write_egg, write_legacy_runtime

from .conftest import PLATFORM, Client, client_of, error_of

TAGS = [
    "cp27m",
    "cp315",
    "pp312",
    "cp313t",
    "abi3",
    "graalpy311",
    "graalpy311_native",
    "jy27",
    "py3.cp315",
    "CP315",
    "cp3999999999",
    "py399999999",
    "cp" + "3" * 62,
]


def egg_of(folder: Path, tag: str) -> Path:
    """An egg of a tag that okonomiyaki cannot write."""
    path = write_egg(folder, "spam", python_tag="cp311")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    depend = members["EGG-INFO/spec/depend"].replace(b"'cp311'", repr(tag).encode())
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (members | {"EGG-INFO/spec/depend": depend}).items():
            archive.writestr(name, content)
    return path


def tags(client: Client, which: str = "") -> list[str]:
    return client.get(f"/metadata/python-tags{which}").json()["python_tags"]


@pytest.mark.parametrize("tag", TAGS)
def test_an_egg(admin, tmp_path, tag):
    egg = egg_of(tmp_path, tag)
    assert admin.upload_egg(egg, enabled="False").status_code == 201
    assert tag.lower() in tags(admin, "/all")
    assert (tag.lower() in tags(admin)) is not tag.startswith("py")
    assert admin.index(tag) == {}
    reference = {"name": "spam", "version": "1.0.0-1", "python_tag": tag}
    reindex = f"/data/acme/dev/{PLATFORM}/eggs/re-index"
    assert admin.post(reindex, json={"eggs": [reference]}).status_code == 202
    entry = admin.index(tag)[egg.name]
    assert entry["python_tag"] == tag
    url = f"acme/dev/{PLATFORM}/{tag}/eggs/spam/1.0.0-1"
    assert admin.get(f"/metadata/{url}").json()["sha256"] == entry["sha256"]
    assert admin.get(f"/data/{url}").content == egg.read_bytes()
    assert admin.delete(f"/data/{url}").status_code == 204
    assert admin.get(f"/metadata/{url}").status_code == 404
    assert admin.index(tag) == {}
    assert tag.lower() not in set(tags(admin)) - {"cp315"}


@pytest.mark.parametrize("tag", TAGS)
def test_an_app(admin, tmp_path, tag):
    app = write_app(tmp_path, python_tag=tag)
    assert admin.upload(f"/data/acme/dev/{PLATFORM}/apps/upload", app).status_code == 201
    assert tag.lower() in tags(admin, "/all")
    index = admin.get(f"/indices/acme/dev/{PLATFORM}/apps").json()
    assert index[tag.lower()]["com.example.viewer"]["1.10"]["2"]["python_tag"] == tag
    url = f"/metadata/acme/dev/{PLATFORM}/{tag}/apps/com.example.viewer/1.10-2"
    assert admin.get(url).json()["python_tag"] == tag


@pytest.mark.parametrize(
    ("implementation", "version", "tag"),
    [
        ("cpython", "3.15.0+1", "cp315"),
        ("pypy", "3.12.1+1", "pp312"),
        ("cpython", "3.100.1", "cp3100"),
        ("jython", "2.7", "jy27"),
        ("cpython", "3.99999.1", "none"),
        ("cpython", "\u0663.8", "none"),
        ("julia", "1.9.0", "none"),
        ("cpython", "1.7.0", "none"),
    ],
)
def test_a_bundle(admin, tmp_path, implementation, version, tag):
    runtime = {"implementation": implementation, "platform": "rh8_x86_64", "version": version}
    bundle = write_bundle(tmp_path, runtime=runtime)
    called = {"bundle_name": "tools", "bundle_version": "1.0.0", "bundle_build": 1}
    answer = admin.upload("/data/acme/dev/bundles/upload", bundle, data=called)
    assert answer.status_code == 201, answer.text
    assert tag == "none" or tag in tags(admin)
    assert list(admin.get(f"/indices/acme/dev/{PLATFORM}/bundles").json()) == [tag]
    url = f"/metadata/acme/dev/{PLATFORM}/bundles/{tag}/tools/1.0.0-1"
    assert admin.get(url).json()["data"] == json.loads(bundle.read_text("utf-8"))
    assert admin.delete(url).status_code == 204
    assert admin.get(url).status_code == 404


def test_a_runtime_of_v0(admin, server, tmp_path):
    path = write_legacy_runtime(tmp_path, version="3.15.1")
    told = {"language": "python", "version": "3.15.1", "build": 1, "filename": path.name}
    with client_of(server, version=0) as v0:
        upload = f"/data/acme/dev/{PLATFORM}/runtimes/upload"
        for wrong in (True, 1.0, -1, 2**31, "x"):
            assert v0.upload(upload, path, data={**told, "build": wrong}).status_code == 400
        for key in ("language", "version"):
            for value in ("", "a/b", "..", "a\n", "a\0", "x" * 201):
                assert v0.upload(upload, path, data={**told, key: value}).status_code == 400, value
        assert v0.upload(upload, path, data=told).status_code == 201
        assert "cp315" in tags(v0)
        url = f"acme/dev/{PLATFORM}/runtimes/cp315/3.15.1-1"
        assert v0.get(f"/data/{url}").content == path.read_bytes()


def test_tags_are_listed_to_those_who_may_see_what_bears_them(admin, person, tmp_path):
    assert admin.upload_egg(egg_of(tmp_path, "cp399")).status_code == 201
    assert "cp399" in tags(person("reader@example.com", "read_index"))
    assert "cp399" not in tags(person("other@example.com"))


@pytest.mark.parametrize(
    "path",
    [
        f"/indices/acme/dev/{PLATFORM}/{{}}/eggs",
        f"/metadata/acme/dev/{PLATFORM}/{{}}/eggs/spam/1.0.0-1",
        f"/metadata/acme/dev/{PLATFORM}/cp311/eggs/{{}}/1.0.0-1",
        f"/metadata/acme/dev/{PLATFORM}/cp311/eggs/spam/{{}}",
        "/metadata/acme/dev/{}/cp311/eggs/spam/1.0.0-1",
        f"/metadata/acme/{{}}/{PLATFORM}/cp311/eggs/spam/1.0.0-1",
        f"/indices/{{}}/dev/{PLATFORM}/apps",
        f"/metadata/acme/dev/{PLATFORM}/runtimes/{{}}/3.8.17+1",
        f"/metadata/acme/dev/{PLATFORM}/bundles/cp311/{{}}/1.0.0-1",
        "/admin/teams/acme/{}/members",
        "/admin/users/acme/{}",
    ],
)
@pytest.mark.parametrize("text", ["%00", "cp38%00", "cp%0A38", "%7F", "%C2%85", "%E2%80%AE", "%FF"])
@pytest.mark.sampled(5)
def test_what_nothing_can_be_called(admin, path, text):
    for method in ("GET", "DELETE"):
        assert admin.request(method, path.format(text)).status_code in (400, 405)
    assert admin.get(path.format(text)).status_code == 400


def test_a_malformed_tag(admin):
    tags = ("cp%2038", "cp38%20", "cp38%2F", "..%2Fcp38", "cp-38", "cp38.", ".cp38", "cp٣8", "cp")
    for tag in (*tags, "c", "3", "38", "a1" * 33, "PY1"):
        error_of(admin.get(f"/indices/acme/dev/{PLATFORM}/{tag}/eggs"), 400)


@pytest.mark.parametrize("body", ['{"eggs": [NaN]}', '{"eggs": 1e999}', '{"eggs": "\\ud800"}'])
def test_a_body_is_read_by_the_same_rules(admin, body):
    url, headers = f"/data/acme/dev/{PLATFORM}/eggs/re-index", {"Content-Type": "application/json"}
    for text in (body, "[" * 100_000, '{"eggs": [' + "9" * 5000 + "]}"):
        assert "not JSON" in error_of(admin.post(url, content=text, headers=headers), 400)


def test_no_tag_makes_work():
    """What a tag stands for is bounded, however long its numbers are."""
    for tag in ("py399999999", "cp3999", ".".join(["py399"] * 10)):
        usable = usable_tags(tag)
        assert len(usable) < 1100
        assert preference(tag, usable) == 0
    assert "py313" in usable_tags("cp313t") and "cp313" not in usable_tags("cp313t")


@pytest.mark.parametrize(
    ("wanted", "status"),
    [
        (f"bytes=0-{'9' * 18}", 206),
        (f"bytes=0-{'9' * 5000}", 200),
        (f"bytes={'9' * 5000}-", 200),
        (f"bytes=-{'9' * 5000}", 200),
        (f"bytes={'9' * 18}-", 416),
    ],
)
def test_ranges_of_many_digits(admin, egg, wanted, status):
    admin.upload_egg(egg)
    url = f"/data/acme/dev/{PLATFORM}/cp311/eggs/Spam/1.0.0-1"
    assert admin.get(url, headers={"Range": wanted}).status_code == status
