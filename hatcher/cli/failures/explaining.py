"""What went wrong: one line for it, one for what to do next, and the exit code."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from typing import Any, NamedTuple, TypeAlias

import click

from hatcher import errors
from hatcher.cli.failures.options import as_options
from hatcher.cli.output.chatter import say
from hatcher.cli.output.streams import READER_GONE, on_one_line

#: Of what a server says, more would hide the line after it.
_MOST = 1000

#: Files of a batch that are named one by one.
_MOST_FILES = 20


class ExitCode(IntEnum):
    """What a script can tell from the exit code.

    The manual and the reference of the command line name them; they do not change.

    Attributes
    ----------
    DONE
        All went well.
    FAILED
        Anything without a code of its own: a local file, a request that the server does not
        accept, a fault of the server's or of hatcher's.
    USAGE
        The command cannot be carried out as it was written; nothing was sent.
    AUTHENTICATION
        The server does not know who asks, or does not allow it: 401, 403.
    NOT_FOUND
        There is no such thing, or it may not be seen: 404.
    CONFLICT
        What is there already stands in the way: 409, another sha256, a file of that name.
    NETWORK
        No answer of Brood's: no connection, TLS, a timeout, a lost connection, another server;
        or one that says to come later: 408, 429, 502, 503, 504.
    PARTIAL
        Some files of many failed, or all of them; the others are done.
    DIFFERENCES
        What was looked at is not as it should be; the looking itself went well.
    INTERRUPTED, READER_GONE, TERMINATED
        Ended by Ctrl-C, by a pipe that nobody reads, by SIGTERM: 128 and the signal's number.
    """

    DONE = 0
    FAILED = 1
    USAGE = 2
    AUTHENTICATION = 3
    NOT_FOUND = 4
    CONFLICT = 5
    NETWORK = 6
    PARTIAL = 7
    DIFFERENCES = 8
    INTERRUPTED = 130
    READER_GONE = READER_GONE
    TERMINATED = 143


class Terminated(KeyboardInterrupt):
    """SIGTERM came: it ends all that Ctrl-C ends."""


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


#: Makes the line for what to do next, of the error and the context of the command.
_Hint: TypeAlias = Callable[[Any, "click.Context | None"], str]

_MORE = "To see where it comes from, run the same command as 'hatcher --debug …'."


def _own(error: errors.HatcherException) -> str:
    """Return the advice for this very case, and not what is said of all of its kind."""
    usual = getattr(error, "_usual_advice", "")
    return "" if error.advice == usual else error.advice


def _advice(error: errors.HatcherException, _: click.Context | None) -> str:
    return error.advice or _MORE


def _words(hint: str) -> _Hint:
    return lambda error, ctx: hint


def _advice_or(hint: str) -> _Hint:
    return lambda error, ctx: _own(error) or hint


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
        if ctx is not None:
            from hatcher.cli.failures.suggestions import missing_in

            missing = missing_in(ctx)
    if missing is None:
        return f"Check the names. {_access(error, ctx)}"
    return f"{missing.question or _where_listed(missing.kind, ctx)} {_access(error, ctx)}"


def _where_listed(kind: str, ctx: click.Context | None) -> str:
    if kind in _LISTS or ctx is None or ctx.parent is None or "python_tag" not in ctx.params:
        return _LISTS.get(kind, f"Check the {kind}.")
    listing = f"hatcher {ctx.parent.command.name} list"
    return f"Check the name, the version and the python tag; '{listing}' shows what is there."


def _access(error: errors.BroodHTTPError, ctx: click.Context | None) -> str:
    """Say what may be the matter when the names are right."""
    if error.anonymous:
        return _login(ctx)
    return "If the names are right, check your access with 'hatcher whoami'."


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


#: What a server without it is asked first may well be no Brood.
_EXCHANGE = "/auth/tokens/auth"

#: How to see what there is.
_LISTS = {
    "organization": "'hatcher user repositories' lists those that you may see.",
    "repository": "'hatcher user repositories' lists those that you may see.",
    "platform": "'hatcher platforms list' lists them.",
}


def _bad_request(error: errors.BadRequestError, ctx: click.Context | None) -> str:
    from hatcher.cli.failures.suggestions import missing_in

    missing = None if ctx is None else missing_in(ctx, ())
    if missing is not None and missing.question:
        return missing.question
    return _own(error) or "Check the arguments of the command against its --help."


def _later(error: errors.RateLimitedError, _: click.Context | None) -> str:
    if error.retry_after is None:
        return "Wait a while, and run the same command again."
    return f"Wait {error.retry_after:g} seconds, and run the same command again."


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


_CONNECTION = (
    "Check the URL (--url, HATCHER_URL or the profile), that the server runs, and the network."
)

_MOVED = "If the server has moved, give its new URL with --url."

#: The exit code and what to do next, for each kind of error.
_KINDS: Mapping[type[BaseException], tuple[ExitCode, _Hint]] = {
    errors.HatcherException: (ExitCode.FAILED, _advice),
    # The command cannot be carried out as it is.
    errors.InvalidArgumentError: (ExitCode.USAGE, _advice),
    errors.InvalidURLError: (
        ExitCode.USAGE,
        _words("Give --url as https://brood.example.com, or set HATCHER_URL."),
    ),
    errors.InvalidNameError: (ExitCode.USAGE, _advice_or("Give a name with --help's spelling.")),
    errors.UnsupportedAPIVersionError: (
        ExitCode.USAGE,
        _words("Give another --api-version before the command: hatcher --api-version 1 …"),
    ),
    errors.InvalidDestinationError: (
        ExitCode.USAGE,
        _advice_or("Give a folder that exists and that you may write to."),
    ),
    errors.NoSpaceError: (
        ExitCode.FAILED,
        _words("Make room, or choose another folder; the same command goes on from there."),
    ),
    # A local file is wrong.
    errors.ArtefactError: (
        ExitCode.FAILED,
        _advice_or("Check the file, or have it made again; nothing was sent."),
    ),
    errors.InvalidEgg: (
        ExitCode.FAILED,
        _advice_or("Check the file, or have the egg built again; nothing was sent."),
    ),
    errors.InvalidRuntime: (
        ExitCode.FAILED,
        _advice_or("Check the file, or have the runtime built again; nothing was sent."),
    ),
    errors.InvalidBundle: (
        ExitCode.FAILED,
        _advice_or("Mend the file; nothing was sent."),
    ),
    errors.InvalidApp: (
        ExitCode.FAILED,
        _advice_or("Mend the file; nothing was sent."),
    ),
    errors.MissingPlatformError: (
        ExitCode.FAILED,
        _advice_or("Have the file say its platform, such as rh8-x86_64; nothing was sent."),
    ),
    errors.FileChangedError: (
        ExitCode.FAILED,
        _advice_or("Wait until the file is written, and run the same command again."),
    ),
    # What is there stands in the way.
    errors.TargetFileExists: (
        ExitCode.CONFLICT,
        _advice_or("Choose another folder, or move the file away."),
    ),
    errors.ChecksumMismatchError: (
        ExitCode.CONFLICT,
        _advice_or("Run the same command again; if it goes on, tell who made the file."),
    ),
    errors.ConflictError: (ExitCode.CONFLICT, _conflict),
    # No answer of Brood's.
    errors.TransportError: (ExitCode.NETWORK, _advice_or(_CONNECTION)),
    errors.BroodConnectionError: (ExitCode.NETWORK, _advice_or(_CONNECTION)),
    errors.NotConnectedError: (ExitCode.NETWORK, _words(_CONNECTION)),
    errors.ProxyError: (ExitCode.NETWORK, _advice_or(_CONNECTION)),
    errors.TLSError: (ExitCode.NETWORK, _tls),
    errors.IncompleteDownloadError: (
        ExitCode.NETWORK,
        _words("Run the same command again; it goes on where this one ended."),
    ),
    errors.BroodTimeoutError: (ExitCode.NETWORK, _advice_or(_CONNECTION)),
    errors.InvalidResponseError: (ExitCode.NETWORK, _advice_or(_CONNECTION)),
    errors.InvalidJSONError: (ExitCode.NETWORK, _advice_or(_CONNECTION)),
    errors.MissingFilenameError: (
        ExitCode.NETWORK,
        _words("Check that the URL is that of a Brood server, and tell its administrators."),
    ),
    errors.RedirectError: (
        ExitCode.NETWORK,
        _words(_MOVED),
    ),
    # The server said no.
    errors.BroodHTTPError: (ExitCode.FAILED, _other),
    errors.BadRequestError: (ExitCode.FAILED, _bad_request),
    errors.AuthenticationError: (
        ExitCode.AUTHENTICATION,
        _known_or("Check the password or token, or get a new one with 'hatcher login'."),
    ),
    errors.PermissionDeniedError: (
        ExitCode.AUTHENTICATION,
        _known_or("Check your access with 'hatcher whoami', or ask an administrator for more."),
    ),
    errors.NotFoundError: (ExitCode.NOT_FOUND, _not_found),
    errors.RateLimitedError: (ExitCode.NETWORK, _later),
    errors.ServerError: (ExitCode.FAILED, _server),
    # Many files.
    errors.BatchError: (ExitCode.PARTIAL, _batch),
    # Ended from outside.
    errors.TransferInterruptedError: (ExitCode.INTERRUPTED, _words("")),
    errors.BatchInterrupted: (ExitCode.INTERRUPTED, _words("")),
}

#: Statuses that say: not now.
_LATER = frozenset({408, 429, 502, 503, 504})


def explain(error: BaseException, ctx: click.Context | None = None) -> Failure:
    """Return how an error is told.

    Parameters
    ----------
    error : BaseException
    ctx : click.Context, optional
        Of the command that failed.
    """
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
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return Failure(ExitCode.INTERRUPTED, "Interrupted.")
    if isinstance(error, click.ClickException):
        return _click_error(error, ctx)
    for kind in type(error).__mro__:
        if kind in _KINDS:
            assert isinstance(error, (errors.HatcherException, errors.BatchInterrupted))
            return _hatcher_error(error, *_KINDS[kind], ctx)
    if isinstance(error, OSError):
        return _os_error(error)
    if isinstance(error, MemoryError):
        return Failure(
            ExitCode.FAILED,
            "There is not enough memory.",
            "Close other programs, or move fewer files at once: --concurrency 1",
        )
    if isinstance(error, NotImplementedError):
        return Failure(ExitCode.FAILED, "Brood cannot do that.", "See what it can: hatcher --help")
    words = f": {error}" if str(error) else ""
    return Failure(
        ExitCode.FAILED,
        f"hatcher failed, which is a fault of its own ({type(error).__name__}{words}).",
        "Please report it, with what the same command shows as 'hatcher --debug …'.",
    )


def _click_error(error: click.ClickException, ctx: click.Context | None) -> Failure:
    ctx = getattr(error, "ctx", None) or ctx
    path = ctx.command_path if ctx else "hatcher"
    # A Refusal says more than click's own errors.
    hint = getattr(error, "hint", "")
    if isinstance(error, click.UsageError):
        hint = f"See: {path} --help"
    if _is_of_an_argument(error) and ctx is not None:
        usage = " ".join(ctx.command.collect_usage_pieces(ctx))
        hint = f"Usage: {path} {usage}; see: {path} --help"
    return Failure(ExitCode(error.exit_code), error.format_message(), hint)


def _is_of_an_argument(error: click.ClickException) -> bool:
    # The order of arguments is easily mistaken.
    return isinstance(error, click.BadParameter) and (
        isinstance(error, click.MissingParameter) or isinstance(error.param, click.Argument)
    )


def _hatcher_error(
    error: errors.HatcherException | errors.BatchInterrupted,
    code: ExitCode,
    hint: _Hint,
    ctx: click.Context | None,
) -> Failure:
    if isinstance(error, (errors.BatchInterrupted, errors.TransferInterruptedError)):
        return Failure(code, "Interrupted.")
    if isinstance(error, errors.BroodHTTPError) and (
        error.status_code in _LATER or 300 <= error.status_code < 400
    ):
        code = ExitCode.NETWORK
    details = tuple(_details(error.report, ctx)) if isinstance(error, errors.BatchError) else ()
    return Failure(code, error.what or str(error), hint(error, ctx), details)


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


def _os_error(error: OSError) -> Failure:
    said = error.strerror or str(error) or type(error).__name__
    about = error.filename2 or error.filename
    what = f"{said}: '{about}'." if about is not None else f"{said}."
    return Failure(ExitCode.FAILED, what, _OS_HINTS.get(error.errno or 0, _MORE))


_OS_HINTS: Mapping[int, str] = {
    errno.ENOENT: "Check the path.",
    errno.ENOTDIR: "Check the path: a part of it is a file.",
    errno.EISDIR: "Give a file, and not a folder.",
    errno.EEXIST: "Choose another name, or move away what is there.",
    errno.EACCES: "Check who may read and write the file and its folder.",
    errno.EPERM: "Check who may read and write the file and its folder.",
    errno.EROFS: "Choose a folder that can be written to.",
    errno.ENOSPC: "Make room, and run the same command again.",
    errno.EDQUOT: "Make room, and run the same command again.",
    errno.EMFILE: "Move fewer files at once, with --concurrency 1, or raise 'ulimit -n'.",
}


def _line(text: str) -> str:
    """Return a text as one line of bearable length."""
    line = on_one_line(" ".join(text.split()))
    return line if len(line) <= _MOST else f"{line[:_MOST]} …"


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


def show(error: BaseException, ctx: click.Context | None = None) -> ExitCode:
    """Tell an error on standard error; return the exit code.

    Parameters
    ----------
    error : BaseException
    ctx : click.Context, optional
        Of the command that failed.
    """
    failure = explain(error, ctx)
    say(f"Error: {failure.what}", "red")
    for line in failure.details:
        say(line)
    if failure.hint:
        say(failure.hint)
    return failure.code
