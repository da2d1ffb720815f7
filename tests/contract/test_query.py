"""Queries of every type, from a description that has them to the server that is bound to it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from hatcher.server import runner
from hatcher.server.app import create_app
from hatcher.server.calls import Call, answer
from hatcher.server.description import Description
from hatcher.server.runner import BackgroundServer
from hatcher.server.settings import Settings

DESCRIPTION = """\
openapi: 3.0.3
info: { title: Small, version: "1" }
tags: [{ name: weather }]
paths:
  /api/v1/json/weather:
    parameters:
      - { name: shared, in: query, schema: { type: string, default: of the path } }
      - { name: days, in: query, schema: { type: string } }
    get:
      operationId: v1_get_weather
      tags: [weather]
      summary: Tell the weather
      security: [{ basicAuth: [] }]
      x-safety: safe
      x-access: authenticated
      parameters:
        - { name: place, in: query, required: true, schema: { type: string, minLength: 1 } }
        - name: days
          in: query
          schema: { type: integer, minimum: 0, exclusiveMinimum: true, maximum: 7, default: 3 }
        - { name: year, in: query, schema: { type: integer } }
        - { name: heat, in: query, schema: { type: number, maximum: 40, exclusiveMaximum: false } }
        - { name: cold, in: query, schema: { type: number, default: -1.5 } }
        - { name: rain, in: query, schema: { type: boolean, default: true } }
        - { name: snow, in: query, schema: { type: boolean } }
        - { name: note, in: query, schema: { type: string, pattern: "^[a-z]*$" } }
        - { name: wind, in: query, schema: { type: string, enum: [north, south], default: south } }
        - name: force
          in: query
          schema: { allOf: [{ $ref: "#/components/schemas/PythonBoolean" }], default: "False" }
        - { name: quiet, in: query, schema: { $ref: "#/components/schemas/PythonBoolean" } }
        - { name: kinds, in: query, schema: { type: array, items: { type: string } } }
        - name: hours
          in: query
          schema: { type: array, maxItems: 3, items: { type: integer, maximum: 23 } }
      responses:
        "200":
          description: The weather
          content: { application/json: { schema: { $ref: "#/components/schemas/Weather" } } }
        "400":
          description: Wrong
          content: { application/json: { schema: { $ref: "#/components/schemas/Weather" } } }
components:
  securitySchemes:
    basicAuth: { type: http, scheme: basic }
  schemas:
    PythonBoolean: { type: string, enum: ["True", "False"] }
    Weather: { type: object, additionalProperties: true }
"""
DEFAULTS = {
    "cold": -1.5,
    "days": 3,
    "force": False,
    "heat": None,
    "hours": None,
    "kinds": None,
    "note": None,
    "quiet": None,
    "rain": True,
    "shared": "of the path",
    "snow": None,
    "wind": "south",
    "year": None,
}
AUTH = ("admin@example.com", "the password")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory, root: Path, generate: ModuleType) -> Path:
    """The client of the description, in a folder of its own."""
    tree = tmp_path_factory.mktemp("query")
    for name in ("openapi", "scripts"):
        shutil.copytree(root / name, tree / name)
    shutil.copyfile(root / "pyproject.toml", tree / "pyproject.toml")
    (tree / "openapi/brood.yaml").write_text(DESCRIPTION, "utf-8")
    generate.generate(tree, tree / "brood_api")
    return tree / "brood_api"


def tell(call: Call) -> Any:
    """Answer with what the handler was given."""
    return answer(call.query)


@pytest.fixture(scope="module")
def url(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that is bound to the description."""
    description = Description(json.loads((package / "brood.json").read_text("utf-8")))

    def create(settings: Settings) -> Any:
        return create_app(settings, description, {"v1_get_weather": tell})

    settings = Settings(
        tmp_path_factory.mktemp("data"), port=0, admin=AUTH[0], admin_password=AUTH[1]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runner, "create_app", create)
        with BackgroundServer(settings) as server:
            yield server.url


def ask(url: str, query: str) -> httpx.Response:
    return httpx.get(f"{url}/api/v1/json/weather?{query}", auth=AUTH)


@pytest.mark.parametrize(
    ("query", "given"),
    [
        ("", {}),
        ("days=7", {"days": 7}),
        ("year=-44", {"year": -44}),
        ("days=1&days=2", {"days": 2}),
        ("heat=40", {"heat": 40.0}),
        ("heat=-3.5e1", {"heat": -35.0}),
        ("rain=false&snow=true", {"rain": False, "snow": True}),
        ("force=True&quiet=False", {"force": True, "quiet": False}),
        ("wind=north&note=", {"wind": "north", "note": ""}),
        ("kinds=a&kinds=b%20%26c", {"kinds": ["a", "b &c"]}),
        ("hours=4", {"hours": [4]}),
        ("hours=4&hours=23", {"hours": [4, 23]}),
        ("unknown=1&shared=x", {"shared": "x"}),
    ],
)
def test_handlers_are_given_what_is_described(url, query, given):
    response = ask(url, f"place=here&{query}")
    assert response.status_code == 200, response.text
    assert response.json() == {**DEFAULTS, "place": "here", **given}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "The query parameter 'place' is missing. Send it."),
        ("days=3", "The query parameter 'place' is missing. Send it."),
        ("place=", "The query parameter 'place' is not as described: '' should be non-empty."),
        ("days=x", "The query parameter 'days' is 'x'. Give an integer."),
        ("days=", "The query parameter 'days' is ''. Give an integer."),
        ("days=1.0", "The query parameter 'days' is '1.0'. Give an integer."),
        ("days=%D9%A3", "The query parameter 'days' is '\u0663'. Give an integer."),
        ("days=0", "The query parameter 'days' is not as described: 0 is less than or equal to"),
        ("days=8", "The query parameter 'days' is not as described: 8 is greater than the maximum"),
        (f"year={'9' * 5000}", "The query parameter 'year' is '999"),
        ("heat=nan", "The query parameter 'heat' is 'nan'. Give a number."),
        ("heat=1e999", "The query parameter 'heat' is '1e999'. Give a number."),
        ("heat=41", "The query parameter 'heat' is not as described: 41.0 is greater than"),
        ("rain=True", "The query parameter 'rain' is 'True'. Give true or false."),
        ("force=true", "The query parameter 'force' is 'true'. Give True or False."),
        ("wind=east", "The query parameter 'wind' is not as described: 'east' is not one of"),
        ("note=A", "The query parameter 'note' is not as described: 'A' does not match"),
        ("hours=4&hours=x", "The query parameter 'hours' is 'x'. Give an integer."),
        ("hours=4&hours=24", "'hours' is not as described: 24 is greater than the maximum of 23"),
        ("hours=1&hours=2&hours=3&hours=4", "'hours' is not as described: [1, 2, 3, 4] is too"),
    ],
)
def test_what_is_not_as_described_is_refused(url, query, says):
    response = ask(url, query if "place" in query or "missing" in says else f"place=here&{query}")
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert says in response.json()["error"]


def test_the_raw_client_says_what_the_server_understands(url, package):
    """By default, and with every type: each call is answered with what the handler was given."""
    program = """
import json, sys
from brood_api import Client
from brood_api.api.weather import v1_get_weather
client = Client(sys.argv[1], httpx_args={"auth": tuple(sys.argv[2:])})
for arguments in (
    {},
    {"days": 7, "year": -44, "heat": 4.5, "cold": 0.0, "rain": False, "snow": True},
    {"note": "a", "wind": "north", "force": "True", "quiet": "False", "shared": "x & y"},
    {"kinds": ["a", "b &c"], "hours": [4, 23]},
    {"days": 8},
):
    response = v1_get_weather.sync_detailed(client=client, place="here", **arguments)
    print(json.dumps([arguments, int(response.status_code), response.parsed.to_dict()]))
"""
    output = subprocess.check_output(
        [sys.executable, "-c", program, url, *AUTH], cwd=package.parent, text=True
    )
    *good, bad = map(json.loads, output.splitlines())
    assert len(good) == 4
    for arguments, status, given in good:
        expected = {**DEFAULTS, "place": "here", **arguments}
        for name in ("force", "quiet"):
            if name in arguments:
                expected[name] = arguments[name] == "True"
        assert (status, given) == (200, expected)
    assert bad[1] == 400
    assert "8 is greater than" in bad[2]["error"]
