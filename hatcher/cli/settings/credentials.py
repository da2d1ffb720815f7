"""Who asks: with a password or token that was given, was kept, or is asked for now."""

from __future__ import annotations

import codecs
import sys

import click

from hatcher.characters import shown
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.settings.keeping import Credential, Kind, keeper_of
from hatcher.cli.settings.levels import Settings
from hatcher.cli.settings.profiles import EDM_FILE, read_edm_file, reason_for, server_at
from hatcher.cli.terminal import is_terminal, say

#: The variables that the words on a credential name.
_SOURCES = {
    "options": "the command line",
    "environment": "the environment",
    "profile": "a question",
}


def credential_for(settings: Settings, *, may_ask: bool = True) -> Credential | None:
    """Return the credential for the server of the settings; None where nobody is named.

    Parameters
    ----------
    settings : Settings
        With a URL.
    may_ask : bool, default True
        Whether to ask for a password that nobody gave.

    Raises
    ------
    Refusal
        There is no password, or what was kept cannot be had.
    """
    if settings.anonymous:
        return None
    if settings.named_by is None:
        assert settings.url is not None
        return _edm_token(settings.url)
    source = _SOURCES[settings.named_by]
    if settings.standard_input == "token":
        return Credential("token", read_secret("token"), source="standard input")
    if settings.token is not None:
        return Credential("token", settings.token, source=source)
    if settings.named_by == "profile":
        assert settings.profile is not None
        if settings.profile.credential is not None:
            return kept_credential(settings)
    username = settings.username
    if username is None:
        return _credential_in(settings.url)
    if settings.standard_input == "password":
        return Credential("password", read_secret("password"), username, source="standard input")
    if settings.password is not None:
        return Credential("password", settings.password, username, source=source)
    # The existing command line takes the password of --username from a pipe; nobody expects
    # that of a profile, and a loop over the lines of a file would lose one of them.
    if not may_ask or (settings.named_by == "profile" and not is_terminal(sys.stdin)):
        raise _no_password(username)
    return Credential("password", ask_for_password(username), username, source="a question")


def _credential_in(url: str | None) -> Credential | None:
    """Return the user name and password that stand in a URL."""
    from hatcher.transport.urls import url_credentials

    credentials = url_credentials(url) if url and server_at(url) else None
    if credentials is None:
        return None
    username, password = credentials
    return Credential("password", password.reveal(), username, direct=True, source="the URL")


def kept_credential(settings: Settings) -> Credential:
    """Return what 'hatcher login' has kept for the profile of the settings.

    Raises
    ------
    Refusal
        It is not there any more, or cannot be had.
    """
    profile = settings.profile
    assert profile is not None and settings.url is not None
    keeper = keeper_of(profile, settings.url)
    kept = keeper.get()
    if kept is None or (
        profile.username is not None and kept.username not in (None, profile.username)
    ):
        raise Refusal(
            f"Nothing is kept in {keeper} for the profile {profile.name}, its server and user.",
            f"Log in again: hatcher login --profile {profile.name}",
            ExitCode.AUTHENTICATION,
        )
    return kept


def read_secret(what: Kind) -> str:
    """Read a password or token from standard input: its first line.

    Raises
    ------
    Refusal
        There is nothing.
    """
    if secret := _secret(what.capitalize()):
        return secret
    raise Refusal(
        f"There is no {what} on standard input.",
        f"Send it through a pipe, without anything before it, or set HATCHER_{what.upper()}.",
    )


def ask_for_password(username: str) -> str:
    """Ask for a password without echo, or take it from a pipe.

    Raises
    ------
    Refusal
        There is neither a terminal nor anything in the pipe.
    """
    if password := _secret(f"Password of {username}"):
        return password
    raise _no_password(username)


def _secret(prompt: str) -> str:
    """Ask for a secret in a terminal; elsewhere, return a line of standard input."""
    if is_terminal(sys.stdin):
        try:
            return str(click.prompt(shown(prompt), hide_input=True, err=True))
        except UnicodeDecodeError:
            raise _no_text("Type it in the encoding of the terminal.") from None
    if sys.stdin is None:
        return ""
    # Without a mark of the order of bytes before it.
    mark = codecs.BOM_UTF8.decode(sys.stdin.encoding or "utf-8", "surrogateescape")
    try:
        return sys.stdin.readline().removeprefix(mark).rstrip("\r\n")
    except UnicodeDecodeError:
        # Not chained: the error holds the bytes.
        raise _no_text(f"Send it in the encoding {sys.stdin.encoding}.") from None


def _no_text(hint: str) -> Refusal:
    return Refusal("What is on standard input is no text.", hint)


def _no_password(username: str) -> Refusal:
    return Refusal(
        f"There is no password for {username}, and nobody to ask for it.",
        "Set HATCHER_PASSWORD, send it with --password-stdin, or keep a token: hatcher login",
        ExitCode.AUTHENTICATION,
    )


def _edm_token(url: str) -> Credential | None:
    """Return the API token that EDM keeps, where it is for the server at a URL.

    A file that cannot be read is warned of, and is no reason not to go on: it belongs to another
    program.
    """
    try:
        kept = read_edm_file()
        if kept is None or kept.token is None or kept.server != server_at(url):
            return None
    except (OSError, ValueError) as error:
        reason = reason_for(error)
        say(f"Warning: {EDM_FILE} cannot be read, so no token in it is used: {reason}", "yellow")
        return None
    return Credential("token", kept.token.reveal(), source=EDM_FILE)
