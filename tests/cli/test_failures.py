"""Every error is told in two lines, and ends with an exit code that was chosen for it."""

from __future__ import annotations

import inspect
import pickle

import click
import pytest

from hatcher import errors
from hatcher.cli import explaining
from hatcher.cli.explaining import ExitCode, Failure, explain
from hatcher.errors import BroodHTTPError, ErrorResponse, HatcherException
from hatcher.testing import Answer, RequestFault, write_egg

from .conftest import Result

PLACE = ("acme", "dev", "rh8-x86_64")
JSON = {"Content-Type": "application/json"}
EXCEPTIONS = [
    value
    for value in (getattr(errors, name) for name in errors.__all__)
    if inspect.isclass(value) and issubclass(value, BaseException)
]


def told(result: Result, code: int) -> tuple[str, str]:
    """The two lines of a failure; there is nothing else, on either stream."""
    assert (result.code, result.out) == (code, ""), result
    what, hint = result.told
    assert what.startswith("Error: ") and what.endswith(".")
    assert len(hint.split()) > 2
    return what.removeprefix("Error: "), hint


def an_error(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, BroodHTTPError):
        response = ErrorResponse(418, "application/json", "{}")
        return kind("brew tea", method="GET", url="https://example.com/tea", response=response)
    return kind("The kettle is cold.")


# -- each kind ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXCEPTIONS)
def test_each_exception_has_an_exit_code_on_purpose(kind):
    # By itself: what it inherits may be an accident.
    assert kind in explaining._KINDS
    failure = explain(an_error(kind))
    assert isinstance(failure, Failure) and failure.code is explaining._KINDS[kind][0]
    if failure.code is ExitCode.INTERRUPTED:
        assert (failure.what, failure.hint) == ("Interrupted.", "")
    else:
        assert failure.what and failure.hint.strip(" .")
    assert "\n" not in failure.what + failure.hint
    assert "https://example.com/tea" not in failure.what + failure.hint


def test_exit_codes_stay_as_they_are():
    assert {code.name: int(code) for code in ExitCode} == {
        "DONE": 0,
        "FAILED": 1,
        "USAGE": 2,
        "AUTHENTICATION": 3,
        "NOT_FOUND": 4,
        "CONFLICT": 5,
        "NETWORK": 6,
        "PARTIAL": 7,
        "DIFFERENCES": 8,
        "INTERRUPTED": 130,
        "READER_GONE": 141,
        "TERMINATED": 143,
    }


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (PermissionError(13, "Permission denied", "nose.egg"), 1, "Permission denied: 'nose.egg'."),
        (OSError(28, "No space left on device"), 1, "No space left on device."),
        (MemoryError(), 1, "There is not enough memory."),
        (KeyError("x"), 1, "hatcher failed, which is a fault of its own (KeyError: 'x')."),
        (NotImplementedError("Not implemented."), 1, "Brood cannot do that."),
        (KeyboardInterrupt(), 130, "Interrupted."),
        (click.Abort(), 130, "Interrupted."),
        (explaining.Terminated(), 143, "Ended by SIGTERM."),
    ],
)
def test_what_is_no_error_of_hatchers(error, code, words):
    failure = explain(error)
    assert (failure.code, failure.what) == (code, words)
    assert bool(failure.hint) is (code < 128)


def test_what_sigterm_ends_is_told_as_such():
    try:
        try:
            raise explaining.Terminated
        except KeyboardInterrupt as stop:
            raise errors.BatchInterrupted("2 files: 2 not tried") from stop
    except KeyboardInterrupt as error:
        assert explain(error).code == 143


# -- the halves of a message ----------------------------------------------------------------


def test_the_halves_of_a_message():
    plain = HatcherException("'a.b. c' is no egg: it's v1.0. Build it again. Then send it.")
    assert plain.what == "'a.b. c' is no egg: it's v1.0."
    assert plain.advice == "Build it again. Then send it."
    assert (HatcherException("It failed").what, HatcherException("It failed").advice) == (
        "It failed",
        "",
    )
    apart = HatcherException("GET x failed.", what="It failed.", advice="Try again.")
    for error in (apart, pickle.loads(pickle.dumps(apart))):
        assert (str(error), error.what, error.advice) == (
            "GET x failed. Try again.",
            "It failed.",
            "Try again.",
        )


# -- as users meet them ---------------------------------------------------------------------


def test_usage(cli):
    for arguments, wrong, hint in (
        (("egs",), "Did you mean 'eggs'?", "See: hatcher --help"),
        (("update-index",), "Did you mean 'hatcher eggs update-index'?", "See: hatcher --help"),
        (("eggs", "lst"), "Did you mean 'list'?", "See: hatcher eggs --help"),
        (("--bar",), "'--bar'", "See: hatcher --help"),
        (("eggs", "list", "--outpt", "json"), "'--output'?", "See: hatcher eggs list --help"),
        (
            ("eggs", "list", "acme"),
            "Missing argument 'REPOSITORY'.",
            "Usage: hatcher eggs list [OPTIONS] ORGANIZATION REPOSITORY PLATFORM PYTHON_TAG; "
            "see: hatcher eggs list --help",
        ),
    ):
        result = cli(*arguments)
        assert (result.code, result.out) == (2, "")
        what, said = result.err.splitlines()
        assert what.startswith("Error: ") and wrong in what and said == hint


@pytest.mark.parametrize("group", [(), ("eggs",), ("teams", "members")])
def test_a_group_alone_shows_its_help(cli, group):
    alone, asked = cli(*group), cli(*group, "--help")
    assert (
        alone == asked == (0, asked.out, "") and "Commands:" in asked.out
    ) or "Usage" in asked.out


def test_wrong_password(cli):
    cli.setenv("HATCHER_PASSWORD", "kept-under-the-rose")
    result = cli("platforms", "list")
    assert "hatcher login" in told(result, 3)[1]
    assert "kept-under-the-rose" not in result.err


def test_a_url_that_is_not_that_of_a_server(cli):
    cli.setenv("HATCHER_URL", f"{cli.server.url}/elsewhere")
    result = cli("platforms", "list")
    assert "--url" in told(result, 4)[1]


def test_arguments_in_another_order(cli, tmp_path):
    egg = write_egg(tmp_path, "nose", "1.3.0")
    result = cli("eggs", "batch-upload", egg, "acme", "dev", "rh8-x86_64")
    assert "ORGANIZATION REPOSITORY PLATFORM [EGGS]" in told(result, 2)[1]


def test_no_access(cli, dev):
    organization = cli.client().create_organization("other", "Others")
    password = organization.create_user("bob@example.com").one_time_password
    cli.setenv("HATCHER_USERNAME", "bob@example.com")
    cli.setenv("HATCHER_PASSWORD", password)
    result = cli("organizations", "create", "mine", "All mine")
    assert "hatcher whoami" in told(result, 3)[1]


def test_not_found(cli, dev):
    result = cli("eggs", "list", "acme", "deb", "rh8-x86_64", "cp311")
    what, hint = told(result, 4)
    assert what.endswith(": there is no repository 'deb' that you may see.")
    assert hint.startswith("Did you mean 'dev'? ") and "'hatcher whoami'" in hint
    assert cli.server.url not in result.err


def test_conflict(cli, dev):
    taken = cli("organizations", "create", "acme", "Again")
    assert "acme" in told(taken, 5)[0]


def test_a_file_that_is_no_egg(cli, dev, tmp_path):
    file = tmp_path / "nose-1.0-1.egg"
    file.write_bytes(b"no zip")
    result = cli("eggs", "upload", *PLACE, file)
    assert file.name in told(result, 1)[0]


# -- networks -------------------------------------------------------------------------------


def test_nobody_listens(cli, nobody):
    result = cli("--url", nobody, "organizations", "list")
    what, hint = told(result, 6)
    assert f"no connection to {nobody} (" in what and "/api/" not in what
    assert "list organizations" in what and "session token" not in result.err
    assert "--url" in hint


def test_no_such_host(cli):
    result = cli("--url", "https://no.such.host.invalid", "platforms", "list")
    assert "https://no.such.host.invalid" in told(result, 6)[0]


def test_a_connection_that_breaks(cli, dev, faulty_gateway):
    # What creates is not sent again by itself.
    gateway = faulty_gateway(
        RequestFault("reset", at="answer", method="POST", path="*/organizations", times=9)
    )
    cli.setenv("HATCHER_URL", gateway.url)
    result = cli("organizations", "create", "other", "Others")
    assert told(result, 6)[1].startswith("It may have been carried out all the same: look before")
    assert "other" in cli.client().list_organizations()


def test_a_certificate_of_an_unknown_authority(cli, https):
    result = cli("--url", https.url, "platforms", "list")
    what, hint = told(result, 6)
    assert "certificate" in what and "--ca-file" in hint and "--insecure" in hint


@pytest.mark.parametrize(
    ("answer", "code", "said", "advised"),
    [
        (
            Answer(400, JSON, b'{"error": "The name\\n is   odd."}'),
            1,
            "Could not create organization: The name is odd.",
            "--help",
        ),
        (
            Answer(429, {**JSON, "Retry-After": "3600"}, b'{"error": "Slowly"}'),
            6,
            "Could not create organization: Slowly.",
            "Wait 3600 seconds",
        ),
        (
            Answer(500, {**JSON, "X-Request-ID": "r-17"}, b'{"error": "Out of order"}'),
            1,
            "Could not create organization: the server answered 500 Internal Server Error: "
            "Out of order.",
            "r-17",
        ),
        (
            Answer(502, {"Content-Type": "text/html"}, b"<title>Bad Gateway</title>"),
            6,
            "Could not create organization: the server answered 502 Bad Gateway: an HTML page "
            "titled 'Bad Gateway', as from a gateway.",
            "look before asking for it again",
        ),
        (
            Answer(418, {}, b""),
            1,
            "Could not create organization: the server answered 418 I'm a Teapot and gave no "
            "reason.",
            "hatcher --debug",
        ),
        (
            Answer(302, {"Location": "https://elsewhere.invalid/"}, b""),
            6,
            "Could not create organization:",
            "--url",
        ),
    ],
)
def test_answers_of_servers(cli, answer, code, said, advised):
    result = cli.answered(answer, "organizations", "create", "acme", "Makers")
    what, hint = told(result, code)
    assert what == said if said.endswith(".") else what.startswith(said)
    assert advised in hint


def test_a_page_instead_of_a_brood(cli):
    page = Answer(200, {"Content-Type": "text/html"}, b"<title>Welcome</title>")
    result = cli.answered(page, "platforms", "list")
    assert told(result, 6) == (
        "Could not list platforms: the server sent an HTML page titled 'Welcome' instead of JSON.",
        "Check that the URL is that of a Brood server.",
    )


def test_what_a_server_says_steers_no_terminal(cli):
    words = b'{"error": "\\u001b[2J\\u0007' + b"x" * 5000 + b'"}'
    result = cli.answered(Answer(400, JSON, words), "organizations", "create", "acme", "Makers")
    what, _ = result.err.splitlines()
    assert "\x1b" not in what and "\x07" not in what and len(what) < 1100


# -- debugging ------------------------------------------------------------------------------


def test_debug_shows_requests_and_the_traceback_and_no_secret(cli, dev):
    result = cli("--debug", "eggs", "list", "acme", "deb", "rh8-x86_64", "cp311")
    assert result.code == 4 and result.out == ""
    *before, what, hint = result.err.splitlines()
    assert what.startswith("Error: ") and hint.startswith("Did you mean")
    assert "Traceback (most recent call last):" in before
    assert any("GET" in line and "-> 404" in line for line in before)
    assert cli.server.admin_password not in result.err
    assert "Basic " not in result.err and "Authorization" not in result.err

    quiet = cli("eggs", "list", "acme", "deb", "rh8-x86_64", "cp311")
    assert quiet.err.splitlines() == [what, hint]


def test_debug_of_a_token(cli):
    token = "tkn-under-the-rose"
    cli.delenv("HATCHER_USERNAME", "HATCHER_PASSWORD")
    cli.setenv("HATCHER_TOKEN", token)
    result = cli("--debug", "platforms", "list")
    assert result.code == 3 and "Traceback" in result.err and token not in result.err


def test_debug_says_no_more_of_what_goes_well_than_its_requests(cli):
    result = cli("--debug", "platforms", "list", "-o", "json")
    assert result.data
    assert all("hatcher: " in line for line in result.err.splitlines()) and result.err


# -- each status ----------------------------------------------------------------------------

#: What a server may say no with, and the exit code; others of the hundred are as the last one.
STATUSES = {
    300: 6, 301: 6, 304: 6, 308: 6,
    400: 1, 401: 3, 402: 1, 403: 3, 404: 4, 405: 1, 406: 1, 407: 1, 408: 6, 409: 5, 410: 1,
    411: 1, 412: 1, 413: 1, 414: 1, 415: 1, 416: 1, 417: 1, 418: 1, 421: 1, 422: 1, 423: 1,
    425: 1, 426: 1, 428: 1, 429: 6, 431: 1, 451: 1, 499: 1,
    500: 1, 501: 1, 502: 6, 503: 6, 504: 6, 505: 1, 507: 1, 508: 1, 511: 1, 520: 1, 599: 1,
}  # fmt: skip


@pytest.mark.parametrize(("status", "code"), STATUSES.items())
def test_each_status_has_its_exit_code(cli, status, code):
    answer = Answer(status, JSON | {"Retry-After": "0"}, b'{"error": "No."}')
    result = cli.answered(answer, "platforms", "list")
    told(result, code)
