"""Answers as they come over a real socket: packed, damaged, cut, of another shape, hostile."""

import gzip
import json
from typing import Any

import pytest

from hatcher.errors import (
    BadRequestError,
    IncompleteDownloadError,
    InvalidJSONError,
    InvalidResponseError,
    PermissionDeniedError,
)
from hatcher.testing import Answer
from hatcher.transport import parsing

from .common import JSON, platform_of, scripted
from .leaking import leaks

GZIP = {**JSON, "Content-Encoding": "gzip"}
INDEX = {
    f"nose-1.{n}.0-1.egg": {"name": "nose", "python_tag": None if n % 2 else "py3", "size": n}
    for n in range(100)
}
BODY = json.dumps(INDEX).encode()
PACKED = gzip.compress(BODY)
USER = b'{"email": "ada@example.com", "one_time_password": "s3cret"}'


def ask(answer: Answer, method: str = "egg_index") -> Any:
    with scripted(answer) as (server, client):
        found = getattr(platform_of(client), method)("cp311")
        assert server.requests[0].headers["accept-encoding"] == "gzip"
        return found


class TestGzip:
    @pytest.mark.parametrize(
        ("headers", "body"),
        [(GZIP, PACKED), (JSON, PACKED), (GZIP, BODY)],
        ids=["told", "header stripped", "undone by a gateway"],
    )
    def test_it_is_undone(self, headers, body):
        assert ask(Answer(200, headers, body)) == INDEX

    def test_what_is_large_comes_too(self):
        entry = {"python_tag": "cp311", "sha256": "ab" * 32, "packages": ["MKL 2017.0.3"]}
        index = {f"egg-{n}.egg": entry for n in range(40_000)}
        body = json.dumps(index).encode()
        assert len(body) > parsing.LARGE_TEXT
        for content in (body, gzip.compress(body, 1)):
            assert ask(Answer(200, JSON, content)) == index
            listed = ask(Answer(200, JSON, content), "list_eggs")
            assert listed == [{"name": name, "python_tag": "cp311"} for name in index]

    @pytest.mark.parametrize("cut", [5, 100, -3])
    def test_what_is_damaged_is_an_error(self, cut):
        with pytest.raises(InvalidJSONError, match=r"\d+ bytes of"):
            ask(Answer(200, GZIP, PACKED[:cut]))

    def test_a_bomb_is_given_up(self):
        bomb = gzip.compress(b"{" + b" " * (parsing.ALWAYS_ALLOWED + 1000))
        with pytest.raises(InvalidResponseError, match=r"rejected.*URL.*connection") as caught:
            ask(Answer(200, GZIP, bomb))
        assert not isinstance(caught.value, InvalidJSONError)
        assert caught.value.method == "GET"

    def test_errors_may_be_packed_and_only_their_beginning_is_unpacked(self):
        packed = gzip.compress(b'{"error": "not you"}')
        with pytest.raises(PermissionDeniedError, match="not you") as caught:
            ask(Answer(403, GZIP, packed))
        assert caught.value.response.text == '{"error": "not you"}'
        with pytest.raises(BadRequestError) as large:
            ask(Answer(400, GZIP, gzip.compress(b"x" * 50_000_000)))
        assert large.value.response.text == "x" * 65_536


class TestOtherShapes:
    @pytest.mark.parametrize("method", ["egg_index", "list_eggs"])
    @pytest.mark.parametrize(
        ("headers", "body", "says"),
        [
            *((JSON, body, "JSON object") for body in (b"[]", b"3", b"null", b'"eggs"')),
            (JSON, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, None),
            ({"Content-Type": "text/html"}, b"<html><title>Log in</title></html>", "'Log in'"),
        ],
        ids=["list", "number", "null", "text", "nested", "page"],
    )
    def test_an_index_is_an_object(self, method, headers, body, says):
        with pytest.raises(InvalidJSONError, match=says):
            ask(Answer(200, headers, body), method)

    @pytest.mark.parametrize("method", ["egg_index", "list_eggs"])
    def test_its_entries_are_objects(self, method):
        answer = Answer(200, JSON, b'{"nose-1.0-1.egg": "cp311"}')
        with pytest.raises(InvalidJSONError, match=r"'nose-1\.0-1\.egg'"):
            ask(answer, method)

    def test_a_python_tag_may_be_missing(self):
        answer = Answer(200, JSON, b'{"b-1-1.egg": {}, "a-1-1.egg": {"python_tag": "py3"}}')
        assert ask(answer, "list_eggs") == [
            {"name": "b-1-1.egg", "python_tag": None},
            {"name": "a-1-1.egg", "python_tag": "py3"},
        ]


class TestHalfAnswers:
    """Answers that say less or more than was asked."""

    def test_what_worked_has_worked_although_its_words_are_cut(self):
        with scripted(Answer(201, JSON, b'{"name": "acme"}', cut=5)) as (server, client):
            client.create_organization("acme", "-")
            assert len(server.requests) == 1

    @pytest.mark.parametrize(
        ("answer", "password"),
        [
            (Answer(201, JSON, USER), "s3cret"),
            (Answer(201, JSON, b'{"email": "ada@example.com"}'), None),
            (Answer(201, JSON, b"[]"), None),
            (Answer(204), None),
            (Answer(201, {"Content-Type": "text/html"}, b"<p>Created</p>"), None),
            (Answer(201, {}, b"OK"), None),
        ],
    )
    def test_some_servers_say_more_than_others(self, answer, password):
        with scripted(answer) as (_, client):
            user = client.organization("acme").create_user("ada@example.com")
        assert user.one_time_password == password

    @pytest.mark.parametrize(
        ("answer", "kind", "says"),
        [
            (Answer(201, JSON, USER, cut=5), IncompleteDownloadError, "look before"),
            (Answer(201, JSON, USER[:-5]), InvalidJSONError, "carried out"),
            (Answer(201, JSON, b"\xff" + USER), InvalidJSONError, "carried out"),
        ],
        ids=["cut", "half", "no UTF-8"],
    )
    def test_a_secret_in_what_is_no_json_is_lost_and_not_shown(self, answer, kind, says):
        for act in (
            lambda client: client.organization("acme").create_user("ada@example.com"),
            lambda client: client.create_api_token("nightly"),
        ):
            with scripted(answer) as (_, client), pytest.raises(kind, match=says) as caught:
                act(client)
            assert not leaks(caught.value, "s3cret")

    def test_a_part_that_nobody_asked_for(self):
        part = Answer(206, {**JSON, "Content-Range": "bytes 0-18/40"}, b'{"organizations":[]}')
        with scripted(part) as (server, client):
            with pytest.raises(InvalidResponseError, match="206"):
                client.list_organizations()
            assert len(server.requests) == 1
