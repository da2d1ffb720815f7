"""What a server may say over the wire: heads, chunks, trailers, redirects, tokens; and all else.

A process of its own asks, so that its memory can be told: one line for each answer.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
import sys
import tempfile
import threading
import time
from contextlib import suppress
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from hatcher.testing.listener import Listener

from . import odd

_OK = b"HTTP/1.1 200 OK\r\n"
_TOKEN = b'{"token": "one-of-the-server"}'
_PLATFORMS = b'{"platforms": ["rh8-x86_64"]}'
_EGG = b"PK\x05\x06" + bytes(18)
_NAMED = b'Content-Disposition: attachment; filename="Spam-1.0-1.egg"\r\n'

_HEADS = (
    _OK + b"Content-Type: application/json\r\nContent-Length: 29\r\n\r\n" + _PLATFORMS,
    _OK + b"Content-Length: 26\r\n\r\n" + _TOKEN,
    _OK + _NAMED + b"Content-Length: 22\r\n\r\n" + _EGG,
    _OK + b"Connection: close\r\n\r\n" + _PLATFORMS,
    _OK + b"Transfer-Encoding: chunked\r\n\r\n1d\r\n" + _PLATFORMS + b"\r\n0\r\nA: b\r\n\r\n",
    _OK + _NAMED + b"Transfer-Encoding: chunked\r\n\r\n16;x=y\r\n" + _EGG + b"\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + _OK + b"\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-21/22\r\nContent-Length: 22\r\n\r\n" + _EGG,
    b'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n',
    b"HTTP/1.1 401 Who\r\nContent-Length: 16\r\n\r\n" + b'{"error": "who"}',
    b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n" + b'{"error": "who"}',
    b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\nRetry-After: 0\r\n\r\n",
    b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 4\r\n\r\nbusy",
    b"HTTP/1.1 101 Go\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
)

_FIELDS = (
    b"Content-Length: ",
    b"Transfer-Encoding: ",
    b"Content-Encoding: ",
    b"Content-Type: ",
    b"Content-Disposition: attachment; filename=",
    b"Content-Range: bytes ",
    b"Retry-After: ",
    b"Location: ",
    b"ETag: ",
    b"Date: ",
    b"Connection: ",
    b"WWW-Authenticate: ",
    b"X: ",
)

_VALUES = (
    *(str(2**power).encode() for power in (31, 32, 63, 64, 1000)),
    b"1" + b"0" * 15,
    b"9" * 400,
    b"-1",
    b"5_0",
    b"chunked",
    b"gzip",
    b"deflate",
    b"0-5/22",
    b"close",
    b"a\r\n b",
    b"\xff\xfe",
    b"Wed, 99 Foo 20250 00:00:00 GMT",
    b"x" * 70_000,
)

_PLACES = (
    b"/",
    b"//",
    b"?x",
    b"#y",
    b"/a#b",
    b"http://",
    b"http://[::1",
    b"http://127.0.0.1:99999/",
    b"http://127.0.0.1:0/",
    b"http://\xc3\xa9.invalid/\xc3\xa9",
    b"\xc3\xa9",
    b"\xff",
    b"gopher://x",
    b"javascript:x",
    b"http://a:b@127.0.0.1:1/",
    b"/%zz?%",
    b"/ a\tb",
    b"/" + b"x" * 60_000,
    b"../../..",
)

_TOKENS = (
    "a\r\nDELETE / HTTP/1.1\r\n\r\n",
    "€",
    "\x00",
    " x ",
    "x" * 70_000,
    "\ud800",
    "",
)

_CHUNKS = (
    b"-5",
    b"0x5",
    b"5_0",
    b"1" + b"0" * 20,
    b"",
    b" ",
    b"zz",
    b"5;" + b"x" * 70_000,
    b"ffffffff",
)


@st.composite
def _answers(draw: st.DrawFn) -> bytes:
    """One answer, in which something is odd."""
    match draw(st.integers(0, 6)):
        case 0:
            return draw(odd.changed_bytes(_HEADS))
        case 1:
            return draw(odd.changed_bytes(_HEADS)) * draw(st.integers(1, 60))
        case 2:
            field = draw(st.sampled_from(_FIELDS)) + draw(
                st.sampled_from(_VALUES) | st.binary(max_size=30)
            )
            head, mark, body = draw(st.sampled_from(_HEADS)).partition(b"\r\n\r\n")
            return head + b"\r\n" + field + mark + body
        case 3:
            status = draw(st.sampled_from((301, 302, 303, 307, 308)))
            place = draw(st.sampled_from(_PLACES) | st.binary(max_size=30))
            return b"HTTP/1.1 %d So\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n" % (status, place)
        case 4:
            token = draw(st.sampled_from(_TOKENS) | odd.texts)
            content = odd.as_json({"token": draw(st.just(token) | odd.values)})
            return _OK + b"Content-Length: %d\r\n\r\n%s" % (len(content), content)
        case 5:
            parts = draw(st.lists(st.sampled_from(_CHUNKS) | st.binary(max_size=9), max_size=5))
            return _OK + _NAMED + b"Transfer-Encoding: chunked\r\n\r\n" + b"\r\n".join(parts)
        case _:
            content = draw(odd.values.map(odd.as_json) | st.just(b" " * 3_000_000))
            return _OK + b"Content-Length: %d\r\n\r\n%s" % (len(content), content)


#: What is said to one request after the other, in blocks of that size, and how it ends.
conversations = st.tuples(
    st.lists(_answers(), min_size=1, max_size=3),
    st.sampled_from((1, 7, 100_000)),
    st.sampled_from(("close", "wait", "reset", "go on")),
)


class Speaker(Listener):
    """A server that says what it is told, whatever it is asked; with a context, over TLS."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._context = context
        self._over = threading.Event()
        self.tell(([], 1, "close"))
        super().__init__()

    def tell(self, told: tuple[list[bytes], int, str]) -> None:
        """Say these answers from now on, the last one again and again."""
        answers, step, ending = told
        self._over.set()
        self._over = threading.Event()
        without_end = chain(answers, repeat(answers[-1]) if answers else ())
        self._told = (without_end, step, ending, self._over)

    def close(self) -> None:
        self._over.set()
        super().close()

    def _serve(self, connection: socket.socket) -> None:
        answers, step, ending, over = self._told
        connection.settimeout(0.5)
        with suppress(OSError):  # the client has gone
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection:
                while not over.is_set() and connection.recv(65536):
                    answer = next(answers, b"")
                    # The end of what is large is in one piece: nobody has the time for more.
                    for start in range(0, min(len(answer), 200 * step), step):
                        connection.sendall(answer[start : start + step])
                    connection.sendall(answer[200 * step :])
                    if ending == "wait":
                        over.wait(0.5)
                    elif ending == "reset":
                        linger = b"\1\0\0\0\0\0\0\0"
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    if ending != "go on":
                        return


def ask(url: str, verify_ssl: str, what: str) -> None:
    """Send one request of a kind, in the asking process."""
    from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth, RetryPolicy

    auth: Any = BroodBearerTokenAuth(SECRET)
    if what == "token":
        auth = BroodClientAuth(url, ("ada", SECRET))
    with (
        tempfile.TemporaryDirectory() as folder,
        BroodClient.from_url(
            url,
            auth,
            api_version=1,
            verify_ssl=verify_ssl or True,
            timeout=READ,
            retries=RetryPolicy(1, backoff=0),
            cache=False,
        ) as client,
    ):
        match what:
            case "download":
                client.at("acme/dev/rh8-x86_64").download_egg("cp311", "Spam", "1.0-1", folder)
            case "create":
                client.create_organization("acme", "x" * 100_000)
            case "delete":
                client.delete_api_token("x")
            case "index":
                client.at("acme/dev/rh8-x86_64").egg_index("cp311")
            case _:
                client.list_platforms()


KINDS = ("list", "token", "download", "create", "delete", "index")
SECRET = "s3cret-in-no-message"

#: Seconds without a word.
READ = 0.4


def main() -> None:
    """Ask as each line says; tell what came of it, how long it took, and the most memory so far."""
    from hatcher.errors import HatcherException

    logging.disable()
    for line in sys.stdin:
        job = json.loads(line)
        begun = time.monotonic()
        wrong = ""
        try:
            ask(job["url"], job["verify_ssl"], job["what"])
        except HatcherException as error:
            if not str(error).strip() or SECRET in str(error) + repr(error):
                wrong = f"{error!r}"
        except BaseException as error:
            wrong = f"{type(error).__name__}: {error}"
        found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
        assert found is not None
        seconds, peak = time.monotonic() - begun, int(found[1]) * 1024
        print(json.dumps({"wrong": wrong, "seconds": seconds, "peak": peak}), flush=True)


if __name__ == "__main__":
    main()
