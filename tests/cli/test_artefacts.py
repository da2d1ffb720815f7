"""What eggs, runtimes, bundles and apps have in common, from their upload to their deletion."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hatcher.testing import write_app, write_bundle, write_egg, write_legacy_runtime, write_runtime

from .conftest import Cli

pytestmark = pytest.mark.usefixtures("dev")


class Kind(NamedTuple):
    """A kind of artefact, in a version of the API.

    Attributes
    ----------
    name : str
    api_version : int
    platform : str
        The one that it is for.
    address : tuple of str
        Of the one that `write` makes, below its platform.
    write : callable
    other : dict
        What makes another file of the same name of it.
    called : str
        What a deletion calls it; empty where there is none.
    many : tuple of dict
        What makes several, in the order in which they are listed.
    versions : list of str
        Theirs.
    """

    name: str
    api_version: int
    platform: str
    address: tuple[str, ...]
    write: Callable[..., Path]
    other: dict[str, Any]
    called: str
    many: tuple[dict[str, Any], ...]
    versions: list[str]

    @property
    def place(self) -> tuple[str, ...]:
        """Where it is."""
        return "acme", "dev", self.platform

    @property
    def target(self) -> tuple[str, ...]:
        """Where it is sent to."""
        return self.place if self.name == "eggs" else self.place[:2]

    @property
    def tag(self) -> list[str]:
        """What lists of it need besides."""
        return ["cp311"] if self.name == "eggs" else []

    def listed(self, cli: Cli) -> list[dict[str, str]]:
        found: list[dict[str, str]] = cli(
            self.name, "list", *self.place, *self.tag, "-o", "json"
        ).data
        return found


def egg(folder: Path, **options: Any) -> Path:
    options = {"version": "1.3.0", "payload_bytes": 1000, **options}
    return write_egg(folder, "nose", platform="rh8-x86_64", **options)


def runtime_of_version_0(folder: Path, **options: Any) -> Path:
    return write_legacy_runtime(folder, platform="rh8-64", **options)


_EGG = ("rh8-x86_64", ("none", "nose", "1.3.0-1"), egg, {"seed": 1}, "egg nose-1.3.0-1 (none)")
_EGGS = (({"version": "1.9"}, {"version": "1.10"}), ["nose-1.9-1.egg", "nose-1.10-1.egg"])
_APP = ("rh8_x86_64", ("cp38", "com.example.viewer", "1.10-2"), write_app)
_APPS = (
    {"filename": "viewer-2.yaml", "build": 2},
    {"filename": "viewer-10.yml", "build": 10},
)
_BUNDLES = ({"build": 1}, {"build": 2}, {"build": 3})

KINDS = [
    Kind("eggs", 0, *_EGG, *_EGGS),
    Kind("eggs", 1, *_EGG, *_EGGS),
    Kind(
        "runtimes", 0, "rh8-64", ("cp27", "2.7.10-1"), runtime_of_version_0, {"content": "another"},
        "", ({"version": "2.7.9"}, {"version": "2.7.10"}), ["2.7.9-1", "2.7.10-1"],
    ),
    Kind(
        "runtimes", 1, "rh8_x86_64", ("cpython", "3.8.17+1"), write_runtime, {"payload_bytes": 9},
        "runtime cpython 3.8.17+1", ({"version": "3.8.9+1"}, {"version": "3.8.10+1"}),
        ["3.8.9+1", "3.8.10+1"],
    ),
    Kind(
        "bundles", 1, "rh8_x86_64", ("cp38", "tools", "1.0.0-1"), write_bundle,
        {"modifiers": {"pinned": True}}, "bundle tools-1.0.0-1 (cp38)", _BUNDLES,
        ["1.0.0-1", "1.0.0-2", "1.0.0-3"],
    ),
    Kind("apps", 0, *_APP, {"description": "Another"}, "", _APPS, ["1.10-2", "1.10-10"]),
    Kind("apps", 1, *_APP, {"description": "Another"}, "", _APPS, ["1.10-2", "1.10-10"]),
]  # fmt: skip


TOOLS = ("acme", "dev", "rh8_x86_64", "cp38", "tools", "1.0.0-1")


@pytest.fixture(params=KINDS, ids=lambda kind: f"{kind.name}-{kind.api_version}")
def kind(request: pytest.FixtureRequest, cli: Cli) -> Kind:
    """Each kind of artefact."""
    chosen: Kind = request.param
    cli.setenv("HATCHER_API_VERSION", chosen.api_version)
    return chosen


def outcomes(text: str) -> list[str]:
    return [record["outcome"] for record in json.loads(text)]


def test_from_its_upload_to_its_deletion(cli, kind, tmp_path):
    path = kind.write(tmp_path)
    to = f"{path.name} to {'/'.join(kind.target)}.\n"
    upload = (kind.name, "upload", *kind.target, path)
    assert cli(*upload, "--dry-run") == (0, "", f"Would upload {to}")
    assert kind.listed(cli) == []
    assert cli(*upload) == (0, "", f"Uploaded {to}")
    assert len(kind.listed(cli)) == 1
    again = cli(*upload, "-n", "-o", "json")
    assert outcomes(again.out) == ["already there"]

    platform = cli.client(kind.api_version).at("/".join(kind.place))
    one = kind.name.removesuffix("s")
    metadata = cli(kind.name, "metadata", *kind.place, *kind.address)
    assert metadata.data == getattr(platform, f"{one}_metadata")(*kind.address)
    assert metadata.out == json.dumps(metadata.data, indent=2, sort_keys=True) + "\n"
    assert cli(kind.name, "metadata", *kind.place, *kind.address[:-1], "9.9-9").code == 4
    index = cli(kind.name, "index", *kind.place, *kind.tag)
    assert index.data == getattr(platform, f"{one}_index")(*kind.tag)
    _rows(cli, kind, getattr(platform, f"{one}_index")(*kind.tag).rows())

    assert kind.write(tmp_path, **kind.other) == path
    for options in ([], ["--dry-run"]):
        refused = cli(*upload, *options)
        assert (refused.code, refused.out) == (5, "")
    assert outcomes(cli(*upload, "--force", "-n", "-o", "json").out) == ["would upload"]
    assert outcomes(cli(*upload, "--force", "-o", "json").out) == ["uploaded"]
    _delete(cli, kind)


def _rows(cli: Cli, kind: Kind, rows: list[dict[str, Any]]) -> None:
    """Indices have one row for each artefact where there are rows, and none else."""

    def written(chosen: str) -> str:
        return cli(kind.name, "index", *kind.place, *kind.tag, "-o", chosen).out

    assert [json.loads(line) for line in written("jsonl").splitlines()] == rows
    (row,) = csv.DictReader(io.StringIO(written("csv")))
    assert row.keys() == rows[0].keys()
    assert {name for name, value in row.items() if value} == {
        name for name, value in rows[0].items() if value is not None
    }
    heading, _, line = written("table").splitlines()
    assert "Version" in heading and rows[0]["version"] in line


def _delete(cli: Cli, kind: Kind) -> None:
    delete = (kind.name, "delete", *kind.place, *kind.address)
    if not kind.called:
        assert cli(*delete).code == 2
        return
    what = f"{kind.called} of {'/'.join(kind.place)}"
    assert cli(*delete, "--dry-run") == (0, "", f"Would delete the {what}.\n")
    if kind.name != "bundles":  # scripts for the existing command line give no --yes
        no = cli(*delete, input="n\n")
        assert (no.code, no.out) == (0, "")
        assert f"The {what} will be deleted. Go on?" in no.err
        delete = (*delete, "-y")
    assert len(kind.listed(cli)) == 1
    assert cli(*delete) == (0, "", f"Deleted the {what}.\n")
    assert kind.listed(cli) == []
    assert cli(*delete).code == 4
    assert cli(*delete, "--dry-run").code == 4


def test_many(cli, kind, tmp_path):
    files = {kind.write(tmp_path, **options).name for options in kind.many}
    many = (kind.name, "batch-upload", *kind.target, tmp_path)
    number = f"{len(files)} files: {len(files)}"
    assert cli(*many, "-n").err == f"{number} would upload\n"
    assert kind.listed(cli) == []
    done = cli(*many, "-o", "json")
    assert (done.code, done.err) == (0, f"{number} uploaded\n")
    assert {record["file"] for record in done.data} == files
    assert [
        listed.get("version", listed.get("name")) for listed in kind.listed(cli)
    ] == kind.versions
    assert cli(*many).err == f"{number} already there\n"

    if kind.name == "apps":
        return
    name = sorted(files)[-1]
    back = (kind.name, "batch-download", *kind.place, *kind.tag)
    assert cli(*back, "--name", f"*{name[4:]}", "-n").err == "1 file: 1 would download\n"
    assert list(Path().iterdir()) == []
    assert cli(*back, "--name", f"*{name[4:]}").err == "1 file: 1 downloaded\n"
    assert sorted(outcomes(cli(*back, "-o", "json").out)) == [
        "already there",
        *["downloaded"] * (len(files) - 1),
    ]
    assert {path.name for path in Path().iterdir()} == files
    if kind.name != "bundles":  # whose documents are written anew
        assert all(Path(name).read_bytes() == (tmp_path / name).read_bytes() for name in files)


def test_one_comes_back(cli, kind, tmp_path):
    if kind.name in {"apps", "bundles"}:
        pytest.skip("which come back otherwise")
    path = kind.write(tmp_path)
    assert cli(kind.name, "upload", *kind.target, path).code == 0
    download = (kind.name, "download", *kind.place, *kind.address)
    assert cli(*download, "-n") == (0, "", f"Would save {path.name}.\n")
    assert not Path(path.name).exists()
    assert cli(*download) == (0, "", f"Saved {path.name}.\n")
    assert Path(path.name).read_bytes() == path.read_bytes()
    record = {
        "file": path.name,
        "outcome": "already there",
        "size": path.stat().st_size,
        "path": path.name,
        "error": None,
    }
    assert cli(*download, ".", "-o", "json").data == [record]
    assert outcomes(cli(*download, "-n", "-o", "json").out) == ["already there"]
    cli.fails(2, "17", *download, "--connections", "17")
    cli.fails(2, "0", *download[:1], "batch-download", *kind.place, *kind.tag, "--connections", "0")
    assert outcomes(cli(*download, "--connections", "4", "-o", "json").out) == ["already there"]


def test_an_app_without_a_platform_does_not_stop_the_others(cli, tmp_path):
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


def test_a_file_is_replaced_only_when_it_is_forced(cli, tmp_path):
    assert cli("bundles", "upload", "acme", "dev", write_bundle(tmp_path)).code == 0
    dry = cli("bundles", "download", *TOOLS, ".", "-n")
    assert dry == (0, "", "Would save tools-1.0.0-1.bundle.\n")
    assert list(Path().iterdir()) == []
    done = cli("bundles", "download", *TOOLS, ".")
    assert done == (0, "", "Saved tools-1.0.0-1.bundle.\n")
    saved = Path("tools-1.0.0-1.bundle")
    saved.write_text("mine")
    for options in ([], ["--dry-run"]):
        refused = cli.fails(5, "already", "bundles", "download", *TOOLS, ".", *options)
        assert "--force" in refused.err
    assert cli("bundles", "download", *TOOLS, ".", "--force", "--dry-run").code == 0
    assert saved.read_text() == "mine"
    forced = cli("bundles", "download", *TOOLS, ".", "--force", "-o", "json")
    assert [record["outcome"] for record in forced.data] == ["downloaded"]
    assert json.loads(saved.read_text())["metadata_version"] == "2.0"
    missing = cli("bundles", "download", *TOOLS[:3], "cp38", "tools", "9.0-1", ".", "-n")
    assert missing.code == 4


def test_version_0_of_the_api_has_none(cli):
    cli.fails(2, "--api-version 1", "--api-version", "0", "bundles", "list", *TOOLS[:3])


def test_a_folder_of_bundles_has_other_json_too(cli, dev, tmp_path):
    tools = write_bundle(tmp_path)
    write_bundle(tmp_path, "more").rename(tmp_path / "more-1.0.0-1.json")
    for name in ("package.json", "tools-py36-rh6-x86_64.json", "manifest.json"):
        (tmp_path / name).write_text("{}")
    done = cli("bundles", "batch-upload", "acme", "dev", tmp_path, "-o", "json")
    assert [Path(told["file"]).name for told in done.data] == ["more-1.0.0-1.json", tools.name]
    listed = cli("bundles", "list", "acme", "dev", "rh8-x86_64", "-o", "csv").out.splitlines()
    assert listed[1:] == ["more,1.0.0-1,cp38", "tools,1.0.0-1,cp38"]
    for path in (tools, tmp_path / "more-1.0.0-1.json"):
        path.unlink()
    said = "There is no *.bundle or *-*-[0-9]*.json in the folder"
    cli.fails(2, said, "bundles", "batch-upload", "acme", "dev", tmp_path)


def test_what_is_no_runtime_is_refused(cli, tmp_path):
    cli.setenv("HATCHER_URL", "http://127.0.0.1:9")  # where nobody listens
    wrong = tmp_path / "python.runtime"
    wrong.write_text("no archive")
    for options in ([], ["--dry-run"]):
        refused = cli("runtimes", "upload", "acme", "dev", wrong, *options)
        assert refused.code != 0
        assert refused.out == ""
        assert str(wrong) in refused.err
