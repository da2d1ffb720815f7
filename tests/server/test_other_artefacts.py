"""Runtimes, apps and bundles, from their upload to their deletion."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher.server.runner import BackgroundServer
from hatcher.testing import write_runtime

from .conftest import Client, client_of, error_of, sha256_of

DATA = "/data/acme/dev/rh8_x86_64"
METADATA = "/metadata/acme/dev/rh8_x86_64"
INDICES = "/indices/acme/dev/rh8-x86_64"


@pytest.fixture
def v0(server: BackgroundServer, admin: Client) -> Iterator[Client]:
    with client_of(server, version=0) as client:
        yield client


def test_a_runtime_of_v1(admin, v0, tmp_path):
    runtime = write_runtime(tmp_path)
    assert admin.upload(f"{DATA}/runtimes/upload", runtime).status_code == 201
    assert admin.upload(f"{DATA}/runtimes/upload", runtime).status_code == 200
    entry = {
        "abi": "gnu",
        "filename": "cpython-3.8.17+1-rh8_x86_64-gnu.runtime",
        "implementation": "cpython",
        "language_version": "3.8.17",
        "platform": "rh8_x86_64",
        "sha256": sha256_of(runtime),
        "version": "3.8.17+1",
    }
    assert admin.get(f"{INDICES}/runtimes").json() == {"cpython": {"3.8.17+1": entry}}
    assert v0.get(f"{INDICES}/runtimes").json() == {}, "each version has its own"
    for version in ("3.8.17+1", "3.8.17%2B1"):
        url = f"runtimes/cpython/{version}"
        metadata = admin.get(f"{METADATA}/{url}").json()
        assert metadata == {**entry, "build_revision": "2.1.0", "metadata_version": "1.0"}
        response = admin.get(f"{DATA}/{url}")
        assert response.content == runtime.read_bytes()
        assert runtime.name in response.headers["content-disposition"]
    response = admin.get(f"{DATA}/{url}", headers={"Range": "bytes=2-3"})
    assert (response.status_code, response.content) == (206, runtime.read_bytes()[2:4])
    assert admin.delete(f"{DATA}/{url}", params={"force": "False"}).status_code == 204
    assert admin.get(f"{METADATA}/{url}").status_code == 404
    assert admin.get(f"{INDICES}/runtimes").json() == {}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"platform": "win_x86_64"}, "is for win-x86_64, not for rh8-x86_64"),
        ({"abi": None, "filename": "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"}, "no valid runtime"),
        ({"metadata_version": "9.0"}, "no valid runtime"),
        ({"implementation": "ruby"}, "no valid runtime"),
        ({"filename": "cpython-3.8.18+1-rh8_x86_64-gnu.runtime"}, "Rename it"),
        ({"filename": "cpython.runtime"}, "Rename it"),
    ],
)
def test_what_is_no_runtime(admin, tmp_path, changes, says):
    response = admin.upload(f"{DATA}/runtimes/upload", write_runtime(tmp_path, **changes))
    assert response.status_code == 400
    assert says in response.json()["error"]
    assert str(tmp_path) not in response.json()["error"]


@pytest.mark.parametrize("content", [b"", b"no zip"])
def test_what_is_no_zip(admin, v0, tmp_path, content):
    path = tmp_path / "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
    path.write_bytes(content)
    assert admin.upload(f"{DATA}/runtimes/upload", path).status_code == 400
    data = {"language": "python", "version": "2.7.13", "build": 1, "filename": path.name}
    assert "not a zip file" in error_of(v0.upload(f"{DATA}/runtimes/upload", path, data=data), 400)


def test_a_runtime_that_unpacks_to_much_more(admin, tmp_path):
    path = tmp_path / "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("enthought/runtime.json", bytes(16 << 20))
    assert f"{16 << 20} bytes" in error_of(admin.upload(f"{DATA}/runtimes/upload", path), 400)


def test_a_zip_without_metadata(admin, tmp_path):
    path = tmp_path / "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x", "x")
    assert admin.upload(f"{DATA}/runtimes/upload", path).status_code == 400


def test_a_runtime_of_v0(admin, v0, tmp_path):
    path = tmp_path / "python_runtime_2.7.13_1.0.0_rh5-x86_64_1.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bin/python", "#!")
    told: dict[str, object] = {
        "language": "python",
        "version": "2.7.13",
        "build": 1,
        "build_system_version": "1.0.0",
        "file_format": "zip",
        "filename": path.name,
    }
    upload = "/data/acme/dev/rh5-64/runtimes/upload"
    assert v0.upload(upload, path, data=told).status_code == 201
    entry = {
        "build": 1,
        "file_format": "zip",
        "filename": path.name,
        "full_version": "2.7.13-1",
        "language": "python",
        "platform": "rh5-x86_64",
        "python_tag": "cp27",
        "sha256": sha256_of(path),
        "version": "2.7.13",
    }
    index = "/indices/acme/dev/rh5-x86_64/runtimes"
    assert v0.get(index).json() == {"python": {"2.7.13": {"1": entry}}}
    assert admin.get(index).json() == {}
    url = "acme/dev/rh5_x86_64/runtimes/cp27/2.7.13-1"
    metadata = v0.get(f"/metadata/{url}").json()
    assert metadata == {**entry, "build_system_version": "1.0.0"}
    assert v0.get(f"/data/{url}").content == path.read_bytes()
    assert v0.get(f"/data/{url.replace('cp27', 'cp38')}").status_code == 404
    assert v0.delete(f"/data/{url}").status_code == 405, "only v1 deletes runtimes"
    assert v0.upload(upload, path, data={**told, "filename": "other.zip"}).status_code == 400
    assert v0.upload(upload, path).status_code == 400


APP = """\
id: com.acme.viewer
name: Viewer
description: Looks at things
version: 1.10
build: 2
python_tag: cp311
platform: rh8_x86_64
since: 2024-03-01
commands: [{name: view, command: viewer}]
"""


def write(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8", "surrogateescape")
    return path


@pytest.mark.parametrize("version", [0, 1])
def test_an_app(admin, server, tmp_path, version):
    app = write(tmp_path / "viewer.yaml", APP)
    with client_of(server, version=version) as client:
        assert client.upload(f"{DATA}/apps/upload", app).status_code == 201
        entry = {
            "build": 2,
            "description": "Looks at things",
            "filename": "viewer.yaml",
            "full_version": "1.10-2",
            "id": "com.acme.viewer",
            "name": "Viewer",
            "platform": "rh8_x86_64",
            "python_tag": "cp311",
            "sha256": sha256_of(app),
            "version": "1.10",
        }
        index = client.get(f"{INDICES}/apps").json()
        assert index == {"cp311": {"com.acme.viewer": {"1.10": {"2": entry}}}}
        metadata = client.get(f"{METADATA}/cp311/apps/com.acme.viewer/1.10-2").json()
        document = metadata.pop("data")
        assert metadata == entry
        assert document["commands"] == [{"name": "view", "command": "viewer"}]
        assert document["since"] == "2024-03-01"
        assert client.get(f"{METADATA}/cp311/apps/com.acme.viewer/1.10-3").status_code == 404


def test_an_app_without_tag_or_build(admin, tmp_path):
    app = write(tmp_path / "a.yaml", "id: a\nversion: 2.0-3\nplatform: rh8-x86_64\n")
    assert admin.upload(f"{DATA}/apps/upload", app).status_code == 201
    index = admin.get(f"{INDICES}/apps").json()
    assert index["none"]["a"]["2.0"]["3"]["name"] == "a"
    other = write(app, APP.replace("com.acme.viewer", "a") + "more: 1\n")
    assert admin.upload(f"{DATA}/apps/upload", other).status_code == 201
    changed = write(app, "id: a\nversion: 2.0-3\nplatform: rh8-x86_64\nmore: 1\n")
    assert admin.upload(f"{DATA}/apps/upload", changed).status_code == 409
    assert admin.upload(f"{DATA}/apps/upload", changed, overwrite="True").status_code == 201


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no mapping"),
        ("[]", "no mapping"),
        ("{", "no YAML"),
        ("a: [" * 10_000, "no YAML"),
        ("id: a", "for which platform"),
        ("platform: rh8-x86_64", "no id, version"),
        ("id: a\nversion: [1]\nplatform: rh8-x86_64", "no version"),
        (APP.replace("build: 2", "build: two"), "no number"),
        (APP.replace("rh8_x86_64", "win_x86_64"), "is for win-x86_64"),
        (APP.replace("rh8_x86_64", "rh4_x86_64"), "no platform"),
        (APP.replace("cp311", "c"), "no python tag"),
        ("a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n", "aliases"),
        ("a: !!python/object/apply:os.getcwd []", "no YAML"),
    ],
)
def test_what_is_no_app(admin, tmp_path, text, says):
    assert says in error_of(
        admin.upload(f"{DATA}/apps/upload", write(tmp_path / "a.yaml", text)), 400
    )


BUNDLE = {
    "metadata_version": "2.0",
    "runtime": {"implementation": "cpython", "platform": "rh8_x86_64", "version": "3.11.9+1"},
    "requirements": [{"name": "numpy", "version": "1.26.4-1", "repository": "acme/dev"}],
    "unknown": {"field": [1, None]},
}
CALLED = {"bundle_name": "Analysis", "bundle_version": "2.0.0", "bundle_build": 1}


def test_a_bundle(admin, v0, tmp_path):
    bundle = write(tmp_path / "Analysis-2.0.0-1.bundle", json.dumps(BUNDLE))
    upload = "/data/acme/dev/bundles/upload"
    assert admin.upload(upload, bundle, data=CALLED).status_code == 201
    assert v0.upload(upload, bundle, data=CALLED).status_code == 404
    entry = {
        "build": 1,
        "full_version": "2.0.0-1",
        "name": "Analysis",
        "platform": "rh8_x86_64",
        "python_tag": "cp311",
        "version": "2.0.0",
    }
    index = admin.get(f"{INDICES}/bundles").json()
    assert index == {"cp311": {"Analysis": {"2.0.0": {"1": entry}}}}
    url = f"{METADATA}/bundles/cp311/Analysis/2.0.0-1"
    metadata = admin.get(url).json()
    assert metadata["data"] == BUNDLE
    assert {key: metadata[key] for key in entry} == entry
    assert metadata["sha256"] == sha256_of(bundle)
    other = write(bundle, json.dumps({**BUNDLE, "mark": "x"}))
    assert admin.upload(upload, other, data=CALLED).status_code == 409
    assert admin.delete(url, params={"force": "False"}).status_code == 204
    assert admin.get(url).status_code == 404
    assert admin.get(f"{INDICES}/bundles").json() == {}


@pytest.mark.parametrize(
    ("text", "called", "says"),
    [
        ("", CALLED, "no JSON"),
        ("\udcff\udcfe", CALLED, "UTF-8"),  # bytes that are no text
        ("[]", CALLED, "names no runtime"),
        ("{}", CALLED, "names no runtime"),
        ('{"runtime": {"platform": "x"}}', CALLED, "no implementation, version"),
        (json.dumps(BUNDLE).replace("rh8_x86_64", "x"), CALLED, "no platform"),
        ("\\ud800" * 10, CALLED, "no JSON"),
        (json.dumps(BUNDLE), {}, "'bundle_name' is a required property"),
        (json.dumps(BUNDLE), {**CALLED, "bundle_build": "1"}, "at ['bundle_build']"),
        (json.dumps(BUNDLE), {**CALLED, "bundle_name": ".."}, "another place"),
    ],
)
def test_what_is_no_bundle(admin, tmp_path, text, called, says):
    bundle = write(tmp_path / "a.bundle", text)
    assert says in error_of(admin.upload("/data/acme/dev/bundles/upload", bundle, data=called), 400)
