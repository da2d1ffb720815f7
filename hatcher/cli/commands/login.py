"""`hatcher login`, `hatcher logout` and `hatcher whoami`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from hatcher import errors
from hatcher.cli.data import Document, Emit, Field, Record, emits
from hatcher.cli.explaining import explain, show
from hatcher.cli.groups import command
from hatcher.cli.parameters import argument, dry_run, flag, profile_option
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.settings import levels, profiles
from hatcher.cli.settings.credentials import ask_for_password, credential_for, kept_credential
from hatcher.cli.settings.keeping import (
    Credential,
    Keeper,
    KeyringKeeper,
    NoKeyring,
    keeper_named,
    keeper_of,
)
from hatcher.cli.settings.private_files import changing
from hatcher.cli.settings.sessions import forget_sessions
from hatcher.cli.state import State, client_of, pass_state
from hatcher.cli.terminal import is_terminal, say

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from hatcher.api import BroodClient

#: What stands in a profile, by key.
_Values: TypeAlias = dict[str, str | int | bool | None]


def _told(record: Record) -> str:
    profile, credential = record["profile"], record["credential"]
    server = f"{record['url']} (profile {profile})" if profile else record["url"]
    count = len(record["repositories"])
    repositories = "1 repository" if count == 1 else f"{count} repositories"
    if credential is None and record["accepted"]:
        return f"You gave {server} no credentials. Everybody may read {repositories}."
    if credential is None:
        return f"You gave {server} no credentials, and it wants some."
    if not record["accepted"]:
        return f"{server} does not accept the {credential}."
    who = record["username"] or "somebody, as a token does not say whose it is,"
    return f"You are {who} to {server}: it accepts the {credential}. You have access to {repositories}."


WHOAMI = Document(
    (
        Field("url", "Server"),
        Field("profile", "Profile", ("string", "null")),
        Field("username", "User", ("string", "null")),
        Field("credential", "Credential", ("string", "null")),
        Field("accepted", "Accepted", "boolean"),
        Field("api_version", "API", "integer"),
        Field("repositories", "Repositories", "object"),
    ),
    sentence=_told,
)


@command("login")
@argument("url", "The server, such as https://brood.example.com.", required=False)
@profile_option
@click.option("-U", "--username", help="Your user name; the password is asked for.")
@flag("--password-stdin", help="Read your password from standard input.")
@click.option("-t", "--token", help="Keep this API token; better not on the command line.")
@flag("--token-stdin", help="Read the API token from standard input.")
@flag(
    "--insecure-storage",
    help="Keep the token in a file that only you can read, and not in the system's keyring.",
)
@click.option("--token-name", metavar="NAME", help="What to call the API token that is made.")
@dry_run
@click.pass_context
def login(
    ctx: click.Context,
    /,
    insecure_storage: bool,
    token_name: str | None,
    dry_run: bool,
    **_: Any,
) -> None:
    """Keep a server and a token in a profile.

    Asks for what is missing. The user name and password are checked, and exchanged for a new
    API token, which is what is kept, in the system's keyring. With --token-stdin or --token,
    that token is checked and kept. Where there is no keyring, a file that only you can read
    takes its place. The first profile becomes the default one, so that other
    commands need neither --url nor --username.

    \b
    For example:
    hatcher login https://brood.example.com
    hatcher login https://brood.example.com --token-stdin < token.txt
    """
    import socket

    levels.warn_of_secrets(ctx)
    root = ctx.find_root()
    levels.take_over(ctx, ("url", "profile", "username", "password_stdin", "token", "token_stdin"))
    config = levels.config_of(ctx)
    url = root.params["url"]
    name = profile_for(config, root.params["profile"], url)
    profile = config.profiles.get(name)
    settings = levels.settings_with(root, profile, url)
    if settings.url is None:
        given = _asked("URL of the server", "Which server? Give its URL: hatcher login URL")
        settings = settings._replace(url=given)
    assert settings.url is not None
    server = str(profiles.server_at(settings.url))
    # Before anything is asked or sent: a token that cannot be kept is not to be made.
    stays_in_file = profile is not None and profile.credential == "file"
    where = "file" if insecure_storage or stays_in_file else "keyring"
    keeper_for = _working_keeper(where, config.path.parent, server, name)
    client, credential = _accepted(settings._replace(url=server), _credential(settings))
    with client:
        if dry_run:
            say(f"Would keep the token for {server} in {keeper_for('')}.")
            return
        token_name = token_name or f"hatcher on {socket.gethostname()}"
        log_in(root, client, credential, token_name, keeper_for)


@command("logout")
@profile_option
@flag(
    "--revoke",
    help="Also delete the API token from the server, where 'hatcher login' has made it.",
)
@dry_run
@click.pass_context
def logout(ctx: click.Context, /, revoke: bool, dry_run: bool, **_: Any) -> None:
    """Forget the token of a profile.

    The profile stays, with its server. Without --revoke the token stays valid. The session tokens
    that commands have kept for each other are removed too, those of all profiles.

    \b
    For example:
    hatcher logout --profile site
    """
    levels.take_over(ctx, ("profile",))
    with credentials_alone():
        levels.config_of(ctx, anew=True)
        profile = levels.profile_of(ctx)
        if profile is None or profile.credential is None or profile.url is None:
            named = f"Nothing is kept for the profile {profile.name}." if profile else ""
            say(named or "No profile is set.")
            return
        try:
            keeper = keeper_of(profile, profile.url)
            kept = keeper.get()
        except Refusal as refusal:
            if profile.credential == "keyring":
                refusal.hint = (
                    "Try again when the keyring works; or log in without it: "
                    f"hatcher login --insecure-storage --profile {profile.name}"
                )
            raise
        if revoke and (kept is None or kept.token_name is None):
            raise Refusal(
                "No API token that 'hatcher login' has made is kept for the profile "
                f"{profile.name}.",
                "Delete tokens of your own by their names: hatcher api-tokens delete NAME",
            )
        if dry_run:
            say(f"Would forget what {keeper} keeps for {keeper.server}.")
            return
        if revoke:
            settings = levels.settings_with(ctx.find_root(), profile, profile.url)
            settings = settings._replace(url=keeper.server)
            credential = kept_credential(settings)
            with client_of(settings, credential, anew=True) as client:
                revoke_token(client, credential)
        keeper.forget()
        profiles.with_profile(profile.name, {"credential": None})
        forget_sessions()
    say(f"Forgot what {keeper} kept for {keeper.server}.", "green")


@command("whoami")
@emits(WHOAMI)
@pass_state
@click.pass_context
def whoami(ctx: click.Context, state: State, emit: Emit) -> None:
    """Show which server, and who you are to it.

    The exit code is 3 when the server does not accept the credential, or there is none.

    \b
    For example:
    hatcher whoami
    """
    credential, settings = state.credential, state.settings
    record = {
        "profile": settings.profile.name if settings.profile else None,
        "url": state.client.url,
        "username": credential.username if credential else None,
        "credential": f"{credential.kind} from {credential.source}" if credential else None,
        "api_version": settings.api_version,
    }
    try:
        answer = state.client.whoami()
    except (errors.AuthenticationError, errors.PermissionDeniedError) as error:
        emit(record | {"accepted": False, "repositories": {}})
        show(error)
        ctx.exit(ExitCode.AUTHENTICATION)
    emit(record | {"accepted": True, "repositories": answer["repositories"]})
    if credential is None and not settings.anonymous:
        say("To log in: hatcher login")
        ctx.exit(ExitCode.AUTHENTICATION)


def _working_keeper(where: str, folder: Path, server: str, profile: str) -> Callable[[str], Keeper]:
    """Return what makes the keeper of a profile: one that works, or a file without a keyring."""
    try:
        keeper_named(where, folder, server, profile).get()
    except NoKeyring as missing:
        where = "file"
        keeper_named(where, folder, server, profile).get()
        what = missing.format_message().removesuffix(".")
        say(f"{what}: the token goes into a file that only you can read.", "yellow")
    return partial(keeper_named, where, folder, server)


def _credential(settings: levels.Settings) -> Credential:
    """Return what the user has to log in with, which may be asked for."""
    credential = None
    if settings.named_by in ("options", "environment"):
        credential = credential_for(settings)
    if credential is not None:
        return credential
    username = settings.username or _asked(
        "User name", "Who? Give --username and --password-stdin, or --token-stdin."
    )
    password = ask_for_password(username)
    return Credential("password", password, username, source="a question")


def _asked(question: str, otherwise: str) -> str:
    if not is_terminal(sys.stdin):
        raise click.UsageError(otherwise)
    return str(click.prompt(question, err=True))


def _other_values(root: click.Context) -> _Values:
    """What the command line says of how to reach the server."""
    given = {
        name: root.params[name]
        for name in ("api_version", "insecure", "ca_file")
        if root.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    values: _Values = {}
    if "api_version" in given:
        values["api_version"] = int(given["api_version"])
    if "insecure" in given:
        values |= {"insecure": True, "ca_file": None}
    if "ca_file" in given:
        values |= {"ca_file": str(Path(given["ca_file"]).absolute()), "insecure": None}
    return values


#: What servers answer where there is no such thing as a token, or not for this user.
_NO_TOKENS = (403, 404, 405, 501)

#: Names that others may take in the very moment in which they are tried.
_ATTEMPTS = 20


def profile_for(config: profiles.Config, name: str | None, url: str | None) -> str:
    """Return the name of the profile that a login is for.

    Parameters
    ----------
    config : profiles.Config
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
        return profiles.checked_name(name)
    usual = config.default_profile or "default"
    if url is None:
        return usual
    order = sorted(config.profiles.values(), key=lambda profile: profile.name != usual)
    for profile in order:
        if profile.url is not None and profile.is_for(url):
            return profile.name
    if usual not in config.profiles or config.profiles[usual].url is None:
        return usual
    server = profiles.server_at(url)
    named = profiles.checked_name(
        f"{server.host}{server.prefix}".replace(":", "-").replace("/", "-")
    )
    if named in config.profiles:
        raise Refusal(
            f"There is a profile {named} already, for {config.profiles[named].url}.",
            f"Say what to call the one for {server}: --profile NAME",
        )
    return named


def credentials_alone() -> AbstractContextManager[None]:
    """Let no other process log in or out meanwhile."""
    return changing(profiles.read_config().path.with_name("login"))


def log_in(
    root: click.Context,
    client: BroodClient,
    credential: Credential,
    token_name: str,
    keeper_for: Callable[[str], Keeper],
) -> None:
    """Keep a credential that was checked, or better an API token that is made with it.

    Raises
    ------
    HatcherException, Refusal
        It cannot be kept.
    """
    with credentials_alone():
        # Others may have logged in while this one was asked for the password.
        config = profiles.read_config()
        profile = profile_for(config, root.params["profile"], root.params["url"])
        old = config.profiles.get(profile)
        keeper = keeper_for(profile)
        before = None if old is None else _kept_before(old)
        kept = _to_keep(client, keeper, token_name, credential)
        try:
            _keep(_other_values(root), kept, keeper, old, before)
        except BaseException:
            # What cannot be used is not left behind on the server.
            if kept.token_name is not None:
                _take_back(client, kept.token_name)
            raise
        if before is not None:
            _clear(client, keeper, kept, *before)
        forget_sessions()
    who = f" as {kept.username}" if kept.username else ""
    say(f"Logged in to {keeper.server}{who}.", "green")
    what = "The password" if kept.kind == "password" else "The API token"
    made = f" '{kept.token_name}'" if kept.token_name else ""
    say(f"{what}{made} is kept in {keeper}, for the profile {profile}.")


def revoke_token(client: BroodClient, kept: Credential) -> None:
    """Delete the API token that a login has made.

    Parameters
    ----------
    client : BroodClient
        Of the user.
    kept : Credential

    Raises
    ------
    HatcherException
        It could not be deleted.
    """
    assert kept.token_name is not None
    try:
        client.delete_api_token(kept.token_name)
    except (errors.AuthenticationError, errors.NotFoundError):
        say(f"The API token '{kept.token_name}' was not valid any more.")
    else:
        say(f"Deleted the API token '{kept.token_name}' from the server.")


def _accepted(settings: levels.Settings, credential: Credential) -> tuple[BroodClient, Credential]:
    """Return a client of the user, and the credential in the way that the server takes it."""
    credential = credential._replace(direct=False)
    client = client_of(settings, credential, anew=True)
    try:
        client.whoami()
    except errors.BroodHTTPError as error:
        if error.status_code not in (404, 405):
            raise
        # An on-site server may know no session tokens.
        credential = credential._replace(direct=True)
        client = client.with_auth(credential.auth(client.url, settings.verify_ssl))
        client.whoami()
    return client, credential


def _to_keep(
    client: BroodClient, keeper: Keeper, token_name: str, credential: Credential
) -> Credential:
    if credential.kind == "token":
        return credential
    try:
        name, token = _new_token(client, token_name)
    except errors.BroodHTTPError as error:
        if error.status_code not in _NO_TOKENS:
            raise
    else:
        return credential._replace(kind="token", secret=token, token_name=name)
    if not isinstance(keeper, KeyringKeeper):
        raise Refusal(
            "This server gives out no API tokens, and passwords are kept in a keyring only.",
            "Log in where there is a keyring and without --insecure-storage, or set "
            "HATCHER_PASSWORD.",
        )
    say("This server gives out no API tokens, so it is the password that is kept.", "yellow")
    return credential


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
                raise errors.InvalidResponseError(f"The server's answer holds no token '{name}'.")
        except errors.ConflictError:
            if count > len(taken) + _ATTEMPTS:
                raise
            taken.add(name)  # by somebody else, a moment ago
        except BaseException as error:
            is_no = isinstance(error, errors.BroodHTTPError) and not isinstance(
                error, errors.ServerError
            )
            if not is_no and getattr(error, "status_code", None) not in _NO_TOKENS:
                _take_back(client, name)
            raise
        else:
            return name, token


def _take_back(client: BroodClient, name: str) -> None:
    try:
        client.delete_api_token(name)
    except errors.NotFoundError:
        pass  # it was never made
    except errors.HatcherException as error:
        _warn_of_token(name, error)


def _warn_of_token(name: str, error: Exception) -> None:
    say(
        f"Warning: the API token '{name}' may still be valid: {explain(error).what} "
        f"To delete it: hatcher api-tokens delete '{name}'",
        "yellow",
    )


def _keep(
    others: _Values,
    kept: Credential,
    keeper: Keeper,
    old: profiles.Profile | None,
    before: tuple[Keeper, Credential] | None,
) -> None:
    # Nothing of what it said of another server.
    is_moved = old is not None and not old.is_for(keeper.server)
    values: _Values = dict.fromkeys(("api_version", "insecure", "ca_file") if is_moved else ())
    values |= others | {"url": keeper.server, "username": kept.username, "credential": keeper.name}
    try:
        keeper.put(kept)
        profiles.with_profile(keeper.profile, values)
    except BaseException:
        # As it was; what keeps it may be what failed.
        with suppress(Refusal, errors.HatcherException, OSError):
            if before is not None and _is_same(before[0], keeper):
                keeper.put(before[1])
            else:
                keeper.forget()
        raise


def _is_same(one: Keeper, other: Keeper) -> bool:
    return (one.name, one.server) == (other.name, other.server)


def _kept_before(profile: profiles.Profile) -> tuple[Keeper, Credential] | None:
    """Return what a login takes the place of."""
    if profile.credential is None or profile.url is None:
        return None
    try:
        keeper = keeper_of(profile, profile.url)
        kept = keeper.get()
    except Refusal as refusal:
        say(f"Warning: what was kept before stays. {refusal.format_message()}", "yellow")
        return None
    return None if kept is None else (keeper, kept)


def _clear(
    client: BroodClient, keeper: Keeper, kept: Credential, before: Keeper, old: Credential
) -> None:
    """Forget what was kept before."""
    if not _is_same(before, keeper):
        try:
            before.forget()
        except Refusal as refusal:
            say(f"Warning: what was kept before stays. {refusal.format_message()}", "yellow")
    if old.token_name is None:
        return
    if before.server == keeper.server and old.username == kept.username:
        try:
            revoke_token(client, old)
        except errors.HatcherException as error:
            _warn_of_token(old.token_name, error)
    else:
        say(
            f"The API token '{old.token_name}' of {old.username} is still valid on {before.server}."
        )
