"""A keyring that keyring takes as any other: a file, whose folder the tests throw away."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError

#: Where it is, for a process of its own.
VARIABLE = "KEYRING_OF_TESTS"


class FileKeyring(KeyringBackend):
    """Keeps passwords in a file; locked where the file is a folder."""

    priority = 5.0

    def __init__(self, path: Path | None = None) -> None:
        super().__init__()
        self._path = path

    @property
    def path(self) -> Path:
        return self._path or Path(os.environ[VARIABLE])

    @property
    def passwords(self) -> dict[str, dict[str, str]]:
        """By service and user name."""
        if self.path.is_dir():
            raise KeyringLocked("it is locked")
        return json.loads(self.path.read_text()) if self.path.exists() else {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.passwords.get(service, {}).get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        passwords = self.passwords
        passwords.setdefault(service, {})[username] = password
        self.path.write_text(json.dumps(passwords))

    def delete_password(self, service: str, username: str) -> None:
        passwords = self.passwords
        if passwords.get(service, {}).pop(username, None) is None:
            raise PasswordDeleteError("there is none")
        self.path.write_text(json.dumps(passwords))


class FaultyKeyring(FileKeyring):
    """Fails in a chosen way, when it is asked for certain things."""

    def __init__(self, path: Path, fault: object, at: str = "get") -> None:
        super().__init__(path)
        self._fault = fault
        self._at = at

    def get_password(self, service: str, username: str) -> Any:
        return self._answer("get", super().get_password, service, username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._answer("set", super().set_password, service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._answer("delete", super().delete_password, service, username)

    def _answer(self, at: str, otherwise: Callable[..., Any], *arguments: str) -> Any:
        if at != self._at:
            return otherwise(*arguments)
        if isinstance(self._fault, BaseException):
            raise self._fault
        return self._fault(*arguments) if callable(self._fault) else self._fault
