"""A keyring that keyring takes as any other: a file, whose folder the tests throw away."""

from __future__ import annotations

import json
import os
from pathlib import Path

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
