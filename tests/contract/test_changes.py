"""scripts/changes.py: what breaks, what is added, and what a release does."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from scripts import changes, generate

from .conftest import ROOT

#: What the edits are about; the less there is, the sooner it is read.
KEPT = (
    "metadata/platforms",
    "metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}",
    "data/{organization}/{repository}/{platform}/eggs/upload",
    "admin/organizations/{organization}/repositories",
)

Edit = Callable[[dict[str, Any]], object]


@pytest.fixture(scope="module")
def released() -> dict[str, Any]:
    """Four paths of the description."""
    description: dict[str, Any] = json.loads((ROOT / changes.RELEASED).read_text("utf-8"))
    paths = {f"/api/v1/json/{path}" for path in KEPT}
    description["paths"] = {k: v for k, v in description["paths"].items() if k in paths}
    assert len(description["paths"]) == len(KEPT)
    del description["tags"], description["components"]["links"], description["x-answers"]
    for responses in (each["responses"] for each in changes.operations(description).values()):
        for code in {*responses} - {"200", "201", "401"}:
            del responses[code]
    for _ in range(4):  # what only what is gone refers to
        text = json.dumps(description)
        for kind, parts in description["components"].items():
            for name in [*parts] if kind != "securitySchemes" else ():
                if f'"#/components/{kind}/{name}"' not in text:
                    del parts[name]
                parts.get(name, {}).pop("links", None)
    return description


@pytest.fixture
def root(tmp_path: Path, released: dict[str, Any]) -> Path:
    """A project with that description, just released."""
    (tmp_path / "openapi").mkdir()
    write(tmp_path, released)
    (tmp_path / changes.RELEASED).write_text(json.dumps(released), "utf-8")
    (tmp_path / changes.ACCEPTED).write_text("# What it is for\n")
    return tmp_path


def write(root: Path, description: dict[str, Any]) -> None:
    """Write the description; JSON is YAML, too."""
    (root / generate.DESCRIPTION).write_text(json.dumps(description), "utf-8")


def edited(released: dict[str, Any], edit: Edit, version: str = "9.0.0") -> dict[str, Any]:
    description = deepcopy(released)
    edit(description)
    description["info"]["version"] = version
    return description


def at(description: dict[str, Any], number: int, method: str = "get") -> dict[str, Any]:
    """An operation of a path of `KEPT`."""
    operation: dict[str, Any] = description["paths"][f"/api/v1/json/{KEPT[number]}"][method]
    return operation


def schema(description: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = description["components"]["schemas"][name]
    return found


def parameter(description: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = description["components"]["parameters"][name]
    return found


def move(description: dict[str, Any]) -> None:
    paths = description["paths"]
    paths["/api/v1/json/metadata/systems"] = paths.pop("/api/v1/json/metadata/platforms")


NOT_BEFORE = "(it was not deprecated before)"
BREAKING: dict[str, Edit] = {
    f"v1_list_platforms: operation is gone {NOT_BEFORE}": lambda d: d["paths"].pop(
        "/api/v1/json/metadata/platforms"
    ),
    "v1_list_platforms: operationId is now v1_list_systems": lambda d: at(d, 0).update(
        operationId="v1_list_systems"
    ),
    "v1_list_platforms: path /api/v1/json/metadata/platforms is now "
    "/api/v1/json/metadata/systems": move,
    "v1_list_platforms: tag platforms is now systems": lambda d: at(d, 0).update(tags=["systems"]),
    "v1_list_platforms: x-access authenticated is now read_index": lambda d: at(d, 0).update(
        {"x-access": "read_index"}
    ),
    "v1_list_platforms: x-safety safe is now ambiguous": lambda d: at(d, 0).update(
        {"x-safety": "ambiguous"}
    ),
    "v1_list_platforms: security basicAuth is gone": lambda d: at(d, 0).update(
        security=[{"bearerAuth": []}]
    ),
    "v1_list_platforms: status 200 is gone": lambda d: at(d, 0)["responses"].pop("200"),
    f"v1_upload_egg: query parameter enabled is gone {NOT_BEFORE}": lambda d: at(d, 2, "post")[
        "parameters"
    ].remove({"$ref": "#/components/parameters/Enabled"}),
    "v1_upload_egg: query parameter enabled: default True is now False": lambda d: parameter(
        d, "Enabled"
    )["schema"].update(default="False"),
    "v1_upload_egg: query parameter enabled is required": lambda d: parameter(d, "Enabled").update(
        required=True
    ),
    "v1_upload_egg: query parameter mode is new and required": lambda d: at(d, 2, "post")[
        "parameters"
    ].append({"name": "mode", "in": "query", "required": True, "schema": {"type": "string"}}),
    "v1_upload_egg: query parameter enabled: enum False, True is now True": lambda d: parameter(
        d, "Enabled"
    ).update(schema={"type": "string", "enum": ["True"], "default": "True"}),
    "v1_create_repository: body: field description is required": lambda d: schema(
        d, "NewRepository"
    )["required"].append("description"),
    "v1_create_repository: body: application/json is gone": lambda d: d["components"][
        "requestBodies"
    ]["NewRepository"].update(content={"text/plain": {"schema": {"type": "string"}}}),
    f"v1_get_egg_metadata: status 200: field filename is gone {NOT_BEFORE}": lambda d: schema(
        d, "EggMetadata"
    )["allOf"][1]["properties"].pop("filename"),
    "v1_get_egg_metadata: status 200: field sha256 is no longer required": lambda d: schema(
        d, "EggMetadata"
    )["allOf"][1]["required"].remove("sha256"),
    "v1_get_egg_metadata: status 200: field size: type integer is now string": lambda d: schema(
        d, "EggIndexEntry"
    )["properties"]["size"].update(type="string"),
    "v1_get_egg_metadata: status 200: field size may be null": lambda d: schema(d, "EggIndexEntry")[
        "properties"
    ]["size"].update(nullable=True),
    "v1_get_egg_metadata: status 200: field name: format not given is now date": lambda d: schema(
        d, "EggIndexEntry"
    )["properties"]["name"].update(format="date"),
    "v1_get_egg_metadata: status 200: field name: enum a is now a, b": lambda d: schema(
        d, "EggIndexEntry"
    )["properties"]["name"].update(enum=["a", "b"]),
}
HARMLESS: dict[str, Edit] = {
    "adds v1_list_systems: operation GET /api/v1/json/metadata/systems": lambda d: d[
        "paths"
    ].update(
        {"/api/v1/json/metadata/systems": {"get": {**at(d, 0), "operationId": "v1_list_systems"}}}
    ),
    "adds v1_upload_egg: query parameter mode": lambda d: at(d, 2, "post")["parameters"].append(
        {"name": "mode", "in": "query", "schema": {"type": "string"}}
    ),
    "adds v1_upload_egg: query parameter enabled: enum False, True is now False, True, yes": (
        lambda d: parameter(d, "Enabled").update(
            schema={"type": "string", "enum": ["True", "False", "yes"], "default": "True"}
        )
    ),
    "adds v1_get_egg_metadata: status 200: field signature": lambda d: schema(d, "EggIndexEntry")[
        "properties"
    ].update(signature={"type": "string"}),
    "adds v1_get_egg_metadata: status 200: field python may no longer be null": lambda d: schema(
        d, "EggIndexEntry"
    )["properties"]["python"].update(nullable=False),
    "adds v1_create_repository: status 201: application/json": lambda d: d["components"][
        "responses"
    ]["RepositoryCreated"].update(
        content={"application/json": {"schema": {"$ref": "#/components/schemas/NewRepository"}}}
    ),
    "adds v1_list_platforms: status 418": lambda d: at(d, 0)["responses"].update(
        {"418": {"description": "A teapot"}}
    ),
    "adds v1_list_platforms: security of nobody": lambda d: at(d, 0)["security"].append({}),
    "adds v1_create_repository: x-access organization_administrator is now authenticated": (
        lambda d: at(d, 3, "post").update({"x-access": "authenticated"})
    ),
    "says v1_list_platforms: operation is deprecated": lambda d: at(d, 0).update(deprecated=True),
    "says v1_list_platforms: texts and examples": lambda d: at(d, 0).update(summary="Others"),
    "says v1_list_platforms: x-extension is another": lambda d: at(d, 0).update(
        {"x-extension": True}
    ),
}


@pytest.mark.parametrize("line", BREAKING)
@pytest.mark.sampled(5)
def test_an_edit_that_breaks(root, released, capsys, line):
    if "enum a is" in line:
        schema(released := deepcopy(released), "EggIndexEntry")["properties"]["name"]["enum"] = [
            "a"
        ]
        (root / changes.RELEASED).write_text(json.dumps(released), "utf-8")
    write(root, edited(released, BREAKING[line]))
    assert changes.main([], root) == 1
    output = capsys.readouterr()
    assert [each for each in output.out.splitlines() if each.startswith("BREAKS")] == [
        f"BREAKS {line}"
    ]
    assert output.err == (
        f"Not accepted: {line}. Undo it, or give the reason in openapi/accepted.toml\n"
    )

    (root / changes.ACCEPTED).write_text(f"{json.dumps(line)} = 'No server ever did so.'\n")
    assert changes.main(["--changelog"], root) == 0
    about, _, rest = line.partition(": ")
    told = capsys.readouterr().out
    assert told.startswith(f"### Breaking\n\n- `{about}`: {rest}. No server ever did so.\n")


@pytest.mark.parametrize("line", HARMLESS)
def test_an_edit_that_breaks_nothing(root, released, capsys, line):
    write(root, edited(released, HARMLESS[line]))
    assert changes.main([], root) == 0
    assert capsys.readouterr().out.splitlines() == [line, "says info: texts or version"]


def test_what_was_deprecated_may_go_and_still_breaks(root, released, capsys):
    before = edited(
        released, lambda d: parameter(d, "Enabled").update(deprecated=True), version="1.0"
    )
    (root / changes.RELEASED).write_text(json.dumps(before), "utf-8")
    gone = {"$ref": "#/components/parameters/Enabled"}
    write(root, edited(before, lambda d: at(d, 2, "post")["parameters"].remove(gone)))
    assert changes.main([], root) == 1
    assert "BREAKS v1_upload_egg: query parameter enabled is gone\n" in capsys.readouterr().out


def test_a_shared_part_breaks_in_one_line(root, released, capsys):
    digest = {"type": "http", "scheme": "digest"}
    schemes = "securitySchemes"
    write(root, edited(released, lambda d: d["components"][schemes].update(basicAuth=digest)))
    assert changes.main([], root) == 1
    (line,) = [x for x in capsys.readouterr().out.splitlines() if x.startswith("BREAKS")]
    assert line.startswith("BREAKS 5 operations: security basicAuth: basicAuth {")


@pytest.mark.parametrize(
    ("accepted", "problem"),
    [
        ('"v1_x: field y is gone" = "Why"', "nothing breaks so: v1_x: field y is gone"),
        ('"{line}" = " "', "no reason is given: {line}"),
        ('"{line}" = 3', "no reason is given: {line}"),
        ('"{line}" = ', "cannot be read: "),
    ],
)
def test_what_is_accepted_has_to_be_so_and_to_have_a_reason(
    root, released, capsys, accepted, problem
):
    line = "v1_list_platforms: status 200 is gone"
    (root / changes.ACCEPTED).write_text(accepted.replace("{line}", line))
    write(root, edited(released, BREAKING[line] if "{line}" in accepted else lambda d: None))
    assert changes.main([], root) == 1
    (told,) = capsys.readouterr().err.splitlines()
    assert problem.replace("{line}", line) in told


def test_a_release_renews_what_was_released(root, released, capsys):
    line = "v1_list_platforms: status 200 is gone"
    new = edited(released, BREAKING[line])
    write(root, new)
    before = (root / changes.RELEASED).read_bytes()
    assert changes.main(["--release"], root) == 1
    assert (root / changes.RELEASED).read_bytes() == before

    with (root / changes.ACCEPTED).open("a") as file:
        file.write(f'"{line}" = "It was a mistake."\n')
    assert changes.main(["--release"], root) == 0
    assert json.loads((root / changes.RELEASED).read_text("utf-8")) == new
    assert (root / changes.ACCEPTED).read_text() == "# What it is for\n"
    capsys.readouterr()
    for arguments in ([], ["--release"]):
        assert changes.main(arguments, root) == 0
        assert (
            capsys.readouterr().out == "openapi/brood.yaml says what openapi/released.json says\n"
        )


@pytest.mark.parametrize(
    ("line", "version", "needs"),
    [
        ("v1_list_platforms: status 200 is gone", "1.9.9", "MAJOR"),
        ("v1_list_platforms: status 200 is gone", "2.0.0", ""),
        ("adds v1_list_platforms: status 418", "1.0", "MINOR"),
        ("adds v1_list_platforms: status 418", "1.0.1", "MINOR"),
        ("adds v1_list_platforms: status 418", "1.1.0", ""),
        ("says v1_list_platforms: texts and examples", "1.0.0", "PATCH"),
        ("says v1_list_platforms: texts and examples", "1.0.1", ""),
    ],
)
def test_a_description_that_changes_has_another_version(
    root, released, capsys, line, version, needs
):
    if line in BREAKING:
        (root / changes.ACCEPTED).write_text(f"{json.dumps(line)} = 'It was a mistake.'\n")
    edit = BREAKING.get(line) or HARMLESS[line]
    write(root, edited(released, edit, version))
    assert changes.main(["--release"], root) == bool(needs)
    said = f"info.version is {version} after 1.0: these changes take another {needs}\n"
    assert capsys.readouterr().err == (said if needs else "")
    written = json.loads((root / changes.RELEASED).read_text("utf-8"))
    assert (written == released) is bool(needs)


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda d: at(d, 0).update(operationId="Platforms!"), "must read like v1_list_things"),
        (lambda d: d["components"]["responses"].pop("PlatformList"), "PlatformList"),
        (lambda d: d.pop("paths"), "paths"),
    ],
)
def test_a_faulty_description_is_told_without_a_traceback(root, released, capsys, edit, problem):
    write(root, edited(released, edit))
    assert changes.main([], root) == 1
    assert problem in capsys.readouterr().err
