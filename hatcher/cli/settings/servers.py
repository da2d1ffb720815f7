"""What makes two URLs one server, for what is kept for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hatcher.transport.urls import ServerURL


def server_at(url: str) -> ServerURL:
    """Return the server at a URL: its scheme, host, port and prefix, and no credentials.

    Parameters
    ----------
    url : str

    Raises
    ------
    InvalidURLError
        That is no URL of a server.
    """
    # The one thing here from deeper than the graph: what a secret is bound to must be the
    # same as what the client sends it to.
    from hatcher.transport.urls import ServerURL

    return ServerURL.parse(url)
