"""Session tokens that outlive a command: for four minutes, in files for the user alone.

Each command is a process, and would have to exchange its credential anew before it asks for
anything. A token is found again by nobody but who has the same credential, for the same server,
and verifies its certificate in the same way: the name of its file is a keyed hash of these. Where
no file can be kept, every command exchanges its credential, as it would without this module.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.cli.refusals import Refusal
from hatcher.cli.terminal import say
from hatcher.errors import HatcherException
from hatcher.files.folders import user_folder

if TYPE_CHECKING:
    from hatcher.api import BroodClientAuth

_NAME = re.compile(r"[0-9a-f]{48}\.token")


class SessionKeeper:
    """Keeps the session token of one credential; see this module.

    Parameters
    ----------
    auth : BroodClientAuth
    verify_ssl : bool or str
        How the certificate of its server is verified.
    """

    def __init__(self, auth: BroodClientAuth, verify_ssl: bool | str) -> None:
        self._auth = auth
        self._verify_ssl = verify_ssl

    def load(self) -> tuple[str, float] | None:
        """Return the token, and the seconds for which it may be used; None without one."""
        from hatcher.cli.settings.private_files import read_private
        from hatcher.transport.auth import RENEWAL_INTERVAL, is_token

        with _or_without():
            if self._path is None or (text := read_private(self._path)) is None:
                return None
            since, token = text.split()
            # One of the future is of a clock that was put back since, and may be of any age.
            age = time.time() - float(since)
            if 0 <= age < RENEWAL_INTERVAL and is_token(token):
                return token, RENEWAL_INTERVAL - age
        self.forget()
        return None

    def save(self, token: str) -> None:
        """Keep a token, in place of what was kept before; remove those that are too old."""
        from hatcher.files.atomic import replacing
        from hatcher.files.cache import kept_files, remove
        from hatcher.transport.auth import RENEWAL_INTERVAL

        with _or_without():
            if self._path is not None:
                now = time.time()
                with replacing(self._path, private=True, sync=False) as file:
                    file.write(f"{now!r} {token}".encode())
                for other in kept_files(self._path.parent, _NAME):
                    if abs(now - other.used) > RENEWAL_INTERVAL:
                        remove(other.path)

    def forget(self) -> None:
        """Keep none any longer."""
        with _or_without():
            if self._path is not None:
                self._path.unlink(missing_ok=True)

    @cached_property
    def _path(self) -> Path | None:
        """Where the token is kept; None for nowhere."""
        from hatcher.files.cache import keyed_name, private_folder
        from hatcher.transport.auth import proof_of

        with _or_without():
            folder, proof = _folder(), proof_of(self._auth)
            if folder is not None and proof is not None:
                own = private_folder(folder.parent, folder.name)
                name = keyed_name(own, str(self._verify_ssl), *proof)
                return own / f"{name.hexdigest()}.token"
        return None


def forget_sessions() -> None:
    """Remove all session tokens that are kept: their names do not tell whose they are."""
    from hatcher.files.cache import check_private, kept_files, remove

    try:
        if (folder := _folder()) is not None:
            check_private(folder)
            for file in kept_files(folder, _NAME):
                remove(file.path)
    except (FileNotFoundError, NotADirectoryError):
        pass  # there is none
    except OSError as error:
        say(f"Warning: session tokens may still be kept: {error}. Remove that folder.", "yellow")


def _folder() -> Path | None:
    folder = user_folder("cache", "HATCHER_CACHE_DIR")
    return folder and folder / "sessions"


@contextmanager
def _or_without() -> Iterator[None]:
    """Go on without what cannot be kept: it is no more than a convenience."""
    with suppress(OSError, ValueError, HatcherException, Refusal):
        yield
