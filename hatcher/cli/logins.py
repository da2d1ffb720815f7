"""Logging in: a credential is checked, exchanged for an API token of its own, and kept."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from hatcher.cli.explaining import explain
from hatcher.cli.refusals import Refusal
from hatcher.cli.settings.credentials import Credential
from hatcher.cli.settings.keeping import Keeper, Kept, KeyringKeeper, keeper_named
from hatcher.cli.settings.private_files import changing
from hatcher.cli.settings.profiles import (
    Config,
    Profile,
    checked_name,
    read_config,
    server_at,
    with_profile,
)
from hatcher.cli.terminal import say
from hatcher.errors import (
    AuthenticationError,
    BroodHTTPError,
    ConflictError,
    HatcherException,
    InvalidResponseError,
    NotFoundError,
    ServerError,
)

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hatcher.api import BroodClient

#: What servers answer where there is no such thing as a token, or not for this user.
_NO_TOKENS = (403, 404, 405, 501)

#: Names that others may take in the very moment in which they are tried.
_ATTEMPTS = 20


class Login(NamedTuple):
    """A profile, as it is to be after a login.

    Attributes
    ----------
    named, url : str or None
        What the user has called the profile, and the server, where that was said.
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

    named: str | None
    url: str | None
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


def credentials_alone() -> AbstractContextManager[None]:
    """Let no other process log in or out meanwhile."""
    return changing(read_config().path.with_name("login"))


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
        with credentials_alone():
            # Others may have logged in while this one was asked for the password.
            config = read_config()
            profile = profile_for(config, login.named, login.url)
            before = _kept_before(config.profiles.get(profile))
            kept = _to_keep(client, login, credential)
            try:
                _keep(login, kept, profile, config, before)
            except BaseException:
                # What cannot be used is not left behind on the server.
                if kept.token_name is not None:
                    _take_back(client, kept.token_name)
                raise
            if before is not None:
                _clear(client, login, kept, *before)
    who = f" as {kept.username}" if kept.username else ""
    say(f"Logged in to {login.server}{who}.", "green")
    what = "The password" if kept.kind == "password" else "The API token"
    made = f" '{kept.token_name}'" if kept.token_name else ""
    say(f"{what}{made} is kept in {login.keeper}, for the profile {profile}.")


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
        name, token = _new_token(client, login.token_name)
    except BroodHTTPError as error:
        if error.status_code not in _NO_TOKENS:
            raise
    else:
        return Kept("token", token, username, token_name=name, direct=direct)
    if not isinstance(login.keeper, KeyringKeeper):
        raise Refusal(
            "This server gives out no API tokens, and passwords are kept in a keyring only.",
            "Log in where there is a keyring and without --insecure-storage, or set "
            "HATCHER_PASSWORD.",
        )
    say("This server gives out no API tokens, so it is the password that is kept.", "yellow")
    return Kept("password", credential.secret, username, direct=direct)


def _new_token(client: BroodClient, wanted: str) -> tuple[str, str]:
    """Make an API token; return its name and itself. One whose answer is lost is deleted."""
    taken = {token["name"] for token in client.list_api_tokens()}
    name, count = wanted, 1
    while True:
        while name in taken:
            count += 1
            name = f"{wanted} {count}"
        try:
            token = client.create_api_token(name).get("token")
            if not isinstance(token, str) or not token:
                raise InvalidResponseError(f"The server's answer holds no token '{name}'.")
        except ConflictError:
            if count > len(taken) + _ATTEMPTS:
                raise
            taken.add(name)  # by somebody else, a moment ago
        except BaseException as error:
            is_no = isinstance(error, BroodHTTPError) and not isinstance(error, ServerError)
            if not is_no and getattr(error, "status_code", None) not in _NO_TOKENS:
                _take_back(client, name)
            raise
        else:
            return name, token


def _take_back(client: BroodClient, name: str) -> None:
    try:
        client.delete_api_token(name)
    except NotFoundError:
        pass  # it was never made
    except HatcherException as error:
        _warn_of_token(name, error)


def _warn_of_token(name: str, error: Exception) -> None:
    say(
        f"Warning: the API token '{name}' may still be valid: {explain(error).what} "
        f"To delete it: hatcher api-tokens delete '{name}'",
        "yellow",
    )


def _keep(
    login: Login,
    kept: Kept,
    profile: str,
    config: Config,
    before: tuple[Profile, Keeper, Kept] | None,
) -> None:
    old = config.profiles.get(profile)
    values: dict[str, str | int | bool | None] = {}
    if old is not None and not old.is_for(login.server):
        # Nothing of what it said of another server.
        values = dict.fromkeys(("api_version", "insecure", "ca_file"))
    values |= login.values | {
        "url": login.server,
        "username": kept.username,
        "credential": login.keeper.name,
    }
    try:
        login.keeper.put(login.server, profile, kept)
        with_profile(profile, values)
    except BaseException:
        # As it was; what keeps it may be what failed.
        with suppress(Refusal, HatcherException, OSError):
            if before is not None and _slot(*before[:2]) == (login.server, login.keeper.name):
                login.keeper.put(login.server, profile, before[2])
            else:
                login.keeper.forget(login.server, profile)
        raise


def _slot(profile: Profile, keeper: Keeper) -> tuple[str, str]:
    assert profile.url is not None
    return str(server_at(profile.url)), keeper.name


def _kept_before(profile: Profile | None) -> tuple[Profile, Keeper, Kept] | None:
    """Return what a login takes the place of."""
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
    server, _ = slot = _slot(profile, keeper)
    if slot != (login.server, login.keeper.name):
        try:
            keeper.forget(server, profile.name)
        except Refusal as refusal:
            say(f"Warning: what was kept before stays. {refusal.format_message()}", "yellow")
    if old.token_name is None:
        return
    if server == login.server and old.username == kept.username:
        try:
            revoke(client, old)
        except HatcherException as error:
            _warn_of_token(old.token_name, error)
    else:
        say(f"The API token '{old.token_name}' of {old.username} is still valid on {server}.")
