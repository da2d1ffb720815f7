"""Who is asking: passwords, API tokens and session tokens.

Of passwords only the Argon2 hash is kept, of tokens only the sha256: they have 256
random bits, so that nothing slower is needed.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Row, delete, insert, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from hatcher.characters import all_show
from hatcher.server import database as db
from hatcher.server.access import ANONYMOUS, Account
from hatcher.server.database import Database, now, timestamp
from hatcher.server.people import find_user
from hatcher.server.refusals import Refusal, unauthenticated
from hatcher.server.settings import Network, Settings
from hatcher.transport.secret import Secret

API_TOKEN_PREFIX = "brood_api_"  # noqa: S105 - a prefix, not a token
SESSION_TOKEN_PREFIX = "brood_session_"  # noqa: S105

#: How long a verified password is remembered, in seconds. Old clients send it every time.
_REMEMBERED = 60.0
#: How exact `last_used` of an API token is, in seconds: a write for every read is too dear.
_LAST_USED_EVERY = 60.0

#: How long a request waits to write down its session, and that its API token was used, in
#: seconds: it goes on without.
_SESSION_WAIT = 2.0
_LAST_USED_WAIT = 0.1
#: How many sessions are kept in memory when they cannot be written down.
_MAX_UNSAVED = 10_000

_GLOBAL_IPV6 = IPv6Network("2000::/3")

logger = logging.getLogger("hatcher.server")

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)


def _impossible_hash() -> str:
    """A hash that no password has, and that takes as long as any other to find out."""
    salt, digest = (base64.b64encode(bytes(size)).decode().rstrip("=") for size in (16, 32))
    costs = f"m={_HASHER.memory_cost},t={_HASHER.time_cost},p={_HASHER.parallelism}"
    return f"$argon2id$v=19${costs}${salt}${digest}"


class FailedLogins:
    """Counts wrong passwords, so that guessing is slow.

    What is kept are hashes and times, and only so many of them. One address alone can lock
    nobody else out: for one account it is stopped long before the limit of the account.

    Parameters
    ----------
    limit : int
        How many are allowed for one address and account.
    window : float
        In how many seconds.
    clock : callable
        What tells the time, in seconds.
    """

    #: One address may fail more often over all accounts together: many people share one.
    ACCOUNTS_OF_AN_ADDRESS = 10
    #: And one account over all addresses together: somebody may have many of them.
    ADDRESSES_OF_AN_ACCOUNT = 100
    #: Of how many addresses and accounts failures are kept.
    KEPT = 20_000

    def __init__(
        self, limit: int, window: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._window = window
        self._clock = clock
        # The latest are last.
        self._failures: dict[bytes, tuple[float, ...]] = {}
        self._key = secrets.token_bytes(32)
        self._lock = threading.Lock()

    def check(self, address: str, account: str) -> None:
        """Refuse with 429 when there were too many.

        Raises
        ------
        Refusal
            With ``Retry-After``, in seconds.
        """
        with self._lock:
            for key, limit in self._limits(address, account):
                recent = self._recent(key)
                if len(recent) >= limit:
                    wait = int(recent[-limit] + self._window - self._clock()) + 1
                    message = f"Too many failed logins. Try again in {wait} s."
                    raise Refusal(429, message, {"Retry-After": str(wait)})

    def add(self, address: str, account: str) -> None:
        """Count one, unless it should not have been tried any more."""
        with self._lock:
            limits = self._limits(address, account)
            if len(self._recent(limits[0][0])) >= self._limit:
                return
            for key, limit in limits:
                recent = self._recent(key)
                self._failures.pop(key, None)
                self._failures[key] = (*recent, self._clock())[-limit:]
            while self._failures:
                oldest = next(iter(self._failures))
                if len(self._failures) <= self.KEPT and self._recent(oldest):
                    break
                del self._failures[oldest]

    def forget(self, address: str, account: str) -> None:
        """Forget those of an account: the right password came."""
        with self._lock:
            (pair, _), *_ = self._limits(address, account)
            self._failures.pop(pair, None)

    def _limits(self, address: str, account: str) -> list[tuple[bytes, int]]:
        address = _household(address)
        return [
            (self._hash(address, account), self._limit),
            (self._hash(address, None), self._limit * self.ACCOUNTS_OF_AN_ADDRESS),
            (self._hash(None, account), self._limit * self.ADDRESSES_OF_AN_ACCOUNT),
        ]

    def _hash(self, *names: str | None) -> bytes:
        return hmac.digest(self._key, repr(names).encode(), "sha256")

    def _recent(self, key: bytes) -> tuple[float, ...]:
        since = self._clock() - self._window
        return tuple(moment for moment in self._failures.get(key, ()) if moment > since)


def _household(address: str) -> str:
    """The network of an IPv6 address, of which everybody has all; another one as it is."""
    with suppress(ValueError):
        network = ip_network(f"{address}/64", strict=False)
        if isinstance(network, IPv6Network) and network.subnet_of(_GLOBAL_IPV6):
            return str(network)
    return address


def client_address(request: Request, trusted: Iterable[Network]) -> str:
    """Return where a request comes from, as far as that is known for sure.

    Parameters
    ----------
    request : starlette.requests.Request
        Whose header X-Forwarded-For counts from the right, as far as proxies are trusted:
        what stands before that, anybody can have written.
    trusted : iterable of ip_network
        Where such proxies are.
    """
    if request.client is None:
        return "unknown"
    forwarded = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
    address = _parsed(request.client.host)
    while address is not None and any(address in network for network in trusted) and forwarded:
        before = _parsed(forwarded.pop().strip())
        if before is None:
            break
        address = before
    return request.client.host if address is None else str(address)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    """An address, which proxies may write with a port; None for anything else."""
    if address.startswith("["):
        address = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        address = address.partition(":")[0]
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


class Accounts:
    """The users of one server, and what they prove themselves with.

    Parameters
    ----------
    database : Database
        Where they are kept.
    settings : Settings
        How long sessions live, and how many wrong passwords are allowed.
    """

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._session_lifetime = timedelta(seconds=settings.session_lifetime)
        self._trusted_proxies = settings.trusted_proxies
        # By the hash of the token, as they would be written down.
        self._unsaved: dict[str, dict[str, Any]] = {}
        self._failed = FailedLogins(settings.failed_logins, settings.failed_logins_window)
        self._unknown_user = _impossible_hash()
        # Each verification takes 19 MiB for its time; waiting ones queue here.
        self._argon2 = ThreadPoolExecutor(1, thread_name_prefix="argon2")
        # The hash that a password was verified against (a new one undoes it), and until when.
        self._verified: dict[bytes, tuple[str, float]] = {}
        self._key = secrets.token_bytes(32)  # so that the remembered hashes tell nothing

    def close(self) -> None:
        """End the thread that verifies passwords."""
        self._argon2.shutdown()

    # Making accounts

    def ensure_administrator(self, email: str, password: Secret | None) -> Secret | None:
        """Make sure that there is a server administrator of this name and password.

        Parameters
        ----------
        email : str
            The e-mail address.
        password : Secret or None
            The password to set; None keeps the one that an existing account has.

        Returns
        -------
        Secret or None
            The password, if one had to be made up.
        """
        found = self._user(email)
        made_up = None if password or found else Secret(make_up_password())
        new = password or made_up
        values: dict[str, Any] = {"server_administrator": True}
        if new and not (found and self._matches(found.password, new.reveal())):
            values["password"] = self.hash(new.reveal())
        # No start writes what is there already: the disk may be full.
        elif found and found.server_administrator:
            return None
        with self._database.write() as connection:
            if found:
                connection.execute(update(db.users).filter_by(id=found.id).values(**values))
            else:
                connection.execute(insert(db.users).values(**db.user(email), **values))
        return made_up

    def hash(self, password: str) -> str:
        """Return the hash to keep of a password. It takes some 30 ms."""
        return _HASHER.hash(password)

    # Finding out who asks

    async def authenticate(self, request: Request) -> Account:
        """Return the account that a request comes from; `ANONYMOUS` without credentials.

        Parameters
        ----------
        request : starlette.requests.Request
            With the header Authorization, if any: ``Basic`` or ``Bearer``.

        Raises
        ------
        Refusal
            401: what was sent is not valid; 429: too many wrong passwords.
        """
        header = request.headers.get("authorization")
        if header is None:
            return ANONYMOUS
        scheme, _, credentials = header.partition(" ")
        if scheme.lower() == "bearer":
            return await run_in_threadpool(self._bearer, credentials.strip())
        if scheme.lower() == "basic":
            address = client_address(request, self._trusted_proxies)
            return await self._basic(credentials.strip(), address)
        raise unauthenticated(f"The authentication scheme '{scheme}' is neither Basic nor Bearer.")

    async def _basic(self, credentials: str, address: str) -> Account:
        try:
            decoded = base64.b64decode(credentials, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise unauthenticated("The Basic credentials are not base64 of UTF-8.") from error
        email, colon, password = decoded.partition(":")
        if not colon or not all_show(email):
            raise unauthenticated("The Basic credentials are not 'e-mail address:password'.")
        key = email.lower()
        # Before the memory of verified ones: it must not tell a guesser anything.
        self._failed.check(address, key)
        user = await run_in_threadpool(self._user, key)
        if user is None or not self._remembers(user, password):
            await asyncio.get_running_loop().run_in_executor(
                self._argon2, self._verify, user, password, address, key
            )
        assert user is not None
        self._failed.forget(address, key)
        return Account(user.id, user.email, user.server_administrator)

    def _verify(self, user: Row[Any] | None, password: str, address: str, key: str) -> None:
        """Verify one password; in the one thread for it, so that failures add up in order."""
        # Another request with the same password may have waited before this one.
        if user is not None and self._remembers(user, password):
            return
        # And many wrong ones may have.
        self._failed.check(address, key)
        if not self._matches(user.password if user else self._unknown_user, password) or not user:
            self._failed.add(address, key)
            raise unauthenticated("The e-mail address or the password is wrong.")
        moment = time.monotonic()
        remembered = {key: each for key, each in self._verified.items() if each[1] > moment}
        remembered[self._digest(user, password)] = (user.password, moment + _REMEMBERED)
        self._verified = remembered

    def _remembers(self, user: Row[Any], password: str) -> bool:
        verified, until = self._verified.get(self._digest(user, password), ("", 0.0))
        return until > time.monotonic() and hmac.compare_digest(verified, user.password)

    def _digest(self, user: Row[Any], password: str) -> bytes:
        return hmac.digest(self._key, f"{user.id}:{password}".encode(), "sha256")

    def _matches(self, password_hash: str, password: str) -> bool:
        try:
            return _HASHER.verify(password_hash, password)
        except (InvalidHashError, VerificationError):
            return False

    def _user(self, email: str) -> Row[Any] | None:
        with self._database.read() as connection:
            return find_user(connection, email)

    def _bearer(self, token: str) -> Account:
        account = None
        if token.startswith(API_TOKEN_PREFIX):
            account = self._of_api_token(token)
        elif token.startswith(SESSION_TOKEN_PREFIX):
            account = self._of_session_token(token)
        if account is None:
            raise unauthenticated(
                "The token is not valid: it is misspelt, expired or deleted. "
                "Exchange your credentials for a new session token, or create an API token."
            )
        return account

    def _of_api_token(self, token: str) -> Account | None:
        with self._database.read() as connection:
            columns = (db.users, db.api_tokens.c.id.label("token_id"), db.api_tokens.c.last_used)
            tokens = select(*columns).join(db.api_tokens).filter_by(sha256=_sha256(token))
            found = connection.execute(tokens).first()
        if found is None:
            return None
        stale = timestamp(datetime.now(UTC) - timedelta(seconds=_LAST_USED_EVERY))
        if found.last_used is None or found.last_used < stale:
            with suppress(DBAPIError, Refusal), self._database.write(_LAST_USED_WAIT) as connection:
                used = update(db.api_tokens).filter_by(id=found.token_id)
                connection.execute(used.values(last_used=now()))
        return Account(found.id, found.email, found.server_administrator, found.token_id)

    def _of_session_token(self, token: str) -> Account | None:
        digest = _sha256(token)
        with self._database.read() as connection:
            written = connection.execute(select(db.session_tokens).filter_by(sha256=digest))
            session = written.mappings().first() or self._unsaved.get(digest)
            if session is None or session["expires"] <= now():
                return None
            token_id = session["api_token_id"]
            user = select(db.users).filter_by(id=session["user_id"])
            if token_id is not None:
                user = user.join(db.api_tokens).where(db.api_tokens.c.id == token_id)
            row = connection.execute(user).first()
        if row is None:
            return None
        return Account(row.id, row.email, row.server_administrator, token_id)

    # Tokens

    def create_session_token(self, account: Account) -> str:
        """Return a new session token; sessions that are over are forgotten.

        When it cannot be written down (the disk is full), the session lives as long as this
        process: who can read goes on reading.
        """
        token = SESSION_TOKEN_PREFIX + secrets.token_urlsafe(32)
        digest = _sha256(token)
        session = {
            "user_id": account.id,
            "api_token_id": account.api_token_id,
            "sha256": digest,
            "expires": timestamp(datetime.now(UTC) + self._session_lifetime),
        }
        try:
            with self._database.write(_SESSION_WAIT) as connection:
                over = delete(db.session_tokens).where(db.session_tokens.c.expires <= now())
                connection.execute(over)
                connection.execute(insert(db.session_tokens).values(**session))
        except IntegrityError as error:
            raise unauthenticated("The account or the API token was deleted meanwhile.") from error
        except (DBAPIError, Refusal) as error:
            logger.warning("A session is kept in memory: %s", getattr(error, "orig", error))
            self._unsaved[digest] = session
            while len(self._unsaved) > _MAX_UNSAVED:
                del self._unsaved[next(iter(self._unsaved))]
        return token

    def create_api_token(self, connection: Connection, account: Account, name: str) -> str:
        """Return a new API token.

        Raises
        ------
        sqlalchemy.exc.IntegrityError
            The account has one of this name.
        """
        token = API_TOKEN_PREFIX + secrets.token_urlsafe(32)
        row = {"user_id": account.id, "name": name, "sha256": _sha256(token), "created": now()}
        connection.execute(insert(db.api_tokens).values(**row))
        return token


def make_up_password() -> str:
    """Return a new password with 128 random bits."""
    return secrets.token_urlsafe(16)


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
