"""Keeping credentials: in the system's keyring, or in a file for the user alone.

What is kept is bound to a server and a profile, and is never looked up for another server.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

from hatcher.cli.deadline import within
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.settings.private_files import changing, read_private, write_private

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

T = TypeVar("T")

#: Seconds that a keyring may take, as when it asks the user; the variable says others.
PATIENCE = 15.0
PATIENCE_VARIABLE = "HATCHER_KEYRING_TIMEOUT"


#: What keyring calls it when there is no keyring, as without D-Bus.
_MISSING = frozenset({"InitError", "NoKeyringError"})


class NoKeyring(Refusal):
    """This system has no keyring, which is another matter than one that is locked."""


class Kept(NamedTuple):
    """A credential as it is kept.

    Attributes
    ----------
    kind : {'password', 'token'}
    secret : str
    username : str or None
        Whose it is, where that is known.
    token_name : str or None
        What 'hatcher login' has called the API token that it made.
    direct : bool
        Whether it goes with every request, and is not exchanged for a session token.
    """

    kind: Literal["password", "token"]
    secret: str
    username: str | None = None
    token_name: str | None = None
    direct: bool = False

    def __repr__(self) -> str:
        return f"<Kept {self.kind} of {self.username!r}>"


class Keeper(ABC):
    """Keeps one credential for each server and profile."""

    #: What a profile calls it.
    name: str

    @abstractmethod
    def get(self, server: str, profile: str) -> Kept | None:
        """Return what is kept; None where there is nothing."""

    @abstractmethod
    def put(self, server: str, profile: str, kept: Kept) -> None:
        """Keep it, in place of what was kept before."""

    @abstractmethod
    def forget(self, server: str, profile: str) -> None:
        """Keep it no longer; does nothing where there is nothing."""


class KeyringKeeper(Keeper):
    """Keeps credentials in the keyring of the system."""

    name = "keyring"

    def __init__(self, backend: KeyringBackend) -> None:
        self._backend = backend

    def get(self, server: str, profile: str) -> Kept | None:
        """Return what is kept; None where there is nothing."""
        text = _asked(lambda: self._backend.get_password(_service(server), profile))
        return None if text is None else _kept(_parsed(text, str(self)), str(self))

    def put(self, server: str, profile: str, kept: Kept) -> None:
        """Keep it, in place of what was kept before."""
        text = json.dumps(kept._asdict())
        _asked(lambda: self._backend.set_password(_service(server), profile, text), kept.secret)
        if self.get(server, profile) != kept:
            raise _trouble("The keyring does not keep what it is given.")

    def forget(self, server: str, profile: str) -> None:
        """Keep it no longer; does nothing where there is nothing."""

        def forget() -> None:
            if self._backend.get_password(_service(server), profile) is not None:
                self._backend.delete_password(_service(server), profile)

        _asked(forget)

    def __str__(self) -> str:
        return "the keyring"


class FileKeeper(Keeper):
    """Keeps credentials in a file of mode 0600.

    Parameters
    ----------
    path : pathlib.Path
    """

    name = "file"

    def __init__(self, path: Path) -> None:
        self.path = path

    def get(self, server: str, profile: str) -> Kept | None:
        """Return what is kept; None where there is nothing."""
        record = self._read().get(server, {}).get(profile)
        return None if record is None else _kept(record, str(self))

    def put(self, server: str, profile: str, kept: Kept) -> None:
        """Keep it, in place of what was kept before."""
        with changing(self.path):
            document = self._read()
            document.setdefault(server, {})[profile] = kept._asdict()
            self._write(document)

    def forget(self, server: str, profile: str) -> None:
        """Keep it no longer; does nothing where there is nothing."""
        with changing(self.path):
            document = self._read()
            if profile in document.get(server, {}):
                del document[server][profile]
                self._write({server: kept for server, kept in document.items() if kept})

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            text = read_private(self.path)
        except UnicodeDecodeError:
            # Not chained: the error holds the text.
            raise _unreadable(str(self)) from None
        document = {} if text is None else _parsed(text, str(self))
        if not all(isinstance(profiles, dict) for profiles in document.values()):
            raise _unreadable(str(self))
        return document

    def _write(self, document: dict[str, dict[str, Any]]) -> None:
        write_private(self.path, json.dumps(document, indent=2) + "\n")

    def __str__(self) -> str:
        return f"the file {self.path}"


def keeper_named(name: str, folder: Path) -> Keeper:
    """Return the keeper that a profile names.

    Parameters
    ----------
    name : {'keyring', 'file'}
    folder : pathlib.Path
        The one of the configuration.

    Raises
    ------
    NoKeyring
        There is none.
    Refusal
        There is one, and it fails.
    """
    if name == "file":
        return FileKeeper(folder / "credentials.json")
    found = _asked(_keyring)
    if isinstance(found, str):
        raise NoKeyring(
            f"The package {found} is not installed, so the system's keyring cannot be used.",
            "Install it (python -m pip install keyring), or log in again: hatcher login",
            ExitCode.FAILED,
        )
    if found is None:
        raise NoKeyring(
            "This system has no keyring.",
            "Log in again: hatcher login",
            ExitCode.FAILED,
        )
    return KeyringKeeper(found)


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
        return within(PATIENCE_VARIABLE, PATIENCE, work)
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


def _service(server: str) -> str:
    return f"hatcher: {server}"


def _parsed(text: object, where: str) -> dict[str, Any]:
    try:
        document = json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        # Not chained: the error holds the text.
        raise _unreadable(where) from None
    if not isinstance(document, dict):
        raise _unreadable(where)
    return document


def _kept(record: object, where: str) -> Kept:
    match record:
        case {
            "kind": "password" | "token" as kind,
            "secret": str(secret),
            "username": str() | None as username,
            "token_name": str() | None as token_name,
            "direct": bool(direct),
        }:
            return Kept(kind, secret, username, token_name, direct)
    raise _unreadable(where)


def _unreadable(where: str) -> Refusal:
    return Refusal(
        f"What is kept in {where} is not what hatcher has kept there.",
        "Remove it there, and log in again: hatcher login",
        ExitCode.FAILED,
    )


def _trouble(what: str) -> Refusal:
    return Refusal(
        what,
        "Unlock it and try again, or set HATCHER_TOKEN. "
        "To see which keyring it is: python -m keyring diagnose",
        ExitCode.FAILED,
    )
