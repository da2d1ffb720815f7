"""EDM's file, the last resort: its server, and the API token for that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from hatcher.cli.settings.profiles import server_at
from hatcher.files.folders import expanded

if TYPE_CHECKING:
    from hatcher.transport.secret import Secret
    from hatcher.transport.urls import ServerURL

FILE = "~/.edm.yaml"

#: Where EDM goes when its file does not say.
_USUAL_SERVER = "https://packages.enthought.com"


class Kept(NamedTuple):
    """What stands in the file.

    Attributes
    ----------
    server : ServerURL
        Where EDM goes, without a user name and password that the file may have in its URL.
    is_named : bool
        Whether the file names it.
    token : Secret or None
        For that server only.
    """

    server: ServerURL
    is_named: bool
    token: Secret | None


def read() -> Kept | None:
    """Read the file; None where there is none.

    Raises
    ------
    OSError, ValueError
        It cannot be read, or is not as it should be; without what stands in it.
    """
    try:
        text = expanded(FILE).read_text("utf-8-sig")
    except FileNotFoundError:
        return None
    # Imported here, for the few that have such a file and nothing better.
    from hatcher.transport.secret import Secret

    document = _document(text)
    url = document.get("store_url") or None
    if not isinstance(url, str | None):
        raise ValueError("its store_url is no text.")
    authentication = document.get("authentication")
    token = authentication.get("api_token") if isinstance(authentication, dict) else None
    secret = Secret(token) if isinstance(token, str) and token.strip() else None
    return Kept(server_at(url or _USUAL_SERVER), url is not None, secret)


def reason(error: OSError | ValueError) -> str:
    """Return why the file cannot be read, in words that do not show what stands in it."""
    return getattr(error, "strerror", None) or str(error)


def _document(text: str) -> dict[str, Any]:
    import yaml

    try:
        document = yaml.safe_load(text) or {}
    except Exception as error:  # YAML that breaks its reader raises whatever it likes
        mark = getattr(error, "problem_mark", None)
        # Not chained: the error quotes the text.
        raise ValueError(f"line {mark.line + 1} is no YAML." if mark else "no YAML.") from None
    if not isinstance(document, dict):
        raise ValueError("it holds no settings.")
    return document
