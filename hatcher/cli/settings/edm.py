"""The API token that EDM keeps in ``~/.edm.yaml``: the last resort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hatcher.cli.output.chatter import say
from hatcher.cli.settings.servers import server_at
from hatcher.files.folders import expanded

if TYPE_CHECKING:
    from hatcher.cli.settings.credentials import Credential

#: Where EDM goes when its file does not say.
DEFAULT_STORE_URL = "https://packages.enthought.com"

_SHOWN = "~/.edm.yaml"


def edm_token(url: str) -> Credential | None:
    """Return EDM's token, where it is for the server at a URL.

    A file that cannot be read is warned of, and is no reason not to go on: it belongs to
    another program.

    Parameters
    ----------
    url : str
        Of the server that is going to be asked.
    """
    from hatcher.cli.settings.credentials import Credential

    server = server_at(url)
    try:
        document = _document()
        authentication = document.get("authentication")
        token = authentication.get("api_token") if isinstance(authentication, dict) else None
        if not isinstance(token, str) or not token:
            return None
        store = server_at(document.get("store_url") or DEFAULT_STORE_URL)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        say(f"Warning: {_SHOWN} cannot be read, so no token in it is used: {reason}", "yellow")
        return None
    return Credential("token", token, _SHOWN) if store == server else None


def _document() -> dict[str, Any]:
    try:
        text = expanded(_SHOWN).read_text("utf-8-sig")
    except FileNotFoundError:
        return {}
    # Imported here, for the few that have such a file and nothing better.
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
