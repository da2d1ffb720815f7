"""`hatcher mirror`: between two servers, into folders, over an air gap; and how ends are written."""

from __future__ import annotations

import csv
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hatcher.api import Repository
from hatcher.cli.mirror_sides import WrittenSide, read_side
from hatcher.cli.root import hatcher as root
from hatcher.cli.settings.levels import settings_of_profile
from hatcher.testing import BroodServer, FaultyGateway, write_egg

from .conftest import Cli, command_line, furnish, keep
from .test_completion import offered

PLATFORM = "rh8-x86_64"
SOME = ("-p", PLATFORM, "-t", "cp311")
NUMPY = f"{PLATFORM}/eggs/cp311/numpy-1.0.0-1.egg"
_NAMES = (f"dev{number}" for number in itertools.count(1))
PURE = f"{PLATFORM}/eggs/None/pure-1.0.0-1.egg"


# -- how they are written ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("acme", WrittenSide("place", "acme")),
        ("acme/dev", WrittenSide("place", "acme/dev")),
        ("acme/dev/rh8-x86_64", WrittenSide("place", "acme/dev/rh8-x86_64")),
        ("site:acme/dev", WrittenSide("place", "acme/dev", "site")),
        (":acme/dev", WrittenSide("place", "acme/dev")),
        (":delta.zip", WrittenSide("place", "delta.zip")),
        ("c:acme", WrittenSide("place", "acme", "c")),
        (".", WrittenSide("folder", path=Path())),
        ("./mirror", WrittenSide("folder", path=Path("mirror"))),
        ("mirror/", WrittenSide("folder", path=Path("mirror"))),
        ("/data/mirror:acme", WrittenSide("folder", "acme", path=Path("/data/mirror"))),
        ("../mirror:acme/dev", WrittenSide("folder", "acme/dev", path=Path("../mirror"))),
        ("./od:d:acme/dev", WrittenSide("folder", "acme/dev", path=Path("od:d"))),
        ("./od:d/", WrittenSide("folder", path=Path("od:d"))),
        ("~/mirror:acme", WrittenSide("folder", "acme", path=Path.home() / "mirror")),
        ("C:/mirror", WrittenSide("folder", path=Path("C:/mirror"))),
        ("C:\\mirror:acme/dev", WrittenSide("folder", "acme/dev", path=Path("C:\\mirror"))),
        (".\\mirror", WrittenSide("folder", path=Path(".\\mirror"))),
        ("delta.zip", WrittenSide("archive", path=Path("delta.zip"))),
        ("./out/DELTA.ZIP", WrittenSide("archive", path=Path("out/DELTA.ZIP"))),
        ("state.json", WrittenSide("manifest", path=Path("state.json"))),
        ("./delta.zip/", WrittenSide("folder", path=Path("delta.zip"))),
    ],
)
def test_an_end(text, expected):
    assert read_side(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is no place"),
        ("a/b/c/d", "is no place"),
        ("acme//dev", "is no place"),
        ("acme/..", "is no place"),
        ("site:", "is no place"),
        ("./mirror:a/b/c/d", "is no place"),
        ("mirror\\acme", "no backslash"),
        ("https://brood.example.com/acme", "hatcher login URL --profile NAME"),
        ("~nobody-of-that-name/x", "Write the whole path"),
        ("here", "'./here' for the folder"),
        ("./a:b", "Write './a:b/' for the folder"),
    ],
)
def test_no_end(tmp_path, monkeypatch, text, said):
    monkeypatch.chdir(tmp_path)
    Path("here").mkdir()
    Path("a:b").mkdir()
    with pytest.raises(ValueError, match=re.escape(said)):
        read_side(text)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("plan acme/dev backup", "'./backup' for the folder"),
        ("plan missing.zip acme/dev", "There is no archive 'missing.zip'"),
        ("plan state.json acme/dev", "it is a manifest"),
        ("apply acme/dev delta.zip", "'hatcher mirror pack'"),
        ("plan ./backup ./other", "./backup:acme/dev"),
        ("pack ./backup delta.zip", "./backup:acme/dev"),
        ("pack acme/dev delta", "'delta.zip'"),
        ("plan acme/dev acme", "Give two organizations, two repositories or two platforms"),
        ("plan acme/dev site:acme/dev", "There is no profile 'site'"),
        ("plan acme/dev acme/prod --max-deletes -1", "max-deletes"),
        ("plan acme/dev acme/prod --kind wheels", "wheels"),
        ("plan acme/dev acme/prod --save nowhere/plan.json", "There is no folder 'nowhere'"),
        ("apply acme/dev acme/prod --plan state.json --prune", "Give either --plan"),
        ("apply acme/dev acme/prod --plan broken.json", "hatcher mirror plan --save"),
        ("apply acme/dev acme/prod --plan state.json", "'state.json' is no plan."),
        ("verify acme/dev", "--against SOURCE"),
        ("verify ./backup --download", "every file is read"),
    ],
)
def test_usage(cli, arguments, said):
    """Nothing is sent: there is no server."""
    cli.setenv("HATCHER_URL", "http://127.0.0.1:9")
    Path("backup").mkdir()
    Path("state.json").write_text("{}")
    Path("broken.json").write_text("{")
    Path("delta.zip").touch()
    done = cli("mirror", *arguments.split())
    assert (done.code, done.out) == (2, ""), done
    assert said in done.err


# -- between two servers -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def here() -> Iterator[BroodServer]:
    with BroodServer() as server:
        yield server


@pytest.fixture(scope="module")
def there() -> Iterator[BroodServer]:
    with BroodServer() as server:
        server.client().create_organization("acme", "The same, elsewhere")
        yield server


@pytest.fixture
def cli(here: BroodServer, tmp_path: Path) -> Iterator[Cli]:
    """`hatcher`; the servers are those of all tests of this module."""
    with command_line(here, tmp_path) as made:
        yield made


@pytest.fixture
def dev(cli: Cli, tmp_path: Path) -> Repository:
    """A repository of the test's own: two eggs, a runtime and a bundle."""
    client = cli.client()
    if "acme" not in client.list_organizations():
        client.create_organization("acme", "Makers of everything")
    repository = client.organization("acme").create_repository(next(_NAMES), "Builds of the night")
    furnish(repository, tmp_path, "numpy")
    return repository


def eggs_of(repository: Repository) -> list[str]:
    return sorted(egg["name"] for egg in repository.platform(PLATFORM).list_eggs("cp311"))


def test_a_missing_organization_is_one_message(cli, dev, there):
    keep(cli, there, "site")
    for command in ("plan", "apply"):
        done = cli.fails(4, "'nobody'", "mirror", command, str(dev), "site:nobody/dev", *SOME)
        assert "creates no organizations" in done.err
        assert len(done.err.splitlines()) == 2
    # Of a missing repository there is one message, too, and no row for what has not moved.
    done = cli("mirror", "apply", str(dev), f"site:acme/{dev.name}", *SOME)
    assert (done.code, done.out) == (7, "")
    assert done.err.count("There is no such repository") == 1


def test_another_server_reviewed_plan(cli, dev, there):
    """Plan, keep it, look at it, do it; and what is of one server does not go to the other."""
    keep(cli, there, "site")
    ends = (str(dev), f"site:{dev}")

    done = cli("mirror", "plan", *ends, *SOME)
    assert done.code == 7, "The repository is missing."
    assert f"problem: {dev}: There is no such repository" in done.err
    assert "; 1 problem." in done.err
    assert "Create it" in done.err and "--create-missing" not in done.err, "A plan creates nothing."
    assert "copy" in done.out

    there.client().organization("acme").create_repository(dev.name, "For the site")
    planned = cli("mirror", "plan", *ends, *SOME, "--save", "plan.json", "-o", "json")
    assert planned.code == 8, planned
    steps = json.loads(planned.out)
    assert [(step["action"], step["path"]) for step in steps] == [
        ("copy", PURE),
        ("copy", NUMPY),
        ("copy", f"{PLATFORM}/runtimes/cpython-3.11.9+2-rh8_x86_64-gnu.runtime"),
    ]
    assert json.loads(Path("plan.json").read_text())["steps"] == steps

    site = there.client().organization("acme").repository(dev.name)
    dry = cli("mirror", "apply", *ends, "--plan", "plan.json", "--dry-run")
    assert (dry.code, eggs_of(site)) == (0, [])
    assert "3 would upload" in dry.err
    done = cli("mirror", "apply", *ends, "--plan", "plan.json", "-o", "csv")
    assert done.code == 0, done
    assert [row["outcome"] for row in csv.DictReader(done.out.splitlines())] == ["uploaded"] * 3
    assert eggs_of(site) == eggs_of(dev) == ["numpy-1.0.0-1.egg", "pure-1.0.0-1.egg"]

    for more in (("--max-deletes", "0"), ("--prune",), ("-p", "rh8-x86_64")):
        assert cli("mirror", "apply", *ends, "--plan", "plan.json", *more).code == 2
    other = cli("mirror", "apply", ends[0], f"site:{dev}x", "--plan", "plan.json")
    assert (other.code, "Give the source and target that it was made of" in other.err) == (2, True)

    again = cli("mirror", "plan", *ends, *SOME)
    assert (again.code, again.out) == (0, ""), again
    assert "Nothing to do: 3 artefacts: 3 skip" in again.err
    assert "skip" in cli("mirror", "plan", *ends, *SOME, "--all").out
    assert cli("mirror", "apply", *ends, *SOME, "-o", "json").data == []
    assert cli("mirror", "verify", f"site:{dev}", "--against", str(dev), *SOME).code == 0
    assert cli("mirror", "verify", f"site:{dev}", "--download", *SOME).code == 0


def test_nothing_of_the_chosen_server_goes_to_another(cli, dev, there):
    cli("config", "set", "--profile", "open", "url", there.url)
    cli.setenv("HATCHER_TOKEN", "a token of the first server")
    done = cli("mirror", "plan", str(dev), "open:acme/dev", *SOME)
    assert done.code == 3, done
    keep(cli, there, "old")
    cli("config", "set", "--profile", "old", "api_version", "0")
    there.client().organization("acme").create_repository(f"{dev.name}-old", "Of old")
    done = cli("mirror", "plan", str(dev), f"old:{dev}-old", *SOME, "-o", "json")
    assert done.code == 8, done
    assert [step["path"] for step in json.loads(done.out)] == [PURE, NUMPY], "Version 0 has eggs."
    cli("config", "set", "--profile", "nowhere", "username", "ada")
    done = cli("mirror", "plan", str(dev), "nowhere:acme/dev")
    assert (done.code, "names no server" in done.err) == (2, True)


def test_what_counts_for_another_server(cli):
    """Nothing but its profile, whatever is said of the chosen one; but the API is one for both."""
    cli("config", "set", "--profile", "far", "url", "https://far.example.com")
    cli.setenv("HATCHER_USERNAME", "ada@example.com")
    said = ["--insecure", "--token", "secret", "--url", "https://near.example.com", "mirror"]
    with root.make_context("hatcher", said, auto_envvar_prefix="HATCHER") as ctx:
        settings = settings_of_profile(ctx, "far")
    assert (settings.url, settings.verify_ssl) == ("https://far.example.com", True)
    assert (settings.username, settings.password, settings.token) == (None, None, None)
    assert (settings.named_by, settings.api_version) == (None, 1)
    with root.make_context("hatcher", ["--api-version", "0", *said]) as ctx:
        assert settings_of_profile(ctx, "far").api_version == 0


def test_pruning(cli, dev, tmp_path):
    """What is to be deleted is asked for, within a limit."""
    client = cli.client()
    prod = client.organization("acme").create_repository(f"{dev.name}-prod", "What is sold")
    for name in ("old", "older"):
        prod.platform(PLATFORM).upload_egg(write_egg(tmp_path, name, platform=PLATFORM))
    apply = ("mirror", "apply", str(dev), str(prod), "--kind", "eggs", *SOME)

    limited = cli(*apply, "--prune", "--max-deletes", "1", "-y")
    assert limited.code == 7 and "give --max-deletes 2." in limited.err
    assert len(eggs_of(prod)) == 4, "What is new is there; nothing was deleted."

    asked = cli(*apply, "--prune")
    assert (asked.code, len(eggs_of(prod))) == (2, 4)
    assert f"2 artefacts of {prod} on {cli.server.url} will be deleted. Go on?" in asked.err
    assert cli(*apply, "--prune", input="n\n").code == 0
    assert len(eggs_of(prod)) == 4
    assert cli(*apply, "--prune", "--dry-run").code == 0
    assert len(eggs_of(prod)) == 4

    planned = cli("mirror", "plan", *apply[2:], "--prune")
    assert planned.code == 8
    assert planned.out.count("delete") == 2
    assert "At most 10 may be deleted." in planned.err
    done = cli(*apply, "--prune", "--name", "OLD*", input="y\n")
    assert done.code == 0, done
    assert "2 deleted" in done.err
    assert eggs_of(prod) == eggs_of(dev)


# -- folders and archives ----------------------------------------------------------------------


def test_a_folder_is_kept_and_verified(cli, dev):
    cli.setenv("HATCHER_CACHE_DIR", cli.home / "kept")
    apply = ("mirror", "apply", str(dev), "./backup", "--cache", *SOME)
    done = cli(*apply, "-o", "json")
    assert [record["outcome"] for record in done.data] == ["downloaded"] * 3
    files = [Path(record["path"]) for record in done.data]
    assert cli("cache", "show", "-o", "json").data["files"] == 3

    verified = cli("mirror", "verify", "./backup", "-o", "json").data
    assert (verified["ok"], verified["checked"], verified["findings"]) == (True, 3, [])
    Path("backup/manifest.json").unlink()
    nothing = cli(*apply)
    assert (nothing.code, "Nothing to do" in nothing.err) == (0, True)
    assert cli("mirror", "verify", "./backup").code == 0, "It was written again."

    egg = next(file for file in files if file.name.startswith("numpy"))
    egg.write_bytes(egg.read_bytes()[:-1])
    damaged = cli("mirror", "verify", f"./backup:{dev}", "--against", str(dev), *SOME)
    assert damaged.code == 8 and f"damaged v1/{dev}/{NUMPY}" in damaged.err
    assert cli("mirror", "plan", str(dev), "./backup", *SOME).code == 8
    assert cli(*apply).code == 0
    assert cli("mirror", "verify", "./backup").code == 0
    Path("backup/manifest.json").write_text("{")
    unknown = cli("mirror", "verify", "./backup")
    assert (unknown.code, "manifest" in unknown.err) == (7, True)


def test_over_an_air_gap(cli, dev, there, tmp_path):
    """A manifest comes out, an archive of what is lacking goes in."""
    keep(cli, there, "site")
    organization = there.client().organization("acme")
    site = organization.create_repository(f"{dev.name}-site", "For the site")
    site.platform(PLATFORM).upload_egg(tmp_path / "pure-1.0.0-1.egg")
    site.platform(PLATFORM).upload_egg(write_egg(tmp_path, "old", platform=PLATFORM))

    done = cli("mirror", "manifest", f"site:{site}", *SOME, "--save", "site.json")
    assert (done.code, done.out) == (0, ""), done
    assert "2 artefacts" in done.err
    printed = cli("mirror", "manifest", f"site:{site}", *SOME).out
    assert (
        json.loads(printed)["artefacts"] == json.loads(Path("site.json").read_text())["artefacts"]
    )

    compared = cli("mirror", "plan", str(dev), "site.json", "--prune", *SOME, "-o", "jsonl")
    assert compared.code == 8
    actions = [json.loads(line)["action"] for line in compared.out.splitlines()]
    assert sorted(actions) == ["copy", "copy", "delete"]

    pack = ("mirror", "pack", str(dev), "delta.zip", "--lacking", "site.json", *SOME)
    assert "2 would pack" in cli(*pack, "-n").err
    assert not Path("delta.zip").exists()
    packed = cli(*pack, "-o", "json").data
    assert sorted(record["outcome"] for record in packed) == ["already there", "packed", "packed"]

    assert cli("mirror", "verify", "delta.zip").code == 0
    listed = cli("mirror", "manifest", "delta.zip").data["artefacts"]
    assert listed.keys() == {record["file"] for record in packed}
    assert cli("mirror", "plan", str(dev), "delta.zip", *SOME).code == 0
    done = cli("mirror", "apply", "delta.zip", f"site:{site}", *SOME, "--prune", "--yes")
    assert done.code == 0, done
    assert eggs_of(site) == eggs_of(dev)
    assert cli("mirror", "verify", f"site:{site}", "--against", "delta.zip", *SOME).code == 0

    content = Path("delta.zip").read_bytes()
    Path("delta.zip").write_bytes(content[: len(content) // 2])
    assert cli("mirror", "verify", "delta.zip").code == 7
    assert cli("mirror", "plan", "delta.zip", f"site:{site}").code == 1


def test_people_see_what_changes(cli, dev):
    """Of what stays as it is they see the number, unless they ask; programs get all of it."""
    some = (*SOME, "--kind", "eggs")
    apply = ("mirror", "apply", str(dev), "./backup", *some)
    assert cli(*apply).out.count("downloaded") == 2
    Path("backup", f"v1/{dev}/{NUMPY}").unlink()
    plan = ("mirror", "plan", str(dev), "./backup", *some)
    assert "pure" not in cli(*plan).out
    assert "skip" in cli(*plan, "--verbose").out
    again = cli(*apply, "-n")
    assert ("would download" in again.out, "pure" in again.out) == (True, False)
    again = cli(*apply, "--verbose")
    assert [line.split()[:2] for line in again.out.splitlines()[2:]] == [
        [NUMPY, "downloaded"],
        [PURE, "already"],
    ]
    done = cli(*apply)
    assert (done.out, done.err) == ("", "Nothing to do: 2 artefacts: 2 skip\n")
    assert cli(*apply, "--verbose").out.count("already there") == 2

    export = ("export", "-r", str(dev), "-p", PLATFORM, "-t", "cp311", "-a", "eggs", "backup")
    done = cli(*export)
    assert (done.out, done.err) == ("", "2 files: 2 already there\n")
    assert "already there" not in cli(*export, "-o", "table").out
    assert cli(*export, "--verbose").out.count("already there") == 2
    assert len(cli(*export, "-o", "json").data) == len(cli(*export, "-v", "-o", "json").data) == 2


# -- differences -------------------------------------------------------------------------------


def test_differences(cli, dev, there, tmp_path):
    """Versions side by side for people, a row for each artefact for programs."""
    keep(cli, there, "site")
    site = there.client().organization("acme").create_repository(f"{dev.name}-diff", "Elsewhere")
    ends = (str(dev), f"site:{site}", *SOME)
    assert cli("mirror", "apply", *ends).code == 0
    same = cli("diff", *ends)
    assert (same.code, same.out, same.err) == (0, "", "3 the same\n")
    assert cli("diff", *ends, "--exit-code").code == 0

    platform = site.platform(PLATFORM)
    platform.egg("cp311", "numpy", "1.0.0-1").delete()
    options = {"platform": PLATFORM, "python_tag": "cp311"}
    for version in ("1.10.0", "1.9.0"):
        platform.upload_egg(write_egg(tmp_path, "numpy", version, **options))
    platform.upload_egg(
        write_egg(tmp_path, "pure", platform=PLATFORM, payload_bytes=9), overwrite=True
    )
    done = cli("diff", *ends)
    assert (done.code, done.err) == (0, "2 added, 1 removed, 1 changed, 1 the same\n")
    assert [line.split() for line in done.out.splitlines()] == [
        ["Where", "Name", "Only", "in", "A", "Only", "in", "B", "Different"],
        [*map("-".__mul__, (21, 6, 11, 17, 11))],
        [f"{PLATFORM}/eggs/None", "pure", "1.0.0-1"],
        [f"{PLATFORM}/eggs/cp311", "numpy", "1.0.0-1", "1.9.0-1,", "1.10.0-1"],
    ]
    assert cli("diff", *ends, "--exit-code").code == 8
    rows = cli("diff", *ends, "-o", "json").data
    assert [(row["change"], row["name"], row["version"]) for row in rows] == [
        ("changed", "pure", "1.0.0-1"),
        ("removed", "numpy", "1.0.0-1"),
        ("added", "numpy", "1.9.0-1"),
        ("added", "numpy", "1.10.0-1"),
    ]
    assert cli("diff", *ends, "-o", "csv", "--name", "pure").out.count("\n") == 2

    cli("mirror", "manifest", str(dev), *SOME, "--save", "state.json")
    cli("mirror", "pack", str(dev), "all.zip", *SOME)
    cli("mirror", "apply", str(dev), "./backup", *SOME)
    for other in ("state.json", "all.zip", f"./backup:{dev}"):
        assert cli("diff", other, f"site:{site}", *SOME, "-o", "json").data == rows
    assert cli("diff", "./backup", "./backup").err == "3 the same\n"

    Path("backup", f"v1/{dev}/{PLATFORM}/eggs/what.txt").touch()
    unsure = cli("diff", f"./backup:{dev}", f"site:{site}", *SOME)
    assert unsure.code == 7 and f"problem: {dev}: " in unsure.err
    assert "Not known" in unsure.out and "Only in B" not in unsure.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ("acme/dev acme", 2, "Give two organizations, two repositories or two platforms"),
        ("acme/dev", 2, "Missing argument 'B'"),
        ("acme/dev missing.json", 2, "There is no manifest 'missing.json'"),
        ("acme/dev ./empty", 2, "There is no folder 'v1/acme/dev"),
        ("./empty ./empty", 2, "There is no export in"),
        ("acme/dev nobody/dev", 4, "nobody"),
        ("acme/dev acme/dev -t 3.11", 2, "no python tag"),
        ("acme/dev a\x1bb/dev", 2, "control"),
        ("acme/dev acme/dev --kind wheels", 2, "wheels"),
    ],
)
def test_what_cannot_be_compared(cli, dev, arguments, code, said):
    Path("empty").mkdir()
    done = cli("diff", *arguments.replace("acme/dev", str(dev)).split(" "))
    assert (done.code, done.out) == (code, ""), done
    assert said in done.err


# -- completion --------------------------------------------------------------------------------


def test_ends_are_completed(cli, dev, there, monkeypatch):
    monkeypatch.setenv("HATCHER_COMPLETION_TIMEOUT", "30")
    keep(cli, there, "site")
    there.client().organization("acme").create_repository(f"{dev.name}-far", "Far away")
    Path("state.json").touch()
    cli.setenv("HATCHER_CACHE_DIR", cli.home / "answers")
    every = offered(cli, "mirror plan ")
    assert {"acme", str(dev), "site:", "state.json"} <= set(every)
    assert offered(cli, f"mirror plan {dev}/rh8-x86_") == [f"{dev}/rh8-x86_64"]
    # Bash replaces only what stands behind the colon.
    assert offered(cli, f"mirror apply acme/dev site:{dev}-f") == [f"{dev}-far"]
    assert [item.partition(",")[0] for item in offered(cli, "mirror apply acme/dev ./b")] == [
        "file"
    ]
    assert offered(cli, "mirror plan acme/dev acme/prod --platform rh8-x86_") == ["rh8-x86_64"]
    assert offered(cli, "mirror plan nobody:") == []


def test_apply_asks_for_each_index_once(cli, dev, there, tmp_path):
    """What was read to plan is not read again to apply, unless somebody had time to think."""
    with FaultyGateway(cli.server.url) as one, FaultyGateway(there.url) as two:
        cli.setenv("HATCHER_URL", one.url)
        done = cli(
            *("login", two.url, "--username", there.admin_email, "--password-stdin"),
            *("--insecure-storage", "--profile", "site"),
            input=f"{there.admin_password}\n",
        )
        assert done.code == 0, done
        apply = ("mirror", "apply", str(dev), f"site:{dev}", *SOME)
        done = cli(*apply, "--create-missing")
        assert done.code == 0, done
        for gateway in (one, two):
            asked = [passage.path for passage in gateway.requests if "/indices/" in passage.path]
            assert len(asked) == len(set(asked)) > 3
        dev.platform(PLATFORM).egg("cp311", "numpy", "1.0.0-1").delete()
        had = one.sent("GET", "*/cp311/eggs")
        done = cli(*apply, "--prune", input="y\n")
        assert (done.code, one.sent("GET", "*/cp311/eggs") - had) == (0, 2), done
        assert eggs_of(there.client().organization("acme").repository(dev.name)) == [
            "pure-1.0.0-1.egg"
        ]
