"""The existing client's Python API works against our server."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from hatcher.testing import (
    build_egg,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

from .conftest import Peer, PeerError

PLATFORM = "rh8-x86_64"
NODE = f"acme/dev/{PLATFORM}"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def eggs(tmp_path: Path) -> Path:
    return made(tmp_path / "eggs")


@pytest.fixture
def destination(tmp_path: Path) -> Path:
    return made(tmp_path / "downloads")


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def write_tagged(folder: Path, name: str = "Spam", **options: Any) -> Path:
    return write_egg(folder, name, "1.0", platform=PLATFORM, python_tag="cp311", **options)


@pytest.fixture
def repository(peer: Peer) -> Peer:
    """The client of a Brood that has the repository acme/dev."""
    peer("", "create_organization", "acme", "Road runner traps")
    peer("acme", "create_repository", "dev", "Not yet exploded")
    return peer


def test_every_method_is_called_here(peer):
    nodes = ["", "acme", "acme/dev", NODE, "acme user:coyote@example.com"]
    if peer.api_version == 1:
        nodes += [f"{NODE} bundles", f"{NODE} bundles get:cp38:tools:1.0.0-1"]
    methods = set().union(*map(peer.methods, nodes))
    methods -= {"from_url", "from_session"}  # by which the others are
    methods -= {"organization", "repository", "platform", "user"}  # the way to the nodes
    methods -= {"get", "from_file", "path"}  # likewise; and a path, which asks for nothing
    text = Path(__file__).read_text(encoding="utf-8")
    assert {method for method in methods if f'"{method}"' not in text} == set()


def test_organizations_and_repositories(peer):
    assert peer("", "list_organizations") == []

    created = peer("", "create_organization", "acme", "Road runner traps")
    assert created == "<Organization organization_name='acme'>"
    created = peer("acme", "create_repository", "dev", "Not yet exploded")
    assert created == "acme/dev"
    peer("acme", "create_repository", "prod", "Exploded")

    assert peer("", "list_organizations") == ["acme"]
    assert sorted(peer("acme", "list_repositories")) == ["dev", "prod"]
    available = peer("", "list_available_repositories")
    assert sorted(available) == ["acme/dev", "acme/prod"]

    peer("acme/prod", "delete")
    assert peer("acme", "list_repositories") == ["dev"]


def test_platforms_and_python_tags(peer):
    assert {"rh8-x86_64", "win-x86_64"} <= set(peer("", "list_platforms"))
    tags = peer("", "list_python_tags")
    assert "cp311" in tags
    assert set(tags) < set(peer("", "list_python_tags", list_all=True))


def test_an_egg_from_upload_to_deletion(repository, eggs, destination):
    egg = build_egg("attrs", eggs, platform=PLATFORM, python_tag="cp311")
    name, version = "attrs", egg.name.removeprefix("attrs-").removesuffix(".egg")

    repository(NODE, "upload_egg", egg)

    index = repository(NODE, "egg_index", "cp311")
    assert list(index) == [egg.name]
    assert index[egg.name]["sha256"] == sha256(egg)
    assert index[egg.name]["size"] == egg.stat().st_size
    assert index[egg.name]["full_version"] == version
    assert repository(NODE, "list_eggs", "cp311") == [{"name": egg.name, "python_tag": "cp311"}]
    assert repository(NODE, "list_eggs", "cp38") == []

    metadata = repository(NODE, "egg_metadata", "cp311", name, version)
    assert metadata["sha256"] == sha256(egg)
    assert metadata["filename"] == egg.name

    repository(NODE, "download_egg", "cp311", name, version, destination)
    assert (destination / egg.name).read_bytes() == egg.read_bytes()
    # Once more: what is there already is found to be the same.
    repository(NODE, "download_egg", "cp311", name, version, destination)
    assert [path.name for path in destination.iterdir()] == [egg.name]

    repository(NODE, "delete_egg", "cp311", name, version)
    assert repository(NODE, "egg_index", "cp311") == {}
    repository.refused(404, NODE, "egg_metadata", "cp311", name, version)


def test_a_download_in_steps(repository, eggs, destination):
    egg = write_tagged(eggs, payload_bytes=3_000_000)
    repository(NODE, "upload_egg", egg)
    assert list(repository(NODE, "egg_index", "cp311")) == ["Spam-1.0-1.egg"]

    arguments = ("cp311", "Spam", "1.0-1", destination)
    length, received = repository(NODE, "iter_download_egg", *arguments)

    assert length == received == egg.stat().st_size
    assert (destination / egg.name).read_bytes() == egg.read_bytes()


def test_our_client_sees_what_the_existing_one_sees(repository, brood_server, api_version, eggs):
    egg = build_egg("idna", eggs, platform=PLATFORM, python_tag="cp311")
    repository(NODE, "upload_egg", egg)

    ours = brood_server.client(api_version).organization("acme").repository("dev")
    platform = ours.platform(PLATFORM)

    full_version = egg.name.removeprefix("idna-").removesuffix(".egg")
    for method, *args in (
        ("egg_index", "cp311"),
        ("list_eggs", "cp311"),
        ("egg_metadata", "cp311", "idna", full_version),
    ):
        assert getattr(platform, method)(*args) == repository(NODE, method, *args)


def test_an_egg_without_tag_suits_every_python(repository, eggs, destination):
    egg = build_egg("idna", eggs, platform=PLATFORM)
    version = egg.name.removeprefix("idna-").removesuffix(".egg")

    repository(NODE, "upload_egg", egg, verify=True)  # asks for .../none/eggs/...
    repository(NODE, "upload_egg", egg, verify=True)

    for tag in ("cp38", "cp311"):
        assert repository(NODE, "list_eggs", tag) == [{"name": egg.name, "python_tag": None}]
    repository(NODE, "download_egg", "none", "idna", version, destination)
    assert (destination / egg.name).read_bytes() == egg.read_bytes()


def test_a_disabled_egg_until_it_is_re_indexed(repository, eggs):
    disabled = write_tagged(eggs, "MyEgg")
    untagged = write_egg(eggs, "Other", "1.0", platform=PLATFORM)
    for egg in (disabled, untagged):
        repository(NODE, "upload_egg", egg, enabled=False)

    assert repository(NODE, "egg_index", "cp311") == {}
    assert repository(NODE, "egg_metadata", "cp311", "MyEgg", "1.0-1")["enabled"] is False

    repository(NODE, "reindex", [str(disabled), str(untagged)])

    assert sorted(repository(NODE, "egg_index", "cp311")) == [disabled.name, untagged.name]
    assert repository(NODE, "egg_metadata", "cp311", "MyEgg", "1.0-1")["enabled"] is True


def test_an_upload_of_what_is_there(repository, eggs, tmp_path):
    egg = write_tagged(eggs, payload_bytes=100)
    other = write_tagged(made(tmp_path / "other"), payload_bytes=100, seed=1)
    repository(NODE, "upload_egg", egg)

    repository(NODE, "upload_egg", egg)  # the same bytes: nothing to do
    repository.refused(409, NODE, "upload_egg", other)
    with pytest.raises(PeerError, match="ChecksumMismatchError"):
        repository(NODE, "upload_egg", other, verify=True)
    assert repository(NODE, "egg_metadata", "cp311", "Spam", "1.0-1")["sha256"] == sha256(egg)

    repository(NODE, "upload_egg", other, overwrite=True)
    assert repository(NODE, "egg_metadata", "cp311", "Spam", "1.0-1")["sha256"] == sha256(other)


def test_a_repository_with_eggs_is_deleted_only_by_force(repository, eggs):
    repository(NODE, "upload_egg", write_tagged(eggs))
    repository.refused(409, "acme/dev", "delete")
    repository("acme/dev", "delete", force=True)
    assert repository("acme", "list_repositories") == []


def test_api_tokens_and_session_tokens(repository, brood_server):
    created = repository("", "create_api_token", "laptop")
    assert created["name"] == "laptop"
    tokens = repository("", "list_api_tokens")
    assert [token["name"] for token in tokens] == ["laptop"]
    assert created["token"] not in str(tokens)

    by_token = repository.with_auth(exchange=created["token"])
    assert by_token("", "list_organizations") == ["acme"]
    password = [brood_server.admin_email, brood_server.admin_password]
    by_password = repository.with_auth(exchange=password)
    assert by_password("", "list_organizations") == ["acme"]

    repository("", "delete_api_token", "laptop")
    assert repository("", "list_api_tokens") == []
    by_token.refused(401, "", "list_organizations")


def test_users(repository):
    created = repository("acme", "create_user", "coyote@example.com")
    assert created == "<User organization='acme', email='coyote@example.com'>"
    user = "acme user:coyote@example.com"
    assert repository(user, "metadata")["email"] == "coyote@example.com"
    repository(user, "delete")
    for method in ("metadata", "delete"):
        repository.refused(404, user, method)
    repository.refused(400, "acme", "create_user", "no e-mail address")


def test_what_brood_does_not_implement(repository):
    for node, method in (
        ("acme", "delete"),
        ("acme", "list_users"),
        ("acme", "metadata"),
        ("acme/dev", "list_platforms"),
        ("acme/dev", "metadata"),
    ):
        with pytest.raises(PeerError, match="NotImplementedError"):
            repository(node, method)


def test_runtimes(repository, brood_server, tmp_path, destination):
    changed = made(tmp_path / "changed")
    if repository.api_version == 1:
        runtime, other = write_runtime(tmp_path), write_runtime(changed, build_revision="2.1.1")
        place, listed = ("cpython", "3.8.17+1"), [["cpython", "3.8.17+1"]]
        index = {"cpython": {"3.8.17+1": sha256(runtime)}}
    else:
        runtime = write_legacy_runtime(tmp_path)
        other = write_legacy_runtime(changed, content="changed")
        place, listed = ("cp27", "2.7.10-1"), [runtime.name]
        index = {"python": {"2.7.10": {"1": sha256(runtime)}}}

    repository("acme/dev", "upload_runtime", runtime)
    repository("acme/dev", "upload_runtime", runtime, verify=True)

    assert hashes_of(repository(NODE, "runtime_index")) == index
    assert repository(NODE, "list_runtimes") == listed
    metadata = repository(NODE, "runtime_metadata", *place)
    assert (metadata["sha256"], metadata["filename"]) == (sha256(runtime), runtime.name)
    ours = brood_server.client(repository.api_version).at(NODE)
    assert ours.runtime_metadata(*place) == metadata
    repository(NODE, "download_runtime", *place, destination)
    assert (destination / runtime.name).read_bytes() == runtime.read_bytes()
    (destination / runtime.name).unlink()
    size = runtime.stat().st_size
    assert repository(NODE, "iter_download_runtime", *place, destination) == [size, size]
    assert (destination / runtime.name).read_bytes() == runtime.read_bytes()

    repository.refused(409, "acme/dev", "upload_runtime", other)
    with pytest.raises(PeerError, match="ChecksumMismatchError"):
        repository("acme/dev", "upload_runtime", other, verify=True)
    repository("acme/dev", "upload_runtime", other, overwrite=True)
    assert repository(NODE, "runtime_metadata", *place)["sha256"] == sha256(other)

    if repository.api_version == 1:
        repository(NODE, "runtime_delete", *place)
        assert repository(NODE, "runtime_index") == {}
        repository.refused(404, NODE, "runtime_delete", *place)


def hashes_of(index: dict[str, Any]) -> dict[str, Any]:
    """An index with nothing but the hashes of its entries."""
    return {
        key: value["sha256"] if "sha256" in value else hashes_of(value)
        for key, value in index.items()
    }


def test_apps(repository, tmp_path):
    app = write_app(tmp_path, version="1.9.1", build=2, platform=PLATFORM)
    repository("acme/dev", "upload_app", app)
    repository("acme/dev", "upload_app", app)

    app_id = "com.example.viewer"
    assert repository(NODE, "list_apps") == [[app_id, "1.9.1-2", "cp38"]]
    assert hashes_of(repository(NODE, "app_index")) == {
        "cp38": {app_id: {"1.9.1": {"2": sha256(app)}}}
    }
    assert repository(NODE, "app_metadata", "cp38", app_id, "1.9.1-2")["sha256"] == sha256(app)

    changed = write_app(tmp_path, version="1.9.1", build=2, platform=PLATFORM, name="Changed")
    repository.refused(409, "acme/dev", "upload_app", changed)
    repository("acme/dev", "upload_app", changed, overwrite=True)
    metadata = repository(NODE, "app_metadata", "cp38", app_id, "1.9.1-2")
    assert metadata["name"] == "Changed"


@pytest.mark.parametrize("api_version", [1], ids=["v1"])
def test_bundles(repository, tmp_path, destination):
    first, second = write_bundle(tmp_path), write_bundle(tmp_path, "a_b", "2.0", 3)
    place = ("cp38", "tools", "1.0.0-1")
    repository("acme/dev", "upload_bundle", first)
    repository(f"{NODE} bundles from_file:{second}", "upload")

    listed = [
        {"python_tag": "cp38", "name": "a_b", "version": "2.0-3"},
        {"python_tag": "cp38", "name": "tools", "version": "1.0.0-1"},
    ]
    for node, method in ((NODE, "bundle_list"), (f"{NODE} bundles", "list")):
        assert sorted(repository(node, method), key=lambda item: item["name"]) == listed
    index = repository(NODE, "bundle_index")
    assert index == repository(f"{NODE} bundles", "index")
    assert set(index["cp38"]) == {"a_b", "tools"}
    names = sorted(repository(f"{NODE} bundles", "__iter__"))
    assert names == [f"{NODE}/bundles/cp38/a_b/2.0-3", f"{NODE}/bundles/cp38/tools/1.0.0-1"]

    one = f"{NODE} bundles get:cp38:tools:1.0.0-1"
    metadata = repository(one, "metadata")
    assert metadata == repository(NODE, "bundle_metadata", *place)
    assert metadata["data"] == json.loads(first.read_text())
    saved = repository(one, "save", destination)
    assert saved == str(destination / first.name)
    assert json.loads(Path(saved).read_text()) == metadata["data"]
    with pytest.raises(PeerError, match="TargetFileExists"):
        repository(NODE, "bundle_save", *place, destination)
    repository(NODE, "bundle_save", *place, destination, overwrite=True)

    changed = write_bundle(tmp_path, mark="changed")
    repository.refused(409, "acme/dev", "upload_bundle", changed)
    repository("acme/dev", "upload_bundle", changed, overwrite=True)
    assert repository(one, "metadata")["data"]["mark"] == "changed"

    repository(one, "delete")
    repository(f"{NODE} bundles", "delete", "cp38", "a_b", "2.0-3")
    assert repository(NODE, "bundle_list") == []
    repository.refused(404, NODE, "bundle_delete", *place)


class TestErrors:
    def test_wrong_credentials(self, repository, brood_server):
        wrong = [brood_server.admin_email, "wrong"]
        for auth in ({"basic": wrong}, {"exchange": wrong}, {"exchange": "no-such-token"}, {}):
            repository.with_auth(**auth).refused(401, "", "list_organizations")

    def test_what_is_not_there(self, repository, eggs, destination):
        egg = write_tagged(eggs)
        for node, method, *args in (
            ("nobody", "list_repositories"),
            (f"acme/nothing/{PLATFORM}", "egg_index", "cp311"),
            (f"acme/nothing/{PLATFORM}", "upload_egg", egg),
            (NODE, "egg_metadata", "cp311", "nothing", "1.0-1"),
            (NODE, "download_egg", "cp311", "nothing", "1.0-1", destination),
            (NODE, "delete_egg", "cp311", "nothing", "1.0-1"),
            ("", "delete_api_token", "nothing"),
        ):
            repository.refused(404, node, method, *args)
        assert not list(destination.iterdir())

    def test_what_is_there_already(self, repository):
        repository.refused(409, "", "create_organization", "acme", "again")
        repository.refused(409, "acme", "create_repository", "dev", "again")

    def test_what_is_not_valid(self, repository):
        for node, method, *args in (
            ("", "create_organization", "", "no name"),
            ("", "create_organization", "a/b", "two names"),
            ("acme", "create_repository", "..", "no name"),
            ("", "create_api_token", ""),
        ):
            repository.refused(400, node, method, *args)

    def test_a_wrong_hash(self, repository, eggs, destination):
        repository(NODE, "upload_egg", write_tagged(eggs))
        with pytest.raises(PeerError, match="ChecksumMismatchError"):
            repository(NODE, "download_egg", "cp311", "Spam", "1.0-1", destination, "0" * 64)
