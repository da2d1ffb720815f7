"""Indices kept on disk: right every time, everybody's own, bounded, and never needed."""

import base64
import gzip
import hashlib
import json
import logging
import os
import pickle
import random
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth
from hatcher.core.index import Index
from hatcher.errors import InvalidArgumentError, InvalidJSONError, NotFoundError, ServerError
from hatcher.files.cache import kept_files
from hatcher.testing import Answer, Request, ScriptedServer, write_egg
from hatcher.transport.auth import BasicAuth
from hatcher.transport.cache import SMALLEST, IndexCache, open_cache
from hatcher.transport.request import Request as Wanted
from hatcher.transport.urls import ServerURL

from .common import JSON, default, platform_of, token

ADA, EVE = ("ada@example.com", "correct horse"), ("eve@example.com", "battery staple")
TOKEN = "token-0123456789abcdef"
MODIFIED = "Mon, 01 Jan 2024 10:00:00 GMT"

posix = pytest.mark.skipif(os.name != "posix", reason="modes, homes and limits are those of POSIX")


def index_of(version: int, entries: int = 200) -> dict[str, Any]:
    entry = {"name": "nose", "python_tag": "py3", "sha256": "ab" * 32, "packages": ["six 1.16"]}
    return {f"nose-{version}.{n}-1.egg": dict(entry) for n in range(entries)}


def body_of(version: int, entries: int = 200) -> bytes:
    body = json.dumps(index_of(version, entries)).encode()
    assert len(body) > SMALLEST
    return body


def tagged(etag: str, body: bytes, **headers: str) -> Answer:
    return Answer(200, {"ETag": etag, **JSON, **headers}, body)


class Site(ScriptedServer):
    """A server whose index has a version, which is its ETag; and the cache of its clients."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.version = 1
        super().__init__(self._answer)

    def _answer(self, request: Request) -> Answer:
        if request.method == "POST":
            return token("session")
        etag = f'W/"{self.version}"'
        if request.headers.get("if-none-match") == etag:
            return Answer(304, {"ETag": etag})
        body = body_of(self.version)
        is_nested = not request.target.endswith("/eggs")
        return tagged(etag, b'{"a": {"b": {"c": %b}}}' % body if is_nested else body)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of one test."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("HATCHER_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def site(folder: Path) -> Iterator[Site]:
    with Site(folder) as site:
        yield site


def ask(url: str, method: str = "egg_index", auth: Any = ADA, **options: Any) -> Any:
    """Ask for an index with a client of its own, as the next process would."""
    with default(url, auth, **options) as client:
        return getattr(platform_of(client), method)("cp311")


def conditions(server: ScriptedServer) -> list[str | None]:
    """What each request for an index was conditional on."""
    return [
        request.headers.get("if-none-match") or request.headers.get("if-modified-since")
        for request in server.requests
        if request.method == "GET"
    ]


def check(folder: Path, *answers: Any, versions: list[int], asked: list[str | None]) -> None:
    """Ask as often as there are versions: those come, and so it was asked for them."""
    with ScriptedServer(*answers) as server:
        assert [ask(server.url) for _ in versions] == [index_of(n) for n in versions]
        assert conditions(server) == asked
    assert leftovers(folder) == []


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("indices/*.index"))


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.name.endswith(".partial")]


def wanted(name: str = "indices") -> Wanted:
    return Wanted("v1_get_egg_index", "GET", f"/{name}", "safe")


class TestAnIndex:
    def test_that_has_not_changed_is_not_sent_again(self, site):
        first = ask(site.url)
        first["nose-1.0-1.egg"]["name"] = "changed by a user"
        first.clear()
        assert ask(site.url) == index_of(1)
        assert ask(site.url, "list_eggs")[0] == {"name": "nose-1.0-1.egg", "python_tag": "py3"}
        assert conditions(site) == [None, 'W/"1"', 'W/"1"']
        assert len(kept(site.folder)) == 1

    def test_of_one_client_is_another_object_each_time(self, site):
        with default(site.url) as client:
            made = []
            for _ in range(4):
                made.append(platform_of(client).egg_index("cp311"))
                assert made[-1] == index_of(1)
                made[-1]["nose-1.0-1.egg"]["name"] = "changed"
                made[-1]["nose-1.1-1.egg"]["packages"].append("changed")
                del made[-1]["nose-1.2-1.egg"]
            assert {type(index) for index in made} == {Index}
            for _ in range(3):
                made.append(platform_of(client).list_eggs("cp311"))
                assert made[-1][0] == {"name": "nose-1.0-1.egg", "python_tag": "py3"}
                made[-1][0]["name"] = "changed"
        assert conditions(site) == [None, *['W/"1"'] * 6]

    def test_that_is_remembered_is_asked_for_again(self, site):
        with default(site.url) as client:
            platform = platform_of(client)
            for site.version in (1, 1, 2, 2, 1):
                assert platform.egg_index("cp311") == index_of(site.version)
            platform.egg_index("cp312")
            assert platform.list_eggs("cp311")[0]["name"] == "nose-1.0-1.egg"
            kept(site.folder)[0].write_bytes(b"damaged")
            kept(site.folder)[1].unlink()
            for tag in ("cp311", "cp312"):
                assert platform.egg_index(tag) == index_of(1)

    def test_that_has_changed_is_sent(self, site):
        for version in (1, 1, 2, 2, 1):
            site.version = version
            assert ask(site.url) == index_of(version)
        assert conditions(site) == [None, *[f'W/"{n}"' for n in (1, 1, 2, 2)]]
        assert len(kept(site.folder)) == 1

    def test_of_any_kind(self, site):
        with default(site.url) as client:
            platform = platform_of(client)
            for _ in range(2):
                platform.egg_index("cp310")
                platform.egg_index("cp311")
                platform.runtime_index()
                platform.app_index()
                platform.bundle_index()
            platform.list_eggs("cp310")
            platform.list_runtimes()
        assert conditions(site) == [None] * 5 + ['W/"1"'] * 7
        assert len(kept(site.folder)) == 5

    def test_of_a_real_server(self, folder, brood_server, tmp_path, caplog):
        def ask(**options: Any) -> Any:
            with brood_server.client(**options) as client:
                return platform_of(client).egg_index("cp311")

        client = brood_server.client()
        client.create_organization("acme", "").create_repository("dev", "")
        platform = platform_of(client)
        for number in range(80):
            platform.upload_egg(write_egg(tmp_path, "nose", f"1.{number}", 1, python_tag="cp311"))
        first = ask()
        assert (len(first), len(kept(folder))) == (80, 1)
        with caplog.at_level(logging.DEBUG, "hatcher"):
            caplog.clear()
            assert ask() == first == ask(cache=False)
        assert [re.search(r"-> (\d+)", line)[1] for line in caplog.messages] == ["304", "200"]
        platform.delete_egg("cp311", "nose", "1.7-1")
        assert set(first) - set(ask()) == {"nose-1.7-1.egg"}
        assert [listed["name"] for listed in platform.list_eggs("cp311")] == list(ask())
        client.organization("acme").repository("dev").delete(force=True)
        with pytest.raises(NotFoundError):
            ask()

    def test_that_came_packed(self, folder):
        packed = [gzip.compress(body_of(n), 0) for n in (1, 2)]
        check(
            folder,
            tagged('"1"', packed[0], **{"Content-Encoding": "gzip"}),
            Answer(304),
            tagged('"2"', packed[1]),
            Answer(304),
            versions=[1, 1, 2, 2],
            asked=[None, '"1"', '"1"', '"2"'],
        )

    def test_that_is_large(self, folder):
        big = index_of(1, 50_000)
        answer = tagged('"1"', gzip.compress(json.dumps(big).encode(), 1))
        before = threading.active_count()
        with ScriptedServer(answer, Answer(304)) as server:
            assert ask(server.url) == ask(server.url) == big
            listed = ask(server.url, "list_eggs")
        assert listed == [{"name": name, "python_tag": "py3"} for name in big]
        assert leftovers(folder) == []
        assert threading.active_count() <= before + 1


class TestIdentity:
    def test_nobody_gets_what_another_one_sees(self, site):
        class Special(BasicAuth):
            """Might add what hatcher does not know."""

        url = site.url
        everybody: list[Callable[[], Any]] = [
            lambda: None,
            lambda: ADA,
            lambda: EVE,
            lambda: (ADA[0], EVE[1]),
            lambda: (ADA[0], ADA[1] + EVE[0]),
            lambda: BroodBearerTokenAuth(TOKEN),
            lambda: BroodBearerTokenAuth(TOKEN + "0"),
            lambda: BroodBearerTokenAuth(base64.b64encode(":".join(ADA).encode()).decode()),
            lambda: BroodClientAuth(url, ADA),
            lambda: BroodClientAuth(url, TOKEN),
            lambda: BroodClientAuth(f"{url}/other", ADA),
        ]
        for auth in everybody * 2:
            ask(url, auth=auth())
        number = len(everybody)
        assert conditions(site) == [None] * number + ['W/"1"'] * number
        for unknown in (Special(*ADA), httpx.BasicAuth(*ADA)):
            for _ in range(2):
                ask(url, auth=unknown)
        assert conditions(site)[2 * number :] == [None] * 4
        assert len(kept(site.folder)) == number

    def test_one_url_is_not_another(self, site):
        for prefix in ("", "/brood", "/other"):
            ask(site.url + prefix)
        assert conditions(site) == [None] * 3

    def test_what_came_over_a_connection_that_was_not_verified_is_not_trusted(self, folder):
        server = ServerURL.parse("https://brood.example.com")
        seen = []

        def fetch(request: Wanted) -> tuple[int, Mapping[str, str], bytes]:
            seen.append(request.headers.get("If-None-Match"))
            return 200, {"ETag": '"1"'}, body_of(1)

        for verify_ssl in (False, True, Path("authority.pem"), False, True):
            cache = open_cache(folder, server, verify_ssl, None)
            assert cache is not None
            cache.get(wanted(), fetch, lambda _, content: content, bytes)
        assert seen == [None, None, None, '"1"', '"1"']

    def test_a_client_of_ones_own_has_no_cache(self, site):
        with httpx.Client(auth=ADA) as own:
            for _ in range(2):
                platform_of(BroodClient.from_session(site.url, own)).egg_index("cp311")
        assert conditions(site) == [None, None]
        assert not site.folder.exists()

    def test_no_secret_is_written_down(self, site):
        for auth in (ADA, BroodBearerTokenAuth(TOKEN), BroodClientAuth(site.url, EVE)):
            ask(site.url, auth=auth)
        secrets = [
            secret.encode()
            for secret in (ADA[1], EVE[1], TOKEN, "session", ":".join(ADA), ":".join(EVE))
        ]
        shown = [base64.b64encode(secret) for secret in secrets] + secrets
        for name in ("md5", "sha1", "sha256", "blake2b"):
            for secret in list(shown):
                digest = hashlib.new(name, secret).hexdigest()
                shown += [digest.encode(), bytes.fromhex(digest)]
        written = b"".join(
            path.name.encode() + path.read_bytes()
            for path in site.folder.rglob("*")
            if path.is_file()
        )
        assert not [secret for secret in shown if secret in written]
        with default(site.url, ADA) as client:
            platform_of(client).egg_index("cp311")
            cache = client._session._index_cache
            assert "correct horse" not in repr(cache) + repr(vars(cache))

    def test_the_same_names_in_another_folder_are_other_names(self, tmp_path, site):
        for name in ("one", "two"):
            ask(site.url, cache=tmp_path / name)
        one, two = (kept(tmp_path / name)[0].name for name in ("one", "two"))
        assert one != two

    @posix
    def test_the_folder_is_its_users_alone(self, site):
        before = os.umask(0)
        try:
            ask(site.url)
        finally:
            os.umask(before)
        assert stat.S_IMODE((site.folder / "indices").stat().st_mode) == 0o700
        files = [
            path for path in (site.folder / "indices").iterdir() if path.name != "CACHEDIR.TAG"
        ]
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}

    @posix
    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, None])
    def test_a_folder_that_is_open_to_others_or_elsewhere_is_not_used(self, site, tmp_path, mode):
        site.folder.mkdir()
        (tmp_path / "elsewhere").mkdir(mode=0o700)
        if mode is None:
            (site.folder / "indices").symlink_to(tmp_path / "elsewhere")
        else:
            (site.folder / "indices").mkdir()
            (site.folder / "indices").chmod(mode)
        assert ask(site.url) == ask(site.url) == index_of(1)
        assert list((site.folder / "indices").iterdir()) == []


class TestWhatIsDamaged:
    @pytest.fixture
    def path(self, site: Site) -> Path:
        """A file of the cache."""
        ask(site.url)
        (path,) = kept(site.folder)
        return path

    def test_a_byte_or_the_length(self, path, site):
        whole = path.read_bytes()
        places = [*range(40), *random.Random(0).sample(range(40, len(whole)), 10), len(whole) - 1]
        flipped = [
            whole[:place] + bytes((whole[place] ^ 0x20,)) + whole[place + 1 :] for place in places
        ]
        cut = [b"", whole[:5], whole[:25], whole[:40], whole[:-1], whole + b" "]
        for content in flipped + cut:
            path.write_bytes(content)
            assert ask(site.url) == index_of(1)
            assert path.read_bytes() == whole

    def test_what_is_damaged_is_asked_for_without_condition(self, path, site):
        path.write_bytes(path.read_bytes()[:-1] + b"]")
        assert ask(site.url) == index_of(1)
        assert conditions(site) == [None, None]

    def test_a_folder_in_a_files_place(self, path, site):
        path.unlink()
        path.mkdir()
        assert ask(site.url) == index_of(1)
        assert leftovers(path.parent) == []

    def test_a_key_that_is_damaged_is_made_anew(self, path, site):
        (path.parent / "key").write_bytes(b"short")
        assert ask(site.url) == ask(site.url) == index_of(1)
        assert conditions(site) == [None, None, 'W/"1"']


class TestOddServers:
    def test_304_to_who_has_nothing(self, folder):
        nothing = Answer(304, {"ETag": '"1"'})
        with ScriptedServer(nothing, Answer(200, JSON, body_of(1))) as server:
            assert ask(server.url) == index_of(1)
            assert server.requests[1].headers["cache-control"] == "no-cache"
        with (
            ScriptedServer(nothing) as server,
            pytest.raises(InvalidJSONError, match="empty"),
        ):
            ask(server.url)
        assert kept(folder) == []

    def test_304_about_something_else(self, folder):
        check(
            folder,
            tagged('"1"', body_of(1)),
            Answer(304, {"ETag": '"2"'}),
            tagged('"2"', body_of(2)),
            Answer(304, {"ETag": 'W/"2"'}),
            versions=[1, 2, 2],
            asked=[None, '"1"', None, '"2"'],
        )

    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"ETag": '"1"', "Cache-Control": "private, No-Store"},
            {"ETag": '"1"', "Vary": "Accept-Encoding, *"},
            {"ETag": "unquoted"},
            {"ETag": '"a", "b"'},
            {"ETag": f'"{"x" * 1000}"'},
            {"ETag": '"\xe4"'},
            {"Last-Modified": MODIFIED},
            {"Last-Modified": MODIFIED, "Date": "Mon, 01 Jan 2024 10:00:01 GMT"},
            {"Last-Modified": "yesterday", "Date": "today"},
        ],
        ids=lambda headers: "/".join(headers) or "nothing",
    )
    def test_what_cannot_be_asked_about_is_not_kept(self, folder, headers):
        answer = Answer(200, {**JSON, **headers}, body_of(1))
        check(folder, answer, versions=[1, 1], asked=[None, None])
        assert kept(folder) == []

    def test_what_is_small_is_not_kept(self, folder):
        with ScriptedServer(tagged('"1"', b'{"a-1-1.egg": {}}')) as server:
            ask(server.url)
            ask(server.url)
            assert conditions(server) == [None, None]

    def test_a_date_will_do(self, folder):
        dates = {"Last-Modified": MODIFIED, "Date": "Mon, 01 Jan 2024 10:00:02 GMT"}
        answers = [Answer(200, {**dates, **JSON}, body_of(1)), Answer(304)]
        check(folder, *answers, versions=[1, 1], asked=[None, MODIFIED])

    def test_what_may_no_longer_be_kept_is_deleted(self, folder):
        answers = [tagged('"1"', body_of(1)), Answer(200, JSON, body_of(2))]
        check(folder, *answers, versions=[1, 2, 2], asked=[None, '"1"', None])
        assert kept(folder) == []

    def test_errors_are_not_kept_and_change_nothing(self, folder):
        words = json.dumps({"error": "x" * SMALLEST}).encode()
        error = Answer(500, {"ETag": '"1"', **JSON}, words)
        page = tagged('"1"', b"<html>" + b" " * SMALLEST)
        with ScriptedServer(error, page, tagged('"1"', body_of(1)), error, Answer(304)) as server:
            for expected in (ServerError, InvalidJSONError, None, ServerError, None):
                if expected is None:
                    assert ask(server.url) == index_of(1)
                    continue
                with pytest.raises(expected):
                    ask(server.url)
            assert conditions(server) == [None, None, None, '"1"', '"1"']
        assert leftovers(folder) == []

    @pytest.mark.parametrize("entries", [200, 20_000])
    def test_what_the_user_interrupts_leaves_nothing(self, folder, entries):
        def interrupted(_: Mapping[str, str], text: bytes) -> None:
            raise KeyboardInterrupt

        cache, body = IndexCache(folder, ("view",)), body_of(1, entries)
        with pytest.raises(KeyboardInterrupt):
            cache.get(wanted(), lambda _: (200, {"ETag": '"1"'}, body), interrupted, bytes)
        assert kept(folder) == leftovers(folder) == []


class TestSpace:
    def test_what_was_used_longest_ago_goes_first(self, folder):
        cache = IndexCache(folder, ("view",), space=3 * len(body_of(1)) + 1000)
        asked: list[str] = []

        def get(name: str) -> None:
            def fetch(request: Wanted) -> tuple[int, Mapping[str, str], bytes]:
                known = "If-None-Match" in request.headers
                asked.append(f"{name} known" if known else name)
                return (304, {}, b"") if known else (200, {"ETag": '"1"'}, body_of(1))

            cache.get(wanted(name), fetch, lambda _, content: content, bytes)
            now = time.time()
            for path in kept(folder):  # clocks of file systems are coarse
                age = now - path.stat().st_mtime
                os.utime(path, (now, now - age - 10))

        for name in "abcadabc":
            get(name)
        assert asked == ["a", "b", "c", "a known", "d", "a known", "b", "c"]
        assert len(kept(folder)) == 3

    def test_who_keeps_many_does_not_look_at_all_of_them_each_time(self, folder, monkeypatch):
        looked = []
        monkeypatch.setattr(
            "hatcher.transport.cache.kept_files",
            lambda *where: looked.append(where) or kept_files(*where),
        )
        cache = IndexCache(folder, ("view",), space=100 * len(body_of(1)))
        for number in range(60):
            answer = 200, {"ETag": '"1"'}, body_of(1)
            cache.get(wanted(str(number)), lambda _, a=answer: a, lambda _, text: text, bytes)
        assert len(kept(folder)) == 60 and len(looked) < 5

    def test_what_is_larger_than_all_the_space_is_not_kept(self, folder):
        cache = IndexCache(folder, ("view",), space=len(body_of(1)) - 1)
        cache.get(
            wanted(), lambda _: (200, {"ETag": '"1"'}, body_of(1)), lambda _, text: text, bytes
        )
        assert kept(folder) == []

    def test_what_others_have_given_up_is_removed(self, site):
        ask(site.url)
        for name in (".old.partial", ".new.partial"):
            (site.folder / "indices" / name).write_bytes(b"x")
        os.utime(site.folder / "indices" / ".old.partial", (0, 0))
        ask(f"{site.url}/other")
        assert leftovers(site.folder) == [".new.partial"]

    @posix
    @pytest.mark.usefixtures("unmeasured")
    def test_a_full_disk_is_no_error(self, site):
        code = (
            "import logging, resource, signal, sys\n"
            "from hatcher.api import BroodClient\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "logging.basicConfig(level=logging.INFO)\n"
            "client = BroodClient.from_url(sys.argv[1])\n"
            "platform = client.organization('acme').repository('dev').platform('rh8-x86_64')\n"
            "for limit in (0, 100, 10_000):\n"
            "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))\n"
            "    print(len(platform.egg_index('cp311')))\n"
        )
        done = subprocess.run([sys.executable, "-c", code, site.url], capture_output=True)
        assert done.stdout.split() == [b"200"] * 3, done.stderr
        assert b"INFO:hatcher:the cache of indices" in done.stderr
        assert kept(site.folder) == leftovers(site.folder) == []


class TestWhere:
    def test_there_may_be_no_folder_for_it(self, site, caplog):
        site.folder.write_text("a file")
        with caplog.at_level(logging.INFO, "hatcher"):
            assert ask(site.url) == ask(site.url) == index_of(1)
        assert "the cache of indices cannot be used" in caplog.text
        assert not [record for record in caplog.records if record.levelno > logging.INFO]

    @posix
    @pytest.mark.parametrize("named", ["{tmp}/hatcher", "~/hatcher", "hatcher", None])
    def test_a_folder_of_the_environment(self, tmp_path, site, monkeypatch, named):
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)
        if named is not None:
            monkeypatch.setenv("HATCHER_CACHE_DIR", named.format(tmp=tmp_path))
        elif sys.platform == "linux":  # the user's own
            monkeypatch.delenv("HATCHER_CACHE_DIR")
            monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        else:
            pytest.skip("the folder is that of Linux")
        ask(site.url)
        assert len(kept(tmp_path / "hatcher")) == 1
        tag = (tmp_path / "hatcher" / "indices" / "CACHEDIR.TAG").read_bytes()
        assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")

    @pytest.mark.parametrize("named", ["", "  ", "~nobody-of-this-name/x"])
    def test_no_folder(self, tmp_path, site, monkeypatch, named):
        monkeypatch.setenv("HATCHER_CACHE_DIR", named)
        monkeypatch.chdir(tmp_path)
        assert ask(site.url) == ask(site.url) == index_of(1)
        assert conditions(site) == [None, None]
        assert list(tmp_path.iterdir()) == []

    def test_the_argument_goes_before_the_environment(self, tmp_path, site, monkeypatch):
        ask(site.url, cache=False)
        ask(site.url, cache="")
        assert not site.folder.exists()
        for place in (tmp_path / "mine", str(tmp_path / "mine")):
            ask(site.url, cache=place)
        monkeypatch.setenv("HATCHER_CACHE_DIR", "")
        ask(site.url, cache=tmp_path / "mine")
        assert conditions(site) == [None] * 3 + ['W/"1"'] * 2
        for given, named in ((3, "cache"), ("~nobody-of-this-name/x", "nobody-of-this-name")):
            with pytest.raises(InvalidArgumentError, match=named):
                BroodClient.from_url(site.url, cache=given)  # type: ignore[arg-type]

    def test_it_goes_with_the_client(self, tmp_path, site):
        client = default(site.url, cache=tmp_path / "mine")
        for other in (client, client.with_auth(None), pickle.loads(pickle.dumps(client))):
            platform_of(other).egg_index("cp311")
        assert conditions(site) == [None, 'W/"1"', 'W/"1"']
        assert not site.folder.exists()


PROCESS = """
import random, sys, time
from pathlib import Path
from hatcher.api import BroodClient
from hatcher.transport.cache import IndexCache

url, folder, seed = sys.argv[1:]
random.seed(int(seed))
client = BroodClient.from_url(url, cache=False)
session = client._session
cache = IndexCache(Path(folder), ("view",), space=60_000)

def fetch(request):
    answer = session.fetch(request)
    return answer.status_code, answer.headers, answer.content

counts = {"right": 0, "kept": 0}
platform = client.organization("acme").repository("dev").platform("rh8-x86_64")
until = time.monotonic() + 4
while time.monotonic() < until:
    tag = f"cp{random.randrange(8)}"
    request = platform._request("get_egg_index", python_tag=tag)
    def read(headers, text):
        counts["kept"] += "etag" not in headers
        return text
    text = cache.get(request, fetch, read, bytes)
    assert text.startswith(b'{"%s-' % tag.encode()) and text.endswith(b"}" * 2), text[:50]
    counts["right"] += 1
    if random.random() < 0.02:
        for path in Path(folder, "indices").glob("*.index"):
            path.unlink(missing_ok=True)
print(counts["right"], counts["kept"])
"""


def test_several_processes_use_one_folder_at_once(folder):
    versions: dict[str, int] = {}
    choose = random.Random(0)

    def answer(request: Request) -> Answer:
        tag = request.target.split("/")[-2]
        version = versions[tag] = versions.get(tag, 0) + (choose.random() < 0.1)
        if request.headers.get("if-none-match") == f'"{version}"':
            return Answer(304, {})
        entries = {f"{tag}-{version}-{n}": {"sha256": "ab" * 32} for n in range(200)}
        return tagged(f'"{version}"', json.dumps(entries).encode())

    with ScriptedServer(answer) as server:
        command = [sys.executable, "-c", PROCESS, server.url, str(folder)]
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        processes = [subprocess.Popen([*command, str(seed)], **pipes) for seed in range(4)]
        done = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, done
    right, from_disk = zip(*(map(int, output.split()) for output, _ in done), strict=True)
    assert min(right) > 10
    assert sum(from_disk) > 10
    assert leftovers(folder) == []
    assert sum(path.stat().st_size for path in kept(folder)) <= 60_000 + 20_000 * 4


def test_many_threads_use_one_client(site):
    with default(site.url) as client, ThreadPoolExecutor(6) as threads:
        platform = platform_of(client)
        asked = [threads.submit(platform.egg_index, "cp311") for _ in range(60)]
        for version in range(2, 6):
            time.sleep(0.02)
            site.version = version
        for each in asked:
            found = each.result()
            versions = {name.partition("-")[2].partition(".")[0] for name in found}
            assert (len(found), len(versions)) == (200, 1)
        assert platform.egg_index("cp311") == index_of(5)
    assert leftovers(site.folder) == []
