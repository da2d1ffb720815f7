"""What went wrong: one line for it, one for what to do next, and the exit code."""

from __future__ import annotations

import errno
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import click

from hatcher import errors
from hatcher.characters import shown
from hatcher.cli.data import Document, Field, as_json
from hatcher.cli.groups import Argument
from hatcher.cli.refusals import ExitCode, Terminated
from hatcher.cli.terminal import say
from hatcher.suggestions import alike

#: Of what a server says, more would hide the line after it.
_MOST = 1000

#: Files of a batch that are named one by one.
_MOST_FILES = 20

#: Statuses that say: not now.
_LATER = frozenset({408, 429, 502, 503, 504})


class Failure(NamedTuple):
    """How an error is told.

    Attributes
    ----------
    code : ExitCode
    what : str
        What went wrong, on one line.
    hint : str
        What to do next, on one line; empty when the user has ended it.
    details : tuple of str
        Lines between them, one for each file that failed.
    """

    code: ExitCode
    what: str
    hint: str = ""
    details: tuple[str, ...] = ()


#: An error as programs get it: the last line on standard error, with ``--output json``.
FAILURE = Document(
    (
        Field("code", "Exit code", "integer"),
        Field("what", "What went wrong"),
        Field("advice", "What to do next"),
        Field("status", "HTTP status", ("integer", "null")),
        Field("request_id", "Request id", ("string", "null")),
        Field("details", "Details", "array"),
    )
)


def failure_document(error: BaseException, ctx: click.Context | None = None) -> dict[str, Any]:
    """Return an error as `FAILURE` has it."""
    told = explain(error, ctx)
    return {
        "code": int(told.code),
        "what": told.what,
        "advice": told.hint,
        "status": getattr(error, "status_code", None),
        "request_id": getattr(error, "request_id", None),
        "details": list(told.details),
    }


def show(
    error: BaseException, ctx: click.Context | None = None, *, as_data: bool = False
) -> ExitCode:
    """Tell an error of a command on standard error, maybe as JSON; return the exit code."""
    if as_data:
        document = failure_document(error, ctx)
        say(as_json(document), always=True)
        return ExitCode(document["code"])
    failure = explain(error, ctx)
    say(f"Error: {failure.what}", "red")
    for line in (*failure.details, failure.hint):
        if line:
            say(line, always=True)
    return failure.code


def explain(error: BaseException, ctx: click.Context | None = None) -> Failure:
    """Return how an error is told, of the command whose context is given."""
    told = _explained(error, ctx)
    return told._replace(
        what=_line(as_options(told.what, ctx)), hint=_line(as_options(told.hint, ctx))
    )


def _explained(error: BaseException, ctx: click.Context | None) -> Failure:
    if _is_of(error, Terminated):
        return Failure(ExitCode.TERMINATED, "Ended by SIGTERM.")
    if isinstance(error, click.Abort) and _is_of(error, EOFError):
        return Failure(
            ExitCode.USAGE,
            "Nobody is there to answer the question.",
            "Give the answer with an option; --help names them.",
        )
    if isinstance(error, (click.Abort, KeyboardInterrupt, errors.TransferInterruptedError)):
        return Failure(ExitCode.INTERRUPTED, "Interrupted.")
    if isinstance(error, click.ClickException):
        return _click_error(error, ctx)
    if isinstance(error, errors.HatcherException):
        return _hatcher_error(error, ctx)
    if isinstance(error, OSError):
        said = error.strerror or str(error) or type(error).__name__
        about = error.filename2 or error.filename
        what = f"{said}: '{about}'." if about is not None else f"{said}."
        return Failure(ExitCode.FAILED, what, _OS_HINTS.get(error.errno or 0, _MORE))
    for kind, what, hint in _OTHERS:
        if isinstance(error, kind):
            return Failure(ExitCode.FAILED, what, hint)
    words = f": {error}" if str(error) else ""
    return Failure(
        ExitCode.FAILED,
        f"hatcher failed, which is a fault of its own ({type(error).__name__}{words}).",
        "Please report it, with what the same command shows as 'hatcher --debug …'.",
    )


def _is_of(error: BaseException, kind: type[BaseException]) -> bool:
    """Whether an error, or one that it came from, is of a kind."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        if not isinstance(seen, (click.Abort, KeyboardInterrupt, errors.TransferInterruptedError)):
            return False
        seen = seen.__cause__ or seen.__context__
    return False


def _click_error(error: click.ClickException, ctx: click.Context | None) -> Failure:
    ctx = getattr(error, "ctx", None) or ctx
    path = ctx.command_path if ctx else "hatcher"
    # A Refusal says more than click's own errors.
    hint = getattr(error, "hint", "")
    if isinstance(error, click.UsageError):
        hint = f"See: {path} --help"
    # The order of arguments is easily mistaken.
    is_of_argument = isinstance(error, click.MissingParameter) or (
        isinstance(error, click.BadParameter) and isinstance(error.param, click.Argument)
    )
    if is_of_argument and ctx is not None:
        usage = " ".join(ctx.command.collect_usage_pieces(ctx))
        hint = f"Usage: {path} {usage}; see: {path} --help"
    return Failure(ExitCode(error.exit_code), error.format_message(), hint)


def _hatcher_error(error: errors.HatcherException, ctx: click.Context | None) -> Failure:
    code, hint = next(_KINDS[kind] for kind in type(error).__mro__ if kind in _KINDS)
    if isinstance(error, errors.BroodHTTPError) and (
        error.status_code in _LATER or 300 <= error.status_code < 400
    ):
        code = ExitCode.NETWORK
    details = tuple(_details(error.report, ctx)) if isinstance(error, errors.BatchError) else ()
    if isinstance(error, errors.InvalidAccessFile) and len(error.errors) > 1:
        details = tuple(map(_line, error.errors[:_MOST_FILES]))
    advice = (_own(error) or hint) if isinstance(hint, str) else hint(error, ctx)
    return Failure(code, error.what or str(error), advice, details)


def _details(report: Any, ctx: click.Context | None) -> Iterator[str]:
    failed = list(_failures(report))
    for name, error in failed[:_MOST_FILES]:
        yield f"failed: {_line(name)}: {explain(error, ctx).what}"
    if len(failed) > _MOST_FILES:
        yield f"and {len(failed) - _MOST_FILES} more; --output json names them all"
    not_tried = getattr(report, "not_tried", ())
    if not_tried and not_tried[0].error not in (None, *(error for _, error in failed)):
        yield f"not tried: {explain(not_tried[0].error, ctx).what}"


def _failures(report: Any) -> Iterator[tuple[str, BaseException]]:
    """What failed, and why: places of an export, and files."""
    for problem in getattr(report, "problems", ()):
        yield problem.place, problem.error
    for result in getattr(report, "failed", ()):
        yield result.name, result.error


def _line(text: str) -> str:
    """Return a text as one line of limited length."""
    line = shown(" ".join(text.split()))
    return line if len(line) <= _MOST else f"{line[:_MOST]} …"


# -- what to do next --------------------------------------------------------------------------

#: The line for what to do next: used where the error has no advice for its very case, or made of
#: the error and the context of the command.
_Hint: TypeAlias = "str | Callable[[Any, click.Context | None], str]"

_MORE = "To see where it comes from, run the same command as 'hatcher --debug …'."

_CONNECTION = (
    "Check the URL (--url, HATCHER_URL or the profile), that the server runs, and the network."
)

_MOVED = "If the server has moved, give its new URL with --url."

#: What a server without it is asked first may well be no Brood.
_EXCHANGE = "/auth/tokens/auth"

#: How to see what there is.
_LISTS = {
    "organization": "'hatcher user repositories' lists those that you may see.",
    "repository": "'hatcher user repositories' lists those that you may see.",
    "platform": "'hatcher platforms list' lists them.",
}


def _own(error: errors.HatcherException) -> str:
    """Return the advice for this very case, and not what is said of all of its kind."""
    usual = getattr(error, "_usual_advice", "")
    return "" if error.advice == usual else error.advice


def _advice(error: errors.HatcherException, _: click.Context | None) -> str:
    return error.advice or _MORE


def _always(hint: str) -> _Hint:
    return lambda error, ctx: hint


def _conflict(error: errors.ConflictError, ctx: click.Context | None) -> str:
    """Say what --force would do, unless the server has said what to do."""
    force = next((p for p in ctx.command.params if p.name == "force"), None) if ctx else None
    if _own(error) or ctx is None or ctx.params.get("force") or not isinstance(force, click.Option):
        return _own(error) or "Look at what is there already; nothing was changed."
    purpose = (force.help or "").rstrip(".")
    return f"To {purpose[:1].lower()}{purpose[1:]}, add --force."


def _not_found(error: errors.NotFoundError, ctx: click.Context | None) -> str:
    if error.url.endswith(_EXCHANGE):
        return _CONNECTION
    missing = error.missing
    if missing is None:
        if _own(error) and not error.anonymous:
            return error.advice
        missing = _missing_in(ctx)
    access = "If the names are right, check your access with 'hatcher whoami'."
    if error.anonymous:
        access = _login(ctx)
    if missing is None:
        return f"Check the names. {access}"
    return f"{missing.question or _where_listed(missing.kind, ctx)} {access}"


def _where_listed(kind: str, ctx: click.Context | None) -> str:
    if kind in _LISTS or ctx is None or ctx.parent is None or "python_tag" not in ctx.params:
        return _LISTS.get(kind, f"Check the {kind}.")
    listing = f"hatcher {ctx.parent.command.name} list"
    return f"Check the name, the version and the python tag; '{listing}' shows what is there."


def _login(ctx: click.Context | None) -> str:
    if ctx is not None and ctx.find_root().params.get("anonymous"):
        return "This may need a login: leave --anonymous out."
    return (
        "No credentials were given, and this may need a login: run 'hatcher login', or give "
        "--username or --token."
    )


def _known_or(hint: str) -> _Hint:
    """Advise those to log in who gave no credentials."""
    return lambda error, ctx: _login(ctx) if error.anonymous else _own(error) or hint


def _bad_request(error: errors.BadRequestError, ctx: click.Context | None) -> str:
    missing = _missing_in(ctx, ())
    if missing is not None and missing.question:
        return missing.question
    return _own(error) or "Check the arguments of the command against its --help."


def _later(error: errors.RateLimitedError, _: click.Context | None) -> str:
    wait = "a while" if error.retry_after is None else f"{error.retry_after:g} seconds"
    return f"Wait {wait}, and run the same command again."


def _server(error: errors.ServerError, _: click.Context | None) -> str:
    named = f" the request is called {error.request_id}." if error.request_id else ""
    return f"{error.advice.rstrip('.')}{':' if named else '.'}{named}"


def _other(error: errors.BroodHTTPError, ctx: click.Context | None) -> str:
    return _MOVED if 300 <= error.status_code < 400 else _advice(error, ctx)


def _tls(error: errors.TLSError, _: click.Context | None) -> str:
    if "verify_ssl" not in error.advice:
        return error.advice or _CONNECTION
    return (
        "If the certificate is signed by an authority of your own, give its PEM file with "
        "--ca-file; --insecure takes any certificate."
    )


def _batch(error: errors.BatchError, ctx: click.Context | None) -> str:
    hints = {explain(inner, ctx).hint for _, inner in _failures(error.report)}
    first = hints.pop() if len(hints) == 1 else "Correct what is named above."
    return f"{first} Files that are done are skipped when you run the command again."


_HINTS: Mapping[ExitCode, Mapping[type[BaseException], _Hint]] = {
    ExitCode.FAILED: {
        errors.HatcherException: _advice,
        errors.NoSpaceError: _always(
            "Make room, or choose another folder; the same command goes on from there."
        ),
        errors.ArtefactError: "Check the file, or have it made again; nothing was sent.",
        errors.InvalidEgg: "Check the file, or have the egg built again; nothing was sent.",
        errors.InvalidRuntime: "Check the file, or have the runtime built again; nothing was sent.",
        errors.InvalidBundle: "Mend the file; nothing was sent.",
        errors.InvalidApp: "Mend the file; nothing was sent.",
        errors.InvalidAccessFile: "Mend the file; nothing was changed.",
        errors.MissingPlatformError: (
            "Have the file say its platform, such as rh8-x86_64; nothing was sent."
        ),
        errors.FileChangedError: "Wait until the file is written, and run the same command again.",
        errors.BroodHTTPError: _other,
        errors.BadRequestError: _bad_request,
        errors.ServerError: _server,
    },
    ExitCode.USAGE: {
        errors.InvalidArgumentError: _advice,
        errors.InvalidURLError: _always(
            "Give --url as https://brood.example.com, or set HATCHER_URL."
        ),
        errors.InvalidNameError: "Give a name with --help's spelling.",
        errors.UnsupportedAPIVersionError: _always(
            "Give another --api-version before the command: hatcher --api-version 1 …"
        ),
        errors.InvalidDestinationError: "Give a folder that exists and that you may write to.",
    },
    ExitCode.AUTHENTICATION: {
        errors.AuthenticationError: _known_or(
            "Check the password or token, or get a new one with 'hatcher login'."
        ),
        errors.PermissionDeniedError: _known_or(
            "Check your access with 'hatcher whoami', or ask an administrator for more."
        ),
    },
    ExitCode.NOT_FOUND: {errors.NotFoundError: _not_found, errors.NoMatchError: _advice},
    ExitCode.CONFLICT: {
        errors.TargetFileExists: "Choose another folder, or move the file away.",
        errors.ChecksumMismatchError: (
            "Run the same command again; if it goes on, tell who made the file."
        ),
        errors.ConflictError: _conflict,
    },
    ExitCode.NETWORK: {
        errors.TransportError: _CONNECTION,
        errors.BroodConnectionError: _CONNECTION,
        errors.NotConnectedError: _always(_CONNECTION),
        errors.ProxyError: _CONNECTION,
        errors.TLSError: _tls,
        errors.IncompleteDownloadError: _always(
            "Run the same command again; it goes on where this one ended."
        ),
        errors.BroodTimeoutError: _CONNECTION,
        errors.InvalidResponseError: _CONNECTION,
        errors.InvalidJSONError: _CONNECTION,
        errors.MissingFilenameError: _always(
            "Check that the URL is that of a Brood server, and tell its administrators."
        ),
        errors.RedirectError: _always(_MOVED),
        errors.RateLimitedError: _later,
    },
    ExitCode.PARTIAL: {errors.BatchError: _batch},
    ExitCode.INTERRUPTED: {errors.TransferInterruptedError: "", errors.BatchInterrupted: ""},
}

#: The exit code and what to do next, for each kind of error.
_KINDS: Mapping[type[BaseException], tuple[ExitCode, _Hint]] = {
    kind: (code, hint) for code, hints in _HINTS.items() for kind, hint in hints.items()
}

_PERMISSIONS = "Check who may read and write the file and its folder."
_ROOM = "Make room, and run the same command again."

_OS_HINTS: Mapping[int, str] = {
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "Check the path: a part of it is a file.",
    errno.EISDIR: "Give a file, and not a folder.",
    errno.EEXIST: "Choose another name, or move away what is there.",
    errno.EACCES: _PERMISSIONS,
    errno.EPERM: _PERMISSIONS,
    errno.EROFS: "Choose a folder that can be written to.",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EMFILE: "Move fewer files at once, with --concurrency 1, or raise 'ulimit -n'.",
}

#: What is told of other exceptions.
_OTHERS: tuple[tuple[type[BaseException], str, str], ...] = (
    (
        MemoryError,
        "There is not enough memory.",
        "Close other programs, or move fewer files at once: --concurrency 1",
    ),
    (NotImplementedError, "Brood cannot do that.", "See what it can: hatcher --help"),
)


# -- what may have been meant -----------------------------------------------------------------

#: The graph has looked at these by itself, each time that something was not found.
_LOOKED_AT = frozenset({"organization", "repository", "platform"})


def _missing_in(
    ctx: click.Context | None, looked_at: Collection[str] = _LOOKED_AT
) -> errors.MissingName | None:
    """Return the first argument of a command that the server does not know; None if all are known.

    It asks as the completion of shells does: as far as that is quick, and without a word when it
    fails.
    """
    # Imported here, for commands that found nothing.
    from hatcher.cli.names import names_for

    for parameter in ctx.command.params if ctx is not None else ():
        if not isinstance(parameter, Argument) or parameter.name in looked_at:
            continue
        assert ctx is not None
        name, value = parameter.name or "", ctx.params.get(parameter.name or "")
        # No list names the tag of an egg without one.
        no_names = {("python_tag", "none"), ("version", "latest")}
        if not isinstance(value, str) or (name, value.lower()) in no_names:
            continue
        known = names_for(ctx, parameter.names, name)
        if known and value not in known:
            meant = alike(value, known)
            if name == "name":  # pkg1 and pkg2 are two packages, and no slip of the pen
                meant = tuple(other for other in meant if _letters(other) != _letters(value))
            return errors.MissingName(name.replace("_", " "), value, meant)
    return None


def _letters(name: str) -> str:
    return "".join(character for character in name if not character.isdigit())


# -- Python's words as options ----------------------------------------------------------------

#: ``overwrite=True``, ``max_deletes=300`` or ``the `filename` argument``.
_SPOKEN = re.compile(
    r"(?:\bthe `(?P<named>\w+)` argument|\b(?P<name>[a-z_]+)=(?P<value>\w+(?:[.-]\w+)*))"
)

#: What commands call otherwise than Python does.
OPTIONS: Mapping[str, str] = {
    "overwrite": "force",
    "kinds": "artefact_kinds",
    "repositories": "requested_repos",
    "platforms": "requested_platforms",
    "exist_ok": "if_missing",
}

_SENTENCE = re.compile(r"(?<=[.!?]) (?=[A-Z'])")


def as_options(text: str, ctx: click.Context | None) -> str:
    """Return a message with options for Python's arguments; without those a command lacks."""
    if ctx is None or not _SPOKEN.search(text):
        return text
    return " ".join(filter(None, (_said(sentence, ctx) for sentence in _SENTENCE.split(text))))


def _said(sentence: str, ctx: click.Context) -> str:
    options = {
        parameter.name: parameter.opts[0]
        for parameter in (*ctx.find_root().command.params, *ctx.command.params)
        if isinstance(parameter, click.Option)
    }
    while (found := _SPOKEN.search(sentence)) is not None:
        name = found["named"] or found["name"]
        option = options.get(name) or options.get(OPTIONS.get(name, ""))
        if option is None:
            # An alternative that there is not; the rest of the sentence may still hold.
            rest = sentence[: found.start()].rpartition(", or ")[0]
            return f"{rest}." if rest else ""
        value = "" if found["value"] in (None, "True") else f" {found['value']}"
        sentence = f"{sentence[: found.start()]}{option}{value}{sentence[found.end() :]}"
    return sentence
