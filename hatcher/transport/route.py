"""Straight to the server, or through a proxy that the environment names."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from hatcher.transport.channel import Channel, Incoming, Outgoing, Trouble
from hatcher.transport.urls import showable

if TYPE_CHECKING:
    from hatcher.transport.wire.connection import Origin

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy")


class Route:
    """A channel that goes straight, but where a proxy is set, through that.

    Parameters
    ----------
    straight : Channel
    through_proxy : callable
        Makes the other channel; called when it is first needed.
    """

    def __init__(self, straight: Channel, through_proxy: Callable[[], Channel]) -> None:
        self._straight = straight
        self._through_proxy = through_proxy
        self._proxied: Channel | None = None
        self._lock = threading.Lock()
        self._has_proxies = _may_have_proxies()

    def exchange(self, outgoing: Outgoing) -> Incoming:
        """Send a request and return its answer, whatever its status.

        Raises
        ------
        Trouble
        """
        if self._has_proxies and _proxy_for(outgoing.origin):
            with self._lock:
                if self._proxied is None:
                    self._proxied = self._through_proxy()
            try:
                return self._proxied.exchange(outgoing)
            except Trouble as trouble:
                if trouble.kind not in ("not connected", "no connection in time"):
                    raise
                proxy = showable(_proxy_for(outgoing.origin) or "")
                raise Trouble("no proxy", f"{proxy}: {trouble.reason}") from trouble
        return self._straight.exchange(outgoing)

    def interrupt(self) -> None:
        """Make what is under way in other threads end at once, in `Trouble`."""
        for channel in (self._straight, self._proxied):
            if channel is not None:
                channel.interrupt()

    def close(self) -> None:
        """Close the connections."""
        for channel in (self._straight, self._proxied):
            if channel is not None:
                channel.close()


def _may_have_proxies() -> bool:
    if sys.platform in ("darwin", "win32"):  # they may be set for the whole system
        return True
    return any(os.environ.get(name) or os.environ.get(name.upper()) for name in _VARIABLES)


def _proxy_for(origin: Origin) -> str | None:
    """Return the URL of the proxy for a server, if it needs one."""
    # Imported here: 20 ms that nobody without a proxy spends.
    from urllib.request import getproxies, proxy_bypass

    scheme, host, port = origin
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if proxy and proxy_bypass(f"[{host}]:{port}" if ":" in host else f"{host}:{port}"):
        return None
    return proxy
