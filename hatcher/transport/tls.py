"""How the server's certificate is verified."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from hatcher.errors import InvalidArgumentError


def ssl_context(verify_ssl: bool | str | Path) -> ssl.SSLContext:
    """Return how the server's certificate is verified.

    Parameters
    ----------
    verify_ssl : bool, str or pathlib.Path
        True trusts the usual authorities (or those that the environment names in
        ``SSL_CERT_FILE`` or ``SSL_CERT_DIR``), False anything, a path the authorities
        in that PEM file or folder.

    Returns
    -------
    ssl.SSLContext

    Raises
    ------
    InvalidArgumentError
        There is nothing at the path, or no certificate in the file.
    """
    if verify_ssl is True:
        return _usual()
    if verify_ssl is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    path = Path(verify_ssl)
    if path.is_dir():
        return ssl.create_default_context(capath=path)
    try:
        return ssl.create_default_context(cafile=path)
    except FileNotFoundError as error:
        raise InvalidArgumentError(
            f"There is no file '{path}' with certificates. Give the path of a PEM file with the "
            "authority's certificate, or of a folder of them."
        ) from error
    except ssl.SSLError as error:
        raise InvalidArgumentError(
            f"'{path}' holds no certificate in PEM form. Give the PEM file of the authority that has "
            "signed the server's certificate."
        ) from error


def _usual() -> ssl.SSLContext:
    if file := os.environ.get("SSL_CERT_FILE"):
        return ssl.create_default_context(cafile=file)
    if folder := os.environ.get("SSL_CERT_DIR"):
        return ssl.create_default_context(capath=folder)
    # Imported here: who talks to a server without TLS needs no authorities.
    import certifi

    return ssl.create_default_context(cafile=certifi.where())
