"""`hatcher config`: the user's profiles."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from hatcher.cli.data import Emit, Field, Listing, emits
from hatcher.cli.groups import group
from hatcher.cli.parameters import Decorator, argument, dry_run, profile_option
from hatcher.cli.refusals import ExitCode, Refusal
from hatcher.cli.settings.levels import config_of, take_over
from hatcher.cli.settings.profiles import (
    DEFAULT_PROFILE,
    KEYS,
    Config,
    change,
    checked_name,
    config_path,
    server_at,
    with_profile,
)
from hatcher.cli.terminal import say
from hatcher.files.folders import expanded

PATH = Listing((Field("path", "Path"),), bare=True)
VALUE = Listing((Field("value", "Value"),), bare=True)
PROFILES = Listing(
    (
        Field("name", "Profile"),
        Field("default", "Default", "boolean"),
        Field("url", "URL", ("string", "null")),
        Field("username", "User", ("string", "null")),
        Field("api_version", "API", ("integer", "null")),
        Field("insecure", "Insecure", ("boolean", "null")),
        Field("ca_file", "CA file", ("string", "null")),
        Field("output", "Output", ("string", "null")),
        Field("timeout", "Timeout", ("number", "null"), in_tables=False),
        Field("retries", "Retries", ("integer", "null"), in_tables=False),
        Field("quiet", "Quiet", ("boolean", "null"), in_tables=False),
        Field("verbose", "Verbose", ("boolean", "null"), in_tables=False),
        Field("credential", "Kept in", ("string", "null")),
    )
)

_SETTABLE = [key for key in KEYS if not KEYS[key].by_login] + [DEFAULT_PROFILE]
_TYPES: dict[type, click.ParamType[Any]] = {
    bool: click.BOOL,
    int: click.INT,
    float: click.FLOAT,
    str: click.STRING,
}

#: What there is to set, below the help.
_KEYS = "\n".join(
    ["\b", "Keys:"]
    + [f"  {key:<15}  {KEYS[key].help}" for key in KEYS if key in _SETTABLE]
    + [f"  {DEFAULT_PROFILE:<15}  The profile that --profile need not name."]
)

#: What a credential is kept for: these change with it.
_OF_CREDENTIAL = ("url", "username")


def _key(*keys: str) -> Decorator:
    return argument("key", "Which setting.", metavar="KEY", type=click.Choice(keys))


@group("config")
def config() -> None:
    """Show and change profiles.

    A profile is a server and how to work with it, under a name. It says what neither an option
    nor an environment variable says. The default profile is the one that --profile (or
    HATCHER_PROFILE) need not name. 'hatcher login' makes profiles, and keeps the secrets
    elsewhere.
    """


@config.command("path")
@emits(PATH)
def path(emit: Emit) -> None:
    """Show where the profiles are kept.

    HATCHER_CONFIG names another file.

    \b
    For example:
    hatcher config path
    """
    emit([{"path": str(config_path())}])


@config.command("list")
@emits(PROFILES)
@click.pass_context
def list_(ctx: click.Context, /, emit: Emit) -> None:
    """List the profiles and what is set in them.

    \b
    For example:
    hatcher config list
    """
    config = config_of(ctx)
    emit(
        profile._asdict() | {"default": profile.name == config.default_profile}
        for profile in config.profiles.values()
    )


@config.command("get")
@_key(*KEYS, DEFAULT_PROFILE)
@profile_option
@emits(VALUE)
@click.pass_context
def get(ctx: click.Context, /, key: str, emit: Emit, **_: Any) -> None:
    """Show what is set in a profile.

    The exit code is 4 when nothing is.

    \b
    For example:
    hatcher config get url --profile site
    """
    config, name = _meant(ctx)
    value = config.default_profile
    where = str(config.path)
    if key != DEFAULT_PROFILE:
        value = getattr(config.profile(name), key)
        where = f"the profile {name}"
    if value is None:
        raise Refusal(
            f"{key} is not set in {where}.",
            f"Set it: hatcher config set {key} VALUE",
            ExitCode.NOT_FOUND,
        )
    # As 'config set' takes it.
    emit([{"value": str(value).lower() if isinstance(value, bool) else str(value)}])


@config.command("set", epilog=_KEYS)
@_key(*_SETTABLE)
@argument("value", "What to set it to.")
@profile_option
@dry_run
@click.pass_context
def set_(ctx: click.Context, /, key: str, value: str, dry_run: bool, **_: Any) -> None:
    """Set something in a profile; a new name makes a new profile.

    \b
    For example:
    hatcher config set url https://brood.example.com --profile nightly
    hatcher config set output json
    """
    if key == DEFAULT_PROFILE:
        _use(config_of(ctx), value, dry_run)
        return
    config, name = _meant(ctx)
    checked = _checked(ctx, key, value)
    check = partial(_check_credential, name, key, checked)
    check(config)
    if dry_run:
        import tomllib

        import tomlkit

        tables = tomllib.loads(config.text)
        profiles = tables.setdefault("profiles", {})
        profiles.setdefault(checked_name(name), {})[key] = checked
        Config(config.path, tomlkit.dumps(tables))  # what is refused is not said either
        say(f"Would set {key} of the profile {name} to {checked}.")
        return
    with_profile(checked_name(name), {key: checked}, check)
    made = "" if name in config.profiles else "new "
    say(f"Set {key} of the {made}profile {name} to {checked}.", "green")


@config.command("unset", epilog=_KEYS)
@_key(*_SETTABLE)
@profile_option
@dry_run
@click.pass_context
def unset(ctx: click.Context, /, key: str, dry_run: bool, **_: Any) -> None:
    """Take away what is set in a profile.

    \b
    For example:
    hatcher config unset output --profile site
    """
    config, name = _meant(ctx)
    of = f"{config.path}" if key == DEFAULT_PROFILE else f"the profile {name}"
    check = partial(_check_credential, name, key, None)
    if key != DEFAULT_PROFILE:
        config.profile(name)  # or there is none
        check(config)
    if dry_run:
        say(f"Would unset {key} of {of}.")
        return
    if key == DEFAULT_PROFILE:
        change(lambda document: document.pop(DEFAULT_PROFILE, None))
    else:
        with_profile(name, {key: None}, check)
    say(f"{key} of {of} is not set any more.", "green")


@config.command("use")
@argument("profile", "The profile that is to be the default one.", "profiles")
@dry_run
@click.pass_context
def use(ctx: click.Context, /, profile: str, dry_run: bool) -> None:
    """Make a profile the default one.

    \b
    For example:
    hatcher config use site
    """
    _use(config_of(ctx), profile, dry_run)


def _meant(ctx: click.Context) -> tuple[Config, str]:
    """Return the configuration, and the name of the profile that a command is about."""
    take_over(ctx, ("profile",))
    config = config_of(ctx)
    name = ctx.find_root().params["profile"] or config.default_profile
    return config, name or "default"


def _use(config: Config, name: str, dry_run: bool) -> None:
    config.profile(name)  # or there is none
    if dry_run:
        say(f"Would make {name} the default profile.")
        return
    usual = {DEFAULT_PROFILE: name}
    change(lambda document: document.update(usual), lambda config: config.profile(name))
    say(f"The default profile is {name}.", "green")


def _checked(ctx: click.Context, key: str, value: str) -> str | int | bool:
    """Return a value as it stands in the file."""
    wanted = KEYS[key]
    try:
        checked = _TYPES[wanted.type].convert(value, None, ctx)
    except click.BadParameter:
        checked = None
    if not wanted.accepts(checked):
        raise Refusal(f"{key} cannot be '{value}'.", f"Give {wanted.wanted()}.")
    if key == "url":
        server_at(value)
    elif key == "ca_file":
        authorities = expanded(value)
        if not authorities.exists():
            raise Refusal(f"There is no {authorities}.", "Give a PEM file, or a folder of them.")
        return str(authorities)
    return checked  # type: ignore[no-any-return]


def _check_credential(name: str, key: str, value: object, config: Config) -> None:
    """Refuse to part a credential from the server and user that it is kept for."""
    profile = config.profiles.get(name)
    if profile is None or profile.credential is None or key not in _OF_CREDENTIAL:
        return
    if value != getattr(profile, key):
        raise Refusal(
            f"The credential of the profile {profile.name} is kept for its {key}.",
            f"Run 'hatcher logout --profile {profile.name}' first, or log in to the other one: "
            f"hatcher login URL --profile NAME",
        )
