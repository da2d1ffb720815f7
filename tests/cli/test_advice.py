"""What to do next is right for that very case, and in the words of the command line.

What may have been meant is asked only after something was not found, and of real servers.
"""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from hatcher import errors
from hatcher.cli.explaining import as_options, explain
from hatcher.cli.root import hatcher as root
from hatcher.testing import RequestFault, write_egg
from hatcher.transport.channel import ChannelError, Outgoing
from hatcher.transport.faults import error_for

from .conftest import Cli, Result

PLACE = ("acme", "dev", "rh8-x86_64")
EGG = ("eggs", "metadata", *PLACE)
LEAVING = ("teams", "members", "remove", "acme", "builders")
#: A part of a repository: to look for all takes seconds.
SOME = ("--kind", "eggs", "--platform", "rh8-x86_64", "--python-tag", "cp311")
SENT = Outgoing("GET", ("https", "example.com", 443), "/x", {}, operation="list_platforms")
PYTHON = re.compile(r"\b[a-z_]+=(True|False|None|\d)|`\w+`")


def hint_of(result: Result, code: int) -> str:
    """The last line of a failure; no line of it speaks Python or runs into the next sentence."""
    assert result.code == code, result.err
    assert not PYTHON.search(result.err), result.err
    assert not re.search(r": hatcher [a-z -]+[a-z]\.? [A-Z]", result.err), result.err
    return result.err.splitlines()[-1]


@pytest.fixture
def filled(cli: Cli, dev: str, tmp_path: Path) -> Cli:
    """A repository with eggs, a team with a member, a second user, and a token."""
    client = cli.client()
    client.create_api_token("nightly")
    platform = client.at("acme/dev/rh8-x86_64")
    for name in ("pkg10", "pkg200", "pkg201", "numpy"):
        platform.upload_egg(write_egg(tmp_path, name, "1.0"))
    organization = client.organization("acme")
    organization.create_team("builders", "read_repository")
    organization.create_user("bob@example.com", ["builders"])
    organization.create_user("cid@example.com")
    return cli


@pytest.mark.parametrize(
    ("arguments", "code", "has", "lacks"),
    [
        (("repositories", "delete", "acme", "dev", "--yes"), 5, "--force", "replace"),
        (("teams", "delete", "acme", "builders", "--yes"), 5, "--force", "replace"),
        (("users", "delete", "acme", "no@example.com", "--yes"), 4, "names", "Create"),
        ((*LEAVING, "no@x.org"), 4, "names", "Create"),
        ((*LEAVING, "cid@example.com"), 4, "names", "Create"),
        (("teams", "members", "add", "acme", "builders", "no@x.org"), 4, "Create the user", "name"),
        ((*EGG, "none", "pkg20", "1.0-1"), 4, "python tag", "Check the name."),
        ((*EGG, "cp311", "pkg20", "1.0-1"), 4, "python tag", "pkg200"),
        ((*EGG, "cp311", "nunpy", "1.0-1"), 4, "'numpy'", "python tag"),
        ((*EGG, "cp311", "pkg10", "1.1-1"), 4, "'1.0-1'", "pkg200"),
        (("eggs", "delete", *PLACE, "cp311", "pkg10", "1.0-1", "--yes"), 4, "'none'", "names"),
        (("repositories", "create", "acme", "dev", "Again"), 5, "nothing was changed", "--force"),
        (("mirror", "plan", "acme/dev", "acme/none", *SOME), 7, "", "create-missing"),
        (("mirror", "apply", "acme/dev", "acme/none", *SOME), 7, "--create-missing", "Python"),
    ],
)
def test_advice(filled, arguments, code, has, lacks):
    hint = hint_of(filled(*arguments), code)
    assert has in hint and lacks not in hint


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("eggs list acne dev rh8-x86_64 cp311", "acme"),
        ("eggs list acme Deb rh8-x86_64 cp311", "dev"),
        ("eggs list acme dev rh8-x86_46 cp311", "rh8-x86_64"),
        ("repositories list acem", "acme"),
        ("eggs metadata acme dev rh8-x86_64 cp311 pkg10 1.1-1", "1.0-1"),
        ("eggs download acme dev rh8-x86_64 cp311 nmupy 1.0-1", "numpy"),
        ("eggs delete acme dev rh8-x86_64 cp311 nupmy 1.0-1 --yes", "numpy"),
        ("teams members list acme bilders", "builders"),
        ("api-tokens delete nigthly --yes", "nightly"),
    ],
)
def test_what_may_have_been_meant(filled, arguments, meant):
    result = filled(*arguments.split())
    hint = hint_of(result, 4)
    question, _, _ = hint.partition("?")
    assert question.startswith("Did you mean ") and f"'{meant}'" in question
    assert len(result.err.splitlines()) == 2
    assert "hatcher whoami" in hint or not arguments.startswith(("eggs", "repositories"))


def test_nothing_is_like_it(cli, dev):
    hint = hint_of(cli("repositories", "list", "xyzzy"), 4)
    assert hint.startswith("'hatcher user repositories' lists those that you may see.")


def test_a_server_is_asked_only_where_something_is_missing(filled, faulty_gateway):
    gateway = faulty_gateway()
    filled.setenv("HATCHER_URL", gateway.url)
    assert filled(*EGG, "cp311", "numpy", "1.0-1").code == 0
    assert gateway.sent("GET") == 1
    # And it need not say.
    for path in ("*/organizations", "*/index*", "*/indices/*"):
        gateway.add(RequestFault("reset", at="request", path=path, times=99))
    hint = hint_of(filled(*EGG, "cp311", "nunpy", "1.0-1"), 4)
    assert hint.startswith("Check the names. ") and "Did you mean" not in hint


def test_two_files_that_would_be_one(filled, tmp_path):
    for folder, payload in (("a", 1), ("b", 2)):
        (tmp_path / folder).mkdir()
        write_egg(tmp_path / folder, "two", "1.0", payload_bytes=payload)
    files = sorted(tmp_path.glob("?/two-1.0-1.egg"))
    hint = hint_of(filled("eggs", "batch-upload", *PLACE, *files), 7)
    assert "only the right one" in hint and "same command" not in hint


def test_many_deletes(filled, tmp_path):
    filled.client().organization("acme").create_repository("prod", "Released")
    done = filled(
        "mirror", "apply", "acme/prod", "acme/dev", "--prune", "--max-deletes", "2", "--yes", *SOME
    )
    assert "--max-deletes 4" in hint_of(done, 7)


# -- no connection --------------------------------------------------------------------------


@pytest.mark.parametrize("variable", ["http_proxy", "HTTP_PROXY", "all_proxy"])
def test_a_proxy_that_is_down_is_the_proxy(cli, nobody, variable):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "no_proxy", "NO_PROXY"):
        cli.delenv(name)
    cli.setenv(variable, nobody.replace("http://", "http://ada:kept-secret@"))
    result = cli("organizations", "list")
    assert "NO_PROXY" in hint_of(result, 6)
    assert nobody in result.err and "through the proxy" in result.err
    assert "kept-secret" not in result.err


def test_https_to_a_port_of_http(cli):
    result = cli("--url", cli.server.url.replace("http:", "https:"), "organizations", "list")
    hint = hint_of(result, 6)
    assert "does not speak TLS" in hint and "--ca-file" not in hint


@pytest.mark.parametrize(
    ("reason", "has"),
    [
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", "does not speak TLS"),
        ("[SSL: RECORD_LAYER_FAILURE] record layer failure (_ssl.c:1006)", "does not speak TLS"),
        (
            "certificate verify failed: Hostname mismatch, certificate is not valid for 'a'.",
            "another host",
        ),
        (
            "certificate verify failed: IP address mismatch, certificate is not valid for '::1'.",
            "another host",
        ),
        ("certificate verify failed: certificate has expired", "clock"),
        ("certificate verify failed: certificate is not yet valid", "clock"),
        ("certificate verify failed: self-signed certificate in certificate chain", "--ca-file"),
        ("certificate verify failed: unable to get local issuer certificate", "--ca-file"),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version", "Check the URL"),
    ],
)
def test_advice_on_tls(reason, has):
    error = error_for(SENT, ChannelError("TLS", reason))
    assert isinstance(error, errors.TLSError)
    hint = explain(error).hint
    assert has in hint
    assert ("--ca-file" in hint) is (has == "--ca-file")


def test_a_proxy_is_no_server():
    error = error_for(SENT, ChannelError("proxy", "http://p: refused"))
    assert isinstance(error, errors.ProxyError) and isinstance(error, errors.NotConnectedError)


# -- options for Python's arguments ---------------------------------------------------------


def context(*names: str) -> click.Context:
    """The context of a command, with its options' defaults."""
    command, ctx = root, click.Context(root, info_name="hatcher")
    for name in names:
        assert isinstance(command, click.Group)
        found = command.get_command(ctx, name)
        assert found is not None
        command, ctx = found, click.Context(found, parent=ctx, info_name=name)  # type: ignore[assignment]
    return ctx


@pytest.mark.parametrize(
    ("command", "said", "as_told"),
    [
        (("eggs", "upload"), "Replace it with overwrite=True.", "Replace it with --force."),
        (
            ("mirror", "apply"),
            "Plan again with max_deletes=300.",
            "Plan again with --max-deletes 300.",
        ),
        (("repositories", "delete"), "Pass force=True.", "Pass --force."),
        (("eggs", "list"), "Give another number, or pass overwrite=True.", "Give another number."),
        (("eggs", "list"), "It is there. Pass overwrite=True to replace it.", "It is there."),
        (("eggs", "list"), "Give a name with the `filename` argument.", ""),
        (("eggs", "list"), "Nothing of the kind.", "Nothing of the kind."),
    ],
)
def test_arguments_of_python_are_options(command, said, as_told):
    assert as_options(said, context(*command)) == as_told


# -- the server's own advice ----------------------------------------------------------------


def refused(kind: type[errors.BroodHTTPError], words: str | None) -> errors.BroodHTTPError:
    response = errors.ErrorResponse(409, "application/json", "")
    return kind("delete it", method="DELETE", url="https://h/x", response=response, error=words)


def test_what_the_server_advises_comes_first():
    error = refused(errors.ConflictError, "You are the last administrator. Name another one first.")
    assert error.what == "Could not delete it: You are the last administrator."
    assert error.advice == "Name another one first."
    assert str(error).endswith(
        "409 Conflict: You are the last administrator. Name another one first."
    )
    assert explain(error, context("users", "delete")).hint == "Name another one first."


def test_force_is_named_by_what_it_does():
    ctx = context("repositories", "delete")
    ctx.params = {"force": False}
    hint = explain(refused(errors.ConflictError, "not empty"), ctx).hint
    assert hint == "To delete it with all that is in it, add --force."
    ctx.params = {"force": True}
    assert "--force" not in explain(refused(errors.ConflictError, "not empty"), ctx).hint


def test_an_error_without_advice_shows_where_it_comes_from():
    assert "--debug" in explain(errors.HatcherException("The kettle is cold.")).hint
