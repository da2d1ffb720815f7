"""enstaller 4.8, which reads the older index: its requests, written down, and the real one."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher.testing import BroodServer, FaultyGateway, write_egg

from .environments import enstaller

INDEX = "/repo/acme/dev/rh5-64/index.json"
EGG = "six-1.0.0-1.egg"
EXCHANGE = ("POST", "/api/v0/json/auth/tokens/auth", "Basic", 200)

#: What it sends, by the kind of its store: method, path, scheme of authentication, and the status
#: that it is to be answered. The second request for the index has the ETag of the first answer.
RECORDED = {
    "legacy": [
        ("HEAD", INDEX, "Basic", 200),
        ("GET", INDEX, "Basic", 200),
        ("GET", INDEX, "Basic", 304),
        ("GET", f"/repo/acme/dev/rh5-64/{EGG}", "Basic", 200),
    ],
    "brood": [
        EXCHANGE,
        ("GET", INDEX, "Bearer", 200),
        ("GET", INDEX, "Bearer", 304),
        ("GET", f"/repo/acme/dev/rh5-64/{EGG}", "Bearer", 200),
    ],
}
HEADERS = {
    "user-agent": "enstaller/4.8.9 python-requests/2.3.0 CPython/2.7.18 Linux/3.10.0",
    "accept": "*/*",
    "accept-encoding": "gzip, deflate",
}


@pytest.fixture(scope="module")
def eggs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Eggs by their tags: those that Python 2.7 can use, and another one."""
    folder = tmp_path_factory.mktemp("eggs")
    return {
        tag: write_egg(folder, name, python_tag=tag, platform="rh5-x86_64")
        for name, tag in (("numpy", "cp27"), ("six", None), ("pure", "py27"), ("new", "cp38"))
    }


@pytest.fixture(scope="module")
def server(eggs: dict[str, Path]) -> Iterator[BroodServer]:
    with BroodServer() as server:
        acme = server.client().create_organization("acme", "Makers of everything")
        for name, public in (("dev", False), ("open", True)):
            platform = acme.create_repository(name, "", public=public).platform("rh5-x86_64")
            for egg in eggs.values():
                platform.upload_egg(egg)
        hidden = write_egg(eggs[None].parent, "hidden", python_tag="cp27")
        platform.upload_egg(hidden, enabled=False)
        yield server


@pytest.mark.parametrize("kind", RECORDED)
def test_recorded(server, eggs, kind):
    pair = f"{server.admin_email}:{server.admin_password}".encode()
    credentials = {"Basic": f"Basic {base64.b64encode(pair).decode()}"}
    headers = dict(HEADERS)
    with httpx.Client(base_url=server.url, headers=headers) as client:
        for method, path, scheme, status in RECORDED[kind]:
            sent = {"Authorization": credentials[scheme]}
            if status == 304:
                sent["If-None-Match"] = headers["etag"]
            answer = client.request(method, path, headers=sent)
            assert answer.status_code == status, (method, path, answer.text)
            assert "set-cookie" not in answer.headers
            if method == "POST":
                credentials["Bearer"] = f"Bearer {answer.json()['token']}"
            elif status == 304 or method == "HEAD":
                assert not answer.content and answer.headers["etag"]
            elif path == INDEX:
                headers["etag"] = answer.headers["etag"]
                check_index(answer.json(), eggs)
            else:
                assert answer.content == eggs[None].read_bytes()


def check_index(index: dict[str, dict[str, Any]], eggs: dict[str | None, Path]) -> None:
    """What is read of an entry: all of it is there, and true."""
    assert {name: entry["python"] for name, entry in index.items()} == {
        "new-1.0.0-1.egg": "3.8",
        "numpy-1.0.0-1.egg": "2.7",
        "pure-1.0.0-1.egg": "2.7",
        "six-1.0.0-1.egg": None,
    }
    for egg in eggs.values():
        entry = index[egg.name]
        assert entry["md5"] == hashlib.md5(egg.read_bytes()).hexdigest()
        assert (entry["size"], entry["type"]) == (egg.stat().st_size, "egg")
        assert {"name", "version", "build", "packages", "mtime", "product", "available"} <= {*entry}


@pytest.mark.programs
@pytest.mark.parametrize("kind", RECORDED)
def test_the_real_one(server, eggs, tmp_path, kind):
    """It sends what is written down, and fetches the egg."""
    python, site = enstaller()
    with FaultyGateway(server.url) as gateway:
        asked = {
            "store_kind": kind,
            "url": gateway.url,
            "repository": "acme/dev",
            "platform": "rh5-64",
            "username": server.admin_email,
            "password": server.admin_password,
            "cache": str(tmp_path),
            "egg": EGG,
        }
        program = Path(__file__).with_name("enstaller.py")
        done = subprocess.run(
            [python, "-E", program, site, json.dumps(asked)], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        sent = [
            (each.method, each.path, each.headers["authorization"].split()[0], each.status)
            for each in gateway.requests
        ]
        assert sent == RECORDED[kind]
        for each in gateway.requests:
            recorded = {**HEADERS, "user-agent": each.headers["user-agent"]}
            assert recorded.items() <= each.headers.items()
            assert each.headers["user-agent"].startswith("enstaller/4.8.9 python-requests/2.3.0 ")
            assert ("if-none-match" in each.headers) is (each.status == 304)
    for seen in json.loads(done.stdout):
        # Of the egg for Python 3.8 it knows nothing.
        assert [[name, python] for name, python, _ in seen] == [
            ["numpy-1.0.0-1.egg", "2.7"],
            ["pure-1.0.0-1.egg", "2.7"],
            ["six-1.0.0-1.egg", None],
        ]
    assert (tmp_path / EGG).read_bytes() == eggs[None].read_bytes()


@pytest.mark.parametrize("platform", ["rh5-64", "rh5-x86_64", "rh5_x86_64"])
def test_a_public_one_by_any_name_of_the_platform(server, platform):
    with httpx.Client(base_url=f"{server.url}/repo/acme") as anyone:
        assert len(anyone.get(f"open/{platform}/index.json").json()) == 4
        egg = anyone.get(f"open/{platform}/{EGG}", headers={"Range": "bytes=0-9"})
        assert (egg.status_code, len(egg.content)) == (206, 10)
        assert anyone.head(f"open/{platform}/{EGG}").headers["etag"] == egg.headers["etag"]
        assert anyone.get(f"open/{platform}/hidden-1.0.0-1.egg").status_code == 404
        assert anyone.get(f"dev/{platform}/index.json").status_code == 404
        assert anyone.get(f"open/{platform}/other.egg").status_code == 404


def test_of_several_eggs_of_one_name_it_is_the_one_for_python_2_7(brood_server, tmp_path):
    """What the index says of the file is said of the file that is sent."""
    acme = brood_server.client().create_organization("acme", "Makers of everything")
    platform = acme.create_repository("dev", "").platform("rh5-x86_64")
    auth = (brood_server.admin_email, brood_server.admin_password)
    with httpx.Client(base_url=f"{brood_server.url}/repo/acme/dev/rh5-64", auth=auth) as client:
        for seed, (tag, python) in enumerate(
            [("cp38", "3.8"), ("cp311", "3.11"), ("py27", "2.7"), ("cp27", "2.7"), ("cp26", "2.7")]
        ):
            (tmp_path / tag).mkdir()
            platform.upload_egg(write_egg(tmp_path / tag, "six", python_tag=tag, seed=seed))
            entry = client.get("index.json").json()[EGG]
            assert entry["python"] == python
            assert hashlib.sha256(client.get(EGG).content).hexdigest() == entry["sha256"]
