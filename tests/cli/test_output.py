"""Data on standard output: the same records in each format, as their schema says."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from hatcher.cli.data import FORMATS, SIZE, TIME, Document, Emit, Field, Listing

#: What the schemas are checked against in the other formats.
PEOPLE = Listing(
    (Field("name", "Name"), Field("age", "Age", ("integer", "null")), Field("ok", "OK", "boolean"))
)
ADA = {"name": "Ada", "age": 36, "ok": True, "unsaid": "secret"}
GRACE = {"name": "Grace, née Murray", "age": None, "ok": False}


def written(capsys: pytest.CaptureFixture[str], declared: Any, chosen: Any, data: Any) -> str:
    Emit(declared, chosen)(data)
    return capsys.readouterr().out


# -- each format ----------------------------------------------------------------------------


def test_a_listing_in_each_format(capsys):
    records = [ADA, GRACE]
    assert written(capsys, PEOPLE, "csv", records) == (
        'name,age,ok\nAda,36,true\n"Grace, née Murray",,false\n'
    )
    plain = (
        "Name                 Age  OK\n"
        "-----------------  -----  -----\n"
        "Ada                   36  true\n"
        "Grace, née Murray         false\n"
    )
    assert written(capsys, PEOPLE, "table", records) == plain
    assert written(capsys, PEOPLE, None, records) == plain
    wanted = [{key: record[key] for key in ("name", "age", "ok")} for record in records]
    assert json.loads(written(capsys, PEOPLE, "json", records)) == wanted
    lines = written(capsys, PEOPLE, "jsonl", records).splitlines()
    assert [json.loads(line) for line in lines] == wanted


def test_an_empty_listing_in_each_format(capsys):
    assert written(capsys, PEOPLE, "json", []) == "[]\n"
    assert written(capsys, PEOPLE, "jsonl", []) == ""
    assert written(capsys, PEOPLE, "csv", []) == "name,age,ok\n"
    assert written(capsys, PEOPLE, "table", []) == "Name      Age  OK\n------  -----  ----\n"
    assert written(capsys, PEOPLE._replace(bare=True), None, []) == ""


def test_a_bare_listing_is_names_for_people_only(capsys):
    bare = PEOPLE._replace(bare=True)
    assert written(capsys, bare, None, [ADA, GRACE]) == "Ada\nGrace, née Murray\n"
    # Who asks for a table gets one.
    assert written(capsys, bare, "table", [ADA]) == written(capsys, PEOPLE, "table", [ADA])
    assert json.loads(written(capsys, bare, "json", [ADA])) == [
        {"name": "Ada", "age": 36, "ok": True}
    ]


def test_a_document_in_each_format(capsys):
    document = {"name": "nose", "build": 1, "packages": ["six 1.9"], "python": None}
    declared = Document((Field("name", "Name"),))
    assert json.loads(written(capsys, declared, None, document)) == document
    assert json.loads(written(capsys, declared, "json", document)) == document
    line = written(capsys, declared, "jsonl", document)
    assert line.count("\n") == 1
    assert json.loads(line) == document
    assert written(capsys, declared, "csv", document) == (
        'build,name,packages,python\n1,nose,"[""six 1.9""]",\n'
    )
    assert written(capsys, declared, "table", document).splitlines()[2:] == [
        "build     1",
        "name      nose",
        'packages  ["six 1.9"]',
        "python",
    ]


def test_a_document_that_people_see_otherwise(capsys):
    document = {"name": "nightly", "token": "brood_api_x"}
    fields = (Field("name", "Name"), Field("token", "Token"))
    row = "Name     Token\n-------  -----------\nnightly  brood_api_x\n"
    assert written(capsys, Document(fields, as_row=True), None, document) == row
    assert written(capsys, Document(fields, as_row=True), "table", document) == row
    said = Document(fields, sentence=lambda record: f"It is {record['name']}.")
    assert written(capsys, said, None, document) == "It is nightly.\n"
    assert json.loads(written(capsys, said, "json", document)) == document
    assert "It is" not in written(capsys, said, "table", document)


def test_lines_are_written_as_records_come(capsys):
    def slowly() -> Iterator[dict[str, Any]]:
        for record in (ADA, GRACE):
            yield record
            assert json.loads(capsys.readouterr().out)["name"] == record["name"]

    Emit(PEOPLE, "jsonl")(slowly())


def test_people_read_sizes_and_times_and_programs_get_numbers(capsys):
    stored = Listing((SIZE, TIME))
    records = [
        {"size": 0, "mtime": 0},
        {"size": 999, "mtime": 1709268600.5},
        {"size": 999_949, "mtime": -1.0},
        {"size": 999_950, "mtime": 1e300},
        {"size": 5_400_000_000, "mtime": float("inf")},
        {"size": "7", "mtime": "today"},
        {"size": None, "mtime": True},
    ]
    rows = written(capsys, stored, None, records).splitlines()[2:]
    assert [row.split(maxsplit=2) for row in rows] == [
        ["0", "B", "1970-01-01 00:00"],
        ["999", "B", "2024-03-01 04:50"],
        ["1.00", "MB", "1969-12-31 23:59"],
        ["1.00", "MB", "1e+300"],
        ["5.40", "GB", "inf"],
        ["7", "today"],
        ["true"],
    ]
    assert {len(row) for row in rows} == {len(rows[0])}  # at the right
    assert written(capsys, stored, "csv", records[1:2]) == "size,mtime\n999,1709268600.5\n"


@pytest.mark.parametrize("chosen", ["table", None])
def test_no_name_steers_a_terminal_or_breaks_a_line(capsys, chosen):
    evil = {"name": "a\x1b[2Jb\nc\u2028d\x9be\x00", "age": None, "ok": True}
    spelled = r"a\x1b[2Jb\nc\u2028d\x9be\x00"
    assert spelled in written(capsys, PEOPLE, chosen, [evil])
    assert written(capsys, PEOPLE._replace(bare=True), None, [evil]) == spelled + "\n"


def test_a_name_that_the_encoding_lacks_is_spelled_out(cli):
    client = cli.client()
    client.create_organization("acme", "Makers of everything")
    client.create_api_token("nächtlich")
    listed = cli.process("api-tokens", "list", env={"PYTHONIOENCODING": "ascii"})
    assert listed.code == 0, listed.err
    assert r"n\xe4chtlich" in listed.out


# -- how it is chosen ---------------------------------------------------------------------


def test_output_is_chosen_by_the_command_then_by_hatcher_then_by_the_environment(cli):
    cli.client().create_organization("acme", "Makers of everything")
    listing = ("organizations", "list")
    as_json, as_csv = [{"name": "acme"}], "name\nacme\n"
    assert cli("--output", "csv", *listing).out == as_csv
    assert cli("--output", "csv", *listing, "-o", "json").data == as_json
    cli.setenv("HATCHER_OUTPUT", "json")
    assert cli(*listing).data == as_json
    assert cli(*listing, "-o", "csv").out == as_csv
    cli.setenv("HATCHER_ORGANIZATIONS_LIST_OUTPUT", "csv")
    assert cli(*listing).out == as_csv
    wrong = cli(*listing, "-o", "xml")
    assert (wrong.code, wrong.out) == (2, "")


LISTING = [("organizations", "list", "-o", chosen) for chosen in FORMATS]


@pytest.mark.parametrize("command", [("--help",), ("eggs",), ("--version",), *LISTING])
def test_a_reader_that_goes_away_is_not_told(cli, command):
    cli.client().create_organization("acme", "Makers of everything")
    # It writes to a pipe that nobody reads any more.
    with subprocess.Popen(
        cli.command(*command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.close()
        said = process.stderr.read()
    assert (process.returncode, said) == (141, "")


def test_nobody_who_listens_is_no_reason_to_stop(cli):
    process = subprocess.Popen(
        cli.command("organizations", "create", "acme", "Makers of everything"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    process.stderr.close()
    assert process.stdout.read() == ""
    process.stdout.close()
    assert process.wait(60) == 0
    assert cli.client().list_organizations() == ["acme"]


@pytest.mark.parametrize("command", [("--version",), *LISTING])
def test_data_that_cannot_be_written(cli, command):
    cli.client().create_organization("acme", "Makers of everything")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            cli.command(*command), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    said = "The data could not be written: No space left on device.\n"
    advised = "No space left on device.\nMake room, and run the same command again.\n"
    if {"json", "jsonl"} & {*command}:
        assert json.loads(done.stderr)["what"] == said.strip()
    else:
        assert done.stderr == f"Error: {said if 'list' in command else advised}"


@pytest.mark.parametrize("ends", ["<&- >&- 2>&-", "<&- >&-"])
def test_ends_that_are_closed_from_the_beginning(cli, ends):
    for command in (
        ("organizations", "create", "acme", "Makers of everything"),
        ("organizations", "list"),
        ("platforms", "list"),
        ("teams", "list", "acme", "-o", "json"),
    ):
        closed = ["/bin/sh", "-c", f'exec "$@" {ends}', "sh", *cli.command(*command)]
        done = subprocess.run(closed, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and (done.stderr == "" or "create" in command)
    assert cli.client().list_organizations() == ["acme"]


# -- the schemas ----------------------------------------------------------------------------


def test_the_schema_of_a_command(cli):
    schema = cli("schema", "teams", "list").data
    Draft202012Validator.check_schema(schema)
    assert schema["title"] == "hatcher teams list"
    assert schema["items"]["required"] == ["name", "group"]
    below = cli("schema", "teams", "members").data
    assert below.keys() == {"teams members list", "teams members query"}
    assert cli("schema", "teams", "members", "query").data == below["teams members query"]


def test_what_has_no_schema(cli):
    for command, said in (
        (("teams", "delete"), "gives no data"),
        (("teams", "delete", "x"), "no commands below"),
        (("teems",), "Did you mean 'teams'?"),
    ):
        result = cli("schema", *command)
        assert (result.code, result.out) == (2, "")
        assert said in result.err
