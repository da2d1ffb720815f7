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
        if os.path.isdir(path):  # noqa: PTH112 - which takes any name
            return _trusting(None, [path], "", "")
        return _trusting(path, [], "", "")
    file = os.environ.get("SSL_CERT_FILE")
    folders = list(filter(None, os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)))
    if not (file or folders):
        # Imported here: who talks to a server without TLS needs no authorities.
        import certifi

        return _trusting(certifi.where(), [], "", "")
    return _trusting(file or None, folders, "SSL_CERT_FILE", "SSL_CERT_DIR")


def _trusting(
    file: str | None, folders: list[str], file_by: str, folders_by: str
) -> ssl.SSLContext:
    """Trust the authorities in a file and in folders, each with the variable that names it."""
    import ssl

    try:
        context = ssl.create_default_context(cafile=file, capath=os.pathsep.join(folders) or None)
    except ssl.SSLError as error:
        raise _useless(file_by, file, "holds no certificate in PEM form") from error
    except (OSError, ValueError) as error:
        raise _useless(file_by, file, f"cannot be read ({_reason(error)})") from error
    if file is not None and not context.cert_store_stats()["x509"]:
        raise _useless(file_by, file, "holds no certificate in PEM form")
    if folders and not sum(_trust_folder(context, folder, folders_by) for folder in folders):
        raise _useless(
            folders_by, os.pathsep.join(folders), "is not a folder with certificates in PEM form"
        )
    # The hosts of a certificate are its alternative names; those of authorities are limited there.
    context.hostname_checks_common_name = False
    return context


def _trust_folder(context: ssl.SSLContext, folder: str, variable: str) -> bool:
    """Trust the authorities in a folder as well; return whether there are any.

    OpenSSL finds them by names that `openssl rehash` gives; where nobody ran it, they are read.
    """
    import ssl

    found = False
    try:
        files = sorted(Path(folder).iterdir())
        if any(_HASHED.fullmatch(file.name) for file in files):
            return True
        for file in files:
            if file.suffix in (".pem", ".crt", ".cer"):
                with suppress(ssl.SSLError):  # a key, or in another form
                    context.load_verify_locations(file)
                    found = True
        return found
    except (FileNotFoundError, NotADirectoryError):
        return False  # of several, some may be missing
    except OSError as error:
        raise _useless(variable, folder, f"cannot be read ({_reason(error)})") from error


def _useless(variable: str, path: str | None, what: str) -> InvalidArgumentError:
    named = (
        f"The environment variable {variable} names '{path}', which" if variable else f"'{path}'"
    )
    return InvalidArgumentError(
        f"{named} {what}. Give the path of a PEM file with the certificates of the authorities to "
        "trust, or of a folder of them."
    )


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
