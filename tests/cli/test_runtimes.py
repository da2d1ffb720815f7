"""`hatcher runtimes`: by implementation, and in version 0 of the API by python tag."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hatcher.testing import write_legacy_runtime, write_runtime

from .conftest import Cli


def place(api_version: int) -> tuple[str, str, str]:
    return ("acme", "dev", "rh8_x86_64" if api_version else "rh8-64")


def write(folder: Path, api_version: int) -> Path:
    if api_version:
        return write_runtime(folder)
    return write_legacy_runtime(folder, platform="rh8-64")


@pytest.mark.usefixtures("dev")
@pytest.mark.parametrize(
    ("api_version", "address"), [(0, ("cp27", "2.7.10-1")), (1, ("cpython", "3.8.17+1"))]
)
def test_a_runtime_from_its_upload_to_its_deletion(
    cli: Cli, tmp_path: Path, api_version: int, address: tuple[str, str]
) -> None:
    cli.setenv("HATCHER_API_VERSION", api_version)
    on = place(api_version)
    path = write(tmp_path, api_version)
    platform = cli.client(api_version).organization("acme").repository("dev").platform(on[-1])

    dry = cli("runtimes", "upload", "acme", "dev", path, "--dry-run")
    assert dry == (0, "", f"Would upload {path.name} to acme/dev.\n")
    assert platform.list_runtimes() == []
    assert cli("runtimes", "upload", "acme", "dev", path) == (
        0,
        "",
        f"Uploaded {path.name} to acme/dev.\n",
    )
    assert len(platform.list_runtimes()) == 1
    same = cli("runtimes", "upload", "acme", "dev", path, "--verify")
    assert same == (0, "", f"{path.name} is in acme/dev already, with the same content.\n")

    metadata = cli("runtimes", "metadata", *on, *address)
    assert metadata.data == platform.runtime_metadata(*address)
    assert metadata.out == json.dumps(metadata.data, indent=2, sort_keys=True) + "\n"
    assert cli("runtimes", "index", *on).data == platform.runtime_index()

    folder = tmp_path / "downloads"
    folder.mkdir()
    dry = cli("runtimes", "download", *on, *address, folder, "-n", "-o", "json")
    assert [record["outcome"] for record in dry.data] == ["would download"]
    assert list(folder.iterdir()) == []
    assert cli("runtimes", "download", *on, *address, folder) == (
        0,
        "",
        f"Saved {folder / path.name}.\n",
    )
    assert (folder / path.name).read_bytes() == path.read_bytes()
    if not api_version:
        refused = cli("runtimes", "delete", *on, *address)
        assert (refused.code, refused.out) == (2, "")
        assert "version 1 of the API" in refused.err
        return

    dry = cli("runtimes", "delete", *on, *address, "--dry-run")
    assert dry == (0, "", "Would delete the runtime cpython 3.8.17+1 of acme/dev/rh8_x86_64.\n")
    assert cli("runtimes", "delete", *on, *address, input="n\n").code == 0
    assert len(platform.list_runtimes()) == 1
    assert cli("runtimes", "delete", *on, *address, "--yes").code == 0
    assert platform.list_runtimes() == []
    assert cli("runtimes", "delete", *on, *address, "-y").code == 4


@pytest.mark.usefixtures("dev")
@pytest.mark.parametrize("api_version", [0, 1])
def test_many_runtimes(cli: Cli, tmp_path: Path, api_version: int) -> None:
    cli.setenv("HATCHER_API_VERSION", api_version)
    on = place(api_version)
    if api_version:
        paths = [write_runtime(tmp_path, version=f"3.8.{micro}+1") for micro in (9, 10)]
    else:
        paths = [
            write_legacy_runtime(tmp_path, version=f"2.7.{micro}", platform="rh8-64")
            for micro in (9, 10)
        ]
    many = ("runtimes", "batch-upload", "acme", "dev", tmp_path, "-o", "json")
    dry = cli(*many, "--dry-run")
    assert (dry.code, {record["outcome"] for record in dry.data}) == (0, {"would upload"})
    assert cli("runtimes", "list", *on, "-o", "json").data == []
    done = cli(*many)
    assert (done.code, done.err) == (0, "2 files: 2 uploaded\n")
    assert {record["file"] for record in done.data} == {path.name for path in paths}
    listed = cli("runtimes", "list", *on, "-o", "json").data
    assert [record["version"] for record in listed] == (
        ["3.8.9+1", "3.8.10+1"] if api_version else ["2.7.9-1", "2.7.10-1"]
    )
    again = cli(*many, "-n")
    assert {record["outcome"] for record in again.data} == {"already there"}

    back = ("runtimes", "batch-download", *on, "--name", "*10*")
    dry = cli(*back, "-n")
    assert dry.err == "1 file: 1 would download\n"
    assert list(Path().iterdir()) == []
    assert cli(*back).code == 0
    assert [path.name for path in Path().iterdir()] == [paths[1].name]
    assert Path(paths[1].name).read_bytes() == paths[1].read_bytes()


@pytest.mark.usefixtures("dev")
def test_what_is_no_runtime_is_refused(cli: Cli, tmp_path: Path) -> None:
    cli.setenv("HATCHER_URL", "http://127.0.0.1:9")  # where nobody listens
    wrong = tmp_path / "python.runtime"
    wrong.write_text("no archive")
    for options in ([], ["--dry-run"]):
        refused = cli("runtimes", "upload", "acme", "dev", wrong, *options)
        assert refused.code != 0
        assert refused.out == ""
        assert str(wrong) in refused.err
