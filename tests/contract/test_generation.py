"""scripts/generate.py: what it makes, what it refuses, and what --check finds."""

from __future__ import annotations

import ast
import copy
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.programs import find

pytestmark = pytest.mark.long

ADDITION = """\
  /api/v1/json/metadata/weather:
    get:
      operationId: v1_get_weather
      tags: [platforms]
      summary: Tell the weather
      security: [{ bearerAuth: [] }]
      x-safety: safe
      x-access: authenticated
      responses:
        "200": { $ref: "#/components/responses/PlatformList" }
"""


def run(tree: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "scripts/generate.py", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONHASHSEED": "0", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def edit(tree: Path, old: str, new: str) -> None:
    path = tree / "openapi/brood.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def add_operation(tree: Path, addition: str = ADDITION) -> None:
    edit(tree, "\ncomponents:\n", f"\n{addition}\ncomponents:\n")


def add_field(tree: Path, schema: str, field: str) -> None:
    """Add a field that every document of a schema has."""
    path = tree / "openapi/brood.yaml"
    head, name, tail = path.read_text("utf-8").rpartition(f"\n    {schema}:\n")
    tail = tail.replace("required: [", f"required: [{field.partition(':')[0]}, ", 1)
    tail = tail.replace("      properties:\n", f"      properties:\n        {field}\n", 1)
    path.write_text(head + name + tail, "utf-8")


def test_the_committed_client_is_a_fresh_one(root):
    result = run(root, "--check", PYTHONHASHSEED="4711")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.long
def test_check_finds_a_hand_edit_an_extra_and_a_missing_file(tree):
    package = tree / "generated/brood_api"
    with (package / "client.py").open("a") as file:
        file.write("# a hand edit\n")
    (package / "api" / "platforms" / "v1_extra.py").touch()
    (package / "models" / "egg_index.py").unlink()
    result = run(tree, "--check")
    assert result.returncode == 1
    assert result.stdout.splitlines() == [
        "extra: generated/brood_api/api/platforms/v1_extra.py",
        "changed: generated/brood_api/client.py",
        "missing: generated/brood_api/models/egg_index.py",
    ]
    assert "make generate" in result.stderr


@pytest.mark.long
def test_renewing_mends_edits_and_adds_and_removes_operations(tree, generate):
    package = tree / "generated/brood_api"
    before = generate.files_of(package)
    add_operation(tree, ADDITION.replace("[platforms]", "[weather]"))
    (package / "client.py").write_text("# a hand edit\n")
    assert generate.is_stale(tree)
    generate.renew(tree)
    assert not generate.is_stale(tree)
    added = package / "api/weather/v1_get_weather.py"
    assert "def request_kwargs" in added.read_text()
    assert generate.files_of(package)["client.py"] == before["client.py"]

    shutil.copyfile(generate.ROOT / "openapi/brood.yaml", tree / "openapi/brood.yaml")
    generate.renew(tree)
    assert not added.parent.exists()
    assert generate.files_of(package) == before


def test_the_graph_sends_a_new_operation(tree, generate):
    """Whatever is in its query; and without a version, since its path has none."""
    query = """\
      parameters:
        - { name: days, in: query, schema: { type: integer, default: 3 } }
        - { name: wind, in: query, required: true, schema: { type: string } }
        - { name: since, in: query, schema: { type: string, format: date, default: "2024-05-01" } }
        - { name: class, in: query, schema: { type: string, enum: [sun, rain] } }
        - { name: If-Match, in: header, schema: { type: string } }
"""
    shared = """\
    parameters:
      - { name: town, in: path, required: true, schema: { type: string } }
      - { name: days, in: query, schema: { type: integer, default: 5 } }
      - { name: rain, in: query, schema: { type: boolean, default: true } }
      - { $ref: "#/components/parameters/Force" }
"""
    addition = ADDITION.replace("/api/v1/json/metadata/", "/repo/{town}/").replace("v1_", "")
    before, middle, after = addition.partition("      responses:\n")
    add_operation(tree, before + query + middle + after + shared)
    generate.renew(tree)
    program = """
import httpx
from brood_api.api.platforms.get_weather import request_kwargs
from hatcher import endpoints
def show(url, params):
    print(url, httpx.QueryParams(params))
for words in ({}, {"days": 1, "class_": "sun", "rain": False, "force": "True"}):
    built = request_kwargs("Ur/um", wind="west", **words)
    words["force"] = "force" in words
    for version in endpoints.API_VERSIONS:
        request = endpoints.request(version, "get_weather", {"town": "Ur/um"}, wind="west", **words)
        assert request.operation == "get_weather" and request.action == "get weather"
        show(request.path, request.params)
    show(built["url"], built["params"])
try:
    endpoints.request(1, "get_weather", {"town": "Ur"})
except TypeError as error:
    print(error)
"""
    output = subprocess.check_output(
        [sys.executable, "-c", program],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree}:{tree / 'generated'}"},
        text=True,
    )
    path = "/repo/Ur%2Fum/weather"
    assert output.splitlines() == [
        *3 * [f"{path} days=3&wind=west&since=2024-05-01&rain=true&force=False"],
        *3 * [f"{path} days=1&wind=west&since=2024-05-01&class=sun&rain=false&force=True"],
        "get_weather: request_kwargs() missing 1 required keyword-only argument: 'wind'",
    ]


#: What reads a field that only the description has.
READER = """\
from hatcher.api import SinglePlatformRepository, Team
from hatcher.core.documents import TeamMetadata

def read(place: SinglePlatformRepository, team: Team, known: TeamMetadata) -> None:
    reveal_type(place.egg_index("cp311")["numpy-1.0-1.egg"]["weight"])
    reveal_type(place.egg("cp311", "numpy", "1.0-1").metadata()["weight"])
    reveal_type(team.metadata()["motto"])
    reveal_type(known["motto"])
"""


@pytest.mark.long
@pytest.mark.programs
@pytest.mark.parametrize("checker", ["mypy", "pyright"])
def test_a_new_field_shows_in_the_types_of_the_graph(tree, generate, checker):
    """After an edit of the description and `make generate` alone."""
    if checker == "mypy":
        command = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "reader.py"]
    elif (program := find("pyright")) is None:
        pytest.skip("needs pyright")
    else:
        command = [program, "--pythonpath", sys.executable, "reader.py"]
        (tree / "pyrightconfig.json").write_text('{"extraPaths": [".", "generated"]}')
    (tree / "reader.py").write_text(READER)

    def types() -> tuple[int, list[str]]:
        done = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
        return done.returncode, re.findall(r'is "(?:builtins\.)?(.+)"', done.stdout)

    status, found = types()
    assert status != 0
    assert not {"int", "str | None"} & set(found)
    add_field(tree, "EggIndexEntry", "weight: { type: integer }")
    add_field(tree, "Team", "motto: { type: string, nullable: true }")
    generate.renew(tree)
    assert types() == (0, ["int", "int", "str | None", "str | None"])


SMALL = """\
openapi: 3.0.3
info: { title: Small, version: "1" }
tags: [{ name: weather }]
x-answers: &always
  "404": { $ref: "#/components/responses/NotFound" }
paths:
  /api/v1/json/weather/{place}:
    parameters:
      - { $ref: "#/components/parameters/Place" }
    get:
      operationId: v1_get_weather
      tags: [weather]
      summary: Tell the weather
      security: [{ basicAuth: [] }]
      x-safety: safe
      x-access: authenticated
      parameters:
        - name: days
          in: query
          schema: { type: integer, default: 3 }
      responses:
        "200":
          description: The weather
          content: { application/json: { schema: { $ref: "#/components/schemas/Weather" } } }
        <<: *always
    delete:
      operationId: v1_delete_weather
      tags: [weather]
      summary: End the weather
      security: [{ basicAuth: [] }]
      x-safety: idempotent
      x-access: authenticated
      responses:
        "204": { description: Deleted }
        <<: *always
components:
  securitySchemes:
    basicAuth: { type: http, scheme: basic }
  parameters:
    Place: { name: place, in: path, required: true, schema: { type: string } }
  responses:
    NotFound: { description: No such place }
  schemas:
    Weather:
      type: object
      properties:
        wind: { type: string, enum: [north, south] }
"""
PLACE = "paths//api/v1/json/weather/{place}"
TAGS = "tags: [{ name: weather }]"
DAYS = "schema: { type: integer, default: 3 }"
#: What is replaced in it.
SECURITY = "security: [{ basicAuth: [] }]"
TEXT_200 = "          description: The weather"
DELETE = "      operationId: v1_delete_weather"
WEATHER = "schemas/Weather"
WEATHER_REF = f'"#/components/{WEATHER}"'
WIND = "{ type: string, enum: [north, south] }"
ANSWERS = """\
      responses:
        "204": { description: Deleted }
        <<: *always
"""
#: What is said of it.
OK = "/get/responses/200/content/application/json"
P0 = "/parameters/0"
NAME = "*/delete/operationId:"
IN_WIND = f"components/{WEATHER}/properties/wind"
NOWHERE = "$ref leads to nothing"
ELSEWHERE = "$ref must lead to one of #/components/parameters"
TAKEN = "v1_get_weather is taken by GET /api/v1/json/weather/{place}"
NO_TYPE = "'dict' is none of array, boolean, integer, number, object, string"
UPSTREAM = "openapi-python-client:"
WRONG_QUERY = (
    "10: at */get: the query parameter days must have a schema of the type string, integer, "
    "number, boolean or an array of one, in the usual style"
)


@pytest.fixture(scope="module")
def small_tree(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """What generating takes, with a small description."""
    tree = tmp_path_factory.mktemp("small")
    for name in ("openapi", "scripts"):
        shutil.copytree(root / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(root / "pyproject.toml", tree / "pyproject.toml")
    return tree


def test_docstrings_bear_any_text(tree, generate):
    odd = 'C:\\new "x" """y""" {{ z }} %} \U0001d6d1 \\'
    said = f"""\
      description: |
        {odd}
      parameters:
        - name: day
          in: query
          description: {json.dumps(odd, ensure_ascii=False)}
          schema: {{ type: string }}
"""
    before, middle, after = ADDITION.partition("      responses:\n")
    add_operation(tree, before + said + middle + after)
    generate.renew(tree)
    program = """
from brood_api.api.platforms.v1_get_weather import sync
print(ascii(sync.__doc__))
"""
    command = [sys.executable, "-W", "error", "-c", program]
    output = subprocess.check_output(command, cwd=tree / "generated", text=True)
    assert ast.literal_eval(output).count(odd) == 2


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (TAGS, "tags: [{ name: weather }", "4: no valid YAML: expected ',' or ']'"),
        (TAGS, "info: {}", '3: no valid YAML: found duplicate key "info"'),
        (TAGS, "tags: *nowhere", "3: no valid YAML: found undefined alias 'nowhere'"),
        (TAGS, "tags: !odd []", "3: no valid YAML: could not determine a constructor"),
        (TAGS, "x-a: 2024-13-41", " no valid YAML: month must be in 1..12"),
        (TAGS, "x-a: 2024-03-01", "3: at x-a: JSON has no date: quote 2024-03-01"),
        (TAGS, "x-a: .inf", "3: at x-a: JSON has no number inf"),
        (TAGS, "x-a: &a { b: *a }", "3: at x-a/b: contains itself"),
        ("paths:", "ways:", " it has no paths, and so is no OpenAPI description"),
        ("ters/Place", "ters/Park", f"9: at *{P0}: {NOWHERE}: #/components/parameters/Park"),
        ("parameters/Place", WEATHER, f"9: at *{P0}: {ELSEWHERE}: #/components/{WEATHER}"),
        # Merged into two operations, it is one fault.
        ("/NotFound", "/No", f"5: at x-answers/404: {NOWHERE}: #/components/responses/No"),
        (WEATHER, f"{WEATHER}/x", f"24: at *{OK}/schema: {NOWHERE}: #/components/{WEATHER}/x"),
        (WEATHER_REF, "weather.yaml", f"24: at *{OK}/schema: {NOWHERE}: weather.yaml"),
        (WEATHER_REF, "5", f"24: at *{OK}/schema/$ref: 5 is not of type 'string'"),
        (WIND, f'{{ $ref: "#/{IN_WIND}" }}', f"47: at {IN_WIND}: {NOWHERE}: #/{IN_WIND}"),
        ('"200":', "200:", "22: at */get/responses/200: the key 200 must be a string: quote it"),
        (ANSWERS, "", "26: at */delete: 'responses' is a required property"),
        (ANSWERS, "      responses: []\n", "33: at */delete/responses: [] is not of type 'object'"),
        (
            "    delete:\n",
            "    delete:\n    put:\n",
            "26: at */delete: None is not of type 'object'",
        ),
        (f"{TEXT_200}\n", "", "22: at */get/responses/200: 'description' is a required property"),
        ("v1_delete_weather", "v1_get_weather", f"27: at {NAME} operationId {TAKEN}"),
        ("v1_delete_weather", "end-weather", f"27: at {NAME} must read like v1_list_things"),
        ("v1_delete_weather", "v0_delete_weather", f"27: at {NAME} must read like v1_list_things"),
        (f"{DELETE}\n", "", f"26: at {NAME} must read like v1_list_things"),
        (
            "/api/v1/json/weather/{place}",
            "/repo/{place}",
            "11: at paths//repo/{place}/get/operationId: must read like list_things\n"
            "27: at paths//repo/{place}/delete/operationId: must read like list_things",
        ),
        (
            "tags: [weather]",
            "tags: [weather, sun]",
            "12: at */get/tags: must have exactly one tag, ",
        ),
        ("safety: safe", "safety: odd", "15: at */get/x-safety: must be one of safe, idempotent, "),
        (
            "x-access: authenticated",
            "x-access: odd",
            "16: at */get/x-access: must be one of anonym",
        ),
        (f"      {SECURITY}\n", "", "10: at */get: must have its own security"),
        (SECURITY, "security: [{ a: [] }]", "14: at */get/security: there is no security scheme a"),
        (
            "weather/{place}:",
            "weather/{town}:",
            "\n".join(
                f"{line}: at paths//api/v1/json/weather/{{town}}/{method}: the parameter {what}"
                for line, method in ((10, "get"), (26, "delete"))
                for what in ("place is not in the path", "town of the path is not described")
            ),
        ),
        ("in: query", "in: queue", f"19: at */get{P0}/in: 'queue' is none of path, query, header"),
        (" 3 }", " three }", f"20: at */get{P0}/schema/default: 'three' is not of type 'integer'"),
        (DAYS, "schema: { type: object }", WRONG_QUERY),
        (DAYS, "schema: { oneOf: [{ type: integer }, { type: string }] }", WRONG_QUERY),
        (DAYS, f"{DAYS.replace('integer', 'array, items: { type: object }')}", WRONG_QUERY),
        (DAYS, "content: { text/plain: { schema: { type: string } } }", WRONG_QUERY),
        (f"          {DAYS}\n", f"          {DAYS}\n          explode: false\n", WRONG_QUERY),
        ("type: object", "type: dict", f"45: at components/{WEATHER}/type: {NO_TYPE}"),
        (
            # Two faults of one schema.
            "type: object\n",
            "type: dict\n      required: wind\n",
            f"45: at components/{WEATHER}/type: {NO_TYPE}\n"
            f"46: at components/{WEATHER}/required: 'wind' is not of type 'array'",
        ),
        (WIND, "3", f"47: at {IN_WIND}: 3 is not of type 'object'"),
        (
            "components:\n",
            "components:\n  links:\n    Away: { operationId: v1_none }\n",
            "38: at components/links/Away: there is no operation v1_none",
        ),
        ("openapi: 3.0.3", "openapi: 2.0.0", "1: at openapi: '2.0.0' does not match"),
        # What only the generator knows that it cannot do; by itself it would go on without it.
        ("application/json:", "image/png:", f"10: at */get: {UPSTREAM} WARNING parsing GET "),
        (
            "enum: [north, south]",
            "enum: [north, 3]",
            f"10: at */get: {UPSTREAM} WARNING parsing GET \n"
            f"44: at components/{WEATHER}: {UPSTREAM} Unable to process",
        ),
    ],
)
def test_a_faulty_description_is_told_in_one_line_for_each_fault(
    small_tree, tmp_path, generate, old, new, told
):
    """A star stands for the one path."""
    assert old in SMALL
    (small_tree / "openapi/brood.yaml").write_text(SMALL.replace(old, new, 1), "utf-8")
    with pytest.raises(generate.GenerationError) as caught:
        generate.generate(small_tree, tmp_path / "package")
    found, expected = str(caught.value).split("\n"), told.replace("at *", f"at {PLACE}").split("\n")
    assert len(found) == len(expected), found
    for line, start in zip(found, expected, strict=True):
        assert line.startswith(f"openapi/brood.yaml:{start}")
        assert len(line) < 600


def places(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        yield (*place, key)
        if isinstance(value, dict | list):
            yield from places(value, (*place, key))


@pytest.mark.long
@pytest.mark.parametrize(
    "junk", [None, 3, [], {}, {"$ref": "#/components/schemas/Weather"}], ids=json.dumps
)
def test_nothing_in_the_place_of_anything_is_a_traceback(small_tree, tmp_path, generate, junk):
    path = small_tree / "openapi/brood.yaml"
    path.write_text(SMALL, "utf-8")
    description = generate.load_description(small_tree)
    refused = 0
    for number, (*above, last) in enumerate(places(description)):
        spoilt = copy.deepcopy(description)
        node = spoilt
        for key in above:
            node = node[key]
        node[last] = junk
        path.write_text(json.dumps(spoilt, indent=1), "utf-8")
        try:
            generate.generate(small_tree, tmp_path / str(number))
        except generate.GenerationError as error:
            refused += 1
            for line in str(error).split("\n"):
                assert re.match(r"openapi/brood\.yaml:(\d+:)? ", line), line
                assert len(line) < 600
    assert refused > 50


def test_the_small_description_has_no_fault(small_tree, tmp_path, generate):
    (small_tree / "openapi/brood.yaml").write_text(SMALL, "utf-8")
    operations = generate.generate(small_tree, tmp_path / "package")
    assert [operation.id for operation in operations] == ["v1_get_weather", "v1_delete_weather"]


def test_what_cannot_be_read_at_all(small_tree, generate):
    path = small_tree / "openapi/brood.yaml"
    path.write_bytes(b"info: \xff\n")
    with pytest.raises(generate.GenerationError, match=r"^openapi/brood\.yaml: no valid YAML: .*$"):
        generate.load_description(small_tree)
    path.unlink()
    with pytest.raises(generate.GenerationError, match=r"^openapi/brood\.yaml: No such file"):
        generate.load_description(small_tree)


def test_a_text_of_upstream_that_is_gone_is_one_line(tree):
    import openapi_python_client

    upstream = tree / "openapi_python_client"
    shutil.copytree(Path(openapi_python_client.__file__).parent, upstream)
    template = upstream / "templates/client.py.jinja"
    text = template.read_text()
    assert "@define\nclass Client:" in text
    template.write_text(text.replace("@define\n", "@mutable\n"))
    result = run(tree, PYTHONPATH=str(tree))
    assert result.returncode == 1
    assert result.stderr == (
        "openapi/patches.toml: upstream's client.py.jinja has no '@define\\nclass Client:'\n"
    )


@pytest.mark.parametrize("arguments", [(), ("--check",)])
def test_a_faulty_description_fails_with_its_faults_alone(tree, generate, arguments):
    before = generate.files_of(tree / "generated/brood_api")
    edit(tree, "components/parameters/Force", "components/parameters/Might")
    result = run(tree, *arguments)
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.endswith("/parameters/0: $ref leads to nothing: #/components/parameters/Might")
    assert generate.files_of(tree / "generated/brood_api") == before


@pytest.mark.parametrize(
    "source",
    [
        "openapi/brood.yaml",
        "openapi/generator.yaml",
        "openapi/patches.toml",
        "openapi/templates/client.py.jinja",
        "openapi/templates/new.py.jinja",
        "scripts/generate.py",
    ],
)
def test_every_source_makes_the_stamp_stale(tree, generate, source):
    assert not generate.is_stale(tree)
    with (tree / source).open("a") as file:
        file.write("\n")
    assert generate.is_stale(tree)


def test_a_pin_makes_the_stamp_stale_but_nothing_else_of_the_metadata(tree, generate):
    path = tree / "pyproject.toml"
    path.write_text(path.read_text() + "\n# a comment\n")
    assert not generate.is_stale(tree)
    path.write_text(path.read_text().replace("openapi-python-client==", "openapi-python-client==1"))
    assert generate.is_stale(tree)


def test_another_version_of_the_generator_is_refused(tree, generate):
    pin = generate.pins(tree)[0]
    path = tree / "pyproject.toml"
    path.write_text(path.read_text().replace(pin, "openapi-python-client==1.2.3"))
    with pytest.raises(generate.GenerationError) as caught:
        generate.renew(tree)
    present = pin.partition("==")[2]
    assert f"openapi-python-client==1.2.3 (here: {present})" in str(caught.value)


def test_without_the_generator_it_says_what_to_install(tree, generate):
    # -I -S: the standard library and nothing else.
    result = subprocess.run(
        [sys.executable, "-I", "-S", "scripts/generate.py"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert "(here: missing)" in result.stderr
    assert f"pip install {' '.join(generate.pins(tree))}" in result.stderr
