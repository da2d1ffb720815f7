"""Answers that arrive in part, or say less or more than was asked."""

from __future__ import annotations

import pytest

from hatcher.errors import IncompleteDownloadError, InvalidJSONError, InvalidResponseError
from hatcher.testing import Answer, ScriptedServer

from .common import JSON, client_of

PASSWORD = b'{"email": "ada@example.com", "one_time_password": "s3cret"}'


def test_what_worked_has_worked_although_its_words_are_cut() -> None:
    with ScriptedServer(Answer(201, JSON, b'{"name": "acme"}', cut=5)) as server:
        client_of(server).create_organization("acme", "-")
        assert len(server.requests) == 1


def test_but_a_secret_among_them_is_lost() -> None:
    with (
        ScriptedServer(Answer(201, JSON, PASSWORD, cut=5)) as server,
        pytest.raises(IncompleteDownloadError, match="look before"),
    ):
        client_of(server).organization("acme").create_user("ada@example.com")


@pytest.mark.parametrize(
    ("answer", "password"),
    [
        (Answer(201, JSON, PASSWORD), "s3cret"),
        (Answer(201, JSON, b'{"email": "ada@example.com"}'), None),
        (Answer(201, JSON, b"[]"), None),
        (Answer(201, JSON, b""), None),
        (Answer(204), None),
        (Answer(201, {"Content-Type": "text/html"}, b"<p>Created</p>"), None),
        (Answer(201, {}, b"OK"), None),
    ],
)
def test_some_servers_say_more_than_others(answer: Answer, password: str | None) -> None:
    with ScriptedServer(answer) as server:
        user = client_of(server).organization("acme").create_user("ada@example.com")
        assert user.one_time_password == password


@pytest.mark.parametrize("body", [PASSWORD[:-5], b"\xff" + PASSWORD])
def test_what_should_be_json_and_is_not_has_been_carried_out(body: bytes) -> None:
    with ScriptedServer(Answer(201, JSON, body)) as server:
        with pytest.raises(InvalidJSONError, match="carried out") as caught:
            client_of(server).organization("acme").create_user("ada@example.com")
        error: BaseException | None = caught.value
        while error is not None:
            assert "s3cret" not in str(error) + repr(vars(error))
            error = error.__cause__ or error.__context__
        with pytest.raises(InvalidJSONError, match="carried out"):
            client_of(server).create_api_token("nightly")


def test_a_part_that_nobody_asked_for() -> None:
    part = Answer(206, {**JSON, "Content-Range": "bytes 0-18/40"}, b'{"organizations":[]}')
    with ScriptedServer(part) as server:
        with pytest.raises(InvalidResponseError, match="206"):
            client_of(server).list_organizations()
        assert len(server.requests) == 1
