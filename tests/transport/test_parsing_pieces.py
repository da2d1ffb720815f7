"""What is decoded in pieces is what decoding the whole gives, or fails; also where it looks odd."""

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hatcher.transport import parsing

#: Looks like the end of one entry and the beginning of the next.
BORDER = '}, "x": {'
TEXTS = st.lists(
    st.sampled_from(
        [
            BORDER,
            "},",
            '"',
            "\\",
            "{",
            "}",
            ":",
            "ä",
            "\ud83d",
            "\u2c7d\u7b22\u3a22",
            "a",
            " ",
            "\n",
        ]
    ),
    max_size=4,
).map("".join)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-9, 9),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
    st.sampled_from([BORDER, "a"]),
)
KEYS = st.sampled_from(["a", "b", "x", "egg-1.0-1.egg", "größe"])
SPACE = st.sampled_from(["", " ", "\n  ", "\t\r\n"])


@st.composite
def objects(draw: st.DrawFn, depth: int = 3) -> str:
    """An object as text, in which a key may stand twice."""
    space = draw(SPACE)
    members = draw(st.lists(st.tuples(TEXTS, values(depth)), max_size=5))
    ascii_only = draw(st.booleans())
    inner = f"{space},{space}".join(
        f"{json.dumps(key, ensure_ascii=ascii_only)}{space}:{space}{value}"
        for key, value in members
    )
    return f"{{{space}{inner}{space}}}"


def values(depth: int) -> st.SearchStrategy[str]:
    """Any JSON as text; objects of objects above all."""
    if depth == 0:
        return SCALARS.map(json.dumps)
    below = objects(depth - 1)
    lists = st.lists(below, max_size=2).map(lambda items: f"[{', '.join(items)}]")
    return st.one_of(below, below, below, lists, SCALARS.map(json.dumps))


def damaged(text: bytes) -> st.SearchStrategy[bytes]:
    """The text as it is, cut, or with something in it that does not belong there."""
    at = st.integers(0, len(text))
    odd = st.sampled_from([b"", b"{", b"}", b'"', b"\\", b",", b"},", b"NaN", b"\xff", b"\0", b"]"])
    return st.one_of(
        st.just(text),
        at.map(lambda end: text[:end]),
        st.builds(lambda place, more: text[:place] + more + text[place:], at, odd),
        st.builds(lambda place, more: text[:place] + more + text[place + 1 :], at, odd),
        st.sampled_from([b"\xef\xbb\xbf" + text, text + b" x", b"[" + text + b"]"]),
    )


#: Mostly UTF-8; of the others, some have bytes within that look like a border.
ENCODINGS = st.sampled_from([*["utf-8"] * 8, "utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])
HOSTILE = st.builds(
    lambda text, encoding: text.encode(encoding, "surrogatepass"), values(3), ENCODINGS
).flatmap(damaged)
DECODERS = pytest.mark.parametrize(
    "fields", [None, ("a", "x"), (), json], ids=["all", "some", "raw", "json"]
)


def cut(text: bytes, size: int) -> Iterator[bytes]:
    return (text[at : at + size] for at in range(0, len(text), size))


def outcome(fields: Any, text: bytes, size: int | None) -> str:
    """What is made of a text, in pieces of so many bytes or at once, in its order."""
    decode = json.loads if fields is json else parsing._decoder(fields).decode
    try:
        found = decode(text) if size is None else parsing.in_pieces(decode, cut(text, size))
    except ValueError:
        return "refused"
    if fields == () and isinstance(found, dict):
        found = {key: bytes(value) for key, value in found.items()}
    return repr(found)


@DECODERS
@given(text=HOSTILE, size=st.sampled_from([1, 2, 7, 30]))
@example(text=b'{"a": {"a": "}, \\"x\\": {"}, "x": {}}', size=1)
@example(text=b'{"a": {"a": {}, "x": {}}, "x": {"a": 1}}', size=1)
@example(text=b'{"a": {"a": {}}, "x": {"a": 1}, "a": {"x": 2}}', size=1)
@example(text=b'{"a": {},\n"x": {}, }', size=1)
@example(text=b'[{}, {"a": {}, "x": {}}]', size=1)
@example(text=b'[{"a": {}}, "x": {}]', size=1)
@example(text=b'{}, "x": {}', size=1)
@example(text=b'{"},":{":{":{}}}', size=1)
def test_in_pieces_it_is_that_of_the_whole_or_fails(fields, text, size):
    found = outcome(fields, text, size)
    assert found in ("refused", outcome(fields, text, None))


@DECODERS
@given(
    members=st.lists(st.tuples(KEYS, st.dictionaries(KEYS, SCALARS)), min_size=2),
    space=SPACE,
    size=st.integers(1, 50),
)
def test_plain_entries_do_not_fail(fields, members, space, size):
    inner = f"{space},{space}".join(
        f"{json.dumps(key)}{space}:{space}{json.dumps(value)}" for key, value in members
    )
    text = f"{{{inner}}}".encode()
    found = outcome(fields, text, size)
    assert found == outcome(fields, text, None)


def entries(count: int) -> dict[str, dict[str, Any]]:
    fields = {"tag": "cp311", "deep": [1, {"a": None}], "size": 3, "long": "x" * 400}
    return {f"egg-{number}.egg": {**fields, "number": number} for number in range(count)}


@pytest.fixture(scope="module", params=["plain", "packed"])
def content(request: pytest.FixtureRequest) -> bytes:
    text = json.dumps(entries(12_000)).encode()
    assert len(text) > parsing.LARGE_TEXT
    return gzip.compress(text) if request.param == "packed" else text


class TestLarge:
    def test_no_piece_is_large(self, content):
        sizes = []

        def decode(text: bytearray) -> Any:
            sizes.append(len(text))
            return json.loads(text)

        found = parsing.in_pieces(decode, parsing._pieces(content))
        assert list(found.items()) == list(entries(12_000).items())
        assert max(sizes) < 2 * parsing._TEXT

    def test_each_way_to_read(self, content):
        expected = entries(12_000)
        assert parsing.load_nested(content, 1) == expected
        some = parsing.entries_with(content, ("number", "none"))
        assert some == {name: {"number": entry["number"]} for name, entry in expected.items()}
        last = "egg-11999.egg"
        chosen = parsing.chosen_entries(
            content, lambda names: [name for name in names if name == last]
        )
        assert chosen == {last: expected[last]}

    def test_what_is_wrong_in_one_place_counts(self, content):
        text = parsing.unpack(content).replace(b'"number": 11000', b'"number": NaN')
        found = parsing.loads(text)
        assert len(found) == 12_000
        assert str(found["egg-11000.egg"]["number"]) == "nan"
        with pytest.raises(ValueError, match="Expecting"):
            parsing.loads(text.replace(b"NaN", b"nil"))
        with pytest.raises(parsing.ShapeError, match=r"under 'egg-11000.egg'"):
            parsing.chosen_entries(
                text.replace(b'"egg-11000.egg": {', b'"egg-11000.egg": 3, "other": {'),
                lambda names: [name for name in names if name == "egg-11000.egg"],
            )
