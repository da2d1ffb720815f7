"""Which proxy leads to a server, according to the environment or the system."""

from __future__ import annotations

import ipaddress
import os
import re
import sys
from fnmatch import fnmatchcase
from typing import NamedTuple, TypeAlias
from urllib.parse import unquote, urlsplit

from hatcher.errors import InvalidArgumentError
from hatcher.transport.secret import Secret, basic
from hatcher.transport.urls import Origin, bracketed, host_of, located, without_zone

_Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

#: The schemes of proxies, and their default ports.
_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080, "socks": 1080}


class Proxy(NamedTuple):
    """A proxy.

    Attributes
    ----------
    scheme : {'http', 'https', 'socks5', 'socks5h'}
    host : str
    port : int
    credentials : tuple of (str, Secret) or None
        A user name and a password.
    """

    scheme: str
    host: str
    port: int
    credentials: tuple[str, Secret] | None = None

    @property
    def is_socks(self) -> bool:
        """Whether it speaks SOCKS instead of HTTP."""
        return self.scheme in ("socks5", "socks5h")

    def headers(self) -> dict[str, Secret]:
        """Return the headers for the proxy itself."""
        if self.credentials is None:
            return {}
        username, password = self.credentials
        return {"Proxy-Authorization": basic(username.encode(), password.reveal().encode())}

    def __str__(self) -> str:
        return f"{self.scheme}://{bracketed(self.host)}:{self.port}"


def proxy_for(origin: Origin) -> Proxy | None:
    """Return the proxy for an origin, if any; raise InvalidArgumentError for an unusable setting."""
    source, setting = _setting(origin[0])
    if not setting or _is_exempt(origin):
        return None
    found = _read(setting)
    if isinstance(found, str):
        raise InvalidArgumentError(
            f"{source} names no usable proxy: {found}. Set it like "
            "'http://proxy.example.com:3128', or unset it."
        )
    if found.is_socks and not _has_socks():
        raise InvalidArgumentError(
            f"{source} names the proxy {found}, which needs the extra hatcher[socks]. The "
            "package index still has the existing client; so, in a checkout of hatcher, run: "
            "python -m pip install '.[socks]'"
        )
    return found


def _has_socks() -> bool:
    from importlib.util import find_spec

    return find_spec("socksio") is not None


def _setting(scheme: str) -> tuple[str, Secret | None]:
    """Return where the proxy for a scheme is set, and its URL."""
    for name in (f"{scheme}_proxy", "all_proxy"):
        variable, value = _variable(name)
        if value:
            return f"The environment variable {variable}", Secret(value)
    if sys.platform not in ("darwin", "win32"):
        return "", None
    # Imported here: 20 ms that only these systems spend.
    from urllib.request import getproxies

    value = getproxies().get(scheme, "")
    return f"The system's setting for {scheme}", Secret(value) if value else None


def _variable(name: str) -> tuple[str, str]:
    """Return a variable's name as spelled, and its value; lower case comes first."""
    for spelled in (name, name.upper()):
        # A web server sets HTTP_PROXY from a header named Proxy, for its CGI scripts.
        if spelled in os.environ and not (
            spelled == "HTTP_PROXY" and "REQUEST_METHOD" in os.environ
        ):
            return spelled, os.environ[spelled].strip()
    return name, ""


def _read(setting: Secret) -> Proxy | str:
    """Return the proxy that a URL names, or what is wrong with the URL."""
    text = setting.reveal() if "://" in setting.reveal() else f"http://{setting.reveal()}"
    if re.search(r"[/?#].*@", text.partition("://")[2]):
        return "in a user name or password, write '/', '?' and '#' as %2F, %3F and %23"
    try:
        (scheme, host, port), parts = located(text, _PORTS)
    except ValueError as error:
        return str(error)
    scheme = "socks5" if scheme == "socks" else scheme
    if not (parts.username or parts.password):
        return Proxy(scheme, host, port)
    try:
        username = unquote(parts.username or "", errors="strict")
        password = Secret(unquote(parts.password or "", errors="strict"))
    except ValueError:
        return "its user name or password is not valid UTF-8"
    found = Proxy(scheme, host, port, (username, password))
    if found.is_socks and max(map(len, (username.encode(), password.reveal().encode()))) > 255:
        return "its user name or password is longer than the 255 bytes that SOCKS allows"
    return found


def _is_exempt(origin: Origin) -> bool:
    """Whether an origin is reached without a proxy."""
    variable, value = _variable("no_proxy")
    host, port = origin[1].removesuffix("."), origin[2]
    address = _address(host)
    for entry in filter(None, re.split(r"[\s,]+", value)):
        try:
            network, name, at = _exempted(entry)
        except ValueError:
            raise InvalidArgumentError(
                f"The environment variable {variable} contains '{entry[:100]}', which is not a "
                "host, address or network. Separate entries with commas, like "
                "'localhost,.example.com,10.0.0.0/8,[::1]:8080'."
            ) from None
        if network is None:
            matches = fnmatchcase(host, name) or fnmatchcase(host, f"*.{name}")
        else:
            matches = address is not None and address in network
        if matches and at in (None, port):
            return True
    if sys.platform not in ("darwin", "win32"):
        return False
    from urllib.request import proxy_bypass

    return bool(proxy_bypass(f"{bracketed(host)}:{port}"))


def _exempted(entry: str) -> tuple[_Network | None, str, int | None]:
    """Return what an entry of NO_PROXY exempts: a network or a pattern of names, and a port."""
    if "/" in entry:
        start, _, bits = entry.partition("/")
        if ":" not in start:
            start += ".0" * (3 - start.count("."))  # '169.254/16' is customary
        return ipaddress.ip_network(f"{start.strip('[]')}/{bits}", strict=False), "", None
    if entry.count(":") > 1 and entry[0] != "[":
        return ipaddress.ip_network(without_zone(entry)), "", None
    parts = urlsplit("//" + entry.removeprefix("*." if entry[0] == "*" else "."))
    host = (parts.hostname or "") if "*" in parts.netloc else host_of(parts)
    if not host or parts.port == 0 or not entry.endswith(parts.netloc) or "@" in entry:
        raise ValueError("no host and port")
    address = _address(host)
    if address is not None:
        return ipaddress.ip_network(address), "", parts.port
    return None, host.removesuffix("."), parts.port


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Return the address that a host is, if it is one; IPv4 written as IPv6 is IPv4."""
    try:
        address = ipaddress.ip_address(without_zone(host))
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
