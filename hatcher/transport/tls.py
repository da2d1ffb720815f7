"""Verification of the server's certificate."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from hatcher.errors import InvalidArgumentError

if TYPE_CHECKING:
    import ssl

#: The name that OpenSSL finds a certificate by in a folder.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+", re.ASCII)


def checked_verify(given: object) -> bool | str:
    """Return what a user gave as `verify_ssl`, a path as text; raise InvalidArgumentError."""
    if isinstance(given, bool):
        return given
    path = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(path, str) or not path.strip():
        raise InvalidArgumentError(
            f"verify_ssl cannot be {given!r}. Give True to verify the server's certificate, False "
            "to trust any, or the path of a PEM file or folder with certificates of authorities."
        )
    ssl_context(path)
    return path


def ssl_context(verify_ssl: bool | str | Path) -> ssl.SSLContext:
    """Return the TLS context for a setting of `verify_ssl`.

    True trusts the usual authorities (or those in ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` of the
    environment), False any certificate, and a path the authorities in that PEM file or folder.
    """
    # Imported here: it takes 15 ms, which a server without TLS is not worth.
    import ssl

    if verify_ssl is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if verify_ssl is not True:
        path = os.fspath(verify_ssl)
        is_folder = os.path.isdir(path)  # noqa: PTH112 - which takes any name
        return _trusting(None if is_folder else path, [path] if is_folder else [], False)
    file = os.environ.get("SSL_CERT_FILE") or None
    folders = list(filter(None, os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)))
    if not (file or folders):
        # Imported here: who talks to a server without TLS needs no authorities.
        import certifi

        file = certifi.where()
    return _trusting(file, folders, True)


def _trusting(file: str | None, folders: list[str], by_environment: bool) -> ssl.SSLContext:
    """Trust the authorities in a file and in folders, which the environment or the user names."""
    import ssl

    def useless(variable: str, path: str | None, what: str) -> InvalidArgumentError:
        named = f"The environment variable {variable} names " if by_environment else ""
        return InvalidArgumentError(
            f"{named}'{path}'{', which' if named else ''} {what}. Give the path of a PEM file with "
            "the certificates of the authorities to trust, or of a folder of them."
        )

    try:
        context = ssl.create_default_context(cafile=file, capath=os.pathsep.join(folders) or None)
        if file is not None and not context.cert_store_stats()["x509"]:
            raise ssl.SSLError("it is empty")
    except ssl.SSLError as error:
        raise useless("SSL_CERT_FILE", file, "holds no certificate in PEM form") from error
    except (OSError, ValueError) as error:
        raise useless("SSL_CERT_FILE", file, f"cannot be read ({_reason(error)})") from error
    folder = os.pathsep.join(folders)
    try:
        if folders and not sum(_trust_folder(context, folder) for folder in folders):
            what = "is not a folder with certificates in PEM form"
            raise useless("SSL_CERT_DIR", folder, what)
    except OSError as error:
        raise useless("SSL_CERT_DIR", folder, f"cannot be read ({_reason(error)})") from error
    # The hosts of a certificate are its alternative names; those of authorities are limited there.
    context.hostname_checks_common_name = False
    return context


def _trust_folder(context: ssl.SSLContext, folder: str) -> bool:
    """Trust the authorities in a folder as well; return whether there are any.

    OpenSSL finds them by names that `openssl rehash` gives; where nobody ran it, they are read.
    """
    import ssl

    found = False
    with suppress(FileNotFoundError, NotADirectoryError):  # of several, some may be missing
        files = sorted(Path(folder).iterdir())
        if any(_HASHED.fullmatch(file.name) for file in files):
            return True
        for file in files:
            if file.suffix in (".pem", ".crt", ".cer"):
                with suppress(ssl.SSLError):  # a key, or in another form
                    context.load_verify_locations(file)
                    found = True
    return found


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
