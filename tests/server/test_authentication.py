"""Who is there: passwords, API tokens, session tokens, and what is kept of them."""

from __future__ import annotations

import base64
import datetime as dt
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from attrs import evolve
from sqlalchemy import update
from starlette.requests import Request

from hatcher.server.accounts import FailedLogins, client_address
from hatcher.server.database import users
from hatcher.server.refusals import Refusal
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings

from .conftest import ADMIN, client_of, error_of


def status_with(server: BackgroundServer, authorization: str) -> int:
    with client_of(server, None) as client:
        response = client.get("/metadata/platforms", headers={"Authorization": authorization})
    return response.status_code


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_basic(server):
    assert status_with(server, basic(*ADMIN)) == 200
    assert status_with(server, basic("ADMIN@example.com", ADMIN[1])) == 200
    # Remembered passwords are remembered whole.
    for password in (ADMIN[1] + "x", ""):
        assert status_with(server, basic(ADMIN[0], password)) == 401
    for nobody in ("nobody@example.com", f"{ADMIN[0]}\0"):
        assert status_with(server, basic(nobody, ADMIN[1])) == 401


@pytest.mark.parametrize(
    "authorization",
    [
        "Basic",
        "Basic ?",
        "Basic /w==",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Bearer",
        "Bearer x",
        "Bearer brood_api_x",
        "Bearer brood_session_x",
        "Digest x",
    ],
)
def test_what_proves_nothing(server, authorization):
    assert status_with(server, authorization) == 401


def test_what_could_prove_something(server):
    with client_of(server, None) as stranger:
        response = stranger.get("/admin/organizations")
    assert "send an e-mail address" in error_of(response, 401)
    assert re.match("Basic .*, Bearer", response.headers["www-authenticate"])


@pytest.mark.parametrize("version", [0, 1])
def test_a_session_token_is_good_for_every_version(server, version):
    with client_of(server, version=version) as admin:
        token = admin.post("/auth/tokens/auth").json()["token"]
    for other in (0, 1):
        with client_of(server, None, version=other) as client:
            client.headers["Authorization"] = f"Bearer {token}"
            assert client.get("/metadata/platforms").status_code == 200


def test_an_api_token_from_its_creation_to_its_deletion(server, admin):
    created = admin.post("/auth/tokens/api", json={"name": "lap/top"})
    assert created.status_code == 200
    token = created.json()["token"]
    (listed,) = admin.get("/auth/tokens/api").json()["tokens"]
    assert listed["name"] == "lap/top"
    assert listed["last_used"] is None
    moment = dt.datetime.strptime(listed["created"], "%Y-%m-%dT%H:%M:%S.%f")
    assert abs((dt.datetime.now(dt.UTC).replace(tzinfo=None) - moment).total_seconds()) < 60
    assert admin.post("/auth/tokens/api", json={"name": "lap/top"}).status_code == 409

    with client_of(server, None) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        session = client.post("/auth/tokens/auth").json()["token"]
    (listed,) = admin.get("/auth/tokens/api").json()["tokens"]
    assert dt.datetime.strptime(listed["last_used"], "%Y-%m-%dT%H:%M:%S.%f") >= moment
    assert status_with(server, f"Bearer {session}") == 200

    # Its name has a slash, which is no end of a segment.
    assert admin.delete("/auth/tokens/api/lap%2Ftop?force=False").status_code == 204
    assert admin.delete("/auth/tokens/api/lap%2Ftop?force=False").status_code == 404
    assert status_with(server, f"Bearer {token}") == 401
    assert status_with(server, f"Bearer {session}") == 401, "a session ends with its token"


def test_tokens_belong_to_their_owner(admin, person):
    admin.post("/auth/tokens/api", json={"name": "mine"})
    other = person("ada@example.com")
    assert other.get("/auth/tokens/api").json() == {"tokens": []}
    assert other.delete("/auth/tokens/api/mine").status_code == 404
    assert other.post("/auth/tokens/api", json={"name": "mine"}).status_code == 200


def test_tokens_outlive_a_restart(server, admin):
    api = admin.post("/auth/tokens/api", json={"name": "ci"}).json()["token"]
    session = admin.post("/auth/tokens/auth").json()["token"]
    server.__exit__(None, None, None)
    with server:
        assert status_with(server, f"Bearer {api}") == 200
        assert status_with(server, f"Bearer {session}") == 200


def test_sessions_end(settings):
    with (
        BackgroundServer(evolve(settings, session_lifetime=0.0)) as server,
        client_of(server) as admin,
    ):
        token = admin.post("/auth/tokens/auth").json()["token"]
        assert status_with(server, f"Bearer {token}") == 401


def test_no_secret_is_kept(server, admin, settings):
    secrets = [
        ADMIN[1],
        admin.post("/auth/tokens/api", json={"name": "ci"}).json()["token"],
        admin.post("/auth/tokens/auth").json()["token"],
        admin.create("/acme/users", email="ada@example.com")["one_time_password"],
    ]
    files = [path for path in settings.data.rglob("*") if path.is_file()]
    assert {"brood.sqlite3", "brood.sqlite3-wal"} <= {path.name for path in files}
    kept = b"".join(path.read_bytes() for path in files)
    # What is looked for can be found, if it is there.
    assert b"ada@example.com" in kept
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret.removeprefix("brood_api_").encode() not in kept


def test_settings_do_not_show_the_password(settings):
    assert ADMIN[1] not in repr(settings)


def test_a_given_password_replaces_the_old_one(settings):
    with BackgroundServer(settings) as server:
        assert status_with(server, basic(*ADMIN)) == 200
    with BackgroundServer(evolve(settings, admin_password="another")) as server:
        assert status_with(server, basic(*ADMIN)) == 401
        assert status_with(server, basic(ADMIN[0], "another")) == 200
    with BackgroundServer(evolve(settings, admin_password=None)) as server:
        assert status_with(server, basic(ADMIN[0], "another")) == 200


@pytest.fixture
def strict(settings: Settings) -> Iterator[BackgroundServer]:
    """A server that allows three wrong passwords."""
    with BackgroundServer(evolve(settings, failed_logins=3)) as server:
        yield server


def test_too_many_failed_logins(strict):
    for _ in range(3):
        assert status_with(strict, basic(ADMIN[0], "guess")) == 401
    with client_of(strict) as admin:
        response = admin.get("/metadata/platforms")
    # Even the right password: a guesser must not learn that it is.
    assert "Too many failed logins" in error_of(response, 429)
    assert 1 <= int(response.headers["retry-after"]) <= 61
    # Others go on, from the same address too.
    assert status_with(strict, basic("ada@example.com", "guess")) == 401


def test_the_right_password_forgives(strict):
    """But nobody else."""
    for _ in range(3):
        assert status_with(strict, basic(ADMIN[0], "guess")) == 401
        assert status_with(strict, basic("ada@example.com", "guess")) == 401
        assert status_with(strict, basic(*ADMIN)) == 200
    assert status_with(strict, basic("ada@example.com", "guess")) == 429


def test_many_guesses_at_once(strict):
    """No more of them are tried than one after the other."""
    guesses = [basic(ADMIN[0], f"guess {number}") for number in range(20)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda guess: status_with(strict, guess), guesses))
    assert sorted(answers) == [401] * 3 + [429] * 17


def test_the_right_password_many_times_at_once(strict):
    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(lambda right: status_with(strict, right), [basic(*ADMIN)] * 20))
    assert answers == {200}


def test_names_with_letters_of_every_kind(server, admin):
    password = admin.create("/acme/users", email="ÄDA@Example.com")["one_time_password"]
    for name in ("ÄDA@Example.com", "äda@example.com"):
        assert status_with(server, basic(name, password)) == 200
    admin.create("/acme/users", 409, email="äda@example.com")
    assert admin.get("/admin/users/acme/äda@EXAMPLE.com").json()["email"] == "ÄDA@Example.com"


def test_failed_logins_are_forgotten_in_time():
    time = 0.0
    failed = FailedLogins(2, 60.0, clock=lambda: time)
    failed.add("::1", "ada")
    time = 30.0
    failed.add("::1", "ada")
    with pytest.raises(Refusal) as refusal:
        failed.check("::1", "ada")
    assert refusal.value.headers == {"Retry-After": "31"}
    time = 60.5
    failed.check("::1", "ada")


@pytest.mark.parametrize(
    ("guesses", "refused", "others"),
    [
        ([("::1", "ada")] * 2, ("::1", "ada"), [("::2", "ada"), ("::1", "grace")]),
        # No address can try all accounts, nor lock one for others.
        ([("::1", f"user {n}") for n in range(20)], ("::1", "user 20"), [("::2", "user 20")]),
        ([("192.0.2.1", "ada")] * 1000, ("192.0.2.1", "ada"), [("192.0.2.2", "ada")]),
        # Many addresses cannot guess forever.
        ([(f"192.0.2.{n}", "ada") for n in range(200)], ("::1", "ada"), [("::1", "grace")]),
        # Whoever has one IPv6 address has all of its network.
        (
            [(f"2001:db8:1:2::{n:x}", "ada") for n in range(2)],
            ("2001:db8:1:2:ffff::1", "ada"),
            [("2001:db8:1:3::1", "ada")],
        ),
    ],
)
def test_whom_failed_logins_lock_out(guesses, refused, others):
    failed = FailedLogins(2, 60.0)
    for guess in guesses:
        failed.add(*guess)
    with pytest.raises(Refusal):
        failed.check(*refused)
    for other in others:
        failed.check(*other)


def test_failures_take_little_memory(monkeypatch):
    monkeypatch.setattr(FailedLogins, "KEPT", 100)
    time = 0.0
    failed = FailedLogins(2, 60.0, clock=lambda: time)
    for number in range(1000):
        failed.add("192.0.2.1", f"user {number} " + "x" * 10_000)
    kept = failed._failures
    assert len(kept) == 100
    assert "user" not in repr(kept) and "192.0.2.1" not in repr(kept)
    assert all(len(key) == 32 and len(times) <= 20 for key, times in kept.items())
    # The latest count on, and the address.
    failed.add("192.0.2.1", f"user 999 {'x' * 10_000}")
    with pytest.raises(Refusal):
        failed.check("192.0.2.1", f"user 999 {'x' * 10_000}")
    time = 60.5
    failed.add("192.0.2.2", "ada")
    assert len(kept) == 3


PROXY = ("127.0.0.1", "10.0.0.0/8", "2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1, 10.1.2.3"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1", "10.1.2.3"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("2001:db8:ffff::1", ["2001:db8:1::1"], "2001:db8:1::1"),
        # With ports, as some proxies write it.
        ("127.0.0.1", ["192.0.2.1:1234"], "192.0.2.1"),
        ("127.0.0.1", ["[2001:db8:1::1]:1234"], "2001:db8:1::1"),
        # What stands left of the first that is not trusted can be invented.
        ("127.0.0.1", ["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.1", "192.0.2.1, 10.1.2.3"], "192.0.2.1"),
        ("127.0.0.1", ["10.0.0.1, 192.0.2.1"], "192.0.2.1"),
        # Whoever is not trusted says nothing.
        ("192.0.2.9", ["192.0.2.1"], "192.0.2.9"),
        ("11.0.0.1", ["192.0.2.1"], "11.0.0.1"),
        # What is no address ends it.
        ("127.0.0.1", ["192.0.2.1, unknown"], "127.0.0.1"),
        ("127.0.0.1", ["192.0.2.1, , 10.1.2.3"], "10.1.2.3"),
        ("127.0.0.1", ["192.0.2.1, 10.1.2.3'; DROP"], "127.0.0.1"),
        ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", ["10.1.2.3, 10.1.2.4"], "10.1.2.3"),
        ("somewhere", ["192.0.2.1"], "somewhere"),
        (None, ["192.0.2.1"], "unknown"),
    ],
)
def test_where_a_request_comes_from(peer, forwarded, address, tmp_path):
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    client = None if peer is None else (peer, 1234)
    request = Request({"type": "http", "headers": headers, "client": client})
    trusted = Settings(tmp_path, trusted_proxies=PROXY).trusted_proxies
    assert client_address(request, trusted) == address
    assert client_address(request, ()) == (peer or "unknown").removeprefix("::ffff:")


def guess(server: BackgroundServer, password: str, forwarded: str) -> int:
    with client_of(server, (ADMIN[0], password)) as client:
        return client.get("/metadata/platforms", headers={"X-Forwarded-For": forwarded}).status_code


def test_behind_a_trusted_proxy(settings):
    """One address locks no other one out, and none escapes by what it sends itself."""
    proxied = evolve(settings, failed_logins=3, trusted_proxies=["127.0.0.0/8"])
    with BackgroundServer(proxied) as server:
        answers = [guess(server, "guess", f"198.51.100.{n}, 192.0.2.1") for n in range(5)]
        assert answers == [401, 401, 401, 429, 429]
        assert guess(server, ADMIN[1], "192.0.2.1") == 429
        assert guess(server, ADMIN[1], "192.0.2.2") == 200


def test_a_proxy_that_is_not_trusted(strict):
    answers = [guess(strict, "guess", f"192.0.2.{number}") for number in range(5)]
    assert answers == [401, 401, 401, 429, 429]


def test_a_damaged_password_is_none(server, admin):
    password = admin.create("/acme/users", email="ada@example.com")["one_time_password"]
    with server._server.brood.database.write() as connection:
        connection.execute(update(users).filter_by(key="ada@example.com").values(password="x"))
    assert status_with(server, basic("ada@example.com", password)) == 401


def test_a_made_up_password_is_random(tmp_path):
    passwords = set()
    for name in ("a", "b"):
        server = BackgroundServer(Settings(tmp_path / name, port=0))
        with server:
            made_up = server.made_up_password
            passwords.add(made_up.reveal())
            assert status_with(server, basic("admin@example.com", made_up.reveal())) == 200
        with server:
            assert server.made_up_password is None, "it is made up once"
    assert len(passwords) == 2
