"""Which proxy leads to a server, as the environment says."""

from __future__ import annotations

import base64
import os
import sys
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

from hatcher.transport.secret import Secret
from hatcher.transport.value import Value

#: Scheme, host and port.
Origin: TypeAlias = tuple[str, str, int]


class Proxy(Value):
    """A proxy.

    Attributes
    ----------
    scheme : str
        How it is spoken with: ``http``, ``https``, ``socks5`` or ``socks5h``.
    host : str
    port : int
    authorization : Secret or None
        The value of the Proxy-Authorization header.
    """

    __match_args__ = ("scheme", "host", "port", "authorization")
    __slots__ = __match_args__

    scheme: str
    host: str
    port: int
    authorization: Secret | None

    def __init__(
        self, scheme: str, host: str, port: int, authorization: Secret | None = None
    ) -> None:
        super().__init__(scheme, host, port, authorization)

    def headers(self) -> dict[str, str]:
        """Return the headers that it is to see."""
        if self.authorization is None:
            return {}
        return {"Proxy-Authorization": self.authorization.reveal()}

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


def proxy_for(origin: Origin) -> Proxy | None:
    """Return the proxy for an origin, if it needs one."""
    if not (sys.platform in ("darwin", "win32") or _NAMED.intersection(os.environ)):
        return None
    # Imported here: 20 ms that nobody without a proxy spends.
    from urllib.request import getproxies, proxy_bypass

    scheme, host, port = origin
    proxies = getproxies()
    url = proxies.get(scheme) or proxies.get("all")
    if not url or proxy_bypass(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    secret = None
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        secret = Secret(f"Basic {base64.b64encode(pair).decode('ascii')}")
    return Proxy(parts.scheme, parts.hostname or "", parts.port or 80, secret)


_NAMED = frozenset(
    written
    for name in ("http_proxy", "https_proxy", "all_proxy")
    for written in (name, name.upper())
)
