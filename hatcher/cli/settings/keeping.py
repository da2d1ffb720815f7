"""Keeping credentials: in the system's keyring, or in a file for the user alone.

What is kept is bound to a server and a profile, and is never looked up for another server.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, TypeVar

from hatcher.cli.deadline import within
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.settings.private_files import changing, read_private, write_private
from hatcher.cli.settings.profiles import Profile, server_at

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

    from hatcher.api import BasicAuth, BroodBearerTokenAuth, BroodClientAuth

T = TypeVar("T")

Kind: TypeAlias = Literal["password", "token"]

#: Seconds that a keyring may take, as when it asks the user; the variable says others.
_TIMEOUT = 15.0
_TIMEOUT_VARIABLE = "HATCHER_KEYRING_TIMEOUT"


#: What keyring calls it when there is no keyring, as without D-Bus.
_MISSING = frozenset({"InitError", "NoKeyringError"})


class NoKeyring(Refusal):
    """This system has no keyring, which is another matter than one that is locked."""


class Credential(NamedTuple):
    """A password or a token.

    Attributes
    ----------
    kind : {'password', 'token'}
    secret : str
    username : str or None
        Whose it is, where that is known; a token does not say.
    token_name : str or None
        What 'hatcher login' has called the API token that it made.
    direct : bool
        Whether it goes with every request, and is not exchanged for a session token.
    source : str
        Where it is from, in words; not kept.
    """

    kind: Kind
    secret: str
    username: str | None = None
    token_name: str | None = None
    direct: bool = False
    source: str = ""

    def auth(
        self, url: str, verify_ssl: bool | str
    ) -> BroodClientAuth | BasicAuth | BroodBearerTokenAuth:
        """Return what a client of a server authenticates with."""
        from hatcher.api import BasicAuth, BroodBearerTokenAuth, BroodClientAuth

        itself: BasicAuth | BroodBearerTokenAuth
        if self.kind == "password":
            itself = BasicAuth(self.username or "", self.secret)
        else:
            itself = BroodBearerTokenAuth(self.secret)
        return itself if self.direct else BroodClientAuth(url, itself, verify_ssl=verify_ssl)

    def record(self) -> dict[str, Any]:
        """Return what is kept of it."""
        return {name: value for name, value in self._asdict().items() if name != "source"}

    def __repr__(self) -> str:
        return f"<Credential {self.kind} of {self.username!r} from {self.source}>"


class Keeper(ABC):
    """Keeps the credential of one server and profile.

    Parameters
    ----------
    where : KeyringBackend or pathlib.Path
        What it keeps it in.
    server, profile : str
    """

    #: What a profile calls it.
    name: str

    def __init__(self, where: Any, server: str, profile: str) -> None:
        self.where = where
        self.server = server
        self.profile = profile

    def get(self) -> Credential | None:
        """Return what is kept; None where there is nothing."""
        match self._load():
            case None:
                return None
            case {
                "kind": "password" | "token" as kind,
                "secret": str(secret),
                "username": str() | None as username,
                "token_name": str() | None as token_name,
                "direct": bool(direct),
            }:
                return Credential(kind, secret, username, token_name, direct, str(self))
        raise self._unreadable()

    @abstractmethod
    def _load(self) -> object:
        """Return the record that is kept, if any."""

    @abstractmethod
    def put(self, credential: Credential) -> None:
        """Keep it, in place of what was kept before."""

    @abstractmethod
    def forget(self) -> None:
        """Keep it no longer; does nothing where there is nothing."""

    def _parsed(self, text: object) -> dict[str, Any]:
        try:
            document = json.loads(text) if isinstance(text, str) else None
        except (ValueError, RecursionError):
            # Not chained: the error holds the text.
            raise self._unreadable() from None
        if not isinstance(document, dict):
            raise self._unreadable()
        return document

    def _unreadable(self) -> Refusal:
        return Refusal(
            f"What is kept in {self} is not what hatcher has kept there.",
            "Remove it there, and log in again: hatcher login",
            ExitCode.FAILED,
        )


class KeyringKeeper(Keeper):
    """Keeps a credential in the keyring of the system."""

    name = "keyring"

    def _load(self) -> object:
        text = _asked(lambda: self.where.get_password(self._service, self.profile))
        return None if text is None else self._parsed(text)

    def put(self, credential: Credential) -> None:
        """Keep it, in place of what was kept before."""
        text = json.dumps(credential.record())
        _asked(
            lambda: self.where.set_password(self._service, self.profile, text), credential.secret
        )
        if (kept := self.get()) is None or kept.record() != credential.record():
            raise _trouble("The keyring does not keep what it is given.")

    def forget(self) -> None:
        """Keep it no longer; does nothing where there is nothing."""

        def forget() -> None:
            if self.where.get_password(self._service, self.profile) is not None:
                self.where.delete_password(self._service, self.profile)

        _asked(forget)

    @property
    def _service(self) -> str:
        return f"hatcher: {self.server}"

    def __str__(self) -> str:
        return "the keyring"


class FileKeeper(Keeper):
    """Keeps a credential in a file of mode 0600."""

    name = "file"

    def _load(self) -> object:
        return self._read().get(self.server, {}).get(self.profile)

    def put(self, credential: Credential) -> None:
        """Keep it, in place of what was kept before."""
        with changing(self.where):
            document = self._read()
            document.setdefault(self.server, {})[self.profile] = credential.record()
            self._write(document)

    def forget(self) -> None:
        """Keep it no longer; does nothing where there is nothing."""
        with changing(self.where):
            document = self._read()
            if document.get(self.server, {}).pop(self.profile, None) is not None:
                self._write({server: kept for server, kept in document.items() if kept})

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            text = read_private(self.where)
        except UnicodeDecodeError:
            # Not chained: the error holds the text.
            raise self._unreadable() from None
        document = {} if text is None else self._parsed(text)
        if not all(isinstance(profiles, dict) for profiles in document.values()):
            raise self._unreadable()
        return document

    def _write(self, document: dict[str, dict[str, Any]]) -> None:
        write_private(self.where, json.dumps(document, indent=2) + "\n")

    def __str__(self) -> str:
        return f"the file {self.where}"


def keeper_named(name: str, folder: Path, server: str, profile: str) -> Keeper:
    """Return the keeper that a profile names.

    Parameters
    ----------
    name : {'keyring', 'file'}
    folder : pathlib.Path
        The one of the configuration.
    server, profile : str

    Raises
    ------
    NoKeyring
        There is none.
    Refusal
        There is one, and it fails.
    """
    if name == "file":
        return FileKeeper(folder / "credentials.json", server, profile)
    found = _asked(_keyring)
    if isinstance(found, str):
        raise NoKeyring(
            f"The package {found} is not installed, so the system's keyring cannot be used.",
            "Install it (python -m pip install keyring), or log in again: hatcher login",
            ExitCode.FAILED,
        )
    if found is None:
        raise NoKeyring(
            "This system has no keyring.", "Log in again: hatcher login", ExitCode.FAILED
        )
    return KeyringKeeper(found, server, profile)


def keeper_of(profile: Profile, url: str) -> Keeper:
    """Return the keeper of a profile's credential, for the server at a URL.

    Raises
    ------
    Refusal
        As for `keeper_named`.
    """
    assert profile.credential is not None
    return keeper_named(profile.credential, profile.folder, str(server_at(url)), profile.name)


def _keyring() -> KeyringBackend | str | None:
    """Return the keyring; the package that it lacks; or None where the system has none."""
    import logging

    # It logs the tracebacks of backends that cannot be imported.
    logging.getLogger("keyring").addHandler(logging.NullHandler())
    try:
        import keyring
    except ModuleNotFoundError as error:
        return error.name or "keyring"
    backend = keyring.get_keyring()
    return backend if backend.priority > 0 else None


def _asked(work: Callable[[], T], secret: str = "") -> T:
    """Return what a keyring answers; whatever goes wrong there, backends of others included.

    Raises
    ------
    Refusal
    """
    try:
        return within(_TIMEOUT_VARIABLE, _TIMEOUT, work)
    except KeyboardInterrupt:
        raise
    except TimeoutError as error:
        raise _trouble("The keyring does not answer.") from error
    except BaseException as error:
        said = str(error) or type(error).__name__
        if secret and secret in said:
            said = type(error).__name__
        # By their names: what fails may be the import of the package.
        own = [kind.__name__ for kind in type(error).__mro__ if kind.__module__ == "keyring.errors"]
        name = type(error).__name__
        said = said if own or name in said else f"{name}: {said}"
        trouble = _trouble(f"The keyring {'refuses' if own else 'failed'}: {said}")
        if _MISSING.isdisjoint(own):
            raise trouble from error
        raise NoKeyring(trouble.message, trouble.hint, ExitCode.FAILED) from error


def _trouble(what: str) -> Refusal:
    return Refusal(
        what,
        "Unlock it and try again, or set HATCHER_TOKEN. "
        "To see which keyring it is: python -m keyring diagnose",
        ExitCode.FAILED,
    )
