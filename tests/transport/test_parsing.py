"""Unpacking and parsing: what isal and msgspec make is what the standard library would."""

import gc
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
    b"5e-324",
    b"9007199254740993.0",
    b"123456789012345678901234567890",
    b"-18446744073709551616",
    b"1" * 5000,
    b'{"a": 1, "b": 2, "\\u0061": 3}',
    b'"\\ud800"',
    b'"\\ud83d\\ude00"',
    b'"\xed\xa0\x80"',
    b'"\xff"',
    b'"\x01"',
    b'"\x7f"',
    b'"a\x00b"',
    b'"\\x"',
    b"\xef\xbb\xbf{}",
    b" {} \r\n\t",
    b"{} x",
    b"01",
    b"1.",
    b".5",
    b"[1,]",
    b'{"a": 1,}',
    b"{1: 2}",
    b"'a'",
    b"// comment\n1",
    b'"abc',
    b"",
    b"[" * 100_000 + b"]" * 100_000,
    '{"ä": "ö"}'.encode("latin-1"),
]
ODD_ENTRIES = b"""{
    "missing": {}, "null": {"tag": null}, "other": {"tag": [1, {"a": NaN}]},
    "twice": {"tag": 1, "tag": 2}, "again": {"tag": 1}, "x": {"tag": "x", "y": 1},
    "again": {"tag": 2}, "deep": {"inner": {"tag": 1}}
}"""

#: What is small is parsed by the standard library.
padded = pytest.mark.parametrize("padding", [0, parsing.LARGE_TEXT], ids=["small", "large"])


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
        "mtime": choose.random() * 1e9,
        "name": choose.choice(["numpy", "größe", "x" * 40]),
        "packages": ["MKL 2017.0.3"] * (number % 4),
        "python": None,
        "python_tag": choose.choice(["cp311", "py3", None]),
        "sha256": choose.randbytes(32).hex(),
        "size": choose.randrange(1 << 40),
        "later": {"nested": [1, [2, {"deep": -1.5e-7}]]},
    }


@pytest.fixture(scope="module")
def index() -> bytes:
    """An index that is large enough for the fast ways."""
    text = json.dumps({f"egg-{n}.egg": entry(n) for n in range(12_000)}).encode()
    assert len(text) > parsing.LARGE_TEXT
    return text


class TestLoads:
    @padded
    @pytest.mark.parametrize("text", ODD)
    def test_what_is_odd_is_read_or_refused_as_by_json(self, text, padding):
        assert outcome(parsing.loads, text + b" " * padding) == outcome(json.loads, text)

    @pytest.mark.parametrize("encoding", ["utf-16", "utf-16-be", "utf-32", "utf-8-sig"])
    def test_other_encodings(self, encoding):
        text = ('{"größe": 1}' + " " * parsing.LARGE_TEXT).encode(encoding)
        assert parsing.loads(text) == {"größe": 1}

    def test_numbers(self):
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

    def test_an_index(self, index):
        found, expected = parsing.loads(index), json.loads(index)
        assert found == expected
        assert list(found) == list(expected)  # in the same order
        kinds = [
            [type(value) for value in each["egg-3.egg"].values()] for each in (found, expected)
        ]
        assert kinds[0] == kinds[1]

    def test_an_object_is_wanted(self):
        assert parsing.load_object(b'{"a": 1}') == {"a": 1}
        with pytest.raises(parsing.ShapeError, match="JSON object"):
            parsing.load_object(b"[]")


def listed(whole: dict[str, Any], field: str) -> Any:
    return [{"key": key, field: each.get(field)} for key, each in whole.items()]


def picked(whole: dict[str, Any], field: str) -> Any:
    return {key: {field: each[field]} if field in each else {} for key, each in whole.items()}


@padded
@pytest.mark.parametrize(
    ("some", "expected"),
    [
        (lambda text, field: parsing.list_of_each(text, "key", field), listed),
        (lambda text, field: parsing.entries_with(text, (field,)), picked),
    ],
    ids=["list of each", "entries with"],
)
class TestSomeFieldsOfEach:
    """Of all that an index has, without making the rest of it."""

    def test_it_is_that_of_the_whole(self, some, expected, padding, index):
        for text in (ODD_ENTRIES, ODD_ENTRIES.replace(b"NaN", b"1e5"), index):
            field = "python_tag" if text is index else "tag"
            assert repr(some(text + b" " * padding, field)) == repr(
                expected(json.loads(text), field)
            )

    @pytest.mark.parametrize(
        ("text", "trouble"),
        [
            (b"[]", "is no JSON object"),
            (b'{"a": {}, "b": 3}', "has no JSON object under 'b'"),
            (b'{"a": null}', "has no JSON object under 'a'"),
            (b'{"a": {', "Expecting"),
        ],
    )
    def test_another_shape_is_an_error(self, some, expected, padding, text, trouble):
        with pytest.raises(ValueError, match=trouble):
            some(text + b" " * padding, "tag")


class TestUnpack:
    @pytest.mark.parametrize("content", [b"", b"{}", b"\x1f", b"PK\x03\x04"])
    def test_what_is_no_gzip_stays_as_it_is(self, content):
        assert parsing.unpack(content) is content

    @pytest.mark.parametrize("size", [1000, 3_000_000])
    def test_gzip_of_one_file_or_several_and_damaged(self, size):
        text = random.Random(1).randbytes(size)
        packed = gzip.compress(text)
        assert parsing.unpack(packed) == text
        assert parsing.unpack(packed + b"\0" * 100) == text  # as on a tape
        assert parsing.unpack(packed + gzip.compress(b"") + packed) == text + text
        cut = [packed[:at] for at in (2, 12, len(packed) // 2, len(packed) - 8, -1)]
        flipped = [
            packed[:at] + bytes((packed[at] ^ 0xFF,)) + packed[at + 1 :]
            for at in (3, len(packed) // 2, len(packed) - 6, len(packed) - 2)
        ]
        for damaged in (*cut, *flipped, packed + b"more"):
            with pytest.raises(parsing.DamagedError, match="gzip"):
                parsing.unpack(damaged)

    def test_a_bomb_is_given_up(self):
        bomb = gzip.compress(bytes(parsing.ALWAYS_ALLOWED + 1000))
        assert len(bomb) < 100_000
        half = gzip.compress(bytes(parsing.ALWAYS_ALLOWED // 2 + 1))
        lying = bomb[:-4] + bytes(4)  # about its size
        for each in (bomb, half + half, lying):
            with pytest.raises(parsing.BombError):
                parsing.unpack(each)
        text = bytes(parsing.ALWAYS_ALLOWED)  # which just fits
        assert parsing.unpack(gzip.compress(text)) == text

    def test_thousands_of_small_files_are_given_up(self):
        with pytest.raises(parsing.BombError, match="thousands"):
            parsing.unpack(gzip.compress(b"") * 5000)

    def test_the_beginning_of_what_is_cut(self):
        text = random.Random(1).randbytes(10_000)
        packed = gzip.compress(text)
        assert parsing.beginning(packed, 100) == text[:100]
        assert text.startswith(parsing.beginning(packed[:5000], 100_000))
        assert len(parsing.beginning(packed[:5000], 100_000)) > 4000
        assert parsing.beginning(b"plain", 3) == b"pla"
        assert parsing.beginning(b"\x1f\x8bnone", 100) == b"\x1f\x8bnone"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (
            "import sys, gzip; from hatcher.transport import parsing\n"
            "parsing.loads(parsing.unpack(gzip.compress(b'{}' + b' ' * 1_000_000)))\n"
            "print([name for name in ('isal', 'msgspec') if name in sys.modules])",
            "[]",
        ),
        (
            "import sys; sys.modules['isal'] = None\n"
            "import gzip, os; from hatcher.transport import parsing\n"
            "data = os.urandom(parsing.LARGE_GZIP)\n"
            "packed = gzip.compress(data)\n"
            "assert parsing.unpack(packed) == data\n"
            "try: parsing.unpack(packed[:-9])\n"
            "except parsing.DamagedError as error: print(error)",
            "the gzip ends too early",
        ),
    ],
    ids=["what is small needs none", "isal may be missing"],
)
def test_imports(code, says):
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == says


class TestTheCollector:
    def test_it_does_not_run_meanwhile(self, index):
        runs: list[str] = []

        def note(phase: str, _: object) -> None:
            runs.append(phase)

        with parsing.collector_held(len(index)):
            gc.callbacks.append(note)
            try:
                found = parsing.loads(index)
            finally:
                gc.callbacks.remove(note)
        assert runs == []
        assert gc.isenabled()
        assert gc.is_tracked(found)

    def test_it_stays_as_the_user_has_set_it(self, index):
        gc.disable()
        try:
            with parsing.collector_held(len(index)):
                pass
            assert not gc.isenabled()
        finally:
            gc.enable()
        gc.freeze()
        try:
            count = gc.get_freeze_count()
            with parsing.collector_held(len(index)):
                pass
            assert gc.get_freeze_count() >= count - 100  # what was freed since does not count
        finally:
            gc.unfreeze()

    def test_it_runs_again_after_an_error(self):
        with pytest.raises(ValueError, match="Expecting"), parsing.collector_held(1 << 30):
            parsing.loads(b"{" + b" " * parsing.LARGE_TEXT)
        assert gc.isenabled()


def test_copies_share_nothing_that_can_change():
    text = b'{"flat": {"a": 1}, "deep": {"a": [1, [2]], "b": {"c": {"d": []}}}, "odd": [[1], 2], "x": 3}'
    for original in (parsing.loads(text), [parsing.loads(text)]):
        copy = parsing.copies_of(original)
        for _ in range(2):
            index = copy()
            assert index == original
            index = index if isinstance(index, dict) else index[0]
            index["flat"]["a"] = index["deep"]["a"][1][0] = index["odd"][0][0] = 0
            index["deep"]["b"]["c"]["d"].append(1)


def test_what_makes_copies_holds_nothing_that_the_collector_follows(index):
    original = parsing.loads(index)
    gc.collect()
    before = len(gc.get_objects())
    copy = parsing.copies_of(original)
    assert len(gc.get_objects()) - before < 1000  # of 12,000 entries, each with lists in it
    assert copy() == original
