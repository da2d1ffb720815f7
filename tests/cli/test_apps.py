"""`hatcher apps`, which the existing command line lacks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatcher.testing import write_app

from .conftest import Cli

PLACE = ("acme", "dev", "rh8_x86_64")
VIEWER = (*PLACE, "cp38", "com.example.viewer", "1.10-2")


@pytest.mark.usefixtures("dev")
@pytest.mark.parametrize("api_version", [0, 1])
def test_an_app(cli: Cli, tmp_path: Path, api_version: int) -> None:
    cli.setenv("HATCHER_API_VERSION", api_version)
    platform = cli.client(api_version).organization("acme").repository("dev").platform(PLACE[-1])
    path = write_app(tmp_path)
    dry = cli("apps", "upload", "acme", "dev", path, "--dry-run")
    assert dry == (0, "", "Would upload viewer.yaml to acme/dev.\n")
    assert platform.list_apps() == []
    assert cli("apps", "upload", "acme", "dev", path) == (
        0,
        "",
        "Uploaded viewer.yaml to acme/dev.\n",
    )
    assert cli("apps", "list", *PLACE, "-o", "json").data == [
        {"app_id": "com.example.viewer", "version": "1.10-2", "python_tag": "cp38"}
    ]
    index = cli("apps", "index", *PLACE)
    assert index.data == platform.app_index()
    metadata = cli("apps", "metadata", *VIEWER)
    assert metadata.data == platform.app_metadata(*VIEWER[3:])
    assert metadata.out == json.dumps(metadata.data, indent=2, sort_keys=True) + "\n"
    assert cli("apps", "metadata", *VIEWER[:-1], "9-9").code == 4

    same = cli("apps", "upload", "acme", "dev", path, "-n", "-o", "json")
    assert [record["outcome"] for record in same.data] == ["already there"]
    write_app(tmp_path, description="Another one")
    for options in ([], ["-n"]):
        refused = cli("apps", "upload", "acme", "dev", path, *options)
        assert (refused.code, refused.out) == (5, "")
    assert cli("apps", "upload", "acme", "dev", path, "--force").code == 0


@pytest.mark.usefixtures("dev")
def test_many_apps(cli: Cli, tmp_path: Path) -> None:
    for build in (2, 10):
        write_app(tmp_path, f"viewer-{build}.yaml", build=build)
    write_app(tmp_path, "editor.yml", id="com.example.editor", version="0.9")
    many = ("apps", "batch-upload", "acme", "dev", tmp_path)
    assert cli(*many, "-n").err == "3 files: 3 would upload\n"
    assert cli("apps", "list", *PLACE, "-o", "json").data == []
    assert cli(*many).err == "3 files: 3 uploaded\n"
    assert cli(*many).err == "3 files: 3 already there\n"
    assert [
        (app["app_id"], app["version"]) for app in cli("apps", "list", *PLACE, "-o", "json").data
    ] == [
        ("com.example.editor", "0.9-2"),
        ("com.example.viewer", "1.10-2"),
        ("com.example.viewer", "1.10-10"),
    ]


@pytest.mark.usefixtures("dev")
def test_an_app_without_a_platform_does_not_stop_the_others(cli: Cli, tmp_path: Path) -> None:
    write_app(tmp_path)
    wrong = tmp_path / "nowhere.yaml"
    wrong.write_text("id: com.example.nowhere\nversion: '1.0'\n")
    refused = cli("apps", "upload", "acme", "dev", wrong)
    assert refused.code not in {0, 7}
    assert "platform" in refused.err
    done = cli("apps", "batch-upload", "acme", "dev", tmp_path, "-o", "json")
    assert done.code == 7
    assert {record["file"]: record["outcome"] for record in json.loads(done.out)} == {
        "nowhere.yaml": "failed",
        "viewer.yaml": "uploaded",
    }
