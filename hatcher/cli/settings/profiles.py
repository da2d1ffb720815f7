"""The user's profiles: servers by name, in a TOML file without secrets."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from hatcher.cli.data import FORMATS
from hatcher.cli.groups import MOST_RETRIES
from hatcher.cli.refusals import Refusal
from hatcher.files.folders import NoHomeError, expanded, user_folder
from hatcher.suggestions import alike, question

if TYPE_CHECKING:
    from hatcher.transport.secret import Secret
    from hatcher.transport.urls import ServerURL

#: Names another file than the usual one.
VARIABLE = "HATCHER_CONFIG"

#: The configuration of a user without a home directory, which cannot be made.
_NOWHERE = Path(os.devnull, "config.toml")

#: What a profile can be called.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*\Z")

_AUTHORITY = re.compile(r"(?:[^/]*//)?([^/]*)@")


class Key(NamedTuple):
    """What a profile can hold.

    Attributes
    ----------
    type : type
    choices : sequence
        The only values there are; empty where any will do.
    help : str
        What it is.
    by_login : bool
        Whether nothing but 'hatcher login' and 'hatcher logout' set it.
    """

    type: type
    choices: Sequence[Any]
    help: str
    by_login: bool = False

    def wanted(self) -> str:
        """Return what its values are, in words."""
        if self.type is bool:
            return "true or false"
        if self.type is float:
            return "a number of seconds above 0"
        if isinstance(self.choices, range):
            return f"a number from {self.choices[0]} to {self.choices[-1]}"
        if self.choices:
            return " or ".join(
                f'"{choice}"' if self.type is str else str(choice) for choice in self.choices
            )
        return "a string"

    def accepts(self, value: object) -> bool:
        """Whether it can have this value."""
        if self.type is float and type(value) in (int, float):
            return 0 < value < 1_000_000  # type: ignore[operator]
        return type(value) is self.type and (not self.choices or value in self.choices)


KEYS = {
    "url": Key(str, (), "The URL of the server."),
    "username": Key(str, (), "Your user name there."),
    "api_version": Key(int, (0, 1), "The version of Brood's API."),
    "insecure": Key(bool, (), "Accept any certificate of the server."),
    "ca_file": Key(str, (), "Authorities that the server's certificate may be from."),
    "output": Key(str, FORMATS, "How data is written, unless a command says."),
    "timeout": Key(float, (), "How many seconds to wait for the server each time."),
    "retries": Key(int, range(MOST_RETRIES + 1), "How often to try again what failed in passing."),
    "quiet": Key(bool, (), "Say nothing but warnings and errors."),
    "verbose": Key(bool, (), "Say more."),
    "credential": Key(str, ("keyring", "file"), "Where your credential is kept.", by_login=True),
}

#: The key of the file itself.
DEFAULT_PROFILE = "default_profile"


class Profile(NamedTuple):
    """A server, and who one is there.

    Attributes
    ----------
    name : str
    folder : pathlib.Path
        The one of the configuration, which `ca_file` starts from.
    url, username, api_version, insecure, ca_file, output, timeout, retries, quiet, verbose, credential
        As in `KEYS`; None where it is not said.
    """

    name: str
    folder: Path
    url: str | None = None
    username: str | None = None
    api_version: int | None = None
    insecure: bool | None = None
    ca_file: str | None = None
    output: str | None = None
    timeout: float | None = None
    retries: int | None = None
    quiet: bool | None = None
    verbose: bool | None = None
    credential: str | None = None

    def is_for(self, url: str) -> bool:
        """Whether it is for the server at a URL. One without a URL is for any.

        Raises
        ------
        InvalidURLError
            That is no URL of a server.
        """
        if self.url is None or self.url == url:
            return True
        return server_at(url) == server_at(self.url)

    def verify_ssl(self) -> bool | str:
        """Return how the server's certificate is verified.

        Raises
        ------
        Refusal
            Its authorities are missing.
        """
        if self.insecure:
            return False
        if self.ca_file is None:
            return True
        path = self.folder / (expanded(self.ca_file) if self.ca_file[:1] == "~" else self.ca_file)
        if not path.exists():
            raise Refusal(
                f"The ca_file of the profile {self.name} is missing: {path}",
                "Name another one: hatcher config set ca_file FILE",
            )
        return str(path)


class Config:
    """What the user's file says.

    Parameters
    ----------
    path : pathlib.Path
    text : str
        Its text; empty where there is no file.

    Raises
    ------
    Refusal
        It is not as it should be; the message says where.
    """

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.text = text
        document = self._parsed()
        self.default_profile: str | None = document.pop(DEFAULT_PROFILE, None)
        if not isinstance(self.default_profile, str | None):
            raise self._wrong(f"{DEFAULT_PROFILE} must be a string", DEFAULT_PROFILE)
        tables = document.pop("profiles", {})
        if not isinstance(tables, dict):
            raise self._wrong("profiles must be tables: [profiles.NAME]", "profiles")
        for key in document:
            raise self._unknown(key, (DEFAULT_PROFILE, "profiles"), key)
        self.profiles = {name: self._profile(name, table) for name, table in tables.items()}

    def profile(self, name: str) -> Profile:
        """Return a profile.

        Parameters
        ----------
        name : str

        Raises
        ------
        Refusal
            There is none of that name.
        """
        if (profile := self.profiles.get(name)) is not None:
            return profile
        said = f"There is no profile '{name}' in {self.path}"
        if name == self.default_profile:
            said += f", though {DEFAULT_PROFILE} names it"
        meant = question(alike(name, self.profiles, most=1))
        hint = f"{meant} See them all: hatcher config list" if meant else ""
        raise Refusal(f"{said}.", hint or f"Make it: hatcher login --profile {name}")

    def _parsed(self) -> dict[str, Any]:
        if not self.text:
            return {}
        # Imported here, as difflib: completion waits for neither where there is no file.
        import tomllib

        try:
            return tomllib.loads(self.text)
        except (ValueError, RecursionError) as error:  # also of numbers that are too long
            place = re.search(r" \(at line (\d+), column \d+\)", str(error))
            line = f":{place[1]}" if place else ""
            what = str(error).replace(place[0], "") if place else str(error)
            raise Refusal(
                f"{self.path}{line}: no TOML: {what.rstrip('.')}.",
                "Correct that line, or take the file away and run: hatcher login",
            ) from error

    def _profile(self, name: str, table: object) -> Profile:
        where = ("profiles", name)
        if not _NAME.match(name):
            raise self._wrong(f"no profile can be called {name!r}", *where)
        if not isinstance(table, dict):
            raise self._wrong(f"the profile must be a table: [profiles.{name}]", *where)
        for key, value in table.items():
            if key not in KEYS:
                raise self._unknown(key, KEYS, *where, key)
            if not KEYS[key].accepts(value):
                raise self._wrong(f"{key} must be {KEYS[key].wanted()}", *where, key)
        if _AUTHORITY.match(table.get("url", "")):
            raise self._wrong(
                "the url holds a user name or password, which belong elsewhere",
                *where,
                "url",
                hint="Take it out of the URL, and keep it with: hatcher login",
            )
        if table.get("insecure") and "ca_file" in table:
            raise self._wrong("insecure and ca_file contradict each other", *where, "insecure")
        return Profile(name, self.path.parent, **table)

    def _unknown(self, key: str, known: Iterable[str], *at: str) -> Refusal:
        hint = question(alike(key, known, most=1)) or f"There are: {', '.join(known)}."
        return self._wrong(f"there is no setting '{key}'", *at, hint=hint)

    def _wrong(self, what: str, *at: str, hint: str = "") -> Refusal:
        line = next(_lines_of(self.text, at), None)
        where = f"{self.path}:{line}" if line else f"{self.path}"
        return Refusal(f"{where}: {what}.", hint or "Correct it there: it is a text file.")


def server_at(url: str) -> ServerURL:
    """Return the server at a URL: its scheme, host, port and prefix, and no credentials.

    Raises
    ------
    InvalidURLError
        That is no URL of a server.
    """
    # The one thing here from deeper than the graph: what a secret is bound to must be the
    # same as what the client sends it to.
    from hatcher.transport.urls import ServerURL

    return ServerURL.parse(url)


def checked_name(name: str) -> str:
    """Return what a profile is to be called.

    Raises
    ------
    Refusal
        It cannot be called so.
    """
    if not _NAME.match(name):
        raise Refusal(
            f"A profile cannot be called '{name}'.",
            "Give it a name of letters, digits, '.', '_', '-' and '@', such as 'work'.",
        )
    return name


def config_path() -> Path:
    """Return where the configuration is, or would be."""
    if named := os.environ.get(VARIABLE):
        return expanded(named)
    folder = user_folder("config")
    assert folder is not None
    return folder / "config.toml"


def read_config() -> Config:
    """Read the configuration; a missing file is an empty one.

    Raises
    ------
    Refusal
        It is not as it should be.
    """
    try:
        path = config_path()
    except NoHomeError:
        if VARIABLE in os.environ:
            raise
        path = _NOWHERE
    try:
        text = path.read_text("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Refusal(
            f"{path} cannot be read: {reason}.", f"Mend it, or name another file in {VARIABLE}."
        ) from error
    return Config(path, text)


def _lines_of(text: str, at: tuple[str, ...]) -> Iterator[int]:
    """Yield the numbers of the lines that say something of a key, best guesses first."""
    import tomllib

    header: tuple[str, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        try:
            said = tomllib.loads(line)
        except (ValueError, RecursionError):
            continue  # a part of something that goes over several lines
        names = tuple(_names(said))
        if line.lstrip().startswith("["):
            header = names
            path = header
        else:
            path = header + names
        if names and path[: len(at)] == at:
            yield number


def _names(said: object) -> Iterator[str]:
    while isinstance(said, dict) and len(said) == 1:
        ((name, said),) = said.items()
        yield name


# -- changing the file; what else stands in it stays, comments too ------------------------------

_Document: TypeAlias = MutableMapping[str, Any]


def with_profile(
    name: str,
    values: dict[str, str | int | bool | None],
    check: Callable[[Config], object] = lambda config: None,
) -> None:
    """Set keys of a profile and write the file; the first profile becomes the default one.

    Parameters
    ----------
    name : str
        Of the profile; made when missing.
    values : dict
        By key; None takes the key away.
    check : callable, optional
        Given what the file says now, raises what speaks against it.

    Raises
    ------
    Refusal
        It would not be as it should be; nothing is written.
    """

    def edit(document: _Document) -> None:
        is_first = not document.get("profiles")
        # A new one is a table of the kind that the others are.
        profile = document.setdefault("profiles", {name: {}}).setdefault(name, {})
        for key, value in values.items():
            if value is not None:
                profile[key] = value
            elif key in profile:
                del profile[key]
        if is_first and DEFAULT_PROFILE not in document:
            document[DEFAULT_PROFILE] = name

    change(edit, check)


def change(
    edit: Callable[[_Document], object],
    check: Callable[[Config], object] = lambda config: None,
) -> None:
    """Write the file with what an edit makes of its tables; parameters as for `with_profile`."""
    import tomllib

    import tomlkit

    from hatcher.cli.settings.private_files import changing, write_private

    with changing(read_config().path):
        # Read anew: another process may have changed it since this one began.
        config = read_config()
        check(config)
        meant = tomllib.loads(config.text)
        edit(meant)
        try:
            document = tomlkit.parse(config.text)
            edit(document)
            text = tomlkit.dumps(document)
            if tomllib.loads(text) != meant:
                raise ValueError("tomlkit has written something else.")
        except Exception as error:  # whatever it is: tomlkit does not know all of TOML
            # TOML can be written in ways that tomlkit puts nothing into.
            raise Refusal(
                f"{config.path} is written in a way that hatcher cannot change.",
                "Give each profile a table of its own, [profiles.NAME], or change it by hand.",
            ) from error
        # Nothing is written that could not be read.
        write_private(config.path, Config(config.path, text).text)


# -- EDM, the last resort -----------------------------------------------------------------------

EDM_FILE = "~/.edm.yaml"

#: Where EDM goes when its file does not say.
_USUAL_SERVER = "https://packages.enthought.com"


class EDM(NamedTuple):
    """What stands in EDM's file.

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


def read_edm_file() -> EDM | None:
    """Read EDM's file; None where there is none.

    Raises
    ------
    OSError, ValueError
        It cannot be read, or is not as it should be; without what stands in it.
    """
    try:
        text = expanded(EDM_FILE).read_text("utf-8-sig")
    except FileNotFoundError:
        return None
    # Imported here, for the few that have such a file and nothing better.
    from hatcher.transport.auth import is_token
    from hatcher.transport.secret import Secret

    document = _document(text)
    url = document.get("store_url") or None
    if not isinstance(url, str | None):
        raise ValueError("its store_url is no text.")
    authentication = document.get("authentication")
    token = authentication.get("api_token") if isinstance(authentication, dict) else None
    if token and not is_token(token):
        raise ValueError("its api_token is no token: one word of ASCII letters, digits and signs.")
    server = server_at(url or _USUAL_SERVER)
    return EDM(server, url is not None, Secret(token) if token else None)


def reason_for(error: OSError | ValueError) -> str:
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
