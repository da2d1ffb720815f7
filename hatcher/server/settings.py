"""What an embedded Brood is told when it starts."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path

from attrs import Attribute, field, frozen

from hatcher.errors import InvalidArgumentError
from hatcher.transport.secret import Secret

Network = IPv4Network | IPv6Network


def _secret(value: str | Secret | None) -> Secret | None:
    return Secret(value) if isinstance(value, str) else value


def is_email(text: str) -> bool:
    """Whether somebody can log in with `text` as an e-mail address."""
    local, _, domain = text.rpartition("@")
    # A colon would end the name in Basic authentication.
    return bool(local and domain) and not set(text) & set(": ")


def _checked_email(_: object, attribute: Attribute[str], value: str) -> None:
    if not is_email(value):
        raise InvalidArgumentError(
            f"The administrator cannot be '{value}': that is no e-mail address. Give one such as "
            "admin@example.com."
        )


def _networks(given: Iterable[object]) -> tuple[Network, ...]:
    networks = []
    for network in given:
        try:
            networks.append(ip_network(str(network), strict=False))
        except ValueError as error:
            raise InvalidArgumentError(
                f"'{network}' is no network of trusted proxies. Give an address or a network, "
                "such as 127.0.0.1 or 10.0.0.0/8."
            ) from error
    return tuple(networks)


@frozen
class Settings:
    """What an embedded Brood is told when it starts.

    Attributes
    ----------
    data : pathlib.Path
        The folder with everything that the server keeps; made when missing.
    host : str
        The name or address to listen at.
    port : int
        The port to listen at; 0 takes any free one.
    admin : str
        The e-mail address of the first server administrator.
    admin_password : Secret or None
        That account's password. None leaves an existing account as it is, and
        makes one up for a new one. A plain string is wrapped.
    session_lifetime : float
        How long a session token lives, in seconds.
    failed_logins : int
        How many wrong passwords one address may send for one account within
        `failed_logins_window`; more are answered with 429.
    failed_logins_window : float
        The time in which failed logins are counted, in seconds.
    max_upload : int or None
        The largest file that can be uploaded, in bytes; None sets no limit but the disk's.
    trusted_proxies : iterable of str or ip_network
        Where proxies stand whose header X-Forwarded-For says who sent a request; by default
        nowhere, and a request comes from whoever connects.
    strict_platforms : bool
        Whether an egg that names another platform than the URL is refused; otherwise it is
        stored under the URL's platform.
    """

    data: Path = field(converter=Path)
    host: str = "127.0.0.1"
    port: int = 8080
    admin: str = field(default="admin@example.com", validator=_checked_email)
    admin_password: Secret | None = field(default=None, converter=_secret)
    session_lifetime: float = 600.0
    failed_logins: int = 10
    failed_logins_window: float = 60.0
    max_upload: int | None = None
    trusted_proxies: tuple[Network, ...] = field(default=(), converter=_networks)
    strict_platforms: bool = False
