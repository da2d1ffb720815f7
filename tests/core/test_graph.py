"""The graph against a running Brood: every method, in both API versions."""

import json
import re
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from hatcher.api import BroodClient, SinglePlatformRepository
from hatcher.errors import (
    ChecksumMismatchError,
    ConflictError,
    HatcherException,
    InvalidNameError,
    NotFoundError,
)
from hatcher.testing import Answer, ScriptedServer
from hatcher.testing.eggs import build_egg, write_egg
from hatcher.transfer.hashing import file_sha256 as sha256
from hatcher.transport import http_channel


@pytest.fixture
def egg(tmp_path: Path) -> Path:
    (tmp_path / "eggs").mkdir()
    return build_egg("attrs", tmp_path / "eggs", build=1)


@pytest.fixture
def version(egg: Path) -> str:
    return egg.stem.removeprefix("attrs-")


def test_organizations_and_repositories(client):
    for name in ("zeta", "acme"):
        assert client.create_organization(name, "One of two").name == name
    assert client.list_organizations() == ["acme", "zeta"]
    acme = client.organization("acme")
    repository = acme.create_repository("dev", "Builds of the night")
    assert repository == acme.repository("dev")
    assert acme.list_repositories() == ["dev"]
    assert "acme/dev" in client.list_available_repositories()
    repository.delete()
    assert acme.list_repositories() == []


def test_what_is_there_is_not_created_again(client):
    acme = client.create_organization("acme", "Makers of everything")
    with pytest.raises(ConflictError, match="acme"):
        client.create_organization("acme", "Others")
    acme.create_repository("dev", "Builds of the night")
    with pytest.raises(ConflictError, match="dev"):
        acme.create_repository("dev", "Others")


def test_what_is_not_there_is_not_found(client):
    with pytest.raises(NotFoundError, match="acme"):
        client.organization("acme").list_repositories()
    with pytest.raises(NotFoundError):
        client.organization("acme").repository("dev").delete()
    with pytest.raises(NotFoundError, match="nightly"):
        client.delete_api_token("nightly")


def test_a_full_repository_is_deleted_by_force_alone(client, platform, egg):
    platform.upload_egg(egg)
    repository = client.organization("acme").repository("dev")
    with pytest.raises(ConflictError, match="force"):
        repository.delete()
    repository.delete(force=True)
    assert client.organization("acme").list_repositories() == []


def test_platforms_and_python_tags(client):
    assert {"rh8-x86_64", "win-x86_64", "osx-arm64"} <= set(client.list_platforms())
    plain, everything = client.list_python_tags(), client.list_python_tags(list_all=True)
    assert {"cp27", "cp38", "cp311"} <= set(plain) < set(everything)
    assert "py3" in everything and "py3" not in plain


def test_api_tokens(client):
    assert client.list_api_tokens() == []
    created = client.create_api_token("nightly build")
    assert created["name"] == "nightly build" and len(created["token"]) >= 32
    (listed,) = client.list_api_tokens()
    assert listed["name"] == "nightly build" and listed["last_used"] is None
    assert created["token"] not in str(listed)
    with pytest.raises(ConflictError):
        client.create_api_token("nightly build")
    client.delete_api_token("nightly build")
    assert client.list_api_tokens() == []


def test_an_egg_goes_up_and_comes_back(platform, egg, version, downloads):
    platform.upload_egg(egg)
    index = platform.egg_index("cp311")
    assert list(index) == [egg.name]
    entry = index[egg.name]
    assert entry["sha256"] == sha256(egg) and entry["size"] == egg.stat().st_size
    assert platform.list_eggs("cp311") == [{"name": egg.name, "python_tag": None}]
    metadata = platform.egg_metadata(None, "attrs", version)
    assert metadata["filename"] == egg.name and metadata["enabled"] is True

    platform.download_egg(None, "attrs", version, downloads)
    assert [path.name for path in downloads.iterdir()] == [egg.name]
    assert (downloads / egg.name).read_bytes() == egg.read_bytes()

    platform.delete_egg(None, "attrs", version)
    assert platform.egg_index("cp311") == {}
    with pytest.raises(NotFoundError):
        platform.egg_metadata(None, "attrs", version)


def test_a_download_is_named_and_verified_as_asked(platform, egg, version, downloads):
    platform.upload_egg(egg)
    platform.download_egg(
        "cp311", "attrs", version, downloads, expected_sha256=sha256(egg).upper(), filename="a.egg"
    )
    assert sha256(downloads / "a.egg") == sha256(egg)
    with pytest.raises(ChecksumMismatchError) as caught:
        platform.download_egg(None, "attrs", version, downloads, expected_sha256="0" * 64)
    assert (caught.value.expected, caught.value.actual) == ("0" * 64, sha256(egg))
    assert [path.name for path in downloads.iterdir()] == ["a.egg"]


def test_a_file_that_is_there_is_kept_and_another_one_replaced(platform, egg, version, downloads):
    platform.upload_egg(egg)
    target = downloads / egg.name
    target.write_bytes(b"something else")
    platform.download_egg(None, "attrs", version, downloads)
    before = target.stat()
    platform.download_egg(None, "attrs", version, downloads)
    assert target.stat().st_mtime_ns == before.st_mtime_ns
    assert target.stat().st_ino == before.st_ino
    total, chunks = platform.iter_download_egg(None, "attrs", version, downloads)
    assert list(chunks) == [total] == [egg.stat().st_size]


def test_verify_and_overwrite(platform, egg, version, tmp_path):
    (tmp_path / "other").mkdir()
    name, number = "attrs", version.removesuffix("-1")
    other = write_egg(tmp_path / "other", name, number, 1, payload_bytes=1000)
    platform.upload_egg(egg, verify=True)
    platform.upload_egg(egg, verify=True)
    platform.upload_egg(egg)  # the very same is no conflict
    with pytest.raises(ChecksumMismatchError, match="overwrite=True"):
        platform.upload_egg(other, verify=True)
    with pytest.raises(ConflictError):
        platform.upload_egg(other)
    assert platform.egg_metadata(None, "attrs", version)["sha256"] == sha256(egg)
    platform.upload_egg(other, overwrite=True, verify=True)
    assert platform.egg_metadata(None, "attrs", version)["sha256"] == sha256(other)


def test_disabled_eggs_appear_when_they_are_reindexed(platform, egg, version, downloads):
    platform.upload_egg(egg, enabled=False)
    assert platform.list_eggs("cp311") == []
    assert platform.egg_metadata(None, "attrs", version)["enabled"] is False
    platform.reindex([egg, str(egg)])
    assert [entry["name"] for entry in platform.list_eggs("cp311")] == [egg.name]


def test_eggs_show_under_the_tags_that_they_suit(platform, tmp_path):
    platform.upload_egg(write_egg(tmp_path, "any", "1.0", 1))
    platform.upload_egg(write_egg(tmp_path, "new", "1.0", 1, python_tag="cp311"))
    platform.upload_egg(write_egg(tmp_path, "old", "1.0", 1, python_tag="cp38"))
    assert sorted(platform.egg_index("cp311")) == ["any-1.0-1.egg", "new-1.0-1.egg"]
    assert sorted(platform.egg_index("cp38")) == ["any-1.0-1.egg", "old-1.0-1.egg"]
    # As where one egg is asked for, None is no tag.
    assert [*platform.egg_index(None)] == [*platform.egg_index("none")] == ["any-1.0-1.egg"]
    assert platform.list_eggs(None) == [{"name": "any-1.0-1.egg", "python_tag": None}]
    report = platform.download_eggs(None, tmp_path, dry_run=True)
    assert [result.path.name for result in report.results] == ["any-1.0-1.egg"]
    for tag in ("", " ", "..", "a\nb", "\udc80", 311):
        with pytest.raises(InvalidNameError, match="python tag"):
            platform.list_eggs(tag)


@pytest.mark.parametrize("said", [{}, {"sha256": None}, {"sha256": "zz"}, {"sha256": "ab" * 32}])
def test_what_an_upload_advises_is_an_argument_of_it(egg, said):
    answer = Answer(200, {}, json.dumps(said).encode())
    with ScriptedServer(lambda _: answer) as server:
        place = BroodClient.from_url(server.url).at("acme/dev/rh8-x86_64")
        assert isinstance(place, SinglePlatformRepository)
        with pytest.raises(HatcherException) as caught:
            place.upload_egg(egg, verify=True)
    advised = set(re.findall(r"(\w+)=|`(\w+)`", str(caught.value).partition("> ")[2]))
    assert {"".join(names) for names in advised} <= {"overwrite"}


@pytest.mark.parametrize("name", ["with space", "plus+sign", "a@b", "Ünï", "UPPER", "q?x#y%2Fz"])
def test_odd_names_reach_the_server_as_they_are(client, name):
    client.create_organization(name, "Odd")
    assert client.list_organizations() == [name]
    assert client.organization(name).list_repositories() == []
    token = client.create_api_token(name)
    assert token["name"] == name
    client.delete_api_token(name)
    assert client.list_api_tokens() == []


def test_few_layers_lie_between_the_graph_and_the_network(platform, egg, monkeypatch):
    send = http_channel.Connection.send
    depths: list[int] = []

    def count(*args: Any) -> bool:
        names = [frame.f_code.co_name for frame, _ in traceback.walk_stack(sys._getframe(1))]
        depths.append(names.index("upload_egg") + 2)  # with the sending itself
        return send(*args)

    monkeypatch.setattr(http_channel.Connection, "send", count)
    platform.upload_egg(egg)
    assert depths and max(depths) <= 10
