"""Runtimes, apps and bundles: from a file on this disk to the server and back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatcher.api import Repository
from hatcher.errors import (
    ChecksumMismatchError,
    ConflictError,
    InvalidApp,
    InvalidArgumentError,
    InvalidBundle,
    InvalidDestinationError,
    InvalidRuntime,
    MissingPlatformError,
    NotFoundError,
    TargetFileExists,
    UnsupportedAPIVersionError,
)
from hatcher.mirror import check_bundle
from hatcher.testing import (
    BroodServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)
from hatcher.transfer.hashing import file_sha256

#: What every zip file begins with.
ZIP = b"PK\x03\x04"


@pytest.fixture
def v1(brood_server: BroodServer) -> Repository:
    client = brood_server.client(api_version=1)
    return client.create_organization("acme", "-").create_repository("dev", "-")


@pytest.fixture
def v0(v1: Repository, brood_server: BroodServer) -> Repository:
    found = brood_server.client(api_version=0).at("acme/dev")
    assert isinstance(found, Repository)
    return found


class TestRuntimes:
    def test_of_version_1(self, v1, tmp_path, downloads):
        file = write_runtime(tmp_path)
        v1.upload_runtime(file)
        v1.upload_runtime(file, verify=True)
        platform = v1.platform("rh8-x86_64")
        assert platform.list_runtimes() == [("cpython", "3.8.17+1")]
        assert platform.runtime_index()["cpython"]["3.8.17+1"]["sha256"] == file_sha256(file)
        metadata = platform.runtime_metadata("cpython", "3.8.17+1")
        assert metadata["filename"] == file.name and metadata["language_version"] == "3.8.17"
        platform.download_runtime("cpython", "3.8.17+1", downloads)
        assert file_sha256(downloads / file.name) == file_sha256(file)
        total, chunks = platform.iter_download_runtime(
            "cpython", "3.8.17+1", downloads, file_sha256(file), "again.runtime"
        )
        assert sum(chunks) == total == file.stat().st_size
        runtime = platform.runtime("cpython", "3.8.17+1")
        assert runtime.exists() and runtime.sha256() == file_sha256(file)
        platform.runtime_delete("cpython", "3.8.17+1")
        assert not runtime.exists() and platform.list_runtimes() == []

    def test_of_version_0(self, v0, tmp_path, downloads):
        file = write_legacy_runtime(tmp_path)
        v0.upload_runtime(file)
        v0.upload_runtime(str(file), verify=True)
        platform = v0.platform("rh8-x86_64")
        assert platform.list_runtimes() == [file.name]
        entry = platform.runtime_index()["python"]["2.7.10"]["1"]
        assert (entry["filename"], entry["python_tag"]) == (file.name, "cp27")
        assert platform.runtime_metadata("cp27", "2.7.10-1")["sha256"] == file_sha256(file)
        by_name = platform.runtime_metadata(python_tag="cp27", version="2.7.10-1")
        assert by_name["filename"] == file.name
        platform.download_runtime("cp27", "2.7.10-1", downloads)
        assert file_sha256(downloads / file.name) == file_sha256(file)
        with pytest.raises(UnsupportedAPIVersionError, match="api_version=1"):
            platform.runtime_delete("cp27", "2.7.10-1")

    def test_another_one_of_the_same_name(self, v1, tmp_path):
        v1.upload_runtime(write_runtime(tmp_path))
        other = write_runtime(tmp_path, build_revision="another")
        with pytest.raises(ChecksumMismatchError, match="overwrite=True"):
            v1.upload_runtime(other, verify=True)
        with pytest.raises(ConflictError):
            v1.upload_runtime(other)
        v1.upload_runtime(other, overwrite=True, verify=True)
        metadata = v1.platform("rh8-x86_64").runtime_metadata("cpython", "3.8.17+1")
        assert metadata["sha256"] == file_sha256(other)

    def test_what_is_no_runtime_is_refused_before_anything_is_sent(self, v0, v1, tmp_path):
        named = tmp_path / "cpython-3.8.17+1-rh8_x86_64-gnu.runtime"
        with pytest.raises(InvalidRuntime, match="no file"):
            v1.upload_runtime(named)
        named.write_bytes(b"no zip")
        with pytest.raises(InvalidRuntime, match="zip file"):
            v1.upload_runtime(named)
        for changes in ({"platform": "rh99"}, {"version": "x y"}, {"implementation": "r"}):
            with pytest.raises(InvalidRuntime, match=r"runtime\.json"):
                v1.upload_runtime(write_runtime(tmp_path, filename=named.name, **changes))
        with pytest.raises(InvalidRuntime, match="Rename it"):
            v1.upload_runtime(write_runtime(tmp_path, version="3.8.17+2", filename=named.name))
        with pytest.raises(InvalidRuntime, match="api_version=1"):
            v0.upload_runtime(write_runtime(tmp_path))
        with pytest.raises(InvalidRuntime, match=r"\.runtime"):
            v1.upload_runtime(write_legacy_runtime(tmp_path))
        assert v1.platform("rh8-x86_64").list_runtimes() == []

    def test_each_version_has_its_own_address(self, v0, v1):
        platform = v1.platform("rh8-x86_64")
        with pytest.raises(InvalidArgumentError, match="implementation"):
            platform.runtime(python_tag="cp38", version="3.8.17+1")
        with pytest.raises(InvalidArgumentError):
            v0.platform("rh8-x86_64").runtime("cp27", "2.7.10-1", python_tag="cp27")
        with pytest.raises(InvalidArgumentError, match="version"):
            platform.runtime("cpython")


class TestApps:
    def test_an_app(self, repository, platform, tmp_path):
        file = write_app(tmp_path)
        repository.upload_app(file)
        repository.upload_app(str(file), overwrite=True)
        assert platform.list_apps() == [("com.example.viewer", "1.10-2", "cp38")]
        entry = platform.app_index()["cp38"]["com.example.viewer"]["1.10"]["2"]
        assert entry["version"] == "1.10"
        metadata = platform.app_metadata("cp38", "com.example.viewer", "1.10-2")
        assert metadata["sha256"] == file_sha256(file)
        assert platform.app("cp38", "com.example.viewer", "1.10-2").exists()
        assert not platform.app("cp38", "com.example.viewer", "1.11-1").exists()
        with pytest.raises(NotFoundError):
            platform.app_metadata("cp38", "com.example.viewer", "1.11-1")
        with pytest.raises(ConflictError):
            repository.upload_app(write_app(tmp_path, description="another"))

    def test_what_is_no_app_is_refused_before_anything_is_sent(
        self, repository, platform, tmp_path
    ):
        file = tmp_path / "viewer.yaml"
        with pytest.raises(InvalidApp, match="no file"):
            repository.upload_app(tmp_path / "missing.yaml")
        for text in ("- a list", "{", "", "a: *alias"):
            file.write_text(text)
            with pytest.raises(InvalidApp):
                repository.upload_app(file)
        for text in ("id: a", "platform: null", "platform:"):
            file.write_text(text)
            with pytest.raises(MissingPlatformError, match="platform: rh8-x86_64"):
                repository.upload_app(file)
        assert platform.list_apps() == []


class TestBundles:
    def test_a_bundle(self, v1, tmp_path, downloads):
        file = write_bundle(tmp_path, note="ünïcode")
        document = json.loads(file.read_text(encoding="utf-8"))
        local = v1.upload_bundle(file)
        assert local.bundle.version == "1.0.0-1" and "tools" in repr(local)
        platform = v1.platform("rh8-x86_64")
        listed = {"python_tag": "cp38", "name": "tools", "version": "1.0.0-1"}
        assert platform.bundle_list() == platform.bundles.list() == [listed]
        assert platform.bundle_index()["cp38"]["tools"]["1.0.0"]["1"]["name"] == "tools"
        (bundle,) = platform.bundles
        assert bundle == platform.bundles.get("cp38", "tools", "1.0.0-1")
        assert platform.bundle_metadata("cp38", "tools", "1.0.0-1")["data"] == document

        path = platform.bundle_save("cp38", "tools", "1.0.0-1", str(downloads))
        assert path == f"{downloads}/tools-1.0.0-1.bundle"
        text = Path(path).read_text(encoding="ascii")
        assert text == json.dumps(document, indent=2, sort_keys=True)
        with pytest.raises(TargetFileExists, match="overwrite=True"):
            bundle.save(downloads)
        bundle.save(downloads, overwrite=True)
        bundle.download(downloads)
        assert [entry.name for entry in downloads.iterdir()] == ["tools-1.0.0-1.bundle"]

        platform.bundle_delete("cp38", "tools", "1.0.0-1")
        assert not bundle.exists() and list(platform.bundles) == []

    def test_a_file_is_what_it_becomes_on_the_server(self, v1, v0, tmp_path, downloads):
        file = write_bundle(tmp_path)
        platform = v1.platform("rh8-x86_64")
        local = platform.bundles.from_file(file)
        local.upload()
        said = (local.python_tag, local.name, local.version, local.canonical_filename)
        assert said == ("cp38", "tools", "1.0.0-1", "tools-1.0.0-1.bundle")
        assert local.metadata() == local.bundle.metadata()
        path = local.save(downloads)
        with pytest.raises(TargetFileExists):
            local.save(str(downloads))
        assert local.save(directory=downloads, overwrite=True) == path
        # By where it goes and by what is in it, not by its path.
        read = platform.bundles.from_file
        assert read(path) == local and hash(read(path)) == hash(local)
        assert read(write_bundle(downloads, note="other")) != local
        assert read(write_bundle(downloads, version="1.0.1")) != local
        assert v1.platform("win-x86_64").bundles.from_file(file) != local
        assert local not in (local.bundle, str(file), None, v0)
        local.delete()
        assert file.exists() and not local.bundle.exists()
        with pytest.raises(NotFoundError):
            local.delete(force=True)

    def test_a_bundle_as_edm_writes_it(self, v1, tmp_path):
        """Its name ends in `.json`, here alone; format 1.0 has neither sha256 nor repositories."""
        required = [{"name": "spam", "version": "1.0.0-1"}]
        made = write_bundle(tmp_path, metadata_version="1.0", requirements=required)
        document = json.loads(made.read_text("utf-8"))
        del document["repositories"], document["modifiers"]
        file = tmp_path / "tools-1.0.0-1.json"
        file.write_text(json.dumps(document), "utf-8")
        local = v1.upload_bundle(file)
        assert local.filepath == file and local.canonical_filename == "tools-1.0.0-1.bundle"
        said = local.metadata()
        assert (said["data"], said["filename"]) == (document, "tools-1.0.0-1.bundle")
        platform = v1.platform("rh8-x86_64")
        assert platform.bundles.from_file(str(file)).metadata() == said
        (result,) = v1.upload_bundles([file]).results
        assert result.outcome == "already there"
        platform.upload_egg(write_egg(tmp_path))
        v1.upload_runtime(write_runtime(tmp_path))
        assert check_bundle(file, v1)

    @pytest.mark.parametrize(
        ("name", "content", "reason"),
        [
            ("tools-1.0.0-1.zip", ZIP, "is a zip file, such as EDM's data bundles"),
            ("tools-1.0.0-1.json", ZIP, "unpack the JSON file in it"),
            ("tools-1.0.0-1.bundle", ZIP, "takes? a bundle's document alone"),
            ("tools-1.0.0-1.zip", b"{}", "does not end in '.bundle' or '.json'"),
            ("tools-1.0.0-1.JSON", b"{}", "does not end in '.bundle' or '.json'"),
            ("tools.json", b"{}", "name-version-build.json, for example tools-1.0.0-1.json"),
            ("tools-py36-rh6-x86_64.json", b"{}", "name-version-build.json"),
            ("tools-1.0.0-1.json", b"", "is no JSON"),
            ("tools-1.0.0-1.json", b" PK\x03\x04", "is no JSON"),
            ("tools-1.0.0-1.json", b"PK\xff", "not UTF-8"),
            ("tools-1.0.0-1.json", b"[]", "names no runtime"),
            ("t\u202eools-1.0.0-1.json", b"{}", "do not show"),
        ],
    )
    def test_what_is_no_bundle(self, v1, tmp_path, name, content, reason):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InvalidBundle, match=reason):
            v1.upload_bundle(tmp_path / name)
        assert v1.platform("rh8-x86_64").bundle_list() == []

    def test_a_failed_save_leaves_what_was_there(self, v1, downloads):
        old = downloads / "tools-1.0.0-1.bundle"
        old.write_text("old")
        bundle = v1.platform("rh8-x86_64").bundle("cp38", "tools", "1.0.0-1")
        with pytest.raises(NotFoundError):
            bundle.save(downloads, overwrite=True)
        assert [entry.read_text() for entry in downloads.iterdir()] == ["old"]
        with pytest.raises(InvalidDestinationError):
            bundle.save(downloads / "nowhere")

    def test_another_one_of_the_same_name(self, v1, tmp_path):
        v1.upload_bundle(write_bundle(tmp_path))
        other = v1.platform("rh8-x86_64").bundles.from_file(write_bundle(tmp_path, note="other"))
        with pytest.raises(ConflictError):
            other.upload()
        other.upload(overwrite=True)
        assert other.bundle.metadata()["data"]["note"] == "other"  # type: ignore[typeddict-item]

    def test_the_runtime_can_be_given(self, v1, tmp_path):
        collection = v1.platform("rh8-x86_64").bundles
        local = collection.from_file(
            write_bundle(tmp_path), runtime={"implementation": "pypy", "version": "3.9.1"}
        )
        assert local.bundle.python_tag == "pp39"
        assert str(collection) == "acme/dev/rh8-x86_64/bundles"

    def test_what_is_no_bundle_is_refused_before_anything_is_sent(self, v1, tmp_path):
        with pytest.raises(InvalidBundle, match="no file"):
            v1.upload_bundle(tmp_path / "missing-1.0-1.bundle")
        for changes in ({"runtime": None}, {"runtime": {"platform": "rh8_x86_64"}}):
            with pytest.raises(InvalidBundle, match="runtime"):
                v1.upload_bundle(write_bundle(tmp_path, **changes))
        julia = {"implementation": "julia", "platform": "rh8_x86_64", "version": "1.9"}
        with pytest.raises(InvalidBundle, match="cpython"):
            v1.upload_bundle(write_bundle(tmp_path, runtime=julia))
        misnamed = write_bundle(tmp_path).rename(tmp_path / "tools.bundle")
        with pytest.raises(InvalidBundle, match="name-version-build"):
            v1.upload_bundle(misnamed)
        misnamed.rename(tmp_path / "tools-1.0-1.bundle").write_text("{")
        with pytest.raises(InvalidBundle, match="no JSON"):
            v1.upload_bundle(tmp_path / "tools-1.0-1.bundle")
        assert v1.platform("rh8-x86_64").bundle_list() == []

    def test_version_0_has_none(self, v0, tmp_path):
        platform = v0.platform("rh8-x86_64")
        bundle = platform.bundle("cp38", "tools", "1.0.0-1")
        for ask in (platform.bundle_list, platform.bundle_index, bundle.metadata, bundle.delete):
            with pytest.raises(UnsupportedAPIVersionError, match="api_version=1"):
                ask()
        with pytest.raises(UnsupportedAPIVersionError):
            v0.upload_bundle(write_bundle(tmp_path))


def test_indices_are_dicts_that_show_as_tables(client, platform, repository, tmp_path):
    repository.upload_app(write_app(tmp_path, description="<b>bold</b>"))
    index = platform.app_index()
    assert json.loads(json.dumps(index)) == index
    table = index._repr_html_()
    assert "<td>cp38 com.example.viewer 1.10 2</td>" in table
    assert "&lt;b&gt;bold" in table and "<b>bold" not in table
    assert "<table>" in platform.egg_index("cp311")._repr_html_()
    shown = platform._repr_html_()
    assert "acme/dev/rh8-x86_64" in shown and client.url in shown
