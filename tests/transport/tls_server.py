"""A scripted server that can be reached by TLS, too."""

import contextlib
import socket
import ssl
from pathlib import Path
from typing import Any

import trustme

from hatcher.testing import Answer, ScriptedServer


class TLSServer(ScriptedServer):
    """A `ScriptedServer` with a certificate of an authority of its own."""

    def __init__(self, *answers: Any, tls: bool, folder: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
        self.verify: Any = True
        if self._context is not None:
            authority = trustme.CA()
            authority.issue_cert("localhost").configure_cert(self._context)
            self.verify = str(folder / "authority.pem")
            authority.cert_pem.write_to_path(self.verify)
        super().__init__(*(answers or (Answer(200),)))

    @property
    def url(self) -> str:
        return super().url if self._context is None else f"https://localhost:{self._port}"

    def _serve(self, connection: socket.socket) -> None:
        if self._context is not None:
            try:
                connection = self._context.wrap_socket(connection, server_side=True)
            except OSError:
                return  # the client did not like it
        with contextlib.suppress(ssl.SSLEOFError):  # no ConnectionError, but the same
            super()._serve(connection)
