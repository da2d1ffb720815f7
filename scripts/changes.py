#!/usr/bin/env python
"""Tell what an edit of the description changes for its users, and let nothing break unawares.

::

    python -m scripts.changes               fail on a break that is not accepted
    python -m scripts.changes --changelog   print the same as Markdown, for CHANGELOG.md
    python -m scripts.changes --release     make the description of today the released one

``openapi/brood.yaml`` is compared with ``openapi/released.json``, in the direction of each part:
what clients send may be widened, what they get may be narrowed. ``openapi/accepted.toml`` names the
breaks that are meant. CONTRIBUTING.md has the policy.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from scripts import generate

RELEASED = Path("openapi/released.json")
ACCEPTED = Path("openapi/accepted.toml")

BREAKS, ADDS, SAYS = "BREAKS", "adds", "says"
HEADINGS = {BREAKS: "Breaking", ADDS: "Added", SAYS: "Changed"}
#: Up to how many operations a line names.
MOST_NAMES = 4

#: What only people read.
TEXTS = {"summary", "description", "example", "examples", "externalDocs", "title"}
#: The types of JSON that a number may have.
NUMBER = {"number", "integer"}
#: Limits of values: 1 for those that allow more when they grow, -1 when they shrink, 0 for others.
LIMITS = {
    **dict.fromkeys(("maximum", "maxLength", "maxItems", "maxProperties"), 1),
    **dict.fromkeys(("minimum", "minLength", "minItems", "minProperties"), -1),
    **dict.fromkeys(("pattern", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"), 0),
}

Node = dict[str, Any]
Keys = tuple[str, ...]


class Fact(NamedTuple):
    """Something that is so in a description.

    A ``part`` is there or not, a ``flag`` is a sentence that is true or not, a ``value`` may be
    another. The judge is given it as it was and as it is, and says what kind of change that is.
    """

    style: str
    value: Any
    judge: Callable[[Any, Any], str]


Named = tuple[str, Fact]


def main(arguments: list[str] | None = None, root: Path = generate.ROOT) -> int:
    """Compare, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--changelog", action="store_true", help="print Markdown")
    what.add_argument("--release", action="store_true", help="renew what was released")
    options = parser.parse_args(arguments)
    try:
        new = generate.load_description(root)
        generate.check_description(root, new)
        old = json.loads((root / RELEASED).read_text("utf-8"))
        text = (root / ACCEPTED).read_text("utf-8")
        accepted = tomllib.loads(text)
        lines = [*grouped(compare(old, new))]
    except (generate.GenerationError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    except ValueError as error:
        print(f"{RELEASED} or {ACCEPTED} cannot be read: {error}", file=sys.stderr)
        return 1
    for line in markdown(lines, accepted) if options.changelog else map(" ".join, lines):
        print(line)
    before, now = old["info"]["version"], new["info"]["version"]
    problems = [*unaccepted({text for kind, text in lines if kind == BREAKS}, accepted)]
    # Which number of the version has to grow: what breaks is MAJOR, what adds MINOR, the rest PATCH.
    part = min(([*HEADINGS].index(kind) for kind, _ in lines), default=2)
    if old != new and numbers(now)[: part + 1] <= numbers(before)[: part + 1]:
        name = ("MAJOR", "MINOR", "PATCH")[part]
        problems.append(f"info.version is {now} after {before}: these changes take another {name}")
    for problem in problems:
        print(problem, file=sys.stderr)
    if not problems and options.release and old != new:
        (root / RELEASED).write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", "utf-8")
        head = [line for line in text.splitlines(keepends=True) if line.startswith("#")]
        (root / ACCEPTED).write_text("".join(head), "utf-8")
        print(f"{RELEASED} is {now} now; it was {before}")
    elif old == new and not problems:
        print(f"{generate.DESCRIPTION} says what {RELEASED} says")
    return 1 if problems else 0


def numbers(version: str) -> list[int]:
    """Return MAJOR, MINOR and PATCH."""
    return [*map(int, re.findall(r"\d+", version)), 0, 0, 0][:3]


# What is printed ------------------------------------------------------------------------------


def grouped(changes: Iterable[tuple[str, str, str]]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of each line, breaks first; the same of several operations is one."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for kind, operation, text in changes:
        groups[kind, text].append(operation)
    for (kind, text), names in sorted(groups.items(), key=lambda item: item[0][0]):
        about = ", ".join(names) if len(names) <= MOST_NAMES else f"{len(names)} operations"
        yield kind, f"{about}: {text}"


def markdown(lines: Iterable[tuple[str, str]], accepted: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines for the changelog, with the reasons."""
    last = None
    for kind, text in lines:
        if kind != last:
            yield f"{'' if last is None else chr(10)}### {HEADINGS[kind]}\n"
            last = kind
        about, _, rest = text.partition(": ")
        reason = accepted.get(text, "") if kind == BREAKS else ""
        yield f"- `{about}`: {rest}. {reason}".rstrip()


def unaccepted(breaks: set[str], accepted: Mapping[str, Any]) -> Iterator[str]:
    """Yield what stands between the breaks and those that are accepted."""
    for text in sorted(breaks - accepted.keys()):
        yield f"Not accepted: {text}. Undo it, or give the reason in {ACCEPTED}"
    for text, reason in accepted.items():
        if text not in breaks:
            yield f"{ACCEPTED}: nothing breaks so: {text}"
        elif not isinstance(reason, str) or not reason.strip():
            yield f"{ACCEPTED}: no reason is given: {text}"


# Comparing ------------------------------------------------------------------------------------


def compare(old: Node, new: Node) -> Iterator[tuple[str, str, str]]:
    """Yield kind, operation and text of every change from one description to another."""
    before, after = operations(old), operations(new)
    places = {(each["method"], each["path"]): name for name, each in after.items()}
    met = set()
    for name, was in before.items():
        other = name if name in after else places.get((was["method"], was["path"]), "")
        if not other or (other != name and other in before):
            yield BREAKS, name, _gone("operation", {"deprecated": was.get("deprecated", False)})
            continue
        met.add(other)
        found = [*differences(Facts(old).operation(was), Facts(new).operation(after[other]))]
        if other != name:
            found.append((BREAKS, f"operationId is now {other}"))
        differ = remainder(old, was, new, after[other])
        rest = [at for at in differ if not is_text(at)]
        if rest and not found:
            # Nothing is passed over in silence.
            found.append((SAYS, f"{'/'.join(rest[0])} is another"))
        if any(is_text(at) and (not found or None not in values) for at, values in differ.items()):
            found.append((SAYS, "texts and examples"))
        yield from ((kind, name, text) for kind, text in found)
    for name in (name for name in after if name not in met):
        yield ADDS, name, f"operation {after[name]['method']} {after[name]['path']}"
    if remainder(old, old["info"], new, new["info"]):
        yield SAYS, "info", "texts or version"


def differences(old: Iterable[Named], new: Iterable[Named]) -> Iterator[tuple[str, str]]:
    """Yield kind and text of what differs; the same of several statuses is one line."""
    was, now = dict(old), dict(new)
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    told: tuple[str, ...] = ()
    for name, fact in {**was, **now}.items():
        values: list[Any] = [facts[name].value if name in facts else None for facts in (was, now)]
        if fact.style == "flag":
            values = [*map(bool, values)]
        there = fact.style == "part" and None not in values
        if there or values[0] == values[1] or name.startswith(told):
            continue
        kind = fact.judge(*values)
        if fact.style == "flag":
            text = name if values[1] else re.sub(" (is|may) (?=[a-z ]+$)", r" \1 no longer ", name)
        elif fact.style == "part":
            # With it goes, or comes, what is in it.
            told = (*told, f"{name} ", f"{name}: ")
            needed = f"{name} is new and required" if kind == BREAKS else name
            text = _gone(name, values[0]) if values[1] is None else needed
        else:
            told = (*told, name.removesuffix("type")) if name.endswith(": type") else told
            text = f"{name} {_words(values[0])} is now {_words(values[1])}"
        # Bodies are of one media type each.
        text = re.sub(r": (application/json|multipart/form-data)(?=: )", "", text)
        status, _, rest = text.partition(": ")
        by_status = status.startswith("status ") and rest
        alike[kind, rest if by_status else text].append(status[7:] if by_status else "")
    every = {name[7:] for name in was.keys() & now.keys() if re.fullmatch(r"status \S+", name)}
    for (kind, text), statuses in alike.items():
        where = f"status {', '.join(sorted(statuses))}: " if any(statuses) else ""
        yield kind, f"{'every status: ' if every == {*statuses} else where}{text}"


def _gone(name: str, was: Node) -> str:
    deprecated = was.get("deprecated", "deprecated" not in was)
    return f"{name} is gone" + ("" if deprecated else " (it was not deprecated before)")


def _words(value: Any) -> str:
    if isinstance(value, Set):
        return "number" if value == NUMBER else ", ".join(sorted(value))
    return "not given" if value is None else str(value)


def remainder(old: Node, was: Node, new: Node, now: Node) -> dict[Keys, tuple[Any, Any]]:
    """Return every value that differs, by the keys that lead to it; None where it is not."""
    before, after = dict(flat(old, was)), dict(flat(new, now))
    both = ((at, (before.get(at), after.get(at))) for at in {**before, **after})
    return {at: values for at, values in both if values[0] != values[1]}


def is_text(at: Keys) -> bool:
    return any(key in TEXTS and last != "properties" for last, key in pairwise(("", *at)))


def flat(document: Node, node: Any, at: Keys = (), via: Keys = ()) -> Iterator[tuple[Keys, Any]]:
    """Yield every value below a node with the keys that lead to it, references followed."""
    if isinstance(node, dict) and "$ref" in node:
        if node["$ref"] not in via:
            yield from flat(document, generate.resolve(document, node), at, (*via, node["$ref"]))
    elif isinstance(node, dict | list):
        for key, value in node.items() if isinstance(node, dict) else enumerate(node):
            yield from flat(document, value, (*at, str(key)), via)
    else:
        yield at, node


# Judges ---------------------------------------------------------------------------------------


def breaking(was: Any, now: Any) -> str:
    return BREAKS


def saying(was: Any, now: Any) -> str:
    return SAYS


def part(was: Any, now: Any) -> str:
    """What goes breaks, and so does what must be sent from now on."""
    return BREAKS if now is None or now.get("needed") else ADDS


def status(was: Any, now: Any) -> str:
    return ADDS if now is not None else BREAKS if was["success"] else SAYS


def ranked(levels: tuple[str, ...]) -> Callable[[Any, Any], str]:
    """Judge what may only become less."""
    least = {level: number for number, level in enumerate(levels)}
    return lambda was, now: ADDS if least.get(now, 0) < least.get(was, 0) else BREAKS


def ranged(sent: bool, wider: Callable[[Any, Any], bool | None]) -> Callable[[Any, Any], str]:
    """Judge what may only become wider where it is sent, and narrower where it is received."""
    return lambda was, now: ADDS if wider(was, now) is sent else BREAKS


def wider_set(was: Set[str] | None, now: Set[str] | None) -> bool | None:
    """Tell whether a set, or everything, is wider than before; None if it is not narrower either."""
    if now is None or (was is not None and was <= now):
        return True
    return False if was is None or now <= was else None


def wider_limit(way: int) -> Callable[[Any, Any], bool | None]:
    """Tell the same of a limit."""

    def wider(was: Any, now: Any) -> bool | None:
        if was is None or now is None:
            return now is None
        return (now - was) * way > 0 if way else None

    return wider


# What is so -----------------------------------------------------------------------------------


def operations(document: Node) -> dict[str, Node]:
    """Return the operations by their ids, each with what stands beside it in the description."""
    found = {}
    for each in generate.list_operations(document):
        data = document["paths"][each.path][each.method.lower()]
        parameters = generate.parameters_of(document, each)
        inputs = {f"{one['in']} parameter {one['name']}": one for one in parameters}
        if "requestBody" in data:
            inputs["body"] = generate.resolve(document, data["requestBody"])
        security = data.get("security", document.get("security")) or [{}]
        place = {"method": each.method, "path": each.path, "tag": each.tag}
        found[each.id] = {**data, **place, "inputs": inputs, "security": security}
    return found


class Facts:
    """The facts of an operation of a description, each with the name that it has in a line."""

    def __init__(self, document: Node) -> None:
        self.document = document

    def operation(self, operation: Node) -> Iterator[Named]:
        """Yield everything but the id."""
        for key in ("method", "path", "tag"):
            yield key, Fact("value", operation[key], breaking)
        yield "x-access", Fact("value", operation["x-access"], ranked(generate.ACCESS_LEVELS))
        yield "x-safety", Fact("value", operation["x-safety"], ranked(generate.SAFETIES))
        yield from self.deprecated("operation", operation)
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for each in operation["security"]:
            name = f"security {' and '.join(each) or 'of nobody'}"
            yield name, Fact("part", {}, part)
            for scheme in each:
                bare = {k: v for k, v in schemes.get(scheme, {}).items() if k not in TEXTS}
                yield f"{name}: {scheme}", Fact("value", json.dumps(bare), breaking)
        for name, entry in operation["inputs"].items():
            in_path = name.startswith("path ")
            about = {"deprecated": entry.get("deprecated", False), "needed": entry.get("required")}
            # The parameters of a path are in the path's own line.
            yield name, Fact("part", {} if in_path else about, part)
            yield from self.deprecated(name, entry)
            yield from self.required(name, entry.get("required"), sent=True)
            for key in ("style", "explode"):
                yield f"{name}: {key}", Fact("value", entry.get(key), breaking)
            yield from self.schema(entry.get("schema", {}), name, sent=True)
            yield from self.content(entry, name, sent=True)
        for code, entry in operation["responses"].items():
            response = generate.resolve(self.document, entry)
            yield f"status {code}", Fact("part", {"success": code.startswith("2")}, status)
            for header in response.get("headers", ()):
                yield f"status {code}: header {header}", Fact("part", {}, part)
            yield from self.content(response, f"status {code}", sent=False)

    def deprecated(self, name: str, node: Node) -> Iterator[Named]:
        yield f"{name} is deprecated", Fact("flag", bool(node.get("deprecated")), saying)

    def required(self, name: str, is_so: Any, *, sent: bool) -> Iterator[Named]:
        judge = ranged(sent, lambda was, now: bool(was))
        yield f"{name} is required", Fact("flag", bool(is_so), judge)

    def content(self, node: Node, where: str, *, sent: bool) -> Iterator[Named]:
        for media, entry in node.get("content", {}).items():
            yield f"{where}: {media}", Fact("part", {}, part)
            yield from self.schema(entry.get("schema", {}), f"{where}: {media}", sent=sent)

    def schema(self, node: Any, where: str, *, sent: bool, via: Keys = ()) -> Iterator[Named]:
        """Yield what values are allowed."""
        reference = node.get("$ref", "")
        if reference in via:
            return
        via, schema = (*via, reference or "-"), self.merged(node)
        kind = schema.get("type")
        types = NUMBER if kind == "number" else kind and {kind}
        sets = {"type": types, "enum": schema.get("enum")}
        for key in ("oneOf", "anyOf"):
            of_key = schema.get(key, ())
            forms = {str(each.get("$ref", each)).rpartition("/")[2]: each for each in of_key}
            sets[key] = forms or None
            for name, form in forms.items():
                yield from self.schema(form, f"{where}: form {name}", sent=sent, via=via)
        for key, values in sets.items():
            value = None if values is None else frozenset(map(str, values))
            yield f"{where}: {key}", Fact("value", value, ranged(sent, wider_set))
        nullable = ranged(sent, lambda was, now: bool(now))
        yield f"{where} may be null", Fact("flag", bool(schema.get("nullable")), nullable)
        yield f"{where}: format", Fact("value", schema.get("format"), breaking)
        default = breaking if sent else saying
        yield f"{where}: default", Fact("value", schema.get("default"), default)
        for key, way in LIMITS.items():
            judge = ranged(sent, wider_limit(way)) if sent else saying
            yield f"{where}: {key}", Fact("value", schema.get(key), judge)
        for name, field in schema["properties"].items():
            inner, required = f"{where}: field {name}", name in schema["required"]
            whole = self.merged(field)
            about = {"deprecated": whole.get("deprecated", False), "needed": sent and required}
            yield inner, Fact("part", about, part)
            yield from self.deprecated(inner, whole)
            yield from self.required(inner, required, sent=sent)
            yield from self.schema(field, inner, sent=sent, via=via)
        others = schema.get("additionalProperties", True)
        closed = ranged(sent, lambda was, now: bool(was))
        yield f"{where} is closed to other fields", Fact("flag", others is False, closed)
        for key, inner in (("items", "each item"), ("additionalProperties", "each other field")):
            if isinstance(schema.get(key), dict):
                yield from self.schema(schema[key], f"{where}: {inner}", sent=sent, via=via)

    def merged(self, node: Any) -> Node:
        """Return a schema without references, with all of its ``allOf`` in it."""
        schema = generate.resolve(self.document, node)
        whole: Node = {"properties": {}, "required": []}
        for each in (*map(self.merged, schema.get("allOf", ())), schema):
            fields = {**whole["properties"], **each.get("properties", {})}
            required = [*whole["required"], *each.get("required", ())]
            whole = {**whole, **each, "properties": fields, "required": required}
        return whole


if __name__ == "__main__":
    sys.exit(main())
