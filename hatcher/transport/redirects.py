"""Where a redirect leads, and whether a request may follow it."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

from hatcher.errors import RedirectError
from hatcher.transport.channel import Incoming, Outgoing
from hatcher.transport.faults import NEW_URL, failure
from hatcher.transport.urls import Origin, showable, split

#: How many redirects of one request are followed.
MAX_REDIRECTS = 5

#: What a redirect's target may contain unquoted.
_URL_SIGNS = "/?%:@!$&'()*+,;=~-._[]"

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def redirected(outgoing: Outgoing, incoming: Incoming, home: Origin) -> Outgoing | None:
    """Return the request for a redirect's target; None if the answer is no redirect.

    A method never changes, and only a GET may leave the server, without credentials.
    """
    status_code, location = incoming.status_code, incoming.headers.get("location")
    if status_code not in (301, 302, 303, 307, 308) or location is None:
        return None
    method = outgoing.method
    kept = (307, 308) if method == "POST" else (301, 302, 307, 308)
    # Heads are read as Latin-1, and what was not quoted in them is mostly UTF-8.
    text = location.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    try:
        origin, target = resolved(outgoing.url, text)
    except ValueError:
        fault = "which is not a valid web address"
    else:
        if outgoing.origin[0] == "https" and origin[0] == "http":
            fault = "which is not encrypted"
        elif method != "GET" and origin != outgoing.origin:
            fault = "which is another server"
        elif method != "GET" and status_code not in kept:
            fault = "in a way that would turn it into a GET"
        else:
            return outgoing._replace(origin=origin, target=target, at_home=origin == home)
    shown = quote(showable(text), safe=_URL_SIGNS, errors="replace")[:200]
    raise failure(
        RedirectError,
        outgoing,
        f"{method} {outgoing.shown_url} was redirected to '{outgoing.redact(shown)}', {fault}. "
        f"{NEW_URL}",
    )


def resolved(base: str, location: str) -> tuple[Origin, str]:
    """Return the origin and the target of a redirect; raise ValueError if it has none."""
    if not location or _CONTROL.search(location):
        raise ValueError("empty, or with control characters")
    moved = urljoin(base, location)
    if "@" in urlsplit(moved).netloc:
        raise ValueError("with credentials")
    origin, target = split(moved)
    return origin, quote(target, safe=_URL_SIGNS, errors="surrogateescape")
