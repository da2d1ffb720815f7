"""Unpacking and parsing: what isal and msgspec make is what the standard library would."""

import gzip
import json
import math
import random
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from hatcher.transport import parsing

ODD = [
    b"NaN",
    b"[Infinity, -Infinity]",
    b"1e400",
    b"-0",
    b"-0.0",
    b"0.1",
    b"5e-324",
    b"9007199254740993.0",
    b"123456789012345678901234567890",
    b"-18446744073709551616",
    b"1" * 5000,
    b'{"a": 1, "a": 2}',
    b'{"a": 1, "b": 2, "\\u0061": 3}',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b'"\xc0\xaf"',
    b'"\x01"',
    b'"\t"',
    b'"\x7f"',
    b'"a\x00b"',
    b'"\\x"',
    b"\xef\xbb\xbf{}",
    b" {} \r\n\t",
    b"{} x",
    b"01",
    b"1.",
    b".5",
    b"+1",
    b"[1,]",
    b'{"a": 1,}',
    b"{1: 2}",
    b"'a'",
    b"// comment\n1",
    b"[tru]",
    b'"abc',
    b"",
    b"[" * 100_000 + b"]" * 100_000,
    '{"ä": "ö"}'.encode("latin-1"),
]


def outcome(parse: Callable[[bytes], Any], text: bytes) -> str:
    try:
        return repr(parse(text))
    except (ValueError, RecursionError):
        return "refused"


def entry(number: int) -> dict[str, Any]:
    choose = random.Random(number)
    return {
        "available": True,
        "build": number % 7,
        "full_version": f"1.{number}-{number % 7}",
        "md5": choose.randbytes(16).hex(),
        "mtime": choose.random() * 1e9,
        "name": choose.choice(["numpy", "größe", "x" * 40]),
        "packages": ["MKL 2017.0.3"] * (number % 4),
        "python": None,
        "python_tag": choose.choice(["cp311", "py3", None]),
        "sha256": choose.randbytes(32).hex(),
        "size": choose.randrange(1 << 40),
        "type": "egg",
        "later": {"nested": [1, [2, {"deep": -1.5e-7}]]},
    }


@pytest.fixture(scope="module")
def index() -> bytes:
    """An index that is large enough for the fast ways."""
    text = json.dumps({f"egg-{n}.egg": entry(n) for n in range(10_000)}).encode()
    assert len(text) > parsing.LARGE_TEXT
    return text


class TestLoads:
    @pytest.mark.parametrize("text", ODD)
    def test_what_is_odd_is_read_or_refused_as_by_json(self, text: bytes) -> None:
        expected = outcome(json.loads, text)
        assert outcome(parsing.loads, text) == expected
        large = text + b" " * parsing.LARGE_TEXT
        assert outcome(parsing.loads, large) == expected

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
    def test_other_encodings(self, encoding: str) -> None:
        text = ('{"größe": 1}' + " " * parsing.LARGE_TEXT).encode(encoding)
        assert parsing.loads(text) == {"größe": 1}

    def test_numbers(self) -> None:
        choose = random.Random(0)
        numbers = [
            form
            for _ in range(5000)
            for form in (
                repr(choose.uniform(-1e10, 1e10)),
                f"{choose.random():.{choose.randint(1, 25)}f}",
                f"{choose.randint(0, 10**20)}e{choose.randint(-330, 280)}",
                str(choose.randint(-(10**30), 10**30)),
            )
        ]
        text = f"[{','.join(numbers)}]{' ' * parsing.LARGE_TEXT}".encode()
        found, expected = parsing.loads(text), json.loads(text)
        assert list(map(repr, found)) == list(map(repr, expected))
        assert all(math.isfinite(number) for number in found)

    def test_an_index(self, index: bytes) -> None:
        found, expected = parsing.loads(index), json.loads(index)
        assert found == expected
        assert list(found) == list(expected)  # in the same order
        assert {type(value) for value in found["egg-3.egg"].values()} == {
            type(value) for value in expected["egg-3.egg"].values()
        }

    def test_an_object_is_wanted(self) -> None:
        assert parsing.load_object(b'{"a": 1}') == {"a": 1}
        with pytest.raises(parsing.ShapeError, match="JSON object"):
            parsing.load_object(b"[]")


class TestListOfEach:
    def test_it_is_that_of_the_whole(self, index: bytes) -> None:
        assert parsing.list_of_each(index, "name", "python_tag") == [
            {"name": key, "python_tag": value["python_tag"]}
            for key, value in json.loads(index).items()
        ]

    @pytest.mark.parametrize("padding", [0, parsing.LARGE_TEXT])
    def test_what_is_odd(self, padding: int) -> None:
        text = b"""{
            "missing": {}, "null": {"tag": null}, "other": {"tag": [1, {"a": NaN}]},
            "twice": {"tag": 1, "tag": 2}, "again": {"tag": 1}, "x": {"tag": "x"},
            "again": {"tag": 2}, "deep": {"inner": {"tag": 1}}
        }"""
        for json_text in (text, text.replace(b"NaN", b"1e5")):
            found = parsing.list_of_each(json_text + b" " * padding, "key", "tag")
            entries = json.loads(json_text).items()
            expected = [{"key": key, "tag": entry.get("tag")} for key, entry in entries]
            assert repr(found) == repr(expected)

    @pytest.mark.parametrize("padding", [0, parsing.LARGE_TEXT])
    @pytest.mark.parametrize(
        ("text", "trouble"),
        [
            (b"[]", "is no JSON object"),
            (b'{"a": {}, "b": 3}', "has no JSON object under 'b'"),
            (b'{"a": null}', "has no JSON object under 'a'"),
        ],
    )
    def test_another_shape_is_an_error(self, text: bytes, trouble: str, padding: int) -> None:
        with pytest.raises(parsing.ShapeError, match=trouble):
            parsing.list_of_each(text + b" " * padding, "key", "tag")
        with pytest.raises(ValueError, match="Expecting"):
            parsing.list_of_each(b'{"a": {' + b" " * padding, "key", "tag")


class TestEntriesWith:
    def test_they_have_these_fields_and_no_others(self, index: bytes) -> None:
        fields = ("size", "nothing", "python_tag")
        found = parsing.entries_with(index, fields)
        whole = json.loads(index)
        assert found == {
            key: {field: value[field] for field in fields if field in value}
            for key, value in whole.items()
        }
        assert list(found) == list(whole)
        assert type(found["egg-3.egg"]) is dict

    @pytest.mark.parametrize("padding", [0, parsing.LARGE_TEXT])
    def test_what_is_odd(self, padding: int) -> None:
        text = b"""{
            "missing": {}, "null": {"tag": null}, "other": {"tag": [1, {"a": NaN}]},
            "twice": {"tag": 1, "tag": 2}, "again": {"tag": 1}, "x": {"tag": "x", "y": 1},
            "again": {"tag": 2}, "deep": {"inner": {"tag": 1}}
        }"""
        for json_text in (text, text.replace(b"NaN", b"1e5")):
            found = parsing.entries_with(json_text + b" " * padding, ("tag",))
            entries = json.loads(json_text).items()
            expected = {
                key: {"tag": entry["tag"]} if "tag" in entry else {} for key, entry in entries
            }
            assert repr(found) == repr(expected)

    @pytest.mark.parametrize("padding", [0, parsing.LARGE_TEXT])
    def test_another_shape_is_an_error(self, padding: int) -> None:
        for text, trouble in [(b"[]", "is no JSON object"), (b'{"a": 3}', "object under 'a'")]:
            with pytest.raises(parsing.ShapeError, match=trouble):
                parsing.entries_with(text + b" " * padding, ("tag",))


class TestUnpack:
    def test_what_is_no_gzip_stays_as_it_is(self) -> None:
        for content in (b"", b"{}", b"\x1f", b"PK\x03\x04"):
            assert parsing.unpack(content) is content

    @pytest.mark.parametrize("size", [10, 3_000_000])
    def test_gzip_of_one_file_or_several(self, size: int) -> None:
        text = random.Random(1).randbytes(size)
        packed = gzip.compress(text)
        assert parsing.unpack(packed) == text
        assert parsing.unpack(packed + b"\0" * 100) == text  # as on a tape
        assert parsing.unpack(packed + gzip.compress(b"") + packed) == text + text

    @pytest.mark.parametrize("size", [1000, 3_000_000])
    def test_what_is_damaged_is_an_error(self, size: int) -> None:
        packed = gzip.compress(random.Random(1).randbytes(size))
        for cut in (2, 12, len(packed) // 2, len(packed) - 8, len(packed) - 1):
            with pytest.raises(ValueError, match="gzip"):
                parsing.unpack(packed[:cut])
        for flipped in (3, len(packed) // 2, len(packed) - 6, len(packed) - 2):
            damaged = bytearray(packed)
            damaged[flipped] ^= 0xFF
            with pytest.raises(ValueError, match="gzip"):
                parsing.unpack(bytes(damaged))
        with pytest.raises(ValueError, match="gzip"):
            parsing.unpack(packed + b"more")

    def test_a_bomb_is_given_up(self) -> None:
        bomb = gzip.compress(bytes(parsing.ALWAYS_ALLOWED + 1000))
        assert len(bomb) < 100_000
        with pytest.raises(parsing.BombError):
            parsing.unpack(bomb)
        half = gzip.compress(bytes(parsing.ALWAYS_ALLOWED // 2 + 1))
        with pytest.raises(parsing.BombError):
            parsing.unpack(half + half)
        # One that lies about its size in the end.
        with pytest.raises(parsing.BombError):
            parsing.unpack(bomb[:-4] + bytes(4))

    def test_what_just_fits_is_not(self) -> None:
        text = bytes(parsing.ALWAYS_ALLOWED)
        assert parsing.unpack(gzip.compress(text)) == text

    def test_thousands_of_small_files_are_given_up(self) -> None:
        with pytest.raises(parsing.BombError, match="thousands"):
            parsing.unpack(gzip.compress(b"") * 5000)

    def test_the_beginning_of_what_is_cut(self) -> None:
        text = random.Random(1).randbytes(10_000)
        packed = gzip.compress(text)
        assert parsing.beginning(packed, 100) == text[:100]
        assert text.startswith(parsing.beginning(packed[:5000], 100_000))
        assert len(parsing.beginning(packed[:5000], 100_000)) > 4000
        assert parsing.beginning(b"plain", 3) == b"pla"
        assert parsing.beginning(b"\x1f\x8bnone", 100) == b"\x1f\x8bnone"


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class TestImports:
    def test_what_is_small_needs_none(self) -> None:
        code = (
            "import sys, gzip; from hatcher.transport import parsing\n"
            "parsing.loads(parsing.unpack(gzip.compress(b'{}' + b' ' * 1_000_000)))\n"
            "print([name for name in ('isal', 'msgspec') if name in sys.modules])"
        )
        assert run(code) == "[]"

    def test_isal_may_be_missing(self) -> None:
        code = (
            "import sys; sys.modules['isal'] = None\n"
            "import gzip, os; from hatcher.transport import parsing\n"
            "data = os.urandom(parsing.LARGE_GZIP)\n"
            "packed = gzip.compress(data)\n"
            "assert parsing.unpack(packed) == data\n"
            "try: parsing.unpack(packed[:-9])\n"
            "except ValueError as error: print(error)"
        )
        assert run(code) == "the gzip ends too early"
