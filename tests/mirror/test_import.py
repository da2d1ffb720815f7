"""From a folder, into a server."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hatcher import mirror
from hatcher.api import BroodClient, Repository, RetryPolicy
from hatcher.errors import (
    AuthenticationError,
    BatchError,
    BatchInterrupted,
    ChecksumMismatchError,
    InvalidArgumentError,
    NotConnectedError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import BroodServer, FaultyGateway, write_app, write_egg

from .conftest import PLATFORM, files, fill, make_repository

SOME: dict[str, Any] = {
    "kinds": ("eggs", "runtimes", "bundles"),
    "platforms": (PLATFORM, "win-x86_64"),
    "python_tags": ("cp311", "cp38"),
}


@pytest.fixture
def exported(client: BroodClient, repository: Repository, tmp_path: Path) -> Path:
    """An export of acme/dev, which is also there as acme/copy."""
    fill(repository, tmp_path / "artefacts")
    out = tmp_path / "out"
    mirror.export(client, out, repositories=["acme/dev"], **SOME).raise_for_failures()
    apps = out / "v1" / "acme" / "dev" / PLATFORM / "apps"
    apps.mkdir()
    write_app(apps)
    shutil.copytree(out / "v1" / "acme" / "dev", out / "v1" / "acme" / "copy")
    return out


def test_what_was_exported_is_the_same_elsewhere(
    client: BroodClient, exported: Path, tmp_path: Path
) -> None:
    report = mirror.import_(client, exported, create_missing=True)
    report.raise_for_failures()
    assert {result.name.split("/")[2]: result.outcome for result in report.results} == {
        "copy": "uploaded",
        "dev": "already there",
    }
    assert str(report) == "16 files: 8 uploaded, 8 already there"
    mirror.export(client, tmp_path / "again", repositories=["acme/copy"], **SOME)
    assert files(tmp_path / "again/v1/acme/copy") == {
        path: content
        for path, content in files(exported / "v1/acme/copy").items()
        if "/apps/" not in path
    }
    dev, copy = (
        client.organization("acme").repository(name).platform(PLATFORM) for name in ("dev", "copy")
    )
    assert copy.list_eggs("cp311") == dev.list_eggs("cp311")
    assert copy.list_runtimes() == dev.list_runtimes()
    assert copy.list_apps() == dev.list_apps()
    assert copy.bundle_index() == dev.bundle_index()

    again = mirror.import_(client, exported)
    assert str(again) == "16 files: 16 already there"


def test_another_server(exported: Path) -> None:
    with BroodServer() as other:
        client = other.client(api_version=1)
        report = mirror.import_(client, exported)
        assert not report
        assert [problem.place for problem in report.problems] == ["acme"]
        assert "There is no organization 'acme'" in str(report.problems[0])
        assert len(report.not_tried) == 16
        client.create_organization("acme", "")
        mirror.import_(client, exported, create_missing=True).raise_for_failures()
        platform = client.organization("acme").repository("dev").platform(PLATFORM)
        assert len(platform.list_eggs("cp311")) == 2


def test_a_repository_that_is_missing_does_not_stop_the_others(
    client: BroodClient, exported: Path
) -> None:
    report = mirror.import_(client, exported)
    (problem,) = report.problems
    assert problem.place == "acme/copy"
    assert "There is no repository 'acme/copy'" in str(problem)
    assert len(report.not_tried) == len(report.already_there) == 8
    with pytest.raises(BatchError):
        report.raise_for_failures()
    assert str(report).count("There is no repository") == 1
    assert client.organization("acme").list_repositories() == ["dev"]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"kinds": ["runtimes"]}, 2),
        ({"kinds": ["apps", "bundles"]}, 2),
        ({"platforms": ["win-x86_64"]}, 1),
        ({"platforms": [PLATFORM], "kinds": ["eggs"]}, 3),
    ],
)
def test_some_of_it(
    client: BroodClient, exported: Path, options: dict[str, Any], count: int
) -> None:
    make_repository(client, "copy")
    report = mirror.import_(client, exported, repositories=["acme/copy"], **options)
    report.raise_for_failures()
    assert len(report.uploaded) == len(report.results) == count


def test_what_is_not_in_the_folder(client: BroodClient, exported: Path) -> None:
    report = mirror.import_(
        client, exported, repositories=["acme/dev", "acme/dve"], platforms=[PLATFORM, "rh9-x86_64"]
    )
    assert [problem.place for problem in report.problems] == ["acme/dve", "rh9-x86_64"]
    assert len(report.already_there) == 7


def test_dry_run_changes_nothing(client: BroodClient, exported: Path) -> None:
    report = mirror.import_(client, exported, create_missing=True, dry_run=True)
    assert str(report) == "16 files: 8 would upload, 8 already there"
    assert client.organization("acme").list_repositories() == ["dev"]
    make_repository(client, "copy")
    report = mirror.import_(client, exported, dry_run=True)
    assert str(report) == "16 files: 8 would upload, 8 already there"
    assert client.organization("acme").repository("copy").platform(PLATFORM).list_runtimes() == []


def test_other_content_is_replaced_only_when_asked(
    client: BroodClient, exported: Path, tmp_path: Path
) -> None:
    folder = exported / "v1" / "acme" / "dev" / PLATFORM / "eggs" / "cp311"
    egg = write_egg(
        folder, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311", seed=1, payload_bytes=9
    )
    report = mirror.import_(client, exported, repositories=["acme/dev"])
    (failed,) = report.failed
    assert failed.path == egg
    assert isinstance(failed.error, ChecksumMismatchError)
    report = mirror.import_(client, exported, repositories=["acme/dev"], overwrite=True)
    assert [result.path for result in report.uploaded] == [egg]
    report.raise_for_failures()


def test_a_file_that_is_no_egg(client: BroodClient, exported: Path) -> None:
    make_repository(client, "copy")
    bad = exported / "v1" / "acme" / "copy" / PLATFORM / "eggs" / "None" / "bad-1.0-1.egg"
    bad.write_text("bad")
    report = mirror.import_(client, exported)
    assert [result.path for result in report.failed] == [bad]
    assert len(report.uploaded) == 8


def test_the_eggs_of_a_platform_appear_by_one_request(
    brood_server: BroodServer,
    client: BroodClient,
    exported: Path,
    faulty_gateway: Callable[..., FaultyGateway],
) -> None:
    make_repository(client, "copy")
    gateway = faulty_gateway()
    auth = (brood_server.admin_email, brood_server.admin_password)
    through = BroodClient.from_url(gateway.url, auth=auth, api_version=1)
    mirror.import_(through, exported, kinds=["eggs"]).raise_for_failures()
    assert gateway.sent("POST", "*/eggs/re-index") == 2  # one for each platform
    assert gateway.sent("POST", "*/eggs/upload") == 4


def test_a_user_who_may_not_list_repositories(
    brood_server: BroodServer, client: BroodClient, exported: Path
) -> None:
    organization = client.organization("acme")
    make_repository(client, "copy")
    organization.create_team("uploaders", "upload_repository").add_repository("copy")
    created = organization.create_user("ada@example.com", ["uploaders"])
    user = BroodClient.from_url(
        brood_server.url, auth=("ada@example.com", created.one_time_password), api_version=1
    )
    report = mirror.import_(user, exported)
    assert [problem.place for problem in report.problems] == ["acme/dev"]
    assert len(report.uploaded) == 8


def test_arguments_that_cannot_be(
    brood_server: BroodServer, client: BroodClient, tmp_path: Path
) -> None:
    with pytest.raises(InvalidArgumentError, match="no folder 'v1'"):
        mirror.import_(client, tmp_path)
    (tmp_path / "v1").mkdir()
    for options in ({"kinds": ["wheels"]}, {"repositories": ["acme"]}, {"concurrency": 0}):
        with pytest.raises(InvalidArgumentError):
            mirror.import_(client, tmp_path, **options)
    with pytest.raises(UnsupportedAPIVersionError, match="api_version=1"):
        mirror.import_(brood_server.client(api_version=0), tmp_path)
    assert str(mirror.import_(client, tmp_path)) == "0 files"


def test_nothing_could_be_sent(brood_server: BroodServer, exported: Path) -> None:
    nowhere = BroodClient.from_url(
        "http://127.0.0.1:9", auth=("a", "b"), api_version=1, retries=RetryPolicy(backoff=0)
    )
    with pytest.raises(NotConnectedError):
        mirror.import_(nowhere, exported)
    nobody = BroodClient.from_url(brood_server.url, auth=("nobody@example.com", "x"), api_version=1)
    with pytest.raises(AuthenticationError):
        mirror.import_(nobody, exported)


def test_ctrl_c_tells_of_all_that_was_done(client: BroodClient, exported: Path) -> None:
    make_repository(client, "copy")

    def interrupt(done: int, total: int | None, phase: str) -> None:
        if phase == "indexing":
            raise KeyboardInterrupt

    with pytest.raises(BatchInterrupted) as stop:
        mirror.import_(client, exported, repositories=["acme/copy"], progress=interrupt)
    assert stop.value.report.results
    mirror.import_(client, exported, repositories=["acme/copy"]).raise_for_failures()
    copy = client.organization("acme").repository("copy").platform(PLATFORM)
    assert len(copy.list_eggs("cp311")) == 2


def test_a_folder_that_cannot_be_read(
    client: BroodClient, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and what is in others is imported."""
    make_repository(client, "copy")
    closed = exported / "v1" / "acme" / "copy" / PLATFORM / "runtimes"
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = mirror.import_(client, exported)
    (problem,) = report.problems
    assert f"The folder '{closed}' cannot be read: Permission denied" in str(problem)
    assert len(report.already_there) == 8


def test_a_folder_whose_name_no_repository_can_have(client: BroodClient, exported: Path) -> None:
    (exported / "v1" / "acme" / "copy").rename(exported / "v1" / "acme" / "new\nline")
    report = mirror.import_(client, exported, create_missing=True)
    (problem,) = report.problems
    assert problem.place == "acme/new\nline"
    assert len(report.already_there) == 8
