"""What programs and logs get: errors as JSON, and lines that say how far it is."""

from __future__ import annotations

import json

import pytest
from jsonschema import Draft202012Validator

from hatcher.cli import transfers
from hatcher.testing import Answer, write_egg

from .conftest import Cli


def failure(cli: Cli, *arguments: object) -> dict[str, object]:
    """The error of a command, which has the shape that `hatcher schema error` says."""
    result = cli(*arguments)
    document = json.loads(result.err.splitlines()[-1])
    Draft202012Validator(cli("schema", "error", "-o", "json").data).validate(document)
    assert document["code"] == result.code
    return dict(document)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ("eggs list acme/nosuch/rh8-x86_64 cp311 -o json", 4, "nosuch"),
        ("eggs list acme/nosuch/rh8-x86_64 cp311 -ojsonl", 4, "nosuch"),
        ("--output json eggs list acme/nosuch/rh8-x86_64 cp311", 4, "nosuch"),
        ("eggs list acme/nosuch/rh8-x86_64 cp311 --output=json", 4, "nosuch"),
        ("eggs delete acme/dev/rh8-x86_64 cp311 nosuch 1.0-1 -y -o json", 4, "nosuch"),
        ("repositories create acme dev x -o json", 5, "dev"),
        ("eggs list -o json", 2, "Missing argument 'ORGANIZATION'"),
        ("eggs lisp -o json", 2, "There is no command"),
        ("eggs list --nosuch -o json", 2, "--nosuch"),
        ("--timeout x platforms list -o json", 2, "no number of seconds"),
        ("eggs list acme/\udcff/rh8-x86_64 cp311 -o json", 2, "no text"),
        ("--url http://127.0.0.1:1 --retries 0 platforms list -o json", 6, "no connection"),
        ("mirror plan acme/nosuch ./nowhere -o json", 4, "nosuch"),
    ],
)
def test_errors_are_json_where_data_are(cli, dev, words, code, said):
    document = failure(cli, *words.split())
    assert document["code"] == code and said in str(document["what"])
    assert document["advice"]


def test_an_error_is_json_by_variable_and_profile(cli, dev):
    cli("config", "set", "output", "json", "--profile", "ci")
    assert failure(cli, "repositories", "metadata", "acme", "nosuch")["code"] == 4
    cli.setenv("HATCHER_OUTPUT", "table")
    assert cli("repositories", "metadata", "acme", "nosuch").err.startswith("Error: ")
    cli.setenv("HATCHER_REPOSITORIES_METADATA_OUTPUT", "json")
    assert failure(cli, "repositories", "metadata", "acme", "nosuch")["code"] == 4


def test_what_the_server_says_of_an_error(cli):
    body = b'{"error": "out of \\u001b order"}'
    headers = {"Content-Type": "application/json", "X-Request-ID": "r-17"}
    result = cli.answered(Answer(500, headers, body), "platforms", "list", "-o", "json")
    document = json.loads(result.err)
    assert (document["status"], document["request_id"]) == (500, "r-17")
    assert "out of" in document["what"] and "\x1b" not in result.err


def test_what_failed_of_a_batch(cli, dev, tmp_path):
    (tmp_path / "bad.egg").write_text("no egg")
    arguments = ("eggs", "batch-upload", "acme/dev/rh8-x86_64", tmp_path / "bad.egg", "-o", "json")
    document = failure(cli, *arguments)
    assert document["code"] == 7 and document["status"] is None
    (line,) = document["details"]
    assert line.startswith("failed: bad.egg: ")


def test_lines_say_how_far_it_is(cli, dev, tmp_path, monkeypatch):
    monkeypatch.setattr(transfers, "LINE_EVERY", 0.0)
    egg = write_egg(tmp_path, "nose", platform="rh8-x86_64", python_tag="cp311")
    place = "acme/dev/rh8-x86_64"
    told = cli("eggs", "batch-upload", place, egg)
    assert any(line.startswith("eggs uploading: ") for line in told.err.splitlines()), told.err
    told = cli("eggs", "download", place, "cp311", "nose", "1.0.0-1")
    assert f"{egg.name} downloading: " in told.err and "(100 %)" in told.err
    for options in (("--quiet",), ("-q", "-o", "json")):
        assert cli("eggs", "batch-download", place, "cp311", *options).err == ""
    monkeypatch.setattr(transfers, "LINE_EVERY", 10.0)
    assert "uploading: " not in cli("eggs", "batch-upload", place, egg, "--force").err
