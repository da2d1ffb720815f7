"""Downloads over one connection and over several, from servers that misbehave part by part.

Either the file is right and stands under its name, or it is not there and an error says why.
"""

from __future__ import annotations

import gc
import gzip
import os
import random
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from attrs import evolve
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hatcher.api import BroodClient, RetryPolicy, Timeouts
from hatcher.cancel import CancelToken
from hatcher.cli.run import run
from hatcher.errors import (
    BroodHTTPError,
    ChecksumMismatchError,
    HatcherException,
    InvalidArgumentError,
    InvalidDestinationError,
    InvalidResponseError,
    NoSpaceError,
    PermissionDeniedError,
    RateLimitedError,
    ServerError,
    TransferInterruptedError,
    TransportError,
)
from hatcher.files.partial import Partial
from hatcher.testing import Answer, Request
from hatcher.transfer import ranges, segments

from ..disks import mounted
from ..forking import Forks
from ..transport.common import platform_of
from .conftest import ARGUMENTS, NAME, sha256_of
from .ranges import ETAG, JSON, Part, RangeServer
from .test_full_disk import largest_file
from .test_wire import HTML, PAGE, check

#: Large enough for several connections, and for several parts of each.
SIZE = 24_000_000
CONTENT = random.Random(16).randbytes(SIZE)
OTHER = CONTENT[::-1]

several = pytest.mark.parametrize("connections", [1, 4])


def first_answer(connections: int) -> Callable[[int, Part], Part]:
    """What has parts asked for: with one connection a loss, with several that it takes long."""

    def spoil(number: int, whole: Part) -> Part:
        if connections > 1:
            return evolve(whole, hold=1_000_000, pace=0.001)
        return evolve(whole, cut=9_000_000) if number == 0 else whole

    return spoil


@contextmanager
def serving(
    connections: int,
    content: bytes = CONTENT,
    parts: Any = None,
    stall: float = 0.4,
    **options: Any,
) -> Iterator[tuple[RangeServer, BroodClient]]:
    """A server, and its platform through a client that lets go of everything it held."""
    before = held()
    options.setdefault("wholes", first_answer(connections))
    server = RangeServer(content, **({"parts": parts} if parts else {}), **options)
    tries: dict[str, Any] = {"timeout": Timeouts(stall=stall), "retries": RetryPolicy(3, backoff=0)}
    with server, BroodClient.from_url(server.url, api_version=1, cache=False, **tries) as client:
        yield server, client
        until_at_most(lambda: len(client_threads()), 0)
    until_at_most(held, before)


def held() -> int:
    return len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 0


def client_threads() -> list[str]:
    return [each.name for each in threading.enumerate() if each.name.startswith("hatcher")]


def until_at_most(look: Callable[[], int], before: int) -> None:
    until = time.monotonic() + 5
    while look() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert look() <= before


def download(
    brood: BroodClient, to: Path, connections: int, content: bytes = CONTENT, **options: Any
) -> None:
    if connections > 1:
        options["connections"] = connections
    platform_of(brood).download_egg(*ARGUMENTS, to, sha256(content).hexdigest(), NAME, **options)


def right_or_not_there(
    brood: BroodClient,
    to: Path,
    connections: int,
    *errors: type[HatcherException],
    content: bytes = CONTENT,
) -> HatcherException | None:
    """Download; check that the file is right, or that one of these errors says why it is not."""
    try:
        download(brood, to, connections, content)
    except errors as error:
        check(error)
        assert NAME in str(error) or "egg" in str(error)
        left = [path.name for path in to.iterdir()]
        assert len(left) == ("are kept in" in str(error))
        assert all(name.endswith(".hatcher-partial") for name in left)
        return error
    assert [path.name for path in to.iterdir()] == [NAME]
    assert (to / NAME).read_bytes() == content
    return None


@contextmanager
def others_beside(brood: BroodClient, server: RangeServer) -> Iterator[None]:
    """Ask for something else all the time, over the same client; none of it may fail."""
    failures: list[BaseException] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.01) or not server.others:
            try:
                brood.list_platforms()
            except BaseException as error:
                failures.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert failures == []


# -- one part goes wrong, or some, or all ----------------------------------------------------------

Spoil = Callable[[Part], Answer]


def saying(**headers: str | None) -> Spoil:
    """Change headers, or leave them out."""
    changed = {name.replace("_", "-"): value for name, value in headers.items()}

    def spoil(part: Part) -> Answer:
        kept = {**part.headers, **changed}
        return evolve(
            part, headers={name: value for name, value in kept.items() if value is not None}
        )

    return spoil


def lying(first: int = 0, last: int = 0, total: int | None = 0) -> Spoil:
    """Say that the part is another one, by so many bytes."""

    def spoil(part: Part) -> Answer:
        whole = "*" if total is None else len(part.whole) + total
        end = part.first + len(part.body) - 1
        said = f"bytes {part.first + first}-{end + last}/{whole}"
        return saying(Content_Range=said)(part)

    return spoil


def instead(status: int, body: bytes = b'{"error": "no"}', **headers: str) -> Spoil:
    """Give another answer, with nothing of the file."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda part: Part(status, {**JSON, **named}, body)


def packed(part: Part) -> Answer:
    body = gzip.compress(bytes(part.body), 1)
    return evolve(part, headers={**part.headers, "Content-Encoding": "gzip"}, body=body)


def longer(part: Part) -> Answer:
    return evolve(part, body=bytes(part.body) + b"more")


def shorter(part: Part) -> Answer:
    return evolve(part, body=part.body[:-4])


def longer_in_frames(part: Part) -> Answer:
    """More than was said, where no length is."""
    body = b"%x\r\n%s\r\n4\r\nmore\r\n0\r\n\r\n" % (len(part.body), part.body)
    return evolve(part, headers={**part.headers, "Transfer-Encoding": "chunked"}, body=body)


def shorter_in_frames(part: Part) -> Answer:
    body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(part.body) - 4, part.body[:-4])
    return evolve(part, headers={**part.headers, "Transfer-Encoding": "chunked"}, body=body)


def flipped(part: Part) -> Answer:
    at = len(part.body) // 2
    return evolve(part, body=part.body[:at] + bytes([part.body[at] ^ 1]) + part.body[at + 1 :])


def whole(part: Part) -> Answer:
    named = {name: value for name, value in part.headers.items() if name != "Content-Range"}
    return Part(200, named, part.whole)


#: What happens to a part, and what may be raised when it happens each time.
FAULTS: dict[str, tuple[Spoil, tuple[type[HatcherException], ...]]] = {
    "first": (lying(first=1), ()),
    "first before": (lying(first=-1), ()),
    "last": (lying(last=-1), ()),
    "last beyond": (lying(last=1), ()),
    "total": (lying(total=1), ()),
    "shifted": (lying(1, 1), ()),
    "no Content-Range": (saying(Content_Range=None), ()),
    "another unit": (saying(Content_Range="lines 1-2/3"), ()),
    "garbage as Content-Range": (saying(Content_Range="bytes " + "9" * 5000 + "-/*"), ()),
    "no total": (lying(total=None), ()),
    "another ETag": (saying(ETag='"v2"'), ()),
    "a weak ETag": (saying(ETag='W/"v1"'), ()),
    "no ETag": (saying(ETag=None), ()),
    "packed": (packed, ()),
    "packed in another way": (saying(Content_Encoding="br"), (InvalidResponseError,)),
    "too long": (longer, ()),
    "too short": (shorter, ()),
    "too long, in frames": (longer_in_frames, (InvalidResponseError,)),
    "too short, in frames": (shorter_in_frames, (TransportError,)),
    "a flipped bit": (flipped, (ChecksumMismatchError,)),
    "cut": (lambda part: evolve(part, cut=len(part.body) // 2), (TransportError,)),
    "cut at once": (lambda part: evolve(part, cut=0), (TransportError,)),
    "reset": (
        lambda part: evolve(part, cut=len(part.body) // 2, end="reset"),
        (TransportError,),
    ),
    "closed after it": (lambda part: evolve(part, end="close"), ()),
    "stalled": (lambda part: evolve(part, stall=len(part.body) // 2), (TransportError,)),
    "stalled at once": (lambda part: evolve(part, stall=0), (TransportError,)),
    "slow": (lambda part: evolve(part, pace=0.005), ()),
    "whole": (whole, ()),
    "204": (lambda part: Part(204), ()),
    "416": (instead(416), ()),
    "416 with a length": (instead(416, Content_Range="bytes */7"), ()),
    "500": (instead(500), (ServerError,)),
    "502 in HTML": (instead(502, PAGE, **HTML), (ServerError,)),
    "503": (instead(503), (ServerError,)),
    "503 for a while": (instead(503, Retry_After="0"), (ServerError,)),
    "429": (instead(429, Retry_After="0"), (RateLimitedError,)),
    "404": (instead(404), (BroodHTTPError,)),
    "403": (instead(403), (PermissionDeniedError,)),
    "HTML as the whole": (instead(200, PAGE, **HTML), (ChecksumMismatchError,)),
    "HTML as a part": (instead(206, PAGE, **HTML), ()),
}

#: What one connection takes for the end, though it happens once.
ENDS = {"403", "404", "500", "HTML as the whole", "packed in another way", "too long, in frames"}


@pytest.mark.sampled(7)
@several
@pytest.mark.parametrize("when", ["once", "now and then", "always"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_part_goes_wrong(fault, when, connections, destination):
    spoil, errors = FAULTS[fault]
    every = {"once": SIZE, "now and then": 2, "always": 1}[when]

    def parts(number: int, part: Part) -> Answer:
        return part if number % every or part.status != 206 else spoil(part)

    allowed = errors if when == "always" or fault in ENDS else ()
    with serving(connections, parts=parts) as (server, brood):
        with others_beside(brood, server):
            error = right_or_not_there(brood, destination, connections, *allowed)
        assert any(wanted for wanted, _ in server.asked)
        # As if nothing had been, with the same client.
        server._parts = server._wholes = lambda number, part: part
        if error is not None:
            assert right_or_not_there(brood, destination, connections) is None


@several
@pytest.mark.parametrize(
    "change",
    [{"cut": 1_500_000}, {"cut": 0}, {"cut": 1_500_000, "end": "reset"}, {"stall": 1_500_000}],
    ids=repr,
)
def test_the_first_answer_goes_wrong(change, connections, destination):
    def wholes(number: int, part: Part) -> Answer:
        return part if number else evolve(part, pace=0.001, **change)

    with serving(connections, wholes=wholes) as (server, brood):
        assert right_or_not_there(brood, destination, connections) is None
        assert server.sent <= 1.05 * SIZE


@several
@pytest.mark.parametrize("fault", ["cut", "503", "stalled", "a flipped bit", "whole"])
def test_with_an_httpx_client_of_the_users_own(fault, connections, destination):
    spoil, expected = FAULTS[fault][0], sha256(CONTENT).hexdigest()

    def parts(number: int, part: Part) -> Answer:
        return part if number or part.status != 206 else spoil(part)

    with (
        RangeServer(CONTENT, parts, first_answer(connections)) as server,
        httpx.Client(timeout=0.4) as own,
    ):
        retries = RetryPolicy(3, backoff=0)
        brood = BroodClient.from_session(server.url, own, api_version=1, retries=retries)
        platform = platform_of(brood)
        platform.download_egg(*ARGUMENTS, destination, expected, NAME, connections=connections)
        assert (destination / NAME).read_bytes() == CONTENT
        (destination / NAME).unlink()
        _, chunks = platform.iter_download_egg(
            *ARGUMENTS, destination, expected, NAME, connections=connections
        )
        assert next(chunks) >= 0
        chunks.close()
        assert list(destination.iterdir()) == []
        until_at_most(lambda: len(client_threads()), 0)


# -- the server as a whole -------------------------------------------------------------------------


def other_backend(number: int, part: Part) -> Answer:
    """Answer from one of several machines that name the same version differently."""
    named = {name: value for name, value in part.headers.items() if name != "Content-Range"}
    return Part(200, {**named, "ETag": f'"backend-{number}"'}, part.whole)


def steady(number: int, whole: Part) -> Answer:
    return evolve(whole, pace=0.001)


@pytest.mark.sampled(3)
@several
@pytest.mark.parametrize(
    "options",
    [
        {"parts": lambda number, part: whole(part)},
        {"parts": other_backend},
        {"accepts": False},
        {"accepts": False, "parts": lambda number, part: whole(part)},
        {"etag": None},
        {"etag": 'W/"v1"'},
    ],
    ids=["ignored", "other backends", "not said", "not said, ignored", "no ETag", "weak ETag"],
)
def test_where_parts_are_not_to_be_had_nothing_is_sent_twice(options, connections, destination):
    with serving(connections, wholes=steady, **options) as (server, brood):
        for _ in range(2):  # the second time, it is known
            assert right_or_not_there(brood, destination, connections) is None
            assert server.sent <= 1.05 * SIZE
            (destination / NAME).unlink()
            server.sent = 0


@several
@pytest.mark.parametrize("retry_after", [None, "0", "1"])
def test_no_more_than_four_at_a_time(retry_after, connections, destination):
    refused = Part(429, {**JSON, **({"Retry-After": retry_after} if retry_after else {})}, b"{}")
    refusals = []

    def every(request: Request) -> Answer | None:
        if server.under_way <= 4:
            return None
        refusals.append(request)
        return refused

    slow = {"wholes": steady, "parts": lambda number, part: evolve(part, pace=0.002)}
    with serving(connections, every=every, **slow) as (server, brood):
        assert right_or_not_there(brood, destination, 2 * connections) is None
        assert server.sent <= 1.05 * SIZE
        assert len(refusals) <= 8


@pytest.mark.sampled(5)
@several
@pytest.mark.parametrize("expected", ["before", "after"])
@pytest.mark.parametrize("tells", [True, False], ids=["another ETag", "the same ETag"])
@pytest.mark.parametrize("at", [0, 1, 3])
def test_the_file_changes_between_parts(at, tells, expected, connections, destination):
    def parts(number: int, part: Part) -> Answer:
        if number != at or server.content is OTHER:
            return part
        server.content = OTHER
        server.etag = '"v2"' if tells else server.etag
        body = OTHER[part.first : part.first + len(part.body)]
        return (
            Part(200, {**part.headers, "ETag": '"v2"'}, OTHER) if tells else evolve(part, body=body)
        )

    wanted = CONTENT if expected == "before" else OTHER
    with serving(connections, parts=parts) as (server, brood):
        right_or_not_there(brood, destination, connections, ChecksumMismatchError, content=wanted)


@several
@pytest.mark.parametrize("uses", [1, 2, 3])
def test_signed_urls_that_expire(uses, connections, destination):
    """All of it comes from another origin, where a signature is good for so many requests."""
    used: dict[str, int] = {}

    def expires(request: Request) -> Answer | None:
        assert not request.headers.keys() & {"authorization", "cookie"}
        used[request.target] = used.get(request.target, 0) + 1
        return None if used[request.target] <= uses else Part(403, {}, b"<Error>Expired</Error>")

    with serving(connections, every=expires) as (bucket, _):
        signatures = iter(range(10**6))

        def sign(request: Request) -> Answer:
            place = f"{bucket.url}/bucket/{NAME}?signature=secret-{next(signatures)}"
            return Part(302, {"Location": place}, b"")

        with serving(connections, every=sign) as (_, brood):
            assert right_or_not_there(brood, destination, connections) is None
        assert bucket.sent <= 1.2 * SIZE


@several
def test_every_signature_has_expired_but_the_first(connections, destination):
    with serving(connections) as (bucket, _):
        places = iter(["first"])
        bucket._every = lambda request: (
            None if "first" in request.target else Part(403, {}, b"<Error>Expired</Error>")
        )

        def sign(request: Request) -> Answer:
            place = f"{bucket.url}/bucket/{NAME}?signature=secret-{next(places, 'late')}"
            return Part(302, {"Location": place}, b"")

        with serving(connections, every=sign) as (_, brood):
            right_or_not_there(brood, destination, connections, PermissionDeniedError)


# -- processes that are killed, or are two ---------------------------------------------------------


def job(server: RangeServer, to: Path, connections: int, **options: Any) -> dict[str, Any]:
    return {
        "do": "transfer",
        "direction": "down",
        "url": server.url,
        "auth": ["ada", "abracadabra"],
        "destination": str(to),
        "sha256": sha256(CONTENT).hexdigest(),
        "filename": NAME,
        "connections": connections,
        **options,
    }


#: Bytes that each kill may cost, and that each connection may have under way.
LOST, UNDER_WAY = 4_000_000, 500_000

#: How many connections each process uses; the last ones complete the file.
RELAYS = {
    "one": [1] * 4,
    "several": [4] * 4,
    "one, then several": [1, 4, 1, 4],
    "several, then one": [4, 1, 4, 1],
    "more and fewer": [2, 8, 4, 4],
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("without", ["nothing", "attributes"])
@pytest.mark.parametrize("relay", RELAYS)
def test_killed_again_and_again(relay, without, destination, dice, forks):
    paced = {"wholes": slowly, "parts": slowly}
    with RangeServer(CONTENT, **paced) as server:
        *killed, last = RELAYS[relay]
        bound, had = SIZE, 0
        for connections in killed:
            options = {"without": without, "kill_after": had + dice.randrange(2_000_000, 6_000_000)}
            forks.start(job(server, destination, connections, **options))
            forks.wait(-signal.SIGKILL)
            until_at_most(lambda: server.under_way, 0)
            assert [path.suffix for path in destination.iterdir()] == [".hatcher-partial"]
            bound += LOST + connections * UNDER_WAY
            had = max(0, server.sent - bound + SIZE)
        forks.start(job(server, destination, last, without=without))
        forks.wait()
        assert [path.name for path in destination.iterdir()] == [NAME]
        assert sha256_of(destination / NAME) == sha256(CONTENT).hexdigest()
        if without == "nothing" or set(RELAYS[relay]) == {1}:
            assert server.sent <= bound


def slowly(number: int, part: Part) -> Answer:
    return evolve(part, pace=0.004)


@pytest.mark.long
def test_killed_at_any_moment(destination, dice, forks):
    with RangeServer(CONTENT, wholes=slowly, parts=slowly) as server:
        for _ in range(12):
            for _ in range(dice.randrange(1, 5)):
                options = {"without": dice.choice(["nothing", "attributes"])}
                pid = forks.start(job(server, destination, dice.choice([1, 2, 4, 8]), **options))
                time.sleep(dice.uniform(0, 0.6))
                forks.kill(pid)
            forks.start(job(server, destination, dice.choice([1, 4])))
            forks.wait()
            assert [path.name for path in destination.iterdir()] == [NAME]
            assert sha256_of(destination / NAME) == sha256(CONTENT).hexdigest()
            (destination / NAME).unlink()


def test_two_processes_of_several_connections_each(destination, tmp_path, forks):
    (tmp_path / "other").mkdir()
    with (
        closing(Forks("tests.faults.jobs", tmp_path / "other")) as others,
        RangeServer(CONTENT, wholes=slowly, parts=slowly) as server,
    ):
        for each in (forks, others):
            each.start(job(server, destination, 4))
        for each in (forks, others):
            each.wait()
        assert [path.name for path in destination.iterdir()] == [NAME]
        assert sha256_of(destination / NAME) == sha256(CONTENT).hexdigest()
        assert server.sent <= 2 * 1.05 * SIZE


# -- the disk, and what others do there ------------------------------------------------------------


class At:
    """Progress that does something once so many bytes are there."""

    def __init__(self, size: int, do: Callable[[], object]) -> None:
        self._size, self._do = size, do
        self.told: list[int] = []

    def __call__(self, done: int, total: int | None, phase: str) -> None:
        assert phase != "downloading" or 0 <= done <= (total or done)
        self.told.append(done)
        if done >= self._size and self._size >= 0:
            self._size = -1
            self._do()


@several
@pytest.mark.parametrize("at", [0, 10_000_000, SIZE])
def test_others_put_something_under_its_name(at, connections, destination):
    def replace() -> None:
        (destination / "new").write_bytes(OTHER[:100])
        (destination / "new").rename(destination / NAME)

    with serving(connections) as (_, brood):
        download(brood, destination, connections, progress=At(at, replace))
        # Whoever is told that all has come is told so when it stands under its name.
        expected = OTHER[:100] if at == SIZE else CONTENT
        assert (destination / NAME).read_bytes() in (expected, CONTENT)
        assert [path.name for path in destination.iterdir()] == [NAME]


@several
def test_others_remove_what_is_there_so_far(connections, destination):
    def remove() -> None:
        for path in destination.glob("*.hatcher-partial"):
            path.unlink()

    with serving(connections) as (_, brood):
        with pytest.raises(InvalidDestinationError, match="removed"):
            download(brood, destination, connections, progress=At(10_000_000, remove))
        assert list(destination.iterdir()) == []


@several
@pytest.mark.skipif(sys.platform != "linux", reason="a limit that can be passed")
def test_no_room_in_the_middle(connections, destination):
    with serving(connections) as (_, brood):
        with largest_file(20_000_000), pytest.raises(NoSpaceError, match="File too large"):
            download(brood, destination, connections)
        assert list(destination.iterdir()) == []
        assert right_or_not_there(brood, destination, connections) is None


@several
@pytest.mark.programs
def test_the_disk_fills_up(connections, tmp_path):
    with mounted(tmp_path / "disk", SIZE + 4_000_000) as done, serving(connections) as (_, brood):
        if not done:
            pytest.skip("no file system can be mounted")
        ballast = tmp_path / "disk" / "ballast"
        fill = At(1_000_000, lambda: ballast.write_bytes(bytes(8_000_000)))
        with pytest.raises(NoSpaceError):
            download(brood, tmp_path / "disk", connections, progress=fill)
        assert list((tmp_path / "disk").iterdir()) == [ballast]
        ballast.unlink()
        assert right_or_not_there(brood, tmp_path / "disk", connections) is None


# -- whoever waits has had enough ------------------------------------------------------------------


def enough() -> None:
    raise BrokenPipeError("enough")


@pytest.mark.sampled(3)
@several
@pytest.mark.parametrize("how", ["close", "throw", "progress", "token", "forget"])
def test_given_up_at_any_moment(how, connections, destination, dice):
    paced = {"wholes": slowly, "parts": slowly}
    with serving(connections, **paced) as (server, brood):
        for _ in range(2):
            at, expected = dice.randrange(SIZE), sha256(CONTENT).hexdigest()
            options = {"connections": connections} if connections > 1 else {}
            if how == "progress":
                with pytest.raises(BrokenPipeError):
                    download(brood, destination, connections, progress=At(at, enough))
            elif how == "token":
                token = CancelToken()
                stop = At(at, lambda token=token: threading.Timer(0.01, token.cancel).start())
                with suppress(TransferInterruptedError), token.active():
                    download(brood, destination, connections, progress=stop)
            else:
                _, chunks = platform_of(brood).iter_download_egg(
                    *ARGUMENTS, destination, expected, NAME, **options
                )
                done = 0
                while done < at:
                    done += next(chunks)
                if how == "close":
                    chunks.close()
                elif how == "throw":
                    with pytest.raises(KeyboardInterrupt):
                        chunks.throw(KeyboardInterrupt)
                del chunks
                gc.collect()
            # A token may come too late, and may leave what is much.
            left = {path.name for path in destination.iterdir()}
            assert not left or how == "token"
            until_at_most(lambda: len(client_threads()), 0)
            until_at_most(lambda: server.under_way, 0)
            for path in destination.iterdir():
                path.unlink()
        # The client goes on as if nothing had been.
        server._wholes = server._parts = lambda number, part: part
        assert right_or_not_there(brood, destination, connections) is None


@pytest.mark.long
@several
def test_ctrl_c_at_any_moment(connections, destination, dice, forks):
    with RangeServer(CONTENT, wholes=slowly, parts=slowly) as server:
        for _ in range(6):
            interrupted = job(server, destination, connections, do="interrupted")
            pid = forks.start(interrupted)
            time.sleep(dice.uniform(0, 0.5))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            outcome = forks.wait()
            left = [path.name for path in destination.iterdir()]
            assert left == ([] if outcome["interrupted"] else [NAME])
            assert outcome["threads"] == ["MainThread"]
            (destination / NAME).unlink(missing_ok=True)


# -- numbers that are none -------------------------------------------------------------------------

BAD = [0, -1, 17, 10**30, True, False, 1.5, 4.0, "4", b"4", [4], float("nan"), type]


@pytest.mark.parametrize("connections", BAD, ids=repr)
def test_no_number_of_connections(connections, destination):
    wanted: dict[str, Any] = {"connections": connections}
    with RangeServer(CONTENT) as server:
        with BroodClient.from_url(server.url, api_version=1, cache=False) as brood:
            platform = platform_of(brood)
            runtime = ("cpython", "3.11.9+1")
            for door in (
                lambda: platform.download_egg(*ARGUMENTS, destination, **wanted),
                lambda: platform.iter_download_egg(*ARGUMENTS, destination, **wanted),
                lambda: platform.egg(*ARGUMENTS).download(destination, **wanted),
                lambda: platform.egg(*ARGUMENTS).iter_download(destination, **wanted),
                lambda: platform.download_runtime(*runtime, destination, **wanted),
                lambda: platform.iter_download_runtime(*runtime, destination, **wanted),
                lambda: platform.runtime(*runtime).download(destination, **wanted),
                lambda: platform.runtime(*runtime).iter_download(destination, **wanted),
                lambda: platform.download_eggs("cp311", destination, **wanted),
                lambda: platform.download_runtimes(destination, **wanted),
            ):
                with pytest.raises(InvalidArgumentError, match="connections"):
                    door()
        assert server.connections == 0
    assert list(destination.iterdir()) == []


@pytest.mark.parametrize("connections", [None, 1, 2, 16])
def test_numbers_of_connections(connections, destination):
    with serving(connections or 1) as (_, brood):
        expected = sha256(CONTENT).hexdigest()
        platform_of(brood).download_egg(*ARGUMENTS, destination, expected, connections=connections)
        assert (destination / NAME).read_bytes() == CONTENT


# -- everything at once ----------------------------------------------------------------------------

#: A thirty-second of what is usual, so that small files have many parts.
SMALL = {
    "SPLIT_FROM": 500_000,
    "_LARGEST": 256 * 1024,
    "_SMALLEST": 16 * 1024,
    "_WORTH_HALVING": 0.02,
    "_FIRST_PART": 2 * 1024 * 1024,
    "_BLOCK": 8 * 1024,
    "BLOCK_SIZE": 32 * 1024,
}

#: What an earlier process may have left: pieces, and whether what is noted of each is true.
places = st.integers(0, 3_000_000)
pieces = st.lists(st.tuples(places, places, st.sampled_from([True, True, True, False])), max_size=4)


class Plan(NamedTuple):
    """How a server misbehaves, before and during a download."""

    size: int
    connections: int
    faults: dict[int, str]
    cut: int | None
    pace: float
    left: list[tuple[int, int, bool]]
    changes_at: int | None


plans = st.builds(
    Plan,
    size=st.integers(500_000, 3_000_000) | st.sampled_from([0, 1, 499_999, 500_001]),
    connections=st.integers(1, 8),
    faults=st.dictionaries(st.integers(0, 12), st.sampled_from(sorted(FAULTS)), max_size=5),
    cut=st.none() | st.integers(0, 3_000_000),
    pace=st.sampled_from([0, 0, 0.001, 0.005]),
    left=pieces,
    changes_at=st.sampled_from([None] * 8 + [0, 1, 2, 5]),
)


def leave(to: Path, content: bytes, left: list[tuple[int, int, bool]]) -> None:
    """Leave what a killed process might have, and notes that need not be true."""
    places = sorted({min(place, len(content)) for first, end, _ in left for place in (first, end)})
    noted = list(zip(places[::2], places[1::2], strict=False))
    if not noted:
        return
    partial = Partial.claim(to / NAME)
    partial.open_places()
    for (first, end), (_, _, is_true) in zip(noted, left, strict=False):
        data = content[first:end] if is_true else bytes(end - first)
        partial.write_at(memoryview(data), first)
    partial.size = noted[0][1] if noted[0][0] == 0 else 0
    partial.beyond = noted[1:] if partial.size else noted
    partial.remember(sha256(content).hexdigest(), ETAG)
    partial.release()


@pytest.mark.long
@settings(max_examples=150, deadline=None, phases=[Phase.explicit, Phase.generate, Phase.shrink])
@given(plans)
def test_whatever_happens(tmp_path_factory, plan):
    content, other = CONTENT[: plan.size], OTHER[: plan.size]
    to = tmp_path_factory.mktemp("downloads")
    leave(to, content, plan.left)

    def wholes(number: int, part: Part) -> Answer:
        return evolve(part, pace=plan.pace, cut=plan.cut if number == 0 else None)

    def parts(number: int, part: Part) -> Answer:
        if number == plan.changes_at:
            server.content, server.etag = other, '"v2"'
        fault = plan.faults.get(number)
        return part if part.status != 206 or fault is None else FAULTS[fault][0](part)

    errors = [kind for fault in plan.faults.values() for kind in FAULTS[fault][1]]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in SMALL.items():
            patch.setattr(segments, name, value)
        patch.setattr(ranges, "HEADWAY", 8 * 1024)
        options = {"content": content, "parts": parts, "wholes": wholes, "stall": 0.1}
        with serving(plan.connections, **options) as (server, brood):
            allowed = {*errors, TransportError, InvalidResponseError} if plan.faults else set()
            if plan.changes_at is not None:
                allowed.add(ChecksumMismatchError)
            right_or_not_there(brood, to, plan.connections, *allowed, content=content)
            server.content, server.etag = content, ETAG
            server._parts = server._wholes = lambda number, part: part
            assert right_or_not_there(brood, to, plan.connections, content=content) is None
    shutil.rmtree(to)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("value", ["0", "-1", "17", "1.5", "four", "", "9" * 5000, "4 4"])
@pytest.mark.parametrize("command", ["eggs", "runtimes"])
@pytest.mark.parametrize("many", [False, True], ids=["one", "many"])
def test_no_number_for_the_command_line(many, command, value, destination, capsys):
    what = ["batch-download"] if many else ["download"]
    where = ["acme/dev/rh8-x86_64", "cp311" if command == "eggs" else "cpython"]
    with RangeServer(CONTENT) as server:
        line = ["--url", server.url, command, *what, "--connections", value, *where]
        assert run([*line, "Spam", "1.0-1"]) == 2
        assert server.connections == 0
    assert "--connections" in capsys.readouterr().err
