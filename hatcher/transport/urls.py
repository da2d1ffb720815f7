"""The server's URL; hosts, origins and segments of other URLs."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from hatcher.errors import InvalidNameError, InvalidURLError
from hatcher.transport.secret import Secret
from hatcher.transport.value import Value

#: Scheme, host and port.
Origin: TypeAlias = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_API_ROOT = re.compile(r"/api/v\d+(/json)?/?\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
#: What no URL that a person gives contains: control characters, and surrogates.
NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"(?!.{254})([\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)
_PLACE = re.compile(r"(\[[^]]*:[^]]*\]|[^]:[]*)(:.*)?", re.DOTALL)
_ZONE = re.compile(r"[\w.~-]+", re.ASCII)
_EXAMPLE = "Give it like 'https://brood.example.com'."


class ServerURL(Value):
    """Where a Brood server is.

    Attributes
    ----------
    scheme : {'https', 'http'}
    host : str
        A name in lower case and Punycode, or an address without brackets, perhaps with
        its zone (``fe80::1%eth0``).
    port : int
    prefix : str
        The path below which the server answers: empty, or ``/`` and more, with
        no ``/`` at the end.
    credentials : tuple of (str, Secret) or None
        The user name and password that stood in the URL. They are no part of
        what this object shows, and of what makes it equal to another.
    """

    __match_args__ = ("scheme", "host", "port", "prefix", "credentials")
    __slots__ = __match_args__

    scheme: str
    host: str
    port: int
    prefix: str
    credentials: tuple[str, Secret] | None

    def __init__(
        self,
        scheme: str,
        host: str,
        port: int,
        prefix: str = "",
        credentials: tuple[str, Secret] | None = None,
    ) -> None:
        super().__init__(scheme, host, port, prefix, credentials)

    @classmethod
    def parse(cls, url: str) -> ServerURL:
        """Read a URL as a person gives it; raise InvalidURLError for anything else.

        A host without a scheme means https, or http when it is this machine.
        The path is kept, except for Brood's own ``/api/v0/json``.
        """
        if not isinstance(url, str) or not url.strip():
            raise InvalidURLError(f"The server's URL is empty. {_EXAMPLE}")
        text = url.strip()
        if NO_TEXT.search(text):
            raise InvalidURLError(
                f"'{_without_credentials(text)}' contains a line break, a control character or "
                f"invalid Unicode. {_EXAMPLE}"
            )
        parts = _split(text if "://" in text else f"//{text}")
        shown = _without_credentials(text)
        if not parts.hostname:
            raise InvalidURLError(f"There is no host in '{shown}'. {_EXAMPLE}")
        try:
            port = _port(parts)
        except ValueError as error:
            raise InvalidURLError(
                f"The port in '{shown}' is not a number from 1 to 65535. {_EXAMPLE}"
            ) from error
        try:
            host = host_of(parts)
        except ValueError as error:
            raise InvalidURLError(
                f"The host in '{shown}' is neither a host name nor an IP address. {_EXAMPLE}"
            ) from error
        scheme = parts.scheme or ("http" if _is_loopback(host) else "https")
        if scheme not in _DEFAULT_PORTS:
            raise InvalidURLError(
                f"'{shown}' is not the URL of a Brood server: the scheme is '{scheme}', not https "
                f"or http. {_EXAMPLE}"
            )
        if parts.query or parts.fragment:
            raise InvalidURLError(
                f"'{shown}' has a query or a fragment, so it is not a server's URL. {_EXAMPLE}"
            )
        prefix = _API_ROOT.sub("", parts.path).rstrip("/")
        return cls(scheme, host, port or _DEFAULT_PORTS[scheme], prefix, _credentials(parts))

    def without_credentials(self) -> ServerURL:
        """Return the same URL as one that can be stored and pickled."""
        return ServerURL(self.scheme, self.host, self.port, self.prefix)

    @property
    def origin(self) -> Origin:
        """The scheme, host and port: what credentials are bound to."""
        return self.scheme, self.host, self.port

    def _values(self) -> tuple[Any, ...]:
        return self.scheme, self.host, self.port, self.prefix

    def __str__(self) -> str:
        return f"{self.scheme}://{authority(self.origin)}{self.prefix}"


def checked_segment(value: object, what: str) -> str:
    """Return a name that can be one segment of a URL's path; raise InvalidNameError otherwise."""
    if not isinstance(value, str):
        raise InvalidNameError(
            f"The {what} must be a string, not {value!r} of type {type(value).__name__}."
        )
    if not value.strip() or value in (".", ".."):
        raise InvalidNameError(
            f"The {what} cannot be {value!r}: it would lead to another place on the server. "
            "Give its name."
        )
    if _CONTROL.search(value):
        raise InvalidNameError(f"The {what} {value!r} contains a line break or control character.")
    if _SURROGATE.search(value):  # as in file names that are not in UTF-8
        raise InvalidNameError(f"The {what} {value!r} contains invalid Unicode.")
    return value


def checked_host(host: str) -> str:
    """Return a URL's host as one connects to it: lower case, in Punycode, percents decoded."""
    if ":" in host:
        address, percent, zone = host.partition("%")
        # '%25' is how a URL writes '%', and '%' alone how people do.
        zone = zone.removeprefix("25") or zone
        if percent and not _ZONE.fullmatch(zone):
            raise ValueError("no zone")
        return f"{ipaddress.IPv6Address(address)}{percent}{zone}"
    host = unquote(host, errors="strict").lower()
    if not host.isascii() or "xn--" in host:
        # Imported here, for the few whose host needs it.
        import idna

        host = idna.encode(host, uts46=True).decode("ascii")
    if not _NAME.fullmatch(host):
        raise ValueError("no host name")
    return host


def host_of(parts: SplitResult) -> str:
    """Return the checked host of a URL; empty if it has none."""
    if not _PLACE.fullmatch(parts.netloc.rpartition("@")[2]):
        raise ValueError("brackets in the wrong place")
    return checked_host(parts.hostname) if parts.hostname else ""


def is_unicode(text: str) -> bool:
    """Whether a text has no lone surrogates, so that it can be sent."""
    return _SURROGATE.search(text) is None


def origin_of(url: str) -> Origin:
    """Return the scheme, host and port of an absolute http or https URL."""
    parts = urlsplit(url)
    return parts.scheme, host_of(parts), _port(parts) or _DEFAULT_PORTS.get(parts.scheme, 0)


@lru_cache(maxsize=256)  # there are few, and they are asked for again and again
def authority(origin: Origin) -> str:
    """Return an origin's host, and its port where it is not the usual one."""
    scheme, host, port = origin
    return bracketed(host) if port == _DEFAULT_PORTS.get(scheme) else f"{bracketed(host)}:{port}"


def bracketed(host: str) -> str:
    """Return a host as it stands in a URL."""
    return f"[{host}]" if ":" in host else host


def without_zone(host: str) -> str:
    """Return a host without its zone, which means something on this machine only."""
    return host.partition("%")[0]


def host_field(origin: Origin) -> str:
    """Return the Host header for an origin."""
    scheme, host, port = origin
    return authority((scheme, without_zone(host), port))


def tunnel_target(origin: Origin) -> str:
    """Return what a proxy is asked to connect to."""
    return f"{bracketed(without_zone(origin[1]))}:{origin[2]}"


def certified_name(host: str) -> str:
    """Return the name that the certificate of a host must be for."""
    return without_zone(host).removesuffix(".")


def split(url: str) -> tuple[Origin, str]:
    """Return the origin of an absolute http or https URL, and the rest of it."""
    origin = origin_of(url)
    if origin[0] not in _DEFAULT_PORTS or not origin[1]:
        raise ValueError(f"no http or https URL: {url!r}")
    parts = urlsplit(url)
    return origin, (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def showable(url: str) -> str:
    """Return a URL for a message: without user, password, and query, which may hold a signature."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return re.sub(r"[?#].*", "", _without_credentials(url), flags=re.DOTALL)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _split(text: str) -> SplitResult:
    try:
        return urlsplit(text)
    except ValueError as error:
        raise InvalidURLError(f"'{_without_credentials(text)}' is not a URL. {_EXAMPLE}") from error


def _port(parts: SplitResult) -> int | None:
    """Return a URL's port, if it says one; raise ValueError if it is out of range."""
    if parts.port == 0:
        raise ValueError("port 0")
    return parts.port


def _without_credentials(text: str) -> str:
    # To the last @: a password may hold a '/' that should have been quoted.
    return re.sub(r"(?<=//).*@|^.*@", "", text, flags=re.DOTALL)


def _credentials(parts: SplitResult) -> tuple[str, Secret] | None:
    if parts.username is None:
        return None
    return unquote(parts.username), Secret(unquote(parts.password or ""))


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
