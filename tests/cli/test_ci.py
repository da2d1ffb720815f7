"""What programs and logs get: errors as JSON, lines that say how far it is, and reports."""

from __future__ import annotations

import errno
import hashlib
import json
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hatcher.cli import reporting, transfers
from hatcher.testing import Answer, RequestFault, write_egg

from .conftest import Cli, furnish


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


# -- reports ---------------------------------------------------------------------------------


def report_of(cli: Cli, *arguments: object, code: int = 0) -> dict[str, Any]:
    """The report of a command, which has the shape that `hatcher schema report` says."""
    path = Path("report.json")
    path.unlink(missing_ok=True)
    result = cli(*arguments, "--report", path)
    assert result.code == code, result
    document = json.loads(path.read_text())
    Draft202012Validator(cli("schema", "report", "-o", "json").data).validate(document)
    assert document["command"] == " ".join(
        map(str, arguments[: document["command"].count(" ") + 1])
    )
    assert sum(document["counts"].values()) == len(document["files"])
    assert ((document["error"] or {"code": 0})["code"] == 0) == (document["outcome"] == "done")
    assert [path.name for path in Path().glob("report.json*")] == ["report.json"]
    return dict(document)


def test_the_report_of_uploads(cli, dev, tmp_path):
    place = "acme/dev/rh8-x86_64"
    eggs = [
        write_egg(tmp_path, name, platform="rh8-x86_64", python_tag="cp311")
        for name in ("nose", "spam")
    ]
    upload = ("eggs", "batch-upload", place)
    first = report_of(cli, *upload, eggs[0])
    (record,) = first["files"]
    assert record["sha256"] == hashlib.sha256(eggs[0].read_bytes()).hexdigest()
    assert record["size"] == eggs[0].stat().st_size and record["attempts"] == 1
    assert (record["outcome"], record["error"]) == ("uploaded", None) and record["seconds"] > 0
    assert record["source"] == record["path"] == str(eggs[0])
    assert record["target"] == f"{place} on {cli.server.url}"
    assert record["server"] == cli.server.url
    again = report_of(cli, *upload, *eggs)
    assert again["counts"] == {"already there": 1, "uploaded": 1}
    assert again["files"][0]["sha256"] == record["sha256"]

    write_egg(tmp_path, "nose", platform="rh8-x86_64", python_tag="cp311", payload_bytes=99)
    (tmp_path / "bad.egg").write_text("no egg")
    failed = report_of(cli, *upload, *eggs, tmp_path / "bad.egg", code=7)
    assert failed["outcome"] == "failed" and failed["error"]["code"] == 7
    assert failed["counts"] == {"failed": 2, "already there": 1}
    assert {record["error"]["code"] for record in failed["files"] if record["error"]} == {1, 5}
    forced = report_of(cli, *upload, *eggs, "--force")
    assert forced["counts"] == {"replaced": 1, "already there": 1}
    new = write_egg(tmp_path, "numpy", platform="rh8-x86_64", python_tag="cp311")
    assert report_of(cli, *upload, new, "--dry-run")["counts"] == {"would upload": 1}


def test_the_report_of_deletions(cli, dev, tmp_path):
    place, egg = "acme/dev/rh8-x86_64", write_egg(tmp_path, "nose", python_tag="cp311")
    cli.client().platform(place).upload_egg(egg)
    delete = ("eggs", "batch-delete", place, "cp311", "nose-*", "-y")
    (record,) = report_of(cli, *delete)["files"]
    assert (record["outcome"], record["target"]) == ("deleted", f"{place} on {cli.server.url}")
    assert record["sha256"] == hashlib.sha256(egg.read_bytes()).hexdigest()
    assert report_of(cli, *delete, "--missing-ok", "-n")["counts"] in ({}, {"already gone": 1})
    for version in ("1.0", "1.1"):
        egg = write_egg(tmp_path, "nose", version, python_tag="cp311")
        cli.client().platform(place).upload_egg(egg)
    pruned = report_of(cli, "eggs", "prune", place, "--keep", "1", "-y")
    assert pruned["counts"] == {"deleted": 1} and pruned["files"][0]["sha256"]


def test_attempts_are_counted(cli, dev, tmp_path, faulty_gateway):
    egg = write_egg(tmp_path, "nose", platform="rh8-x86_64", python_tag="cp311")
    fault = RequestFault("replace", method="POST", path="*/upload", times=2, answer=_BUSY)
    cli.setenv("HATCHER_URL", faulty_gateway(fault).url)
    document = report_of(cli, "eggs", "batch-upload", "acme/dev/rh8-x86_64", egg)
    assert document["files"][0]["attempts"] == 3
    assert document["files"][0]["error"] is None


_BUSY = Answer(429, {"Content-Type": "application/json", "Retry-After": "0"}, b'{"error": "busy"}')


def test_the_reports_of_whole_repositories(cli, dev, tmp_path):
    client = cli.client()
    furnish(client.repository("acme/dev"), tmp_path, "nose")
    client.organization("acme").create_repository("prod", "-")
    url = cli.server.url

    exported = report_of(cli, "export", "out", "-r", "acme/dev", "-a", "eggs", "-a", "bundles")
    assert exported["counts"] == {"downloaded": 3}
    for record in exported["files"]:
        assert record["sha256"] and record["source"] == f"acme/dev/rh8-x86_64 on {url}"
        assert record["target"] == record["path"] and record["server"] == url
    shutil.move("out/v1/acme/dev", "out/v1/acme/prod")
    imported = report_of(cli, "import", "out", "-a", "eggs")
    assert imported["counts"] == {"uploaded": 2}
    assert {record["target"] for record in imported["files"]} == {f"acme/prod/rh8-x86_64 on {url}"}

    mirrored = report_of(cli, "mirror", "apply", "acme/dev", "./copy")
    assert mirrored["counts"]["downloaded"] == 4
    assert all(record["source"] == f"acme/dev on {url}" for record in mirrored["files"])
    assert report_of(cli, "mirror", "apply", "acme/dev", "./copy")["files"] == []
    packed = report_of(cli, "mirror", "pack", "acme/dev", "delta.zip")
    assert packed["counts"] == {"packed": 4}

    what = ("acme/dev/rh8-x86_64", "cp311", "nose", "1.0.0-1", "--to", "acme/prod")
    promoted = report_of(cli, "promote", "egg", *what)
    assert promoted["counts"] == {"already there": 1} and promoted["files"][0]["sha256"]
    downloaded = report_of(cli, "eggs", "batch-download", "acme/prod/rh8-x86_64", "cp311")
    assert downloaded["counts"] == {"downloaded": 2}
    egg = Path(downloaded["files"][0]["path"])
    egg.write_text("damaged")
    again = report_of(cli, "eggs", "batch-download", "acme/prod/rh8-x86_64", "cp311")
    assert again["counts"] == {"replaced": 1, "already there": 1}
    bundles = report_of(cli, "bundles", "batch-download", "acme/dev/rh8-x86_64")
    assert bundles["files"][0]["sha256"] and bundles["files"][0]["source"]


def test_a_report_is_written_when_nothing_could_be_done(cli, dev, nobody):
    upload = ("eggs", "batch-download", "acme/nosuch/rh8-x86_64", "cp311")
    document = report_of(cli, *upload, code=4)
    assert (document["files"], document["error"]["status"]) == ([], 404)
    assert "nosuch" in document["error"]["what"]
    document = report_of(cli, *upload, "--url", nobody, "--retries", "0", code=6)
    assert "no connection" in document["error"]["what"]
    cli.delenv("HATCHER_URL")
    assert report_of(cli, *upload, code=2)["error"]["code"] == 2


@pytest.mark.parametrize("path", ["-", "", " ", "nosuch/report.json", ".", "a\nb/c"])
def test_where_no_report_can_be(cli, dev, path):
    result = cli("eggs", "batch-download", "acme/dev/rh8-x86_64", "cp311", "--report", path)
    assert (result.code, result.out) == (2, "") and "--report" in result.err


def test_a_report_that_cannot_be_written_is_a_failure(cli, dev, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(reporting, "write_json", full)
    batch = ("eggs", "batch-download", "acme/dev/rh8-x86_64", "cp311", "--report", "report.json")
    result = cli(*batch)
    assert result.code == 1 and "No space left" in result.err
    batch = ("eggs", "batch-download", "acme/nosuch/rh8-x86_64", "cp311", "--report", "r.json")
    result = cli.fails(4, "nosuch", *batch)
    assert "The report could not be written: No space left" in result.err


def test_an_interrupted_batch_has_a_report(cli, dev, tmp_path, faulty_gateway):
    eggs = [
        write_egg(tmp_path, f"egg{number}", platform="rh8-x86_64", python_tag="cp311")
        for number in range(3)
    ]
    fault = RequestFault("stall", method="POST", path="*/upload", skip=1, times=9)
    cli.setenv("HATCHER_URL", faulty_gateway(fault).url)
    command = ("eggs", "batch-upload", "acme/dev/rh8-x86_64", *eggs, "--concurrency", "1")
    process = subprocess.Popen(cli.command(*command, "--report", "report.json"))
    try:
        time.sleep(4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
    finally:
        process.kill()
    document = json.loads(Path("report.json").read_text())
    assert document["outcome"] == "interrupted" and document["error"]["code"] == 143
    assert len(document["files"]) == 3 and document["counts"]["not tried"] >= 1
