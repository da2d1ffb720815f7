"""From a folder, into a server."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from hatcher import errors, mirror
from hatcher.api import BroodClient
from hatcher.testing import BroodServer, write_app, write_egg

from .conftest import PLATFORM, SOME, Lab, files, interrupt, nowhere, once, places

KINDS: dict[str, Any] = {"kinds": ("eggs", "runtimes", "bundles"), **SOME}


@pytest.fixture
def exported(lab: Lab, tmp_path: Path) -> Path:
    """An export of acme/dev, which is also there as acme/copy."""
    out = tmp_path / "out"
    mirror.export(lab.client, out, repositories=["acme/dev"], **KINDS).raise_for_failures()
    apps = out / "v1" / "acme" / "dev" / PLATFORM / "apps"
    apps.mkdir()
    write_app(apps)
    shutil.copytree(out / "v1" / "acme" / "dev", out / "v1" / "acme" / "copy")
    return out


def test_what_was_exported_is_the_same_elsewhere(lab, exported, tmp_path):
    report = mirror.import_(lab.client, exported, create_missing=True)
    report.raise_for_failures()
    assert {result.name.split("/")[2]: result.outcome for result in report.results} == {
        "copy": "uploaded",
        "dev": "already there",
    }
    assert str(report) == "16 files: 8 uploaded, 8 already there"
    mirror.export(lab.client, tmp_path / "again", repositories=["acme/copy"], **KINDS)
    moved = files(exported / "v1/acme/copy")
    assert files(tmp_path / "again/v1/acme/copy") == {
        path: content for path, content in moved.items() if "/apps/" not in path
    }
    dev, copy = (lab.client.at(f"acme/{name}/{PLATFORM}") for name in ("dev", "copy"))
    assert copy.list_eggs("cp311") == dev.list_eggs("cp311")
    assert copy.list_runtimes() == dev.list_runtimes()
    assert copy.list_apps() == dev.list_apps()
    assert copy.bundle_index() == dev.bundle_index()
    assert str(mirror.import_(lab.client, exported)) == "16 files: 16 already there"


def test_another_server(exported):
    with BroodServer() as other:
        client = other.client()
        report = mirror.import_(client, exported)
        assert not report
        assert places(report) == ["acme"]
        assert "There is no organization 'acme'" in str(report.problems[0])
        assert len(report.not_tried) == 16
        client.create_organization("acme", "")
        mirror.import_(client, exported, create_missing=True).raise_for_failures()
        assert len(client.at(f"acme/dev/{PLATFORM}").list_eggs("cp311")) == 2


def test_a_repository_that_is_missing_does_not_stop_the_others(lab, exported):
    report = mirror.import_(lab.client, exported)
    (problem,) = report.problems
    assert problem.place == "acme/copy"
    assert "There is no repository 'acme/copy'" in str(problem)
    assert len(report.not_tried) == len(report.already_there) == 8
    with pytest.raises(errors.BatchError):
        report.raise_for_failures()
    assert str(report).count("There is no repository") == 1
    assert lab.acme.list_repositories() == ["dev"]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        ({"kinds": ["runtimes"]}, 2),
        ({"kinds": ["apps", "bundles"]}, 2),
        ({"platforms": ["win-x86_64"]}, 1),
        ({"platforms": [PLATFORM], "kinds": ["eggs"]}, 3),
    ],
)
def test_some_of_it(lab, exported, options, count):
    lab.new()
    report = mirror.import_(lab.client, exported, repositories=["acme/copy"], **options)
    report.raise_for_failures()
    assert len(report.uploaded) == len(report.results) == count


def test_what_is_not_in_the_folder(lab, exported):
    some = {"repositories": ["acme/dev", "acme/dve"], "platforms": [PLATFORM, "rh9-x86_64"]}
    report = mirror.import_(lab.client, exported, **some)
    assert places(report) == ["acme/dve", "rh9-x86_64"]
    assert len(report.already_there) == 7


def test_dry_run_changes_nothing(lab, exported):
    for create_missing in (True, False):
        report = mirror.import_(lab.client, exported, create_missing=create_missing, dry_run=True)
        assert str(report) == "16 files: 8 would upload, 8 already there"
        if create_missing:
            assert lab.acme.list_repositories() == ["dev"]
            copy = lab.new()
    assert copy.platform(PLATFORM).list_runtimes() == []


def test_other_content_is_replaced_only_when_asked(lab, exported):
    lab.new()
    some = {"repositories": ["acme/copy"]}
    mirror.import_(lab.client, exported, **some).raise_for_failures()
    folder = exported / "v1" / "acme" / "copy" / PLATFORM / "eggs" / "cp311"
    other = write_egg(
        folder, "MyEgg", "1.0", platform=PLATFORM, python_tag="cp311", seed=1, payload_bytes=9
    )
    (failed,) = mirror.import_(lab.client, exported, **some).failed
    assert failed.path == other
    assert isinstance(failed.error, errors.ChecksumMismatchError)
    report = mirror.import_(lab.client, exported, overwrite=True, **some)
    assert [result.path for result in report.uploaded] == [other]
    report.raise_for_failures()


def test_a_file_that_is_no_egg(lab, exported):
    lab.new()
    bad = exported / "v1" / "acme" / "copy" / PLATFORM / "eggs" / "None" / "bad-1.0-1.egg"
    bad.write_text("bad")
    report = mirror.import_(lab.client, exported)
    assert [result.path for result in report.failed] == [bad]
    assert len(report.uploaded) == 8


def test_the_eggs_of_a_platform_appear_by_one_request(lab, exported):
    lab.new()
    client = BroodClient(lab.behind()._session)
    mirror.import_(client, exported, kinds=["eggs"]).raise_for_failures()
    assert lab.gateway.sent("POST", "*/eggs/re-index") == 2  # one for each platform
    assert lab.gateway.sent("POST", "*/eggs/upload") == 4


def test_a_user_who_may_not_list_repositories(lab, exported):
    lab.new()
    lab.acme.create_team("uploaders", "upload_repository").add_repository("copy")
    created = lab.acme.create_user("eve@example.com", ["uploaders"])
    user = lab.server.client(auth=("eve@example.com", created.one_time_password))
    report = mirror.import_(user, exported)
    assert places(report) == ["acme/dev"]
    assert len(report.uploaded) == 8


def test_arguments_that_cannot_be(lab, tmp_path):
    with pytest.raises(errors.InvalidArgumentError, match="no folder 'v1'"):
        mirror.import_(lab.client, tmp_path)
    (tmp_path / "v1").mkdir()
    for options in ({"kinds": ["wheels"]}, {"repositories": ["acme"]}, {"concurrency": 0}):
        with pytest.raises(errors.InvalidArgumentError):
            mirror.import_(lab.client, tmp_path, **options)
    with pytest.raises(errors.UnsupportedAPIVersionError, match="api_version=1"):
        mirror.import_(lab.server.client(api_version=0), tmp_path)
    assert str(mirror.import_(lab.client, tmp_path)) == "0 files"


def test_nothing_could_be_sent(lab, exported):
    nobody = lab.server.client(auth=("nobody@example.com", "x"))
    for client, error in (
        (nowhere(), errors.NotConnectedError),
        (nobody, errors.AuthenticationError),
    ):
        with pytest.raises(error):
            mirror.import_(client, exported)


def test_ctrl_c_tells_of_all_that_was_done(lab, exported):
    copy, some = lab.new(), {"repositories": ["acme/copy"]}
    with pytest.raises(errors.BatchInterrupted) as stop:
        mirror.import_(lab.client, exported, progress=once("indexing", interrupt), **some)
    assert stop.value.report.results
    mirror.import_(lab.client, exported, **some).raise_for_failures()
    assert len(copy.platform(PLATFORM).list_eggs("cp311")) == 2


def test_a_folder_that_cannot_be_read(lab, exported, monkeypatch):
    """It is named, and what is in others is imported."""
    lab.new()
    closed = exported / "v1" / "acme" / "copy" / PLATFORM / "runtimes"
    scandir = os.scandir

    def refuse(path: Any) -> Any:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = mirror.import_(lab.client, exported)
    (problem,) = report.problems
    assert f"The folder '{closed}' cannot be read: Permission denied" in str(problem)
    assert len(report.already_there) == 8


def test_a_folder_whose_name_no_repository_can_have(lab, exported):
    (exported / "v1" / "acme" / "copy").rename(exported / "v1" / "acme" / "new\nline")
    report = mirror.import_(lab.client, exported, create_missing=True)
    assert places(report) == ["acme/new\nline"]
    assert len(report.already_there) == 8
