"""What the clients under measurement speak to: two servers that answer alike, and a far network."""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hatcher.testing import Answer, ScriptedServer
from scripts.bench.drivers.measuring import requests_so_far
from scripts.bench.options import Options
from scripts.bench.scene import Scene
from scripts.bench.servers import link
from scripts.bench.servers.link import Link, Namespaces, Relays
from scripts.bench.servers.process import run_module
from scripts.bench.servers.site import nearly_count
from scripts.programs import find

pytestmark = pytest.mark.programs

ROOT = "/api/v1/json"
EGG = f"{ROOT}/data/acme/dev/rh8-x86_64/cp311/eggs/large/1.0.0-1"
UPLOAD = f"{ROOT}/data/acme/empty/rh8-x86_64/eggs/upload?overwrite=False"
INDEX = f"{ROOT}/indices/acme/dev/rh8-x86_64/cp311/eggs"
GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture(params=["nginx", "small"], scope="module")
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scene]:
    if request.param == "nginx" and find("nginx") is None:
        pytest.skip("there is no nginx")
    options = Options(0, 1, tmp_path_factory.mktemp("scene"), scale=0.001)
    with Scene(options, without_nginx=request.param == "small") as scene:
        assert scene.entries == 50
        assert scene.large.size > 500_000
        yield scene


def ask(
    scene: Scene, path: str, headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(scene.http.removeprefix("http://"))
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_documents(scene):
    answer, content = ask(scene, f"{ROOT}/metadata/platforms")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert "rh8-x86_64" in json.loads(content)["platforms"]
    for tags in ("python-tags", "python-tags/all"):
        assert "cp311" in json.loads(ask(scene, f"{ROOT}/metadata/{tags}")[1])["python_tags"]
    answer, content = ask(scene, f"{ROOT}/metadata/acme/dev/rh8-x86_64/cp311/eggs/large/1.0.0-1")
    assert json.loads(content)["sha256"] == scene.large.sha256
    answer, content = ask(scene, f"{ROOT}/metadata/nothing")
    assert (answer.status, answer.headers["Content-Type"]) == (404, "application/json")
    assert json.loads(content) == {"error": "not found"}


def test_an_index_is_gzipped_and_revalidated(scene):
    answer, content = ask(scene, INDEX, GZIP)
    assert (answer.status, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert len(json.loads(gzip.decompress(content))) == 50
    etag = answer.headers["ETag"]
    answer, content = ask(scene, INDEX, GZIP | {"If-None-Match": etag})
    assert (answer.status, content, answer.headers["ETag"]) == (304, b"", etag)
    answer, content = ask(scene, INDEX)
    assert answer.headers["Content-Encoding"] is None
    assert len(json.loads(content)) == 50


def test_requests_are_counted(scene):
    job = {"requests": scene.requests}
    before = requests_so_far(job)
    for path in (INDEX, EGG, f"{ROOT}/metadata/nothing"):
        ask(scene, path)
    after = requests_so_far(job)
    assert before is not None and after is not None
    assert after - before == 3 + 1  # with this question itself
    assert requests_so_far({}) is None


def test_an_index_that_is_nearly_another(scene):
    scene.nearly  # noqa: B018
    left, right = (
        json.loads(ask(scene, path)[1]) for path in (INDEX, INDEX.replace("/dev/", "/nearly/"))
    )
    both = left.keys() & right.keys()
    same = sum(left[name]["sha256"] == right[name]["sha256"] for name in both)
    found = {
        "copy": len(left.keys() - right.keys()),
        "update": len(both) - same,
        "delete": len(right.keys() - left.keys()),
        "skip": same,
    }
    assert found == nearly_count(scene.entries)


def test_an_egg(scene):
    whole = scene.large.path.read_bytes()
    answer, content = ask(scene, EGG, GZIP)
    assert (answer.status, content == whole) == (200, True)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="large-1.0.0-1.egg"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Accept-Ranges"] == "bytes"
    etag = answer.headers["ETag"]
    answer, content = ask(scene, EGG, {"Range": "bytes=1000-", "If-Range": etag})
    assert (answer.status, content == whole[1000:]) == (206, True)
    assert answer.headers["Content-Range"] == f"bytes 1000-{len(whole) - 1}/{len(whole)}"
    answer, content = ask(scene, EGG, {"Range": "bytes=1000-1999", "If-Range": etag})
    assert (answer.status, content == whole[1000:2000]) == (206, True)
    assert answer.headers["Content-Range"] == f"bytes 1000-1999/{len(whole)}"
    answer, content = ask(scene, EGG, {"Range": "bytes=1000-", "If-Range": '"another"'})
    assert (answer.status, content == whole) == (200, True)
    answer, content = ask(scene, EGG, method="HEAD")
    assert (answer.status, answer.headers["Content-Length"]) == (200, str(len(whole)))


def test_an_egg_over_tls(scene):
    context = ssl.create_default_context(cafile=scene.authority)
    connection = http.client.HTTPSConnection(scene.https.removeprefix("https://"), context=context)
    connection.request("GET", EGG)
    assert connection.getresponse().read() == scene.large.path.read_bytes()
    connection.close()


def test_an_upload_is_answered_when_all_of_it_has_arrived(scene):
    body = bytes(100_000)
    for _ in range(2):  # also for a connection that is kept
        for url in (scene.http, scene.swallowing):
            host, _, port = url.removeprefix("http://").partition(":")
            with socket.create_connection((host, int(port)), timeout=10) as connection:
                for path, status in ((UPLOAD, 201), (UPLOAD.replace("upload", "re-index"), 202)):
                    head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}"
                    connection.sendall(f"{head}\r\n\r\n".encode() + body[:60_000])
                    connection.settimeout(0.05)
                    with pytest.raises(TimeoutError):
                        connection.recv(1)
                    connection.settimeout(10)
                    connection.sendall(body[60_000:])
                    answer = connection.recv(65536)
                    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
                    if not answer.endswith(b"{}"):
                        assert connection.recv(2) == b"{}"


def test_a_far_network_takes_its_time():
    with ScriptedServer(Answer(200, body=b"x" * 300_000)) as server:
        port = server.url.rpartition(":")[2]
        proxy = run_module("scripts.bench.servers.delay", "--to", port, "--round-trip", "0.1")
        try:
            begun = time.monotonic()
            connection = http.client.HTTPConnection("127.0.0.1", proxy.read_port())
            connection.request("POST", "/", body=b"y" * 200_000)
            assert len(connection.getresponse().read()) == 300_000
            first = time.monotonic() - begun
            begun = time.monotonic()
            connection.request("GET", "/")
            assert len(connection.getresponse().read()) == 300_000
            second = time.monotonic() - begun
            connection.close()
        finally:
            proxy.stop()
    assert first >= 0.2  # the handshake, and the request with its answer
    assert second >= 0.1
    assert server.requests[0].body == b"y" * 200_000


def test_a_connection_over_the_relay_carries_so_much():
    body = b"x" * 1_000_000
    with ScriptedServer(Answer(200, body=body)) as server:
        relays = Relays()
        relays.use(Link(round_trip=0.02, per_connection=2_000_000))
        port = relays.port(int(server.url.rpartition(":")[2]))
        try:
            begun = time.monotonic()
            with ThreadPoolExecutor() as pool:
                found = [*pool.map(lambda _: fetched((relays.address, port)), range(4))]
            took = time.monotonic() - begun
        finally:
            relays.close()
    assert found == [body] * 4
    assert took >= 0.5
    assert took < 2  # each connection has it for itself


def fetched(address: tuple[str, int]) -> bytes:
    connection = http.client.HTTPConnection(*address)
    connection.request("GET", "/")
    return connection.getresponse().read()


@pytest.fixture
def namespaces(tmp_path: Path) -> Iterator[Namespaces]:
    found = link.make(tmp_path)
    if not isinstance(found, Namespaces):
        pytest.skip("namespaces want Linux, root, ip, a C compiler and /dev/net/tun")
    yield found
    found.close()


CLIENT = """
import sys, time, urllib.request
begun = time.monotonic()
for _ in range(2):
    size = len(urllib.request.urlopen(sys.argv[1]).read())
print(size, time.monotonic() - begun)
"""


@pytest.mark.long
def test_two_namespaces_are_far_apart(namespaces, tmp_path):
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "file").write_bytes(b"x" * 500_000)
    small = ("scripts.bench.servers.small", str(tmp_path / "root"), "--host", namespaces.address)
    server = run_module(*small, within=namespaces.far)
    try:
        url = f"http://{namespaces.address}:{namespaces.port(server.read_port())}/file"
        for kind, least in (
            (Link(round_trip=0.05), 2 * 2 * 0.05),  # a handshake, and a request
            (Link(round_trip=0.05, per_connection=2_000_000), 2 * 0.2),
            (Link(round_trip=0.02, rate=2_000_000), 2 * 0.2),
            (Link(round_trip=0.02, loss=0.002), 2 * 2 * 0.02),
        ):
            namespaces.use(kind)
            command = [*namespaces.near, sys.executable, "-c", CLIENT, url]
            said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
            size, took = said.split()
            assert int(size) == 500_000
            assert float(took) >= least, kind
    finally:
        server.stop()


def test_several_links_at_once_leave_nothing(namespaces, tmp_path):
    (tmp_path / "another").mkdir()
    another = link.make(tmp_path / "another")
    for each in (namespaces, another):
        each.use(Link())
    assert set(another.near).isdisjoint(namespaces.near[3:])
    namespace = another.near[-1]
    assert Path("/run/netns", namespace).exists()
    another.close()
    assert not Path("/run/netns", namespace).exists()
    assert Path("/run/netns", namespaces.near[-1]).exists()
