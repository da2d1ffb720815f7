"""The file of who may do what: what is taken, and what is said of each error, with its line."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from hatcher.access import SCHEMA
from hatcher.access.documents import Written, as_yaml
from hatcher.errors import ArtefactError, InvalidAccessFile, InvalidArgumentError


def organization(text: str) -> str:
    """A file with something in an organization, which begins in line 3."""
    return "organizations:\n  acme:\n" + "".join(f"    {line}\n" for line in text.splitlines())


def team(text: str) -> str:
    """A file with something in a team, which begins in line 5."""
    return organization(
        "teams:\n  builders:\n" + "".join(f"    {line}\n" for line in text.split("; "))
    )


#: What is refused, and what is said of it.
REFUSED = {
    "": "is empty. Begin with what there is: hatcher access export",
    "# nothing\n": "is empty",
    "---\n": "is empty",
    "null\n": "line 1: the document must be keys with values, not nothing",
    " \n\t\n": "this is no YAML",
    "- acme\n": "line 1: the document must be keys with values, not a list",
    "acme": "the document must be keys with values, not text ('acme')",
    "{}": "the document needs 'organizations'",
    "version: 1\norganisations: {}": "line 2, at organisations: the document has no 'organisations'. "
    "Did you mean 'organizations'?",
    "version: 2\norganizations: {}": "line 1, at version: version 2 is not known",
    "version: '1'\norganizations: {}": "must be a number, not text",
    "organizations: []": "must be keys with values, not a list",
    "organizations:\n": "at organizations: the organizations must be keys with values, not nothing. "
    "For none write {}",
    organization("\tteams: {}"): "line 3: this is no YAML: while scanning for the next token found "
    "character '\\t' that cannot start any token. Indent with blanks, not with tabs.",
    organization(
        "team: {}"
    ): "line 3, at organizations.acme.team: an organization has no 'team'. Did you mean 'teams'?",
    organization("zzz: {}"): "It has: description, repositories, teams.",
    organization(
        "teams: {}\nrepositories: {}\nteams: {}"
    ): "line 5, at organizations.acme.teams: it is there twice, first in line 3.",
    organization(
        "description: 7"
    ): "line 3, at organizations.acme.description: the description of an "
    "organization must be text, not a number ('7'). Put it in quotes.",
    organization("repositories: {dev: {public: yes}}"): "must be text, not true or false ('yes')",
    organization(
        "repositories: {dev: {public: everything}}"
    ): "is read_index or read_repository, not 'everything'",
    organization(
        "repositories: {a/b: {}}"
    ): "the name of a repository cannot be 'a/b': it has a slash",
    organization("repositories: {'..': }"): "in a URL this means another place",
    organization("repositories: {' ': }"): "begins or ends with a blank",
    organization("repositories: {'': }"): "it is empty",
    organization(
        "repositories: {1.0: }"
    ): "line 3, at organizations.acme.repositories.1.0: this key is no text: put it in quotes.",
    organization("? [a]\n: b"): "this key is no text",
    organization('teams: {"a\\u202eb": {group: x}}'): "characters that do not show",
    organization('teams: {"\\ud800": {group: x}}'): "",
    organization(f"teams: {{{'t' * 201}: {{group: x}}}}"): "it has more than 200 characters",
    team("members: []"): "line 5, at organizations.acme.teams.builders: a team needs 'group'.",
    team("grup: x"): "a team has no 'grup'. Did you mean 'group'?",
    team("group: 2024-01-01"): "must be text, not timestamp ('2024-01-01'). Put it in quotes.",
    team("group: ''"): "it is empty",
    team(
        "group: x; members: ada@example.com"
    ): "line 6, at organizations.acme.teams.builders.members: "
    "the members of a team must be a list, not text ('ada@example.com'). Write one in each line",
    team("group: x; members:"): "For none write []; what is left out is left as it is.",
    team("group: x; members: [null]"): "the e-mail address of a member must be text, not nothing",
    team("group: x; members: {ada: }"): "must be a list, not keys with values",
    team("group: x; members: [[ada]]"): "must be text, not a list",
    team('group: x; members: ["a\\x07b"]'): "characters that do not show",
    team("group: x; members: ['a b', ' a']"): "begins or ends with a blank",
    team("group: !!python/object:os.system x"): "must be text",
    "organizations: *acme": "line 1: this is no YAML: found undefined alias 'acme'",
    "organizations: &a {a: *a}": "an organization has no 'a'",
    "organizations: {a: {<<: 7}}": "expected a mapping",
    "a: 1\n---\nb: 2": "line 2: this is no YAML: expected a single document",
    "a: \x00": "line 1: the character 0 cannot stand in YAML",
    "[" * 5000: "nested too deeply",
    "a: [1": "line 1",
}


@pytest.mark.parametrize(("text", "said"), REFUSED.items(), ids=range(len(REFUSED)))
def test_what_is_refused(tmp_path, text, said):
    file = tmp_path / "people.yaml"
    file.write_text(text)
    with pytest.raises(InvalidAccessFile) as caught:
        Written(file)
    assert str(caught.value).startswith("people.yaml: ") and said in str(caught.value)


def test_what_is_no_file(tmp_path):
    binary, large = tmp_path / "binary", tmp_path / "large"
    binary.write_bytes(b"\xff\xfe\x00")
    large.write_bytes(b"#" * (17 << 20))
    for path, said in {
        binary: "UTF-8",
        large: "more than",
        tmp_path: "no file|directory|folder",
        tmp_path / "no": "no file",
    }.items():
        with pytest.raises(ArtefactError, match=said):
            Written(path)


def test_every_error_is_told(tmp_path):
    file = tmp_path / "people.yaml"
    file.write_text(organization("teams:\n" + "".join(f"  t{n}: {{grup: x}}\n" for n in range(30))))
    with pytest.raises(InvalidAccessFile) as caught:
        Written(file)
    assert caught.value.what == "people.yaml has 30 errors."
    assert [line.partition(",")[0] for line in caught.value.errors] == [
        f"line {number}" for number in range(4, 34)
    ]
    assert str(caught.value) == "people.yaml: " + "\n".join(caught.value.errors)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.errors) == (str(caught.value), caught.value.errors)


#: What is taken, and what it means where that is not what YAML says.
TAKEN: list[tuple[str, Any]] = [
    ("organizations: {}", None),
    ('\ufeff{"version": 1, "organizations": {"acme": {"teams": {}}}}', None),
    (
        organization("repositories:\n  dev:\n  prod: {description: 'Ä', public: read_index}"),
        {"repositories": {"dev": {}, "prod": {"description": "Ä", "public": "read_index"}}},
    ),
    (
        organization(
            "teams:\n  a: &a {group: x, members: &m [b@c]}\n  b: {<<: *a, group: y}\n"
            "  c: {group: z, members: *m}"
        ),
        {
            "teams": {
                "a": {"group": "x", "members": ["b@c"]},
                "b": {"group": "y", "members": ["b@c"]},
                "c": {"group": "z", "members": ["b@c"]},
            }
        },
    ),
    (organization("teams: {a/b: {group: 'x', members: ['1']}}"), None),
]


@pytest.mark.parametrize(("text", "said"), TAKEN, ids=range(len(TAKEN)))
def test_what_is_taken(tmp_path, text, said):
    file = tmp_path / "people.yaml"
    file.write_text(text, "utf-8")
    document = Written(file).document
    expected = yaml.safe_load(text) if said is None else {"organizations": {"acme": said}}
    assert document == expected
    assert Written(document).document == document
    file.write_text(as_yaml(document))
    assert Written(file).document == document
    Draft202012Validator(SCHEMA).validate(document)


def test_the_schema_refuses_what_is_refused():
    """All but what no schema can say, such as of characters and keys that are there twice."""
    Draft202012Validator.check_schema(SCHEMA)
    validator, differ = Draft202012Validator(SCHEMA), []
    for text in REFUSED:
        try:
            document = yaml.safe_load(text)
            json.dumps(document)
        except (yaml.YAMLError, TypeError, ValueError, RecursionError):
            continue
        if validator.is_valid(document):
            differ.append(text)
    assert len(differ) <= 7


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "The document: the document needs 'organizations'."),
        ({"organizations": {1: {}}}, "at organizations.1: this key is no text"),
        ({"organizations": {"acme": {"teams": {"t": {"group": 1}}}}}, "must be text, not a number"),
        ({"organizations": {"acme": Path("x")}}, "JSON cannot hold it"),
        ({"organizations": {"\ud800": {}}}, "characters that do not show"),
        ({"organizations": {"acme": {"description": "\ud800"}}}, "a lone surrogate"),
        (
            {"organizations": {"acme": {"teams": {"t": {"group": "x", "members": {"a"}}}}}},
            "not set",
        ),
    ],
)
def test_a_document_in_memory(document, said):
    with pytest.raises(InvalidAccessFile) as caught:
        Written(document)
    assert said in str(caught.value) and "line 1" not in str(caught.value)


@pytest.mark.parametrize("source", [None, 5, b"people.yaml", [{}], object()])
def test_what_is_no_document(source):
    with pytest.raises(InvalidArgumentError, match="give the path of a file, or a dict"):
        Written(source)


def test_too_many_values(tmp_path, monkeypatch):
    monkeypatch.setattr("hatcher.access.documents._MOST", 1000)
    file = tmp_path / "people.yaml"
    more = "".join(f"  t{n}: {{group: x, members: *m}}\n" for n in range(20))
    members = ", ".join(f"m{n}@example.com" for n in range(50))
    file.write_text(organization(f"teams:\n  t: {{group: x, members: &m [{members}]}}\n{more}"))
    with pytest.raises(InvalidAccessFile, match="more than 1,000 values"):
        Written(file)


def test_every_character_shows_in_a_file():
    for text in ("Ä\U0001f600", "\u202e", "a\nb", "\u2028"):
        document = {"organizations": {"acme": {"description": text}}}
        written = as_yaml(document)
        assert all(line.isprintable() for line in written.splitlines())
        assert yaml.safe_load(written) == document
    assert "Ä" in as_yaml({"organizations": {"acme": {"description": "Ä"}}})
