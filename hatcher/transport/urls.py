"""The server's URL; hosts, origins and segments of other URLs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import NamedTuple, TypeAlias
from urllib.parse import SplitResult, unquote, urlsplit

from hatcher.errors import InvalidNameError, InvalidURLError
from hatcher.transport.secret import Secret

#: Scheme, host and port.
Origin: TypeAlias = tuple[str, str, int]

_DEFAULT_PORTS = {"http": 80, "https": 443}
_API_ROOT = re.compile(r"/api/v\d+(/json)?/?\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NO_TEXT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NAME = re.compile(r"(?!.{254})([\w-]{1,63}\.)*[\w-]{1,63}\.?", re.ASCII)
_PLACE = re.compile(r"(\[[^]]*:[^]]*\]|[^]:[]*)(:.*)?", re.DOTALL)
_ZONE = re.compile(r"[\w.~-]+", re.ASCII)
_EXAMPLE = "Give it like 'https://brood.example.com'."


class ServerURL(NamedTuple):
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
    """

    scheme: str
    host: str
    port: int
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> ServerURL:
        """Read a URL as a person gives it; raise InvalidURLError for anything else.

        A host without a scheme means https, or http when it is this machine.
        The path is kept, except for Brood's own ``/api/v0/json``; credentials are not.
        """
        if not isinstance(url, str) or not url.strip():
            raise InvalidURLError(f"The server's URL is empty. {_EXAMPLE}")
        text = url.strip()
        try:
            origin, parts = located(text, _DEFAULT_PORTS, _usual_scheme)
            if parts.query or parts.fragment:
                raise ValueError("it has a query or a fragment")
        except ValueError as error:
            raise InvalidURLError(
                f"'{_without_secrets(text)}' is not the URL of a Brood server: {error}. {_EXAMPLE}"
            ) from None
        return cls(*origin, _API_ROOT.sub("", parts.path).rstrip("/"))

    @property
    def origin(self) -> Origin:
        """The scheme, host and port: what credentials are bound to."""
        return self.scheme, self.host, self.port

    def __str__(self) -> str:
        return f"{self.scheme}://{authority(self.origin)}{self.prefix}"


def url_credentials(url: str) -> tuple[str, Secret] | None:
    """Return the user name and password in a valid server's URL, if there are any."""
    parts = urlsplit(url.strip() if "://" in url else f"//{url.strip()}")
    if parts.username is None:
        return None
    return unquote(parts.username), Secret(unquote(parts.password or ""))


def located(
    text: str, ports: Mapping[str, int], usual_scheme: Callable[[str], str] = lambda host: ""
) -> tuple[Origin, SplitResult]:
    """Read a URL that a person gives; raise ValueError, with words that do not show it.

    `ports` has the schemes that it may have; `usual_scheme` returns that of a host without one.
    """
    if _NO_TEXT.search(text):
        raise ValueError("it contains a line break, a control character or invalid Unicode")
    try:
        parts = urlsplit(text if "://" in text else f"//{text}")
    except ValueError:
        raise ValueError("it is not a URL with a valid host") from None
    try:
        host = host_of(parts)
    except ValueError:
        raise ValueError("its host is neither a host name nor an IP address") from None
    scheme = parts.scheme or usual_scheme(host)
    if scheme not in ports:
        raise ValueError(f"its scheme is '{scheme}', not {', '.join(ports)}")
    if not host:
        raise ValueError("it has no host")
    try:
        return (scheme, host, _port(parts) or ports[scheme]), parts
    except ValueError:
        raise ValueError("its port is not a number from 1 to 65535") from None


def _usual_scheme(host: str) -> str:
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    return "http" if is_here else "https"


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
        return _without_secrets(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


def _port(parts: SplitResult) -> int | None:
    """Return a URL's port, if it says one; raise ValueError if it is out of range."""
    if parts.port == 0:
        raise ValueError("port 0")
    return parts.port


def _without_secrets(text: str) -> str:
    # To the last @: a password may hold a '/' that should have been quoted.
    return re.sub(r"(?<=//).*@|^.*@|[?#].*", "", text, flags=re.DOTALL)
