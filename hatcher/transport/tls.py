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

#: The variables by which requests and curl are told of authorities; those of OpenSSL come first.
_OF_OTHERS = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


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

    True trusts the usual authorities (or those that the environment names: ``SSL_CERT_FILE`` and
    ``SSL_CERT_DIR``, or one of `_OF_OTHERS`), False any certificate, and a path the authorities in
    that PEM file or folder.
    """
    # Imported here: it takes 15 ms, which a server without TLS is not worth.
    import ssl

    if verify_ssl is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if verify_ssl is not True:
        return _trusting_path(os.fspath(verify_ssl), None)
    file = os.environ.get("SSL_CERT_FILE") or None
    folders = list(filter(None, os.environ.get("SSL_CERT_DIR", "").split(os.pathsep)))
    if not (file or folders):
        for variable in _OF_OTHERS:
            if path := os.environ.get(variable):
                return _trusting_path(path, variable)
        # Imported here: who talks to a server without TLS needs no authorities.
        import certifi

        file = certifi.where()
    return _trusting(file, folders, "SSL_CERT_FILE", "SSL_CERT_DIR")


def _trusting_path(path: str, variable: str | None) -> ssl.SSLContext:
    is_folder = os.path.isdir(path)  # noqa: PTH112 - which takes any name
    file, folders = (None, [path]) if is_folder else (path, [])
    return _trusting(file, folders, variable, variable)


def _trusting(
    file: str | None, folders: list[str], of_file: str | None, of_folders: str | None
) -> ssl.SSLContext:
    """Trust the authorities in a file and in folders, which variables or the user name."""
    import ssl

    def useless(variable: str | None, path: str | None, what: str) -> InvalidArgumentError:
        named = f"The environment variable {variable} names " if variable else ""
        return InvalidArgumentError(
            f"{named}'{path}'{', which' if named else ''} {what}. Give the path of a PEM file with "
            "the certificates of the authorities to trust, or of a folder of them."
        )

    try:
        context = ssl.create_default_context(cafile=file, capath=os.pathsep.join(folders) or None)
        if file is not None and not context.cert_store_stats()["x509"]:
            raise ssl.SSLError("it is empty")
    except ssl.SSLError as error:
        raise useless(of_file, file, "holds no certificate in PEM form") from error
    except (OSError, ValueError) as error:
        raise useless(of_file, file, f"cannot be read ({_reason(error)})") from error
    folder = os.pathsep.join(folders)
    try:
        if folders and not sum(_trust_folder(context, folder) for folder in folders):
            what = "is not a folder with certificates in PEM form"
            raise useless(of_folders, folder, what)
    except OSError as error:
        raise useless(of_folders, folder, f"cannot be read ({_reason(error)})") from error
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
