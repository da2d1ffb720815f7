"""`hatcher bundles`: version 1 of the API only."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatcher.testing import write_bundle

from .conftest import Cli

PLACE = ("acme", "dev", "rh8_x86_64")
TOOLS = (*PLACE, "cp38", "tools", "1.0.0-1")


@pytest.mark.usefixtures("dev")
def test_a_bundle_from_its_upload_to_its_deletion(cli: Cli, tmp_path: Path) -> None:
    path = write_bundle(tmp_path)
    platform = cli.client().organization("acme").repository("dev").platform("rh8_x86_64")

    dry = cli("bundles", "upload", "acme", "dev", path, "-n")
    assert dry == (0, "", "Would upload tools-1.0.0-1.bundle to acme/dev.\n")
    assert platform.bundle_list() == []
    done = cli("bundles", "upload", "acme", "dev", path)
    assert done == (0, "", "Uploaded tools-1.0.0-1.bundle to acme/dev.\n")
    assert cli("bundles", "list", *PLACE, "-o", "json").data == platform.bundle_list()
    assert len(platform.bundle_list()) == 1

    index = cli("bundles", "index", *PLACE)
    assert index.data == platform.bundle_index()
    assert index.out == json.dumps(index.data, indent=2, sort_keys=True) + "\n"
    metadata = cli("bundles", "metadata", *TOOLS)
    assert metadata.data == platform.bundle_metadata("cp38", "tools", "1.0.0-1")
    assert metadata.data["data"] == json.loads(path.read_text())

    dry = cli("bundles", "delete", *TOOLS, "--dry-run")
    what = "bundle tools-1.0.0-1 (cp38) of acme/dev/rh8_x86_64"
    assert dry == (0, "", f"Would delete the {what}.\n")
    assert len(platform.bundle_list()) == 1
    # Scripts for the existing command line give no --yes.
    assert cli("bundles", "delete", *TOOLS) == (0, "", f"Deleted the {what}.\n")
    assert platform.bundle_list() == []
    assert cli("bundles", "delete", *TOOLS).code == 4


@pytest.mark.usefixtures("dev")
def test_a_file_is_replaced_only_when_it_is_forced(cli: Cli, tmp_path: Path) -> None:
    assert cli("bundles", "upload", "acme", "dev", write_bundle(tmp_path)).code == 0
    dry = cli("bundles", "download", *TOOLS, ".", "-n")
    assert dry == (0, "", "Would save tools-1.0.0-1.bundle.\n")
    assert list(Path().iterdir()) == []
    done = cli("bundles", "download", *TOOLS, ".")
    assert done == (0, "", "Saved tools-1.0.0-1.bundle.\n")
    saved = Path("tools-1.0.0-1.bundle")
    saved.write_text("mine")
    for options in ([], ["--dry-run"]):
        refused = cli("bundles", "download", *TOOLS, ".", *options)
        assert (refused.code, refused.out) == (5, "")
        assert "already" in refused.err
        assert "--force" in refused.err
    assert cli("bundles", "download", *TOOLS, ".", "--force", "--dry-run").code == 0
    assert saved.read_text() == "mine"
    forced = cli("bundles", "download", *TOOLS, ".", "--force", "-o", "json")
    assert [record["outcome"] for record in forced.data] == ["downloaded"]
    assert json.loads(saved.read_text())["metadata_version"] == "2.0"
    missing = cli("bundles", "download", *PLACE, "cp38", "tools", "9.0-1", ".", "-n")
    assert missing.code == 4


@pytest.mark.usefixtures("dev")
def test_other_content_is_a_conflict(cli: Cli, tmp_path: Path) -> None:
    path = write_bundle(tmp_path)
    assert cli("bundles", "upload", "acme", "dev", path).code == 0
    write_bundle(tmp_path, modifiers={"pinned": True})
    for options in ([], ["-n"]):
        refused = cli("bundles", "upload", "acme", "dev", path, *options)
        assert (refused.code, refused.out) == (5, "")
    assert cli("bundles", "upload", "acme", "dev", path, "--force").code == 0
    assert cli("bundles", "metadata", *TOOLS).data["data"]["modifiers"] == {"pinned": True}


@pytest.mark.usefixtures("dev")
def test_many_bundles(cli: Cli, tmp_path: Path) -> None:
    for build in (1, 2, 3):
        write_bundle(tmp_path, build=build)
    many = ("bundles", "batch-upload", "acme", "dev", tmp_path)
    assert cli(*many, "--dry-run").err == "3 files: 3 would upload\n"
    assert cli("bundles", "list", *PLACE, "-o", "json").data == []
    assert cli(*many).err == "3 files: 3 uploaded\n"
    assert cli(*many, "--dry-run").err == "3 files: 3 already there\n"
    assert len(cli("bundles", "list", *PLACE, "-o", "json").data) == 3

    back = ("bundles", "batch-download", *PLACE)
    assert cli(*back, "-n").err == "3 files: 3 would download\n"
    assert list(Path().iterdir()) == []
    assert cli(*back, "--name", "tools-1.0.0-2.*").err == "1 file: 1 downloaded\n"
    done = cli(*back, "-o", "jsonl")
    outcomes = [json.loads(line)["outcome"] for line in done.out.splitlines()]
    assert sorted(outcomes) == ["already there", "downloaded", "downloaded"]


def test_version_0_of_the_api_has_none(cli: Cli) -> None:
    refused = cli("--api-version", "0", "bundles", "list", *PLACE)
    assert (refused.code, refused.out) == (2, "")
    assert "--api-version 1" in refused.err
