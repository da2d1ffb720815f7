"""Odd input: what strategies of hypothesis make of good files, names and requests."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

#: Texts that have broken something somewhere.
TEXTS = (
    "",
    " ",
    ".",
    "..",
    "a b",
    "a/b",
    "a\\b",
    "a?b#c",
    "%2e%2e",
    "%00",
    "\x00",
    "a\nb",
    "a\x85b",
    "\x1b[31m",
    "\u202egge",
    "\u200b",
    "\ufeff",
    "\ud800",
    "e\u0301",
    "é" * 200,
    "x" * 5000,
    "9" * 5000,
    "1e999",
    "NaN",
    "-1",
    "None",
    "none",
    "True",
    "CON",
    ".bashrc",
    "cp399999999",
    "py2.py3",
    "cp313t",
    "rh8_x86_64",
    "{0.__class__}",
    "%s%n",
    "[red]a[/]",
    "=1+1",
    "\U000e0041",
)

texts = st.sampled_from(TEXTS) | st.text(max_size=20)

#: Numbers beyond what JSON, SQL, C or a person expects.
numbers = st.sampled_from((0, -1, 2**31, 2**63, 2**64, 10**400, 1.5, float("nan"), float("inf")))

values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def changed_documents(draw: st.DrawFn, good: Any) -> Any:
    """A document in which something is odd, missing or one too many."""
    document = json.loads(json.dumps(good))
    for _ in range(draw(st.integers(1, 3))):
        place, key = document, None
        while isinstance(place, (dict, list)) and place:
            keys = list(place) if isinstance(place, dict) else range(len(place))
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or draw(st.booleans()):
                break
            place = place[key]
        if key is None or not isinstance(place, (dict, list)) or not place:
            return draw(values)
        match draw(st.integers(0, 3)):
            case 0:
                del place[key]
            case 1 if isinstance(place, dict):
                place[draw(texts)] = draw(values)
            case _:
                place[key] = draw(values)
    return document


def as_json(document: Any) -> bytes:
    """JSON as a careless program writes it: NaN, surrogates and all."""
    return json.dumps(document).encode()


@st.composite
def changed_bytes(draw: st.DrawFn, good: Sequence[bytes]) -> bytes:
    """Bytes of which some are others, or gone, or twice there."""
    data = bytearray(draw(st.sampled_from(good)))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 40))
        match draw(st.integers(0, 4)):
            case 0:
                data[at : at + length] = draw(st.binary(max_size=40))
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = data[at : at + length] * draw(st.integers(1, 50))
            case 3:
                del data[at:]
            case _ if at < len(data):
                data[at] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


#: What may stand behind a ``=`` in an egg's description.
_LITERALS = (
    '"1.0"',
    "'nose'",
    "1",
    "True",
    "None",
    "-1",
    "1e999",
    "9" * 5000,
    "0x" + "f" * 5000,
    "[" * 3000 + "]" * 3000,
    "(" * 300,
    "[]",
    "{}",
    '["MKL 1", 3]',
    '"\\ud800"',
    '"a/b"',
    '"a b"',
    "'cp313t'",
    '"\x00"',
    "__import__('os')",
    "1 if",
    "'''",
    "b'x'",
    "1j",
    "...",
)


@st.composite
def descriptions(draw: st.DrawFn, good: str) -> bytes:
    """An ``EGG-INFO/spec/depend`` with odd values."""
    lines = good.splitlines()
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        name = lines[at].partition("=")[0]
        value = draw(st.sampled_from(_LITERALS) | values.map(repr) | texts)
        lines[at] = draw(st.sampled_from((f"{name}= {value}", value, f"{lines[at]}\n{lines[at]}")))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def as_zip(*members: tuple[str, bytes]) -> bytes:
    """An archive with these members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()
