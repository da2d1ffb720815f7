"""`hatcher login`, `hatcher logout` and `hatcher whoami`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from hatcher.cli.data import Document, Emit, Field, Record, emits
from hatcher.cli.explaining import show
from hatcher.cli.groups import command
from hatcher.cli.logins import Login, credentials_alone, log_in, profile_for
from hatcher.cli.logins import revoke as revoke_token
from hatcher.cli.parameters import argument, dry_run, flag, profile_option
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.settings.credentials import (
    Credential,
    ask_for_password,
    credential_for,
    kept_credential,
)
from hatcher.cli.settings.keeping import Keeper, NoKeyring, keeper_named
from hatcher.cli.settings.levels import (
    config_of,
    profile_of,
    settings_with,
    take_over,
    warn_of_secrets,
)
from hatcher.cli.settings.profiles import Profile, server_at, with_profile
from hatcher.cli.state import State, pass_state
from hatcher.cli.terminal import is_terminal, say
from hatcher.errors import AuthenticationError, PermissionDeniedError


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
    """
    warn_of_secrets(ctx)
    root = ctx.find_root()
    take_over(ctx, ("url", "profile", "username", "password_stdin", "token", "token_stdin"))
    config = config_of(ctx)
    url = root.params["url"]
    name = profile_for(config, root.params["profile"], url)
    profile = config.profiles.get(name)
    settings = settings_with(root, profile, url)
    if settings.url is None:
        given = _asked("URL of the server", "Which server? Give its URL: hatcher login URL")
        settings = settings._replace(url=given)
    assert settings.url is not None
    server = str(server_at(settings.url))
    # Before anything is asked or sent: a token that cannot be kept is not to be made.
    keeper = _keeper(server, name, profile, config.path.parent, insecure_storage)
    credential = (
        credential_for(settings) if settings.named_by in ("options", "environment") else None
    )
    if credential is None:
        username = settings.username or _asked(
            "User name", "Who? Give --username and --password-stdin, or --token-stdin."
        )
        credential = Credential("password", ask_for_password(username), "a question", username)
    log_in(
        Login(
            root.params["profile"],
            url,
            server,
            credential,
            settings.verify_ssl,
            settings.api_version,
            token_name or _usual_token_name(),
            keeper,
            _other_values(root),
        ),
        dry_run=dry_run,
    )


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

    The profile stays, with its server. Without --revoke the token stays valid.
    """
    from hatcher.api import BroodClient

    take_over(ctx, ("profile",))
    with credentials_alone():
        config_of(ctx, anew=True)
        root, profile = ctx.find_root(), profile_of(ctx)
        if profile is None or profile.credential is None or profile.url is None:
            named = f"Nothing is kept for the profile {profile.name}." if profile else ""
            say(named or "No profile is set.")
            return
        server = str(server_at(profile.url))
        try:
            keeper = keeper_named(profile.credential, profile.folder)
            kept = keeper.get(server, profile.name)
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
            say(f"Would forget what {keeper} keeps for {server}.")
            return
        if revoke:
            assert kept is not None
            settings = settings_with(root, profile, profile.url)
            credential = kept_credential(settings)
            with BroodClient.from_url(
                server,
                auth=credential.auth(server, settings.verify_ssl),
                verify_ssl=settings.verify_ssl,
                api_version=settings.api_version,
            ) as client:
                revoke_token(client, kept)
        keeper.forget(server, profile.name)
        with_profile(profile.name, {"credential": None})
    say(f"Forgot what {keeper} kept for {server}.", "green")


@command("whoami")
@emits(WHOAMI)
@pass_state
@click.pass_context
def whoami(ctx: click.Context, state: State, emit: Emit) -> None:
    """Show which server, and who you are to it.

    The exit code is 3 when the server does not accept the credential, or there is none.
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
    except (AuthenticationError, PermissionDeniedError) as error:
        emit(record | {"accepted": False, "repositories": {}})
        show(error)
        ctx.exit(ExitCode.AUTHENTICATION)
    emit(record | {"accepted": True, "repositories": answer["repositories"]})
    if credential is None and not settings.anonymous:
        say("To log in: hatcher login")
        ctx.exit(ExitCode.AUTHENTICATION)


def _keeper(
    server: str, name: str, profile: Profile | None, folder: Path, insecure_storage: bool
) -> Keeper:
    """Return what is to keep the token: it works, and a file does where there is no keyring."""
    stays_in_file = profile is not None and profile.credential == "file"
    try:
        keeper = keeper_named("file" if insecure_storage or stays_in_file else "keyring", folder)
        keeper.get(server, name)
    except NoKeyring as missing:
        keeper = keeper_named("file", folder)
        keeper.get(server, name)
        what = missing.format_message().removesuffix(".")
        say(f"{what}: the token goes into a file that only you can read.", "yellow")
    return keeper


def _asked(question: str, otherwise: str) -> str:
    if not is_terminal(sys.stdin):
        raise click.UsageError(otherwise)
    answer: str = click.prompt(question, err=True)
    return answer


def _usual_token_name() -> str:
    import socket

    return f"hatcher on {socket.gethostname()}"


def _other_values(root: click.Context) -> dict[str, str | int | bool | None]:
    """What the command line says of how to reach the server."""
    given = {
        name: root.params[name]
        for name in ("api_version", "insecure", "ca_file")
        if root.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE
    }
    values: dict[str, str | int | bool | None] = {}
    if "api_version" in given:
        values["api_version"] = int(given["api_version"])
    if "insecure" in given:
        values |= {"insecure": True, "ca_file": None}
    if "ca_file" in given:
        values |= {"ca_file": str(Path(given["ca_file"]).absolute()), "insecure": None}
    return values
