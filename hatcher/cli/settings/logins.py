"""Logging in: a credential is checked, exchanged for an API token of its own, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from hatcher.cli.failures.refusals import Refusal
from hatcher.cli.output.chatter import say
from hatcher.cli.settings.credentials import Credential
from hatcher.cli.settings.keeping import Keeper, Kept, KeyringKeeper, keeper_named
from hatcher.cli.settings.profile_editing import with_profile
from hatcher.cli.settings.profiles import Config, checked_name
from hatcher.cli.settings.servers import server_at
from hatcher.errors import AuthenticationError, BroodHTTPError, NotFoundError

if TYPE_CHECKING:
    from hatcher.api import BroodClient
    from hatcher.cli.settings.profiles import Profile

#: What servers answer where there is no such thing as a token, or not for this user.
_NO_TOKENS = (403, 404, 405, 501)


class Login(NamedTuple):
    """A profile, as it is to be after a login.

    Attributes
    ----------
    config : Config
    profile : str
        Its name.
    server : str
        Its URL, without credentials.
    credential : Credential
        What the user has, to be checked.
    verify_ssl : bool or str
    api_version : int
    token_name : str
        What to call the API token that is made.
    keeper : Keeper
    values : dict
        What else is to stand in the profile.
    """

    config: Config
    profile: str
    server: str
    credential: Credential
    verify_ssl: bool | str
    api_version: int
    token_name: str
    keeper: Keeper
    values: dict[str, str | int | bool | None]


def profile_for(config: Config, name: str | None, url: str | None) -> str:
    """Return the name of the profile that a login is for.

    Parameters
    ----------
    config : Config
    name : str or None
        What the user has called it.
    url : str or None
        The server, where the user has named it.

    Raises
    ------
    Refusal
        It cannot be called so, or the user must say.
    """
    if name is not None:
        return checked_name(name)
    usual = config.default_profile or "default"
    if url is None:
        return usual
    order = sorted(config.profiles.values(), key=lambda profile: profile.name != usual)
    for profile in order:
        if profile.url is not None and profile.is_for(url):
            return profile.name
    if usual not in config.profiles or config.profiles[usual].url is None:
        return usual
    server = server_at(url)
    named = checked_name(f"{server.host}{server.prefix}".replace(":", "-").replace("/", "-"))
    if named in config.profiles:
        raise Refusal(
            f"There is a profile {named} already, for {config.profiles[named].url}.",
            f"Say what to call the one for {server}: --profile NAME",
        )
    return named


def log_in(login: Login, *, dry_run: bool) -> None:
    """Check a credential, and keep it, or better an API token that is made with it.

    Raises
    ------
    HatcherException
        The server does not accept it; nothing is kept.
    Refusal
        It cannot be kept.
    """
    client, credential = _accepted(login)
    with client:
        if dry_run:
            say(f"Would keep the token for {login.server} in {login.keeper}.")
            return
        before = _kept_before(login)
        kept = _to_keep(client, login, credential)
        try:
            _keep(login, kept)
        except BaseException:
            # What cannot be used is not left behind on the server.
            if kept.token_name is not None:
                client.delete_api_token(kept.token_name)
            raise
        if before is not None:
            _clear(client, login, kept, *before)
    who = f" as {kept.username}" if kept.username else ""
    say(f"Logged in to {login.server}{who}.", "green")
    what = "The password" if kept.kind == "password" else "The API token"
    made = f" '{kept.token_name}'" if kept.token_name else ""
    say(f"{what}{made} is kept in {login.keeper}, for the profile {login.profile}.")


def revoke(client: BroodClient, kept: Kept) -> None:
    """Delete the API token that a login has made.

    Parameters
    ----------
    client : BroodClient
        Of the user.
    kept : Kept

    Raises
    ------
    HatcherException
        It could not be deleted.
    """
    assert kept.token_name is not None
    try:
        client.delete_api_token(kept.token_name)
    except (AuthenticationError, NotFoundError):
        say(f"The API token '{kept.token_name}' was not valid any more.")
    else:
        say(f"Deleted the API token '{kept.token_name}' from the server.")


def _accepted(login: Login) -> tuple[BroodClient, Credential]:
    """Return a client of the user, and the credential in the way that the server takes it."""
    from hatcher.api import BroodClient

    credential = login.credential._replace(direct=False)
    client = BroodClient.from_url(
        login.server,
        auth=credential.auth(login.server, login.verify_ssl),
        verify_ssl=login.verify_ssl,
        api_version=login.api_version,
    )
    try:
        client.whoami()
    except BroodHTTPError as error:
        if error.status_code not in (404, 405):
            raise
        # An on-site server may know no session tokens.
        credential = credential._replace(direct=True)
        client = client.with_auth(credential.auth(login.server, login.verify_ssl))
        client.whoami()
    return client, credential


def _to_keep(client: BroodClient, login: Login, credential: Credential) -> Kept:
    username, direct = credential.username, credential.direct
    if credential.kind == "token":
        return Kept("token", credential.secret, username, direct=direct)
    try:
        taken = {token["name"] for token in client.list_api_tokens()}
        name, count = login.token_name, 1
        while name in taken:
            count += 1
            name = f"{login.token_name} {count}"
        token = client.create_api_token(name)["token"]
    except BroodHTTPError as error:
        if error.status_code not in _NO_TOKENS:
            raise
    else:
        return Kept("token", token, username, token_name=name, direct=direct)
    if not isinstance(login.keeper, KeyringKeeper):
        raise Refusal(
            "This server gives out no API tokens, and passwords are kept in a keyring only.",
            "Leave --insecure-storage out where there is a keyring, or set HATCHER_PASSWORD.",
        )
    say("This server gives out no API tokens, so it is the password that is kept.", "yellow")
    return Kept("password", credential.secret, username, direct=direct)


def _keep(login: Login, kept: Kept) -> None:
    login.keeper.put(login.server, login.profile, kept)
    values = {
        "url": login.server,
        "username": kept.username,
        "credential": login.keeper.name,
        **login.values,
    }
    try:
        with_profile(login.config, login.profile, values)
    except BaseException:
        login.keeper.forget(login.server, login.profile)
        raise


def _kept_before(login: Login) -> tuple[Profile, Keeper, Kept] | None:
    """Return what this login takes the place of."""
    profile = login.config.profiles.get(login.profile)
    if profile is None or profile.credential is None or profile.url is None:
        return None
    try:
        keeper = keeper_named(profile.credential, profile.folder)
        kept = keeper.get(str(server_at(profile.url)), profile.name)
    except Refusal as refusal:
        say(f"Warning: what was kept before stays. {refusal.format_message()}", "yellow")
        return None
    return None if kept is None else (profile, keeper, kept)


def _clear(
    client: BroodClient, login: Login, kept: Kept, profile: Profile, keeper: Keeper, old: Kept
) -> None:
    """Forget what was kept before."""
    assert profile.url is not None
    server = str(server_at(profile.url))
    if (server, keeper.name) != (login.server, login.keeper.name):
        keeper.forget(server, profile.name)
    if old.token_name is None:
        return
    if server == login.server and old.username == kept.username:
        revoke(client, old)
    else:
        say(f"The API token '{old.token_name}' of {old.username} is still valid on {server}.")
