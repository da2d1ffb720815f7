"""Requests that no client of ours makes, over a raw socket."""

from __future__ import annotations

import base64
import re
import socket
from importlib import import_module
from inspect import getfullargspec
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from hypothesis import strategies as st

from brood_api.operations import OPERATIONS
from hatcher.testing import BroodProcess

from . import odd
from .readers import TARGETS

#: Seconds until a server that says nothing fails to answer.
PATIENCE = 30

_FILES = st.sampled_from([target.inputs for target in TARGETS[:5]]).flatmap(lambda each: each)


class Sent(NamedTuple):
    """A request; one that is whole must be answered."""

    content: bytes
    is_whole: bool


@st.composite
def _targets(draw: st.DrawFn) -> tuple[str, bytes]:
    operation = draw(st.sampled_from(sorted(OPERATIONS)))
    described = OPERATIONS[operation]
    good = {"organization": "acme", "repository": "dev", "platform": "rh8-x86_64"}

    def name(found: re.Match[str]) -> str:
        usual = good.get(found[1], "cp311")
        value = draw(st.sampled_from((usual, usual, usual)) | odd.texts)
        return _quoted(value, draw(st.sampled_from(("", "/"))))

    path = re.sub(r"{(\w+)}", name, described.path)
    query = "&".join(
        f"{each}={_quoted(draw(odd.texts | st.sampled_from(('True', 'False'))))}"
        for each in getfullargspec(import_module(described.module).request_kwargs).kwonlyargs
        if draw(st.booleans())
    )
    method = draw(st.sampled_from((described.method,) * 4 + ("HEAD", "OPTIONS", "PUT", "BREW")))
    return method, (path + (f"?{query}" if query else "")).encode()


def _quoted(text: str, safe: str = "") -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe)


def _multipart(file: bytes, filename: str, data: bytes) -> tuple[bytes, bytes]:
    name = filename.encode("utf-8", "surrogatepass")
    body = (
        b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="'
        + name
        + b'"\r\n\r\n'
        + file
        + b'\r\n--xyz\r\nContent-Disposition: form-data; name="data"; filename=""\r\n'
        b"Content-Type: application/json; charset=UTF-8\r\n\r\n" + data + b"\r\n--xyz--\r\n"
    )
    return b"multipart/form-data; boundary=xyz", body


@st.composite
def requests(draw: st.DrawFn, token: str) -> Sent:
    """A request in the form that HTTP wants, about odd things."""
    method, target = draw(_targets())
    kind, body = b"application/json", b""
    if method in ("POST", "PUT"):
        if target.partition(b"?")[0].endswith(b"/upload"):
            good = b'{"sha256": "' + b"0" * 64 + b'"}'
            data = draw(st.just(good) | odd.values.map(odd.as_json) | st.binary(max_size=50))
            name = draw(st.sampled_from(("nose-1.3.0-1.egg", "a.yaml")) | odd.texts)
            kind, body = _multipart(draw(_FILES), name, data)
            body = draw(odd.changed_bytes([body]))
        else:
            good_one = {"name": "acme", "description": "x", "email": "a@b.c", "eggs": []}
            body = draw(
                odd.changed_documents(good_one).map(odd.as_json)
                | odd.values.map(odd.as_json)
                | st.binary(max_size=50)
            )
            kind = draw(
                st.sampled_from((kind, kind, b"text/plain", b"application/json; charset=x"))
            )
    credentials = draw(
        st.sampled_from((f"Bearer {token}",) * 6 + ("Bearer x", "Basic \xff", "", "Digest a"))
        | odd.texts.map(lambda text: f"Basic {_basic(text)}")
    )
    lines = [
        method.encode() + b" " + target + b" HTTP/1.1",
        b"Host: localhost",
        b"Connection: close",
    ]
    lines.append(b"Authorization: " + credentials.encode("latin-1"))
    if body or method in ("POST", "PUT"):
        lines += [b"Content-Type: " + kind, b"Content-Length: " + str(len(body)).encode()]
    for header in draw(st.lists(st.sampled_from(_HEADERS), max_size=2)):
        lines.append(header)
    return Sent(b"\r\n".join(lines) + b"\r\n\r\n" + body, True)


def _basic(text: str) -> str:
    return base64.b64encode(f"{text}:{text}".encode("utf-8", "surrogatepass")).decode()


_HEADERS = (
    b"Range: bytes=0-",
    b"Range: bytes=5-1",
    b"Range: bytes=" + b"9" * 4000 + b"-",
    b"Range: lines=1-2",
    b"If-None-Match: *",
    b'If-None-Match: "' + b"x" * 3000,
    b"If-Range: \xff\xfe",
    b"If-Modified-Since: yesterday",
    b"Accept: application/xml",
    b"Accept-Encoding: br;q=x",
    b"Expect: 100-continue",
    b"Origin: null",
    b"Sec-Fetch-Site: cross-site",
    b"X-Forwarded-For: \xff",
    b"X-Forwarded-For: 1.2.3.4, 5.6.7.8",
    b"Cookie: a=" + b"b" * 3000,
)

_HEADS = (
    b"GET /api/v1/json/metadata/platforms HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    b"POST /api/v1/json/admin/organizations HTTP/1.1\r\nHost: localhost\r\n"
    b'Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n\r\n5\r\n{"a":\r\n0\r\n\r\n',
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET /docs HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET http://[::1 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
)

#: No requests, but something like them.
junk = odd.changed_bytes(_HEADS).map(lambda content: Sent(content, False))


def check(server: BroodProcess, sent: Sent) -> None:
    """Send something; the answer is one that the description knows."""
    address = urlsplit(server.url)
    with socket.create_connection((address.hostname, address.port), PATIENCE) as sock:
        answer = bytearray()
        try:
            sock.sendall(sent.content)
            if not sent.is_whole:
                sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it may have answered before all was sent
        try:
            while block := sock.recv(65536):
                answer += block
        except ConnectionError:
            pass
    status = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    if status is None:
        assert not sent.is_whole and not answer, (sent.content, bytes(answer[:200]))
        return
    assert int(status[1]) < 500 or status[1] in (b"503", b"507"), bytes(answer[:500])
