"""The document of who may do what: its schema, and how it is read, with a line for each error."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NotRequired, TypeAlias, TypedDict

from hatcher.artefacts.checks import check_document, check_name
from hatcher.artefacts.local_files import LARGEST_TEXT, existing_file, read_text
from hatcher.characters import all_show, shown
from hatcher.errors import InvalidAccessFile, InvalidArgumentError
from hatcher.suggestions import alike, question

if TYPE_CHECKING:
    from yaml import Node

#: The access levels that hatcher knows, each with everything that the ones before it have. Servers
#: may have others.
LEVELS = ("read_index", "read_repository", "upload_repository", "organization_administrator")

#: The level that counts for a whole organization.
ADMINISTRATOR = LEVELS[-1]

VERSION = 1

#: Keys, list items and values that a document may have, with those that aliases stand for.
_MOST = 500_000


class RepositoryAccess(TypedDict, total=False):
    """A repository: what it is, and what everybody may do there, if it is public."""

    description: str
    public: str


class TeamAccess(TypedDict):
    """A team: `group` is the access level; members or repositories may be left open."""

    group: str
    members: NotRequired[list[str]]
    repositories: NotRequired[list[str]]


class OrganizationAccess(TypedDict, total=False):
    """An organization, with its repositories and teams by their names."""

    description: str
    repositories: dict[str, RepositoryAccess]
    teams: dict[str, TeamAccess]


class AccessDocument(TypedDict):
    """Who may do what, in organizations by their names."""

    version: NotRequired[int]
    organizations: dict[str, OrganizationAccess]


def _text(title: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "title": title, **more}


def _name(title: str, *, slash: bool = False) -> dict[str, Any]:
    pattern = {} if slash else {"pattern": "^[^/]+$"}
    return _text(title, minLength=1, maxLength=200, **pattern)


def _mapping(title: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "title": title, "additionalProperties": False, **more}


def _list(title: str, items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "title": title, "items": items}


_REPOSITORY = _mapping(
    "a repository",
    type=["object", "null"],
    properties={
        "description": _text("the description of a repository"),
        "public": _text("what everybody may do", enum=list(LEVELS[:2])),
    },
)

_TEAM = _mapping(
    "a team",
    required=["group"],
    properties={
        "group": _name("the access level of a team", slash=True),
        "members": _list(
            "the members of a team", _name("the e-mail address of a member", slash=True)
        ),
        "repositories": _list("the repositories of a team", _name("the name of a repository")),
    },
)

_ORGANIZATION = _mapping(
    "an organization",
    properties={
        "description": _text("the description of an organization"),
        "repositories": _mapping(
            "the repositories of an organization",
            propertyNames=_name("the name of a repository"),
            additionalProperties=_REPOSITORY,
        ),
        "teams": _mapping(
            "the teams of an organization",
            propertyNames=_name("the name of a team", slash=True),
            additionalProperties=_TEAM,
        ),
    },
)

#: The JSON Schema of the document; what `Written` checks is written here, and nowhere else.
SCHEMA: Mapping[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    **_mapping(
        "the document",
        required=["organizations"],
        properties={
            "version": {"type": "integer", "title": "the version of the format", "const": VERSION},
            "organizations": _mapping(
                "the organizations",
                propertyNames=_name("the name of an organization"),
                additionalProperties=_ORGANIZATION,
            ),
        },
    ),
}

#: What YAML's types are called in a schema.
_TYPES = {"map": "object", "seq": "array", "str": "string", "int": "integer"}
#: What they are called in messages.
_CALLED = {
    **{"object": "keys with values", "array": "a list", "string": "text", "integer": "a number"},
    **{"float": "a number", "bool": "true or false", "null": "nothing"},
}

_Path: TypeAlias = tuple[str | int, ...]


class Written:
    """A document that was read and checked, and the lines that its parts stand in.

    Parameters
    ----------
    source : str, path-like or mapping
        A YAML or JSON file, or what such a file holds.

    Attributes
    ----------
    document : AccessDocument

    Raises
    ------
    InvalidArgumentError
        It is neither.
    InvalidAccessFile
        It cannot be read, or is not as `SCHEMA` says; the message names the line of each error.
    """

    document: AccessDocument

    def __init__(self, source: str | os.PathLike[str] | Mapping[str, Any]) -> None:
        if not isinstance(source, str | os.PathLike | Mapping):
            raise InvalidArgumentError(
                f"{type(source).__name__} is no document of who may do what: give the path of a "
                "file, or a dict."
            )
        self._name = "The document" if isinstance(source, Mapping) else shown(Path(source).name)
        self._lines: dict[_Path, int] = {}
        self._items: dict[int, list[tuple[Any, Any]]] = {}
        self._errors: list[str] = []
        self._count = 0
        try:
            node = self._node(source)
            document = self._value(node, SCHEMA, ())
        except RecursionError as error:
            raise self._refusal(["It is nested too deeply, or stands in itself."]) from error
        if self._errors:
            raise self._refusal(self._errors)
        self.document = document

    def error(self, path: _Path, problem: str) -> InvalidAccessFile:
        """Return the error for a part of the document that the server shows to be wrong."""
        return self._refusal([self._at(path, problem)])

    def _at(self, path: _Path, problem: str) -> str:
        line = self._lines.get(path)
        place = ".".join(map(str, path))
        where = [f"line {line}"] if line else []
        where += [f"at {shown(place)}"] if place else []
        return f"{', '.join(where)}: {problem}" if where else problem

    def _refusal(self, problems: list[str]) -> InvalidAccessFile:
        return InvalidAccessFile(self._name, tuple(problems))

    def _node(self, source: str | os.PathLike[str] | Mapping[str, Any]) -> Node:
        """Return the root of a file, or of the same in memory, which has no lines."""
        # Imported here because it takes 30 ms.
        import yaml

        if isinstance(source, Mapping):
            try:
                node: Node = yaml.SafeDumper(io.StringIO()).represent_data(dict(source))
            except Exception as error:  # whatever PyYAML makes of odd objects
                said = shown(" ".join(str(error).split())[:200])
                raise self._refusal([f"JSON cannot hold it: {said}."]) from error
            return node
        file = existing_file(source, InvalidAccessFile, "", "a file of who may do what")
        text = read_text(file, InvalidAccessFile, LARGEST_TEXT)
        try:
            # In Python: the one in C does not survive deep nesting.
            found = yaml.SafeLoader(text).get_single_node()
        except yaml.reader.ReaderError as error:
            line = text.count("\n", 0, error.position) + 1
            problem = f"line {line}: the character {error.character!r} cannot stand in YAML."
            raise self._refusal([problem]) from error
        except yaml.MarkedYAMLError as error:
            raise self._refusal([_no_yaml(error)]) from error
        except (ValueError, yaml.YAMLError) as error:
            raise self._refusal([f"it is no YAML: {shown(str(error)[:200])}."]) from error
        if found is None or (found.tag.endswith(":null") and not found.value):
            raise self._refusal(
                ["it is empty. Begin with what there is: hatcher access export ORGANIZATION"]
            )
        return found

    def _value(self, node: Node, schema: Mapping[str, Any], path: _Path) -> Any:
        """Return what a node says; note what is wrong with it."""
        self._count += 1
        if self._count > _MOST:
            raise self._refusal([f"it has more than {_MOST:,} values."])
        self._see(path, node)
        tag = node.tag.rpartition(":")[2]
        kind = _TYPES.get(tag, tag)
        wanted = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        if kind not in wanted:
            return self._note(path, _wrong_type(node, kind, wanted[0], schema["title"]))
        if kind == "object":
            return self._mapping(node, schema, path)
        if kind == "array":
            return [
                self._value(child, schema["items"], (*path, number))
                for number, child in enumerate(node.value)
            ]
        return {} if kind == "null" else self._scalar(node.value, schema, path)

    def _scalar(self, text: str, schema: Mapping[str, Any], path: _Path) -> Any:
        if "const" in schema:
            if text != str(schema["const"]):
                return self._note(
                    path, f"version {shown(text[:40])} is not known; this hatcher knows {VERSION}."
                )
            return VERSION
        if text not in schema.get("enum", (text,)):
            choice = " or ".join(schema["enum"])
            return self._note(path, f"{schema['title']} is {choice}, not '{shown(text[:40])}'.")
        try:
            if "minLength" in schema:
                check_name(schema["title"], text, without="/" if "pattern" in schema else "")
            check_document(text)
        except ValueError as error:
            return self._note(path, f"{error}.")
        return text

    def _mapping(self, node: Any, schema: Mapping[str, Any], path: _Path) -> dict[str, Any]:
        properties = schema.get("properties", {})
        found: dict[str, Any] = {}
        for key, child in self._pairs(node, path):
            name, where = key.value, (*path, key.value)
            self._see(where, key)
            if name in properties:
                found[name] = self._value(child, properties[name], where)
            elif not schema["additionalProperties"]:
                known = question(alike(name, properties, most=1))
                known = known or f"It has: {', '.join(properties)}."
                self._note(where, f"{schema['title']} has no '{shown(name[:40])}'. {known}")
            elif self._scalar(name, schema["propertyNames"], where) is not None:
                found[name] = self._value(child, schema["additionalProperties"], where)
        for name in schema.get("required", ()):
            if name not in found and not self._errors:
                self._note(path, f"{schema['title']} needs '{name}'.")
        return found

    def _pairs(self, node: Any, path: _Path) -> list[tuple[Any, Any]]:
        """Return the keys and values of a mapping, with those that it takes from others (``<<``)."""
        if id(node) in self._items:
            return self._items[id(node)]
        import yaml

        first: dict[str, Any] = {}
        for key, _ in node.value:
            name = key.value if key.id == "scalar" else "?"
            if key.tag.rpartition(":")[2] not in ("str", "merge"):
                self._note((*path, name), "this key is no text: put it in quotes.", key)
            elif name in first:
                before = first[name].start_mark.line + 1
                self._note((*path, name), f"it is there twice, first in line {before}.", key)
            else:
                first[name] = key
        try:
            yaml.SafeLoader("").flatten_mapping(node)
        except yaml.MarkedYAMLError as error:
            raise self._refusal([_no_yaml(error)]) from error
        pairs = [(key, child) for key, child in node.value if key.tag.endswith(":str")]
        self._items[id(node)] = pairs
        return pairs

    def _note(self, path: _Path, problem: str, node: Node | None = None) -> Any:
        """Note what is wrong with a part, whose line may not be known yet; return nothing for it."""
        self._see(path, node)
        self._errors.append(self._at(path, problem))

    def _see(self, path: _Path, node: Node | None) -> None:
        if node is not None and node.start_mark is not None:
            self._lines[path] = node.start_mark.line + 1


def _quoted(node: Any) -> str:
    return f"'{shown(str(node.value)[:40])}'" if isinstance(node.value, str) else "of several parts"


def _wrong_type(node: Any, kind: str, wanted: str, title: str) -> str:
    """Say what a value is, what it should be, and how to write that."""
    is_value = isinstance(node.value, str) and kind != "null"
    said = f" ({_quoted(node)})" if is_value and node.value else ""
    advice = ""
    if wanted == "string" and is_value:
        advice = " Put it in quotes."
    elif kind == "null":
        nothing = {"array": "[]", "object": "{}"}.get(wanted, "''")
        advice = f" For none write {nothing}; what is left out is left as it is."
    elif wanted == "array":
        advice = " Write one in each line, as '- name'."
    return f"{title} must be {_CALLED[wanted]}, not {_CALLED.get(kind, shown(kind))}{said}.{advice}"


def _no_yaml(error: Any) -> str:
    """Say what keeps a text from being YAML, and where."""
    mark = error.problem_mark or error.context_mark
    where = f"line {mark.line + 1}: " if mark else ""
    problem = shown(" ".join(filter(None, (error.context, error.problem))))
    tab = " Indent with blanks, not with tabs." if "\\t" in problem else ""
    return f"{where}this is no YAML: {problem}.{tab}"


def as_yaml(document: AccessDocument) -> str:
    """Return a document as YAML, in which every character shows."""
    import yaml

    for allow in (True, False):
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=allow, width=88)
        if all(map(all_show, text.splitlines())):
            break
    return text
