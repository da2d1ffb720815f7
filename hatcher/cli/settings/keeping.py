"""Keeping credentials: in the system's keyring, or in a file for the user alone.

What is kept is bound to a server and a profile, and is never looked up for another server.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from hatcher.cli.failures.explaining import ExitCode
from hatcher.cli.failures.refusals import Refusal
from hatcher.cli.settings.private_files import read_private, write_private

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend


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
        from keyring.errors import KeyringError

        try:
            text = self._backend.get_password(_service(server), profile)
        except KeyringError as error:
            raise _trouble(error) from error
        return None if text is None else _kept(_parsed(text, str(self)), str(self))

    def put(self, server: str, profile: str, kept: Kept) -> None:
        """Keep it, in place of what was kept before."""
        from keyring.errors import KeyringError

        try:
            self._backend.set_password(_service(server), profile, json.dumps(kept._asdict()))
        except KeyringError as error:
            raise _trouble(error) from error

    def forget(self, server: str, profile: str) -> None:
        """Keep it no longer; does nothing where there is nothing."""
        from keyring.errors import KeyringError

        try:
            if self._backend.get_password(_service(server), profile) is not None:
                self._backend.delete_password(_service(server), profile)
        except KeyringError as error:
            raise _trouble(error) from error

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
        document = self._read()
        document.setdefault(server, {})[profile] = kept._asdict()
        self._write(document)

    def forget(self, server: str, profile: str) -> None:
        """Keep it no longer; does nothing where there is nothing."""
        document = self._read()
        if profile in document.get(server, {}):
            del document[server][profile]
            self._write({server: kept for server, kept in document.items() if kept})

    def _read(self) -> dict[str, dict[str, Any]]:
        text = read_private(self.path)
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
    Refusal
        There is no keyring.
    """
    if name == "file":
        return FileKeeper(folder / "credentials.json")
    try:
        import keyring
    except ModuleNotFoundError as error:
        raise Refusal(
            f"The system's keyring is reached by way of {error.name}, which is not installed.",
            "Run: python -m pip install 'hatcher[keyring]' - or keep credentials in a file of "
            "mode 0600: hatcher login --insecure-storage",
            ExitCode.FAILED,
        ) from error
    backend = keyring.get_keyring()
    if backend.priority <= 0:
        raise Refusal(
            "This system has no keyring that could be used.",
            "Unlock or install one, or keep credentials in a file of mode 0600: "
            "hatcher login --insecure-storage",
            ExitCode.FAILED,
        )
    return KeyringKeeper(backend)


def _service(server: str) -> str:
    return f"hatcher: {server}"


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
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


def _trouble(error: Exception) -> Refusal:
    return Refusal(
        f"The keyring refuses: {str(error) or type(error).__name__}",
        "Unlock it and try again, or set HATCHER_TOKEN.",
        ExitCode.FAILED,
    )
