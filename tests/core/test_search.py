"""Artefacts are found by name and version in every place that may be seen, and fast the second time."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from hashlib import sha512
from pathlib import Path

import pytest

from hatcher.api import BroodClient, Egg
from hatcher.artefacts.python_tags import rank
from hatcher.errors import (
    AuthenticationError,
    HatcherException,
    InvalidArgumentError,
    NoMatchError,
    NotFoundError,
    UnsupportedAPIVersionError,
)
from hatcher.testing import (
    Answer,
    BroodServer,
    FaultyGateway,
    RequestFault,
    ScriptedServer,
    write_app,
    write_bundle,
    write_egg,
    write_legacy_runtime,
    write_runtime,
)

PLATFORM = "rh8-x86_64"

#: Repository, platform, name, version, build, python tag.
EGGS = [
    ("acme/dev", PLATFORM, "numpy", "1.9.0", 2, "cp311"),
    ("acme/dev", PLATFORM, "numpy", "1.10.0", 10, "cp311"),
    ("acme/dev", PLATFORM, "numpy", "2.0rc1", 1, "cp311"),
    ("acme/dev", PLATFORM, "numpy", "1.8.0", 1, "cp38"),
    ("acme/dev", PLATFORM, "scikit_learn", "1.4.2", 1, "cp311"),
    ("acme/main", PLATFORM, "numpy", "1.9.0", 2, "cp311"),
    ("acme/main", "win-x86_64", "numpy", "1.9.0", 2, "cp311"),
    ("apex/dev", PLATFORM, "NumPy", "1.5", 1, None),
]


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BroodServer]:
    """Three repositories with something in them, and one with nothing."""
    with BroodServer() as server:
        furnish(server, tmp_path_factory.mktemp("files"))
        yield server


@pytest.fixture
def failing(full: BroodServer) -> Iterator[FaultyGateway]:
    """A gateway before it that says of one repository that its indices may not be read."""
    answer = Answer(403, {"Content-Type": "application/json"}, b'{"error": "no"}')
    path = "*/indices/acme/main/*"
    fault = RequestFault("replace", at="request", path=path, times=99, answer=answer)
    with FaultyGateway(full.url, fault) as gateway:
        yield gateway


def furnish(server: BroodServer, tmp_path: Path) -> None:
    client = server.client()
    for organization, names in {"acme": ("dev", "main"), "apex": ("dev", "empty")}.items():
        made = client.create_organization(organization, "-")
        for name in names:
            made.create_repository(name, "-")
    for place, platform, name, version, build, tag in EGGS:
        egg = write_egg(tmp_path, name, version, build, platform=platform, python_tag=tag)
        client.at(f"{place}/{platform}").upload_egg(egg)
    dev = client.organization("acme").repository("dev")
    for version, build in [("3.11.9", 2), ("3.11.10", 1)]:
        runtime = write_runtime(tmp_path, version=f"{version}+{build}", python_tag="cp311")
        dev.upload_runtime(runtime)
    for build in (9, 10):
        dev.upload_app(write_app(tmp_path, build=build))
        dev.upload_bundle(write_bundle(tmp_path, build=build))


HERE = {"platform": PLATFORM, "python_tag": "cp311"}


@pytest.mark.parametrize(
    ("place", "asked", "options", "found"),
    [
        (
            "",
            "numpy",
            HERE,
            "apex/dev 1.5-1, acme/dev 1.9.0-2, acme/main 1.9.0-2, acme/dev 1.10.0-10",
        ),
        ("", "NUM*>=1.9,<1.10", HERE, "acme/dev 1.9.0-2, acme/main 1.9.0-2"),
        ("", "numpy>=2.0rc1", HERE, "acme/dev 2.0rc1-1"),
        ("", "numpy", {**HERE, "platform": "win-*"}, "acme/main 1.9.0-2"),
        ("apex", "numpy", HERE, "apex/dev 1.5-1"),
        ("acme/main", "*", HERE, "1.9.0-2"),
        ("acme/dev", "numpy<2", {"platform": "RH8_*"}, "1.8.0-1, 1.9.0-2, 1.10.0-10"),
        ("acme/dev/rh8-x86_64", "numpy", {"python_tag": "cp311"}, "1.9.0-2, 1.10.0-10"),
        ("acme/dev/rh8-x86_64", "numpy", {}, "1.8.0-1, 1.9.0-2, 1.10.0-10"),
        ("apex/dev", "numpy", {**HERE, "python_tag": "none"}, "1.5-1"),
        ("acme/dev/rh8-x86_64", "*.viewer", {"kind": "app"}, "1.10-9, 1.10-10"),
        ("acme/dev/rh8-x86_64", "tools", {"kind": ("bundle", "app")}, "1.0.0-9, 1.0.0-10"),
        ("acme/dev/rh8-x86_64", "cpython", {"kind": "runtime"}, "3.11.9+2, 3.11.10+1"),
        ("acme/dev/rh8-x86_64", "cpython<3.11.10", {}, "3.11.9+2"),
        ("acme/dev/rh8-x86_64", "cpython==3.11.9+2", {}, "3.11.9+2"),
        ("acme/dev/rh8-x86_64", "cpython", {"python_tag": "cp38"}, ""),
    ],
)
def test_what_is_found(full, place, asked, options, found):
    client = full.client()
    results = (client.at(place) if place else client).search(asked, **options)
    told = [f"{one.place.rsplit('/', 1)[0]} {one.version}" for one in sorted(results)]
    here = "/".join(place.split("/")[:2])
    assert told == [one if " " in one else f"{here} {one}" for one in found.split(", ") if one]
    assert results.unreadable == []


def test_a_result_says_all_of_an_artefact(full):
    (egg,) = full.client().search("numpy==1.10.*", **HERE)
    assert isinstance(egg.artefact, Egg) and egg.artefact.exists()
    assert str(egg) == "acme/dev/rh8-x86_64: egg numpy 1.10.0-10 (cp311)"
    assert (egg.kind, egg.name, egg.version, egg.python_tag) == (
        "egg",
        "numpy",
        "1.10.0-10",
        "cp311",
    )
    metadata = egg.artefact.metadata()
    assert (egg.sha256, egg.size) == (metadata["sha256"], metadata["size"])


def test_version_0_has_other_runtimes_and_no_bundles(full, tmp_path):
    client = full.client(api_version=0)
    dev = client.organization("acme").repository("dev")
    dev.upload_runtime(write_legacy_runtime(tmp_path))
    (runtime,) = dev.search("python", platform="rh8-64")
    assert runtime.kind == "runtime" and runtime.artefact.exists()
    assert dev.platform("rh8-64").latest("python", "cp27", kind="runtime") == runtime.artefact
    with pytest.raises(UnsupportedAPIVersionError, match="api_version=1"):
        list(client.search("tools", kind="bundle"))


def test_an_egg_that_indices_hide_is_found_without_a_tag(full, tmp_path):
    platform = full.client().at("apex/empty/rh8-x86_64")
    own = [tag for tag in full.client().list_python_tags() if rank("py27", tag) is not None]
    for tag in [*own, "py27"]:
        platform.upload_egg(write_egg(tmp_path, "both", python_tag=tag, platform=PLATFORM))
    assert sorted(one.python_tag for one in platform.search("both")) == sorted([*own, "py27"])


def test_the_second_time_no_body_is_sent_again(full, tmp_path):
    statuses: Counter[int] = Counter()
    organization = full.client().create_organization("many", "-")
    # Long names, since short indices are not kept: from the server they come as quickly.
    names = [f"egg_{n}_{sha512(bytes([n])).hexdigest()}" for n in range(30)]
    eggs = [write_egg(tmp_path, name) for name in names]
    for name in ("one", "two"):
        platform = organization.create_repository(name, "-").platform(PLATFORM)
        platform.upload_eggs(eggs).raise_for_failures()

    def count(event: object) -> None:
        if event.request.operation == "v1_get_egg_index":
            statuses[event.status_code] += 1

    counted = full.client(cache=tmp_path / "cache", on_response=count)
    many = counted.organization("many")
    for wanted in ({200: 2}, {304: 2}):
        statuses.clear()
        assert len(list(many.search("egg_2*", kind="egg", **HERE))) == 22
        assert statuses == wanted


def test_first_results_come_while_others_are_awaited(full):
    released = threading.Event()

    def hold(event: object) -> None:
        if "/apex/dev/" in event.url:
            assert released.wait(30)

    results = full.client(on_request=hold).search("numpy", kind="egg", **HERE)
    assert next(results).place.startswith("acme/")
    released.set()
    assert any(one.place == "apex/dev/rh8-x86_64" for one in results)


def test_who_leaves_early_leaves_no_threads(full):
    with full.client().search("numpy", **HERE) as results:
        next(results)
    assert not [one.name for one in threading.enumerate() if one.name == "hatcher-batch"]
    assert list(results) == []


def test_nothing_is_sent_before_the_first_result_is_asked_for():
    with ScriptedServer(Answer(500)) as server:
        BroodClient.from_url(server.url).search("numpy")
        assert server.requests == []


def test_places_that_cannot_be_read_are_told(full, failing):
    results = full.client(url=failing.url).search("numpy", **HERE)
    assert {one.place for one in results} == {"acme/dev/rh8-x86_64", "apex/dev/rh8-x86_64"}
    assert [problem.place for problem in results.unreadable] == ["acme/main"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            Answer(401, {"Content-Type": "application/json"}, b'{"error": "who?"}'),
            AuthenticationError,
        ),
        (Answer(500), HatcherException),
        (Answer(200, {"Content-Type": "application/json"}, b"[]"), HatcherException),
        (Answer(200, {"Content-Type": "application/json"}, b'{"n-1-1.egg": 3}'), HatcherException),
    ],
)
def test_when_nothing_can_be_read_the_reason_comes_out(answer, error):
    with ScriptedServer(*[answer] * 9) as server:
        client = BroodClient.from_url(server.url, auth=("ada", "secret"), retries=0)
        with pytest.raises(error):
            list(client.at("acme/dev/rh8-x86_64").search("n", python_tag="cp311", kind="egg"))
        assert len(server.requests) == 1  # it says enough: nobody is asked for python tags


def test_what_nothing_can_be_called_is_told_and_the_rest_is_found():
    index = b'{"n-1-1.egg": {"size": "big", "sha256": 3}, "n.egg": {}, "..-1-1.egg": {}}'
    with ScriptedServer(Answer(200, {"Content-Type": "application/json"}, index)) as server:
        platform = BroodClient.from_url(server.url).platform("acme/dev/rh8-x86_64")
        results = platform.search("*", python_tag="cp311", kind="egg")
        assert [(one.version, one.size, one.sha256) for one in results] == [("1-1", None, None)]
    told = [problem.place for problem in results.unreadable]
    assert told == ["acme/dev/rh8-x86_64 eggs n", "acme/dev/rh8-x86_64 eggs .. 1-1"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kind": "eggs"}, "no kind 'eggs'. Did you mean 'egg'"),
        ({"kind": ()}, "No kind is given"),
        ({"kind": [None]}, "no kind None"),
        ({"python_tag": "cp3 11"}, "is no python tag"),
        ({"python_tag": ""}, "is no python tag"),
        ({"python_tag": 311}, "is no python tag"),
        ({"platform": ""}, "platform cannot be ''"),
        ({"platform": "rh8\x00"}, "platform cannot be"),
        ({"platform": "\ud800"}, "platform cannot be"),
        ({"platform": 8}, "platform cannot be a int"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_at_the_door(options, said):
    client = BroodClient.from_url("https://brood.example.com", api_version=1)
    with pytest.raises(InvalidArgumentError, match=said):
        client.search("numpy", **options)
    with pytest.raises(InvalidArgumentError, match="on the platform 'rh8-x86_64' already"):
        client.at("acme/dev/rh8-x86_64").search("numpy", platform="rh8-*")


def test_what_there_is_not_names_what_is_like_it(full):
    client = full.client()
    with pytest.raises(InvalidArgumentError, match=r"is like 'rh99-.*There are: .*rh8-x86_64"):
        list(client.search("numpy", platform="rh99-*"))
    with pytest.raises(NotFoundError, match="Did you mean 'acme'"):
        list(client.organization("acne").search("numpy", **HERE))
    with pytest.raises(NotFoundError, match="Did you mean 'dev'"):
        list(client.at("acme/dve").search("numpy", **HERE))
    with pytest.raises(NotFoundError, match="no platform 'rh99'"):
        list(client.search("numpy", platform="rh99"))


@pytest.mark.parametrize(
    ("asked", "options", "advice"),
    [
        ("nunpy", HERE, "Nothing is called 'nunpy'. Did you mean 'numpy'?"),
        ("numpy>3", HERE, "No version of 'numpy' satisfies 'numpy>3'. There are: 1.5-1, 1.9.0-2, "),
        ("numpy>1.10", HERE, "a comparison names one: 'numpy>=2.0rc1'"),
        ("nunpy", {**HERE, "python_tag": "cp3111"}, "no python tag 'cp3111'. Did you mean 'cp311'"),
        ("cpython", {**HERE, "python_tag": "cp38"}, "'cpython' is not for 'cp38'"),
    ],
)
def test_when_nothing_is_found_there_is_advice(full, asked, options, advice):
    results = full.client().search(asked, **options)
    assert list(results) == []
    assert advice in results.advice


@pytest.mark.parametrize(
    ("name", "tag", "kind", "version"),
    [
        ("numpy", "cp311", "egg", "1.10.0-10"),
        ("NumPy<1.10", "cp311", "egg", "1.9.0-2"),
        ("numpy>=2.0rc1", "cp311", "egg", "2.0rc1-1"),
        ("cpython", None, "runtime", "3.11.10+1"),
        ("cpython", "cp311", "runtime", "3.11.10+1"),
        ("com.example.viewer", "cp38", "app", "1.10-10"),
        ("tools", None, "bundle", "1.0.0-10"),
    ],
)
def test_the_newest_is_the_last_in_the_order_of_versions(full, name, tag, kind, version):
    latest = full.client().at("acme/dev/rh8-x86_64").latest(name, tag, kind=kind)
    assert latest.version == version and latest.exists()


def test_the_newest_egg_has_its_own_tag(full):
    platform = full.client().at("apex/dev/rh8-x86_64")
    assert platform.latest("numpy", "cp311") == platform.egg(None, "NumPy", "1.5-1")
    assert platform.latest("numpy") == platform.egg(None, "NumPy", "1.5-1")


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("nunpy", NoMatchError, "'nunpy' on acme/dev/rh8-x86_64. Did you mean 'numpy'"),
        ("numpy>3", NoMatchError, "There are: 1.9.0-2, 1.10.0-10, 2.0rc1-1"),
        ("num*", InvalidArgumentError, "may be several"),
        ("", InvalidArgumentError, "begins with no name"),
    ],
)
def test_what_has_no_newest(full, name, error, said):
    with pytest.raises(error, match=said):
        full.client().at("acme/dev/rh8-x86_64").latest(name, "cp311")
