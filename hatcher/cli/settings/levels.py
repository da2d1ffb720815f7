"""Which server, and who asks: from options, the environment and the profile, in this order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

import click
from click.core import ParameterSource

from hatcher.cli.groups import DEFAULT_API_VERSION
from hatcher.cli.refusals import Refusal
from hatcher.cli.terminal import say
from hatcher.errors import InvalidArgumentError

if TYPE_CHECKING:
    from hatcher.cli.settings.profiles import Config, Profile

#: Who said something: the command line, a variable, the profile.
Level: TypeAlias = Literal["options", "environment", "profile"]

#: What a profile may say beside an option of the root, and whether that is for its server alone.
_IN_PROFILES = {
    "output": False,
    "quiet": False,
    "verbose": False,
    "timeout": True,
    "retries": True,
    "api_version": True,
}

#: A URL with a user name in it.
_URL_NAMES = re.compile(r"(?:[^/]*//)?[^/]*@")


class Settings(NamedTuple):
    """What a client is made with.

    Attributes
    ----------
    url : str or None
        The server; None when nobody said.
    username, password, token : str or None
        Who asks. A user name without a password is asked for it; nobody is named where user
        name and token are both unsaid, and the profile may have a credential that was kept.
    verify_ssl : bool or str
    api_version : int
    profile : Profile or None
        The profile, where it is for this server.
    named_by : {'options', 'environment', 'profile'} or None
        Who named the user name or token.
    standard_input : {'password', 'token'} or None
        What is to be read from there.
    anonymous : bool
        Whether nobody is to ask, whatever credentials there are.
    timeout : float or None
        Seconds to wait; None for the usual timeouts.
    retries : int or None
        None for as many as usual.
    """

    url: str | None
    username: str | None = None
    password: str | None = None
    token: str | None = None
    verify_ssl: bool | str = True
    api_version: int = DEFAULT_API_VERSION
    profile: Profile | None = None
    named_by: Level | None = None
    standard_input: Literal["password", "token"] | None = None
    anonymous: bool = False
    timeout: float | None = None
    retries: int | None = None

    def __repr__(self) -> str:
        # Neither a password nor a token.
        return f"<Settings url={self.url!r}, username={self.username!r}>"


def settings_of(ctx: click.Context) -> Settings:
    """Return the settings of an invocation, from the options of the root.

    Asks nobody, and reads no more than the profile; and EDM's file, where nobody names a server.

    Parameters
    ----------
    ctx : click.Context
        Of the root.

    Raises
    ------
    click.UsageError, Refusal
        The options contradict each other, or the profile or EDM's file cannot be used.
    """
    settings = settings_with(ctx, profile_of(ctx), ctx.params["url"])
    return settings if settings.url is not None else settings._replace(url=_server_of_edm())


def _server_of_edm() -> str | None:
    """Return the server that EDM's file names, if there is one."""
    from hatcher.cli.settings.profiles import EDM_FILE, read_edm_file, reason_for

    try:
        kept = read_edm_file()
    except (OSError, ValueError) as error:
        raise Refusal(
            f"No server is named, and {EDM_FILE}, which may name one, cannot be read: "
            f"{reason_for(error)}",
            "Correct it there; or give --url, or keep a server in a profile: hatcher login URL",
        ) from None
    return str(kept.server) if kept is not None and kept.is_named else None


def settings_with(ctx: click.Context, profile: Profile | None, url: str | None) -> Settings:
    """Return the settings of an invocation with a certain profile and URL.

    Parameters
    ----------
    ctx : click.Context
        Of the root.
    profile : Profile or None
    url : str or None
        None takes that of the profile.

    Raises
    ------
    click.UsageError, Refusal
        As for `settings_of`.
    """
    if url is None:
        url = profile.url if profile else None
    elif profile is not None and not profile.is_for(url):
        profile = None  # nothing of it is meant for another server
    return Settings(
        url=url,
        verify_ssl=_verify_ssl(ctx, profile),
        api_version=int(ctx.params["api_version"]),
        profile=profile,
        timeout=ctx.params["timeout"],
        retries=ctx.params["retries"],
        **_who(ctx, profile),
    )


def settings_of_profile(ctx: click.Context, name: str) -> Settings:
    """Return the settings of another server than the chosen one: all that its profile says.

    Options and variables say who asks the chosen server, so none of that goes to this one.

    Parameters
    ----------
    ctx : click.Context
        Of any command.
    name : str
        Of the profile.

    Raises
    ------
    Refusal
        There is no such profile, it names no server, or it is not as it should be.
    """
    root = ctx.find_root()
    profile = config_of(ctx).profile(name)
    if profile.url is None:
        raise Refusal(
            f"The profile '{name}' names no server.",
            f"Name it: hatcher config set --profile {name} url URL",
        )
    # Not what the chosen profile says.
    said = {
        name: root.params[name] if _level(root, name) is not None else getattr(profile, name)
        for name in ("api_version", "timeout", "retries")
    }
    api_version = said["api_version"]
    is_named = profile.username is not None or profile.credential is not None
    return Settings(
        url=profile.url,
        username=profile.username,
        verify_ssl=profile.verify_ssl(),
        api_version=DEFAULT_API_VERSION if api_version is None else int(api_version),
        profile=profile,
        timeout=said["timeout"],
        retries=said["retries"],
        named_by="profile" if is_named else None,
    )


def config_of(ctx: click.Context, *, anew: bool = False) -> Config:
    """Return the user's configuration, read once for an invocation.

    Parameters
    ----------
    ctx : click.Context
        Of any command.
    anew : bool, default False
        Read it again, as another process may have changed it.

    Raises
    ------
    Refusal
        It is not as it should be.
    """
    from hatcher.cli.settings.profiles import read_config

    meta = ctx.find_root().meta
    if anew or (config := meta.get(__name__)) is None:
        config = meta[__name__] = read_config()
    return cast("Config", config)


def profile_of(ctx: click.Context) -> Profile | None:
    """Return the profile that was asked for, or the default one, if any.

    Parameters
    ----------
    ctx : click.Context
        Of any command.

    Raises
    ------
    Refusal
        There is no such profile, or it is not as it should be.
    """
    config = config_of(ctx)
    name = ctx.find_root().params.get("profile") or config.default_profile
    return None if name is None else config.profile(name)


def fill_in(ctx: click.Context, arguments: list[str]) -> None:
    """Let the profile say the API's version, the output and their like, where nobody else did.

    Parameters
    ----------
    ctx : click.Context
        Of the root.
    arguments : list of str
        What stands behind its options. Help waits for no file.
    """
    if not set(arguments).isdisjoint(ctx.help_option_names):
        return
    url = ctx.params["url"]
    try:
        profile = profile_of(ctx)
        is_for_server = profile is not None and (url is None or profile.is_for(url))
    except (Refusal, InvalidArgumentError):
        # Told to commands that use the settings; the others must go on, to mend them.
        return
    if profile is None:
        return
    for name, for_server in _IN_PROFILES.items():
        value = getattr(profile, name)
        if value is not None and _level(ctx, name) is None and (is_for_server or not for_server):
            ctx.params[name] = str(value) if name == "api_version" else value


def settle_verbosity(ctx: click.Context) -> None:
    """See to it that not both of ``--quiet`` and ``--verbose`` hold: a higher level outdoes.

    Parameters
    ----------
    ctx : click.Context
        Of the root.

    Raises
    ------
    click.UsageError
        They were said in the same place.
    """
    if not (ctx.params["quiet"] and ctx.params["verbose"]):
        return
    ranks = {"options": 0, "environment": 1, None: 2}
    quiet, verbose = (ranks[_level(ctx, name)] for name in ("quiet", "verbose"))
    if quiet == verbose:
        raise click.UsageError("Give one of --quiet and --verbose, not both.", ctx)
    ctx.params["verbose" if quiet < verbose else "quiet"] = False


def warn_of_secrets(ctx: click.Context) -> None:
    """Warn of passwords and tokens on the command line, where others may see them.

    Parameters
    ----------
    ctx : click.Context
        Of a command with options of these names.
    """
    for name in ("password", "token"):
        if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            say(
                f"Warning: a {name} on the command line can be seen by others, and stays in the "
                f"shell's history. Better: --{name}-stdin, or 'hatcher login'.",
                "yellow",
            )


def take_over(ctx: click.Context, names: tuple[str, ...]) -> None:
    """Let options of a command stand for those of the root.

    Parameters
    ----------
    ctx : click.Context
        Of the command.
    names : tuple of str
        Of the options.
    """
    root = ctx.find_root()
    for name in names:
        source = ctx.get_parameter_source(name)
        if ctx.params[name] and source is not None:
            root.params[name] = ctx.params[name]
            root.set_parameter_source(name, source)


def _level(ctx: click.Context, name: str) -> Level | None:
    match ctx.get_parameter_source(name):
        case ParameterSource.COMMANDLINE | ParameterSource.PROMPT:
            return "options"
        case ParameterSource.ENVIRONMENT:
            return "environment"
    return None


def _who(ctx: click.Context, profile: Profile | None) -> dict[str, Any]:
    """Return who asks, as the fields of `Settings` that tell it."""
    kept_name = profile.username if profile else None
    # The highest level that names anybody wins as a whole: a token given as an option is not
    # outdone by a user name in the environment. In a level, the user name outdoes the token.
    for level in ("options", "environment"):
        said = {
            name: ctx.params[name]
            for name in ("username", "password", "token", "password_stdin", "token_stdin")
            if ctx.params[name] and _level(ctx, name) == level
        }
        is_url = _level(ctx, "url") == level and _URL_NAMES.match(ctx.params["url"] or "")
        if ctx.params["anonymous"] and _level(ctx, "anonymous") == level:
            if said or is_url:
                other = f"--{next(iter(said)).replace('_', '-')}" if said else "a name in the URL"
                raise click.UsageError(f"Give one of --anonymous and {other}, not both.", ctx)
            return {"named_by": level, "anonymous": True}
        _check_standard_input(ctx, said)
        if said.keys() & {"username", "password", "password_stdin"}:
            return {"named_by": level, **_user(ctx, said, level, kept_name)}
        if is_url:
            return {"named_by": level}
        if "token" in said:
            return {"named_by": level, "token": said["token"]}
        if "token_stdin" in said:
            return {"named_by": level, "standard_input": "token"}
    if kept_name is not None or (profile is not None and profile.credential is not None):
        return {"named_by": "profile", "username": kept_name}
    return {}


def _user(
    ctx: click.Context, said: dict[str, Any], level: str, kept_name: str | None
) -> dict[str, Any]:
    """Return the user whom a level names, or whose password it has."""
    has_password = said.keys() & {"password", "password_stdin"}
    username = said.get("username") or ctx.params["username"] or kept_name
    if username is None:
        raise click.UsageError("There is a password and no user name. Give --username too.", ctx)
    password = said.get("password")
    if not has_password and level == "options":
        # A password in the environment is that of a user named there, or of none in particular.
        param = next(param for param in ctx.command.params if param.name == "username")
        if param.value_from_envvar(ctx) in (None, username):
            password = ctx.params["password"]
    from_stdin = "password" if "password_stdin" in said else None
    return {"username": username, "password": password, "standard_input": from_stdin}


def _check_standard_input(ctx: click.Context, said: dict[str, Any]) -> None:
    for one, other in (
        ("password-stdin", "password"),
        ("token-stdin", "token"),
        ("password-stdin", "token-stdin"),
    ):
        if {one.replace("-", "_"), other.replace("-", "_")} <= said.keys():
            raise click.UsageError(f"Give one of --{one} and --{other}, not both.", ctx)


def _verify_ssl(ctx: click.Context, profile: Profile | None) -> bool | str:
    insecure, ca_file = ctx.params["insecure"], ctx.params["ca_file"]
    for level in ("options", "environment"):
        has_insecure = _level(ctx, "insecure") == level
        has_file = ca_file is not None and _level(ctx, "ca_file") == level
        if insecure and has_insecure and has_file:
            raise click.UsageError("Give one of --insecure and --ca-file, not both.", ctx)
        if has_file:
            return str(ca_file)
        if has_insecure:
            return not insecure
    return True if profile is None else profile.verify_ssl()
