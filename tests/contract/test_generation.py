"""scripts/generate.py: what it makes, what it refuses, and what --check finds."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from scripts.programs import find

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


def test_the_committed_client_is_a_fresh_one(root: Path) -> None:
    result = run(root, "--check", PYTHONHASHSEED="4711")
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.long
def test_check_finds_a_hand_edit_an_extra_and_a_missing_file(tree: Path) -> None:
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
def test_renewing_mends_edits_and_adds_and_removes_operations(
    tree: Path, generate: ModuleType
) -> None:
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


def test_the_graph_sends_a_new_operation(tree: Path, generate: ModuleType) -> None:
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
def test_a_new_field_shows_in_the_types_of_the_graph(
    tree: Path, generate: ModuleType, checker: str
) -> None:
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


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda tree: edit(
                tree, "operationId: v0_list_platforms", "operationId: v1_get_egg_index"
            ),
            "operationId v1_get_egg_index is taken by GET /api/v",
        ),
        (
            lambda tree: edit(tree, "operationId: v0_list_pl", "operationId: v1_list_pl"),
            "operationId must read like v0_list_things",
        ),
        (
            lambda tree: add_operation(tree, ADDITION.replace("/api/v1/json/", "/repo/")),
            "operationId must read like list_things",
        ),
        (
            lambda tree: edit(tree, "x-safety: safe", "x-safety: harmless"),
            "x-safety must be one of safe, idempotent, ambiguous",
        ),
        (
            lambda tree: edit(tree, "x-access: authenticated", "x-access: anyone"),
            "x-access must be one of authenticated, ",
        ),
        (
            lambda tree: edit(tree, "tags: [platforms]", "tags: [platforms, eggs]"),
            "must have exactly one tag",
        ),
        (
            lambda tree: edit(tree, "security: [{ basicAuth: [] }, { bearerAuth: [] }]", ""),
            "must have its own security",
        ),
        (
            lambda tree: edit(tree, "components/parameters/Force", "components/parameters/Might"),
            "{'$ref': '#/components/parameters/Might'} leads to nothing",
        ),
        (
            lambda tree: edit(tree, "\ncomponents:\n", "\ncomponents:\n  schema: {}\n"),
            "openapi/brood.yaml is no valid OpenAPI 3.0:",
        ),
        (
            lambda tree: edit(tree, "\ncomponents:\n", "\ncomponents: [\n"),
            "openapi/brood.yaml is no valid YAML:",
        ),
        (
            lambda tree: edit(tree, 'created: "2024-03-01T09:30:00.123456"', "created: 2024-03-01"),
            "quote dates and times",
        ),
        (
            lambda tree: (tree / "openapi/brood.yaml").write_text("openapi: 3.0.3\n"),
            "has no paths",
        ),
    ],
    ids=[
        "duplicate operationId",
        "another version",
        "a version without one",
        "unknown safety",
        "unknown access",
        "two tags",
        "no security",
        "no such parameter",
        "invalid OpenAPI",
        "invalid YAML",
        "a date",
        "no description",
    ],
)
def test_a_faulty_description_is_refused(
    tree: Path, generate: ModuleType, spoil: Callable[[Path], object], message: str
) -> None:
    before = generate.files_of(tree / "generated/brood_api")
    spoil(tree)
    with pytest.raises(generate.GenerationError) as caught:
        generate.renew(tree)
    assert message in str(caught.value)
    assert generate.files_of(tree / "generated/brood_api") == before


def test_what_the_generator_would_leave_out_is_refused(tree: Path, generate: ModuleType) -> None:
    """Valid OpenAPI that the generator cannot parse: by itself it would go on without it."""
    unknown = '        "200": { description: Weather, content: { image/png: { schema: {} } } }\n'
    add_operation(tree, ADDITION[: ADDITION.index('        "200"')] + unknown)
    with pytest.raises(generate.GenerationError) as caught:
        generate.renew(tree)
    assert "openapi_python_client failed" in str(caught.value)
    assert "/metadata/weather" in str(caught.value)


def test_a_text_of_upstream_that_is_gone_is_one_line(tree: Path) -> None:
    import openapi_python_client

    upstream = tree / "openapi_python_client"
    shutil.copytree(Path(openapi_python_client.__file__).parent, upstream)
    template = upstream / "templates/errors.py.jinja"
    text = template.read_text()
    assert '__all__ = ["UnexpectedStatus"]' in text
    template.write_text(text.replace("__all__ = [", "__all__ = ("))
    result = run(tree, PYTHONPATH=str(tree))
    assert result.returncode == 1
    assert result.stderr == (
        "openapi/patches.toml: upstream's errors.py.jinja has no"
        """ '__all__ = ["UnexpectedStatus"]'\n"""
    )


def test_a_faulty_description_fails_the_check(tree: Path) -> None:
    edit(tree, "operationId: v1_list_platforms", "operationId: v1_get_egg_index")
    result = run(tree, "--check")
    assert result.returncode == 1
    assert "operationId v1_get_egg_index is taken" in result.stderr
    assert "Traceback" not in result.stderr


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
def test_every_source_makes_the_stamp_stale(tree: Path, generate: ModuleType, source: str) -> None:
    assert not generate.is_stale(tree)
    with (tree / source).open("a") as file:
        file.write("\n")
    assert generate.is_stale(tree)


def test_a_pin_makes_the_stamp_stale_but_nothing_else_of_the_metadata(
    tree: Path, generate: ModuleType
) -> None:
    path = tree / "pyproject.toml"
    path.write_text(path.read_text() + "\n# a comment\n")
    assert not generate.is_stale(tree)
    path.write_text(path.read_text().replace("openapi-python-client==", "openapi-python-client==1"))
    assert generate.is_stale(tree)


def test_another_version_of_the_generator_is_refused(tree: Path, generate: ModuleType) -> None:
    pin = generate.pins(tree)[0]
    path = tree / "pyproject.toml"
    path.write_text(path.read_text().replace(pin, "openapi-python-client==1.2.3"))
    with pytest.raises(generate.GenerationError) as caught:
        generate.renew(tree)
    present = pin.partition("==")[2]
    assert f"openapi-python-client==1.2.3 (here: {present})" in str(caught.value)


def test_without_the_generator_it_says_what_to_install(tree: Path, generate: ModuleType) -> None:
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
