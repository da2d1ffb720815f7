"""`hatcher eggs`: each command with real eggs, for both versions of the API."""

from __future__ import annotations

import json
import re
import sys
from importlib import metadata
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from okonomiyaki.file_formats import EggMetadata

from hatcher.testing import Answer, ScriptedServer, write_egg

PLACE = ("acme", "dev", "rh8-x86_64")


def egg(
    folder: Path, name: str = "nose", version: str = "1.3.0", build: int = 1, *, seed: int = 0
) -> Path:
    return write_egg(
        folder, name, version, build, platform="rh8-x86_64", payload_bytes=1000, seed=seed
    )


def record(path: Path, outcome: str, where: object) -> dict[str, object]:
    return {
        "file": path.name,
        "outcome": outcome,
        "size": path.stat().st_size,
        "path": str(where),
        "error": None,
    }


@pytest.mark.usefixtures("dev")
def test_what_is_there_stays_unless_it_is_forced(cli, tmp_path):
    path = egg(tmp_path)
    assert cli("eggs", "upload", *PLACE, path).code == 0
    same = cli("eggs", "upload", *PLACE, path, "--verify", "-o", "json")
    assert same.data == [record(path, "already there", path)]
    assert same.err == (
        "nose-1.3.0-1.egg is in acme/dev/rh8-x86_64 already, with the same content.\n"
    )

    unasked = cli("eggs", "upload", *PLACE, path, "--no-verify", "-o", "json")
    assert unasked.data == [record(path, "already there", path)]

    egg(tmp_path, seed=1)
    for options in (["--verify"], ["--no-verify"], ["--dry-run"]):
        refused = cli("eggs", "upload", *PLACE, path, *options)
        assert (refused.code, refused.out) == (5, "")
        assert "--force" in refused.err.splitlines()[-1]
    forced = cli("eggs", "upload", *PLACE, path, "--force", "-n", "-o", "json")
    assert forced.data == [record(path, "would upload", path)]
    assert cli("eggs", "upload", *PLACE, path, "--force", "-o", "json").data == [
        record(path, "uploaded", path)
    ]
    platform = cli.client().organization("acme").repository("dev").platform("rh8-x86_64")
    platform.download_egg(None, "nose", "1.3.0-1", ".")
    assert Path(path.name).read_bytes() == path.read_bytes()


@pytest.mark.usefixtures("api_version", "dev")
def test_eggs_out_of_sight_appear_when_the_index_is_told(cli, tmp_path):
    one, two = egg(tmp_path), egg(tmp_path, build=2)
    platform = cli.client().organization("acme").repository("dev").platform("rh8-x86_64")
    assert cli("eggs", "upload", *PLACE, one, "--disabled").code == 0
    told = ("eggs", "update-index", *PLACE, one, two)
    cli.fails(4, f"does not have {two.name}.", *told, "--dry-run")
    assert cli("eggs", "batch-upload", *PLACE, two, "--no-index").code == 0
    dry = cli("eggs", "update-index", *PLACE, tmp_path, "--dry-run")
    assert dry == (0, "", "Would show 2 eggs in the index of acme/dev/rh8-x86_64.\n")
    assert platform.list_eggs("cp311") == []
    assert cli(*told) == (0, "", "2 eggs shown in the index of acme/dev/rh8-x86_64.\n")
    assert len(platform.list_eggs("cp311")) == 2


@pytest.mark.usefixtures("dev")
def test_bad_arguments_are_told_before_anything_is_sent(cli, tmp_path):
    cli.setenv("HATCHER_URL", "http://127.0.0.1:9")  # where nobody listens
    no_egg = tmp_path / "notes.txt"
    no_egg.write_text("nothing")
    empty = tmp_path / "empty"
    empty.mkdir()
    for arguments in (
        ["upload", *PLACE, tmp_path / "missing-1.0-1.egg"],
        ["upload", *PLACE, no_egg],
        ["batch-upload", *PLACE, tmp_path / "missing-1.0-1.egg"],
        ["batch-upload", *PLACE, empty],
        ["batch-upload", *PLACE, "--concurrency", "0"],
        ["update-index", *PLACE, tmp_path / "missing-1.0-1.egg"],
        ["download", *PLACE, "none", "nose", "1.3.0-1", tmp_path / "nowhere"],
        ["batch-download", *PLACE, "cp311", no_egg],
    ):
        refused = cli("eggs", *arguments)
        assert refused.code in {1, 2}, refused
        assert refused.out == ""
        assert refused.err.startswith("Error: ")


@pytest.mark.usefixtures("dev")
def test_options_come_from_the_environment_too(cli, tmp_path):
    path = egg(tmp_path)
    platform = cli.client().organization("acme").repository("dev").platform("rh8-x86_64")
    cli.setenv("HATCHER_EGGS_BATCH_UPLOAD_INDEX", "0")
    cli.setenv("HATCHER_EGGS_BATCH_UPLOAD_INDEX_TIMEOUT", "3")
    assert cli("eggs", "batch-upload", *PLACE, path).code == 0
    assert platform.list_eggs("cp311") == []
    cli.setenv("HATCHER_EGGS_BATCH_UPLOAD_INDEX", "1")
    assert cli("eggs", "batch-upload", *PLACE, path, "--index_timeout", "1").code == 0
    assert len(platform.list_eggs("cp311")) == 1

    egg(tmp_path, seed=1)
    cli.setenv("HATCHER_EGGS_UPLOAD_FORCE", "1")
    assert cli("eggs", "upload", *PLACE, path).code == 0
    cli.delenv("HATCHER_EGGS_UPLOAD_FORCE")
    cli.setenv("HATCHER_EGGS_UPLOAD_VERIFY", "true")
    same = cli("--output", "json", "eggs", "upload", *PLACE, path)
    assert same.data == [record(path, "already there", path)]
    cli.setenv("HATCHER_EGGS_DELETE_ASSUME_YES", "1")
    assert cli("eggs", "delete", *PLACE, "none", "nose", "1.3.0-1").code == 0
    assert platform.list_eggs("cp311") == []


@pytest.mark.parametrize("name", [".bashrc", "Makefile", "setup.py", "../x", "nose-1.3.0-2.egg"])
@pytest.mark.parametrize("kind", ["eggs", "runtimes"])
def test_no_server_says_what_a_download_replaces(cli, kind, name):
    Path(name).write_text("precious")
    said = {"sha256": "ab" * 32, "filename": name, "token": "one"}
    answer = Answer(200, {"Content-Type": "application/json"}, json.dumps(said).encode())
    address = ("none", "nose", "1.3.0-1") if kind == "eggs" else ("cpython", "3.8.17+1")
    with ScriptedServer(lambda _: answer) as server:
        cli.setenv("HATCHER_URL", server.url)
        for options in ([], ["-n"]):
            refused = cli(kind, "download", *PLACE, *address, *options)
            assert refused.code not in (0, 1) and refused.out == ""
            assert "fault of its own" not in refused.err
        assert not any("/data/" in request.target for request in server.requests)
    assert Path(name).read_text() == "precious"


# -- building -------------------------------------------------------------------------------


@pytest.mark.usefixtures("dev")
def test_an_egg_of_an_installed_distribution(cli):
    version = metadata.version("idna")
    path = Path("made", "here", f"idna-{version}-3.egg")
    command = ("eggs", "build", "idna", "--destination", "made/here", "--build", 3)
    assert cli(*command, "--dry-run") == (0, "", f"Would make {path}.\n")
    assert not Path("made").exists()
    assert cli(*command) == (0, f"{path}\n", "")
    told = EggMetadata.from_egg(str(path))
    assert (told.egg_basename, str(told.version)) == ("idna", f"{version}-3")
    assert cli("eggs", "upload", *PLACE, path).code == 0
    listed = cli("eggs", "list", *PLACE, "cp311", "-o", "json").data
    assert listed == [{"name": path.name, "python_tag": None}]
    # Once more it is the same file, to the byte.
    (made,) = cli(*command, "-o", "json").data
    stored = cli("eggs", "metadata", *PLACE, "none", "idna", f"{version}-3").data
    assert (made["path"], made["sha256"]) == (str(path), stored["sha256"])


def test_one_that_cannot_be_built(cli):
    result = cli("eggs", "build", "no-such-thing")
    assert (result.code, result.out) == (1, "") and len(result.err.splitlines()) == 2
    result = cli("eggs", "build", "no-such-thing", "hatcher", "idna")
    assert result.code == 7 and len(result.out.splitlines()) == 1
    failed = [line for line in result.err.splitlines() if line.startswith("failed: ")]
    assert ["no-such-thing" in failed[0], "editable" in failed[1]] == [True, True]
    assert "2 of 3" in result.err
    assert cli("eggs", "build").code == 2
    assert cli("eggs", "build", "idna", "--build", "-1").code == 2
    assert cli("eggs", "build", "idna", "--destination", result.out.strip()).code == 2


def test_building_without_the_extra(cli, monkeypatch):
    monkeypatch.setitem(sys.modules, "packaging.requirements", None)
    cli.fails(1, "extra 'testing'", "eggs", "build", "idna")


@pytest.mark.usefixtures("dev")
def test_a_long_list_has_more_of_each_egg(cli, tmp_path):
    eggs = [egg(tmp_path, version=version) for version in ("1.10.0", "1.9.0")]
    assert cli("eggs", "batch-upload", *PLACE, *eggs).code == 0
    plain = cli("eggs", "list", *PLACE, "cp311", "-o", "json").data
    long = cli("eggs", "list", *PLACE, "cp311", "--long", "-o", "json")
    Draft202012Validator(cli("schema", "eggs", "list").data).validate(long.data)
    assert [each["version"] for each in long.data] == ["1.9.0", "1.10.0"]
    for record, short in zip(long.data, plain, strict=True):
        assert short.items() <= record.items()
        assert record["size"] == (tmp_path / record["name"]).stat().st_size
    heading, _, line, _ = cli("eggs", "list", *PLACE, "cp311", "-l").out.splitlines()
    assert re.split(" {2,}", heading) == [
        *("Egg Name", "Python Tag", "Version", "Build", "Size", "Date (UTC)")
    ]
    assert re.split(" {2,}", line)[:4] == ["nose-1.9.0-1.egg", "1.9.0", "1", "2.01 kB"]
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d", line[-16:])


def test_many_eggs_are_deleted_at_once(cli, dev, api_version):
    platform = cli.client(api_version=api_version).at("acme/dev/rh8-x86_64")
    for name in ("nose", "nose_more", "six"):
        platform.upload_egg(write_egg(cli.home, name))
    command = ("eggs", "batch-delete", "acme", "dev", "rh8-x86_64", "cp38")
    dry = cli(*command, "nose*", "--dry-run", "-o", "json").data
    assert [(one["file"], one["outcome"]) for one in dry] == [
        ("nose-1.0.0-1.egg", "would delete"),
        ("nose_more-1.0.0-1.egg", "would delete"),
    ]
    no = cli(*command, "nose*", input="n\n")
    assert (no.code, no.out) == (0, "")
    assert no.err.startswith("nose-1.0.0-1.egg\nnose_more-1.0.0-1.egg\n2 eggs of acme/dev")
    missing = cli(*command, "-", "-y", "-o", "json", input="six-1.0.0-1.egg\nnoose-1.0.0-1.egg\n")
    assert missing.code == 7
    assert "Did you mean 'nose-1.0.0-1.egg'" in missing.err
    assert [egg["name"] for egg in platform.list_eggs("cp38")] == [
        "nose-1.0.0-1.egg",
        "nose_more-1.0.0-1.egg",
    ]
    yes = cli(*command, "nose*", "six-1.0.0-1.egg", "--missing-ok", input="y\n")
    assert yes.code == 0
    assert yes.err.endswith("3 files: 2 deleted, 1 already gone\n")
    assert platform.list_eggs("cp38") == []
    assert cli(*command[:-1], "cp 38", "nose*", "-y").code != 0
    assert cli(*command, "nose").code == 2
    none = cli(*command, "nose*", "--missing-ok")
    assert (none.code, none.err) == (0, "1 file: 1 already gone\n")


@pytest.mark.usefixtures("dev")
def test_why_an_egg_is_there(cli, tmp_path):
    for name, packages in (("mkl", []), ("Numpy", ["MKL 1.0.0"]), ("scipy", ["numpy", "six 2"])):
        cli.client().at("acme/dev/rh8-x86_64").upload_egg(
            write_egg(tmp_path, name, packages=packages)
        )
    why = ("eggs", "why", *PLACE, "cp311")
    assert cli(*why, "mkl") == (
        *(0, "mkl 1.0.0-1\n└── Numpy 1.0.0-1 (MKL 1.0.0)\n    └── scipy 1.0.0-1 (numpy)\n", ""),
    )
    required = cli(*why, "SciPy", "1.0.0", "--requirements").out
    assert required == (
        "scipy 1.0.0-1\n├── Numpy 1.0.0-1\n│   └── mkl 1.0.0-1 (MKL 1.0.0)\n"
        "└── six 2: not in this index\n"
    )
    assert cli.process(*why, "six", env={"PYTHONIOENCODING": "latin-1"}).out == (
        "six: not in this index\n`-- scipy 1.0.0-1 (six 2)\n"
    )
    lines = cli(*why, "scipy", "-r", "-o", "json").data
    assert [(line["depth"], line["name"], line["state"]) for line in lines] == [
        (0, "scipy", "found"),
        (1, "Numpy", "found"),
        (2, "mkl", "found"),
        (1, "six", "missing"),
    ]
    cli.fails(4, "Did you mean 'numpy'?", *why, "nunpy")
    assert cli(*why, "Scipy", "latest") == (0, "scipy 1.0.0-1\n", "")
    cli.fails(4, "It has: 1.0.0-1.", *why, "mkl", "2")
    for wrong in ("", " ", "..", "a\nb"):
        cli.fails(2, "name of the egg", *why, wrong)
        cli.fails(2, "version of the egg", *why, "mkl", wrong)


def test_why_where_the_index_does_not_tell_all(cli):
    index = json.dumps({"mkl-1-1.egg": {}, "numpy-1-1.egg": {"packages": ["mkl"]}}).encode()
    json_header = {"Content-Type": "application/json"}
    told = cli.answered(Answer(200, json_header, index), "eggs", "why", *PLACE, "cp311", "mkl")
    assert (told.code, told.out) == (7, "mkl 1-1\n└── numpy 1-1 (mkl)\n")
    assert "does not say what 1 egg requires, such as mkl-1-1.egg" in told.err


def test_old_versions_go(cli, dev, tmp_path):
    platform = cli.client().at("acme/dev/rh8-x86_64")
    for version in ("1.9", "1.10", "1.11"):
        platform.upload_egg(egg(tmp_path, "spam", version))
    command = ("eggs", "prune", "acme/dev/rh8-x86_64")
    some = ("--keep", "2", "-t", "cp311")
    dry = cli(*command, *some, "--dry-run", "-o", "json").data
    assert [(one["file"], one["outcome"]) for one in dry] == [
        ("eggs/None/spam-1.9-1.egg", "would delete")
    ]
    young = cli(*command, *some, "--older-than", "1d")
    assert young == (0, "", "0 of 3 eggs of acme/dev/rh8-x86_64 are to go.\n")
    kept = cli(*command, *some, "--save", "plan.json")
    assert (kept.code, kept.out) == (0, "")
    assert kept.err.startswith("The plan is kept in plan.json.\n1 of 3 eggs")
    no = cli(*command, "--plan", "plan.json", input="n\n")
    assert no.err.startswith(
        "eggs/None/spam-1.9-1.egg\n1 of 3 eggs of acme/dev/rh8-x86_64 are to go"
    )
    assert len(platform.list_eggs("cp311")) == 3
    yes = cli(*command, "--plan", "plan.json", "-y", "-o", "json").data
    assert [(one["file"], one["outcome"]) for one in yes] == [
        ("eggs/None/spam-1.9-1.egg", "deleted")
    ]
    assert len(platform.list_eggs("cp311")) == 2
    limited = cli(*command, "--keep", "1", "-t", "cp311", "--max-deletes", "0", "-y")
    assert limited.code == 7
    assert "--max-deletes 1" in limited.err
    assert len(platform.list_eggs("cp311")) == 2


@pytest.mark.usefixtures("dev")
@pytest.mark.parametrize(
    ("asked", "code", "said"),
    [
        (("acme/dev",), 2, "--keep NUMBER, or --plan FILE"),
        (("acme/dev", "--keep", "0"), 2, "--keep"),
        (("acme/dev", "--keep", "1", "--older-than", "180"), 2, "--older-than"),
        (("acme/dev", "--keep", "1", "--plan", "plan.json"), 2, "give --plan alone"),
        (("acme/dev", "--plan", "plan.json"), 2, "hatcher eggs prune --save FILE"),
        (("acme/dev", "--plan", "none.json"), 2, "none.json"),
        (("acme/deb", "--keep", "1", "-t", "cp311", "-p", "rh8-x86_64"), 4, "'dev'"),
        (("acme/dev/x/y", "--keep", "1"), 2, "acme/dev/x/y"),
        (("", "--keep", "1"), 2, ""),
    ],
)
def test_what_cannot_be_pruned(cli, asked, code, said):
    Path("plan.json").write_text("{}", "utf-8")
    refused = cli("eggs", "prune", *asked)
    assert (refused.code, refused.out) == (code, "")
    assert said in refused.err


#: What a server may say of an egg, and should not.
ODD = [
    {},
    {"name": 7, "version": None, "build": "x", "size": "y", "mtime": [], "packages": "numpy"},
    {"size": 10**400, "mtime": 1e308, "build": True, "packages": [7, None]},
    {"size": -1, "mtime": -1e12, "build": [], "packages": ["", " ", "a\u202e\x1b[2J b  c\nd"]},
    {"packages": ["\udc80", "x" * 100_000], "python_tag": {"a": 1}, "filename": "other"},
]


@pytest.mark.parametrize("odd", ODD)
def test_odd_indices_are_shown_as_far_as_they_go(cli, odd):
    index = dict.fromkeys(("mkl-1-1.egg", "no version", "..", "a\x1b/b-1-1.egg"), odd)
    answer = Answer(200, {"Content-Type": "application/json"}, json.dumps(index).encode())
    for asked in ("index", "list --long", "why mkl", "why mkl -r"):
        command, *rest = asked.split()
        for chosen in ("table", "csv", "json", "jsonl", None):
            output = () if chosen is None else ("--output", chosen)
            shown = cli.answered(answer, "eggs", command, *PLACE, "cp311", *rest, *output)
            assert shown.code in (0, 7) and "Traceback" not in shown.err, (asked, chosen, shown)
            assert not {"\x1b", "\u202e"} & {*shown.out, *shown.err}, (asked, chosen)
