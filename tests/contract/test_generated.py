"""generated/brood_api: the requests it defines, its documents, and its ready functions."""

from __future__ import annotations

import asyncio
import compileall
import functools
import gzip
import importlib
import inspect
import itertools
import json
import os
import pickle
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Literal, get_type_hints, is_typeddict
from urllib.parse import quote, unquote

import httpx
import pytest

from brood_api import AuthenticatedClient, Client, documents, models
from brood_api.api.authentication import v1_create_api_token, v1_create_session_token
from brood_api.api.eggs import v1_delete_egg, v1_download_egg, v1_get_egg_index, v1_upload_egg
from brood_api.api.platforms import v1_list_platforms
from brood_api.api.repositories import v0_list_available_repositories
from brood_api.errors import UnexpectedContent, UnexpectedStatus
from brood_api.models.checksum import Checksum
from brood_api.models.error import Error
from brood_api.models.file_upload import FileUpload
from brood_api.operations import OPERATIONS, Operation
from brood_api.types import File
from hatcher import endpoints
from hatcher.endpoints import API_VERSIONS
from hatcher.testing.faults import Answer, ScriptedServer
from hatcher.transport.request import Request

FORMS = ("sync", "sync_detailed", "asyncio", "asyncio_detailed")
JSON = {"Content-Type": "application/json"}
ODD_NAMES = [
    "a/b",
    "a+b",
    "a b",
    "50%",
    "what?",
    "#1",
    "ü",
    "日本",
    "ada@example.com",
    "a%2Fb",
    "..a",
]


def described(description: dict[str, Any], operation: Operation) -> dict[str, Any]:
    return description["paths"][operation.path][operation.method.lower()]


def path_names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def defaults(description: dict[str, Any], operation: Operation) -> dict[str, str]:
    """What goes out in the query of an operation when nothing is said."""
    parameters = [
        description["components"]["parameters"][reference["$ref"].rpartition("/")[2]]
        for reference in described(description, operation).get("parameters", [])
    ]
    return {
        parameter["name"]: parameter["schema"]["default"]
        for parameter in parameters
        if parameter["in"] == "query"
    }


# Operations ---------------------------------------------------------------------------------


def test_operations_are_those_of_the_description(description):
    methods = [(path, method) for path, item in description["paths"].items() for method in item]
    assert len(OPERATIONS) == sum(method != "parameters" for _, method in methods)
    for name, operation in OPERATIONS.items():
        data = described(description, operation)
        assert data["operationId"] == name
        version = [int(part[1:]) for part in operation.path.split("/") if part in ("v0", "v1")]
        assert version == ([] if operation.version is None else [operation.version])
        assert [operation.tag] == data["tags"]
        assert operation.safety == data["x-safety"]
        assert operation.access == data["x-access"]


@pytest.fixture
def calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is asked of the `request_kwargs` of the operation that a test is about."""
    module = importlib.import_module(OPERATIONS[request.getfixturevalue("name")].module)
    calls = []

    @functools.wraps(module.request_kwargs)
    def noting(*names: str, **query: Any) -> dict[str, Any]:
        calls.append((names, query))
        return noting.__wrapped__(*names, **query)

    monkeypatch.setattr(module, "request_kwargs", noting)
    endpoints._definition.cache_clear()
    yield calls
    endpoints._definition.cache_clear()


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_seam_asks_the_generated_module(name, description, calls):
    """For each request, and adds what only the graph knows."""
    operation = OPERATIONS[name]
    version = API_VERSIONS[0] if operation.version is None else operation.version
    operation_id = name.removeprefix(f"v{version}_")
    for odd in [
        *ODD_NAMES,
        "1.0-1",
        "{name}",
        "a:b",
        "~a_b",
        "a\\b",
        "a&b=c",
        "\u202e",
        "e\u0301",
        "\U0001f40d",
    ]:
        place = {key: f"{odd}{number}" for number, key in enumerate(path_names(operation.path))}
        endpoints._built.cache_clear()
        # What leads to the place, but is not in the path, is left out.
        request = endpoints.request(version, operation_id, {**place, "nowhere": odd})
        assert calls.pop() == (tuple(place.values()), {})
        assert request == Request(
            operation=name,
            method=operation.method,
            path=operation.path.format_map({k: quote(v, safe="") for k, v in place.items()}),
            safety=operation.safety,
            params=defaults(description, operation),
            names=place,
        )
    assert not calls


@pytest.mark.parametrize("name", OPERATIONS)
def test_the_query_is_what_is_asked_for(name, description):
    operation = OPERATIONS[name]
    version = API_VERSIONS[0] if operation.version is None else operation.version
    place = dict.fromkeys(path_names(operation.path), "a name")
    query = defaults(description, operation)

    def params(**asked: Any) -> dict[str, str]:
        operation_id = name.removeprefix(f"v{version}_")
        return dict(endpoints.request(version, operation_id, place, **asked).params)

    for key in query:
        for value in (True, False, "True", "False", "a & b/ü", ""):
            assert params(**{key: value}) == {**query, key: str(value)}
        assert params(**{key: None}) == {k: v for k, v in query.items() if k != key}
    for values in itertools.product((True, False), repeat=len(query)):
        asked = dict(zip(query, values, strict=True))
        assert params(**asked) == {key: str(value) for key, value in asked.items()}


def test_the_seam_names_what_the_description_does_not_know():
    with pytest.raises(TypeError, match=r"v1_list_platforms.*'colour'"):
        endpoints.request(1, "list_platforms", colour="red")


@pytest.mark.parametrize("odd", ODD_NAMES)
def test_odd_names_stay_one_segment_down_to_the_wire(odd):
    kwargs = v1_delete_egg.request_kwargs("acme", odd, "rh8-x86_64", "cp311", odd, "1.0-1")
    before, after = "/api/v1/json/data/acme/", "/rh8-x86_64/cp311/eggs/"
    assert kwargs["url"].startswith(before)
    quoted = kwargs["url"].removeprefix(before).partition("/")[0]
    assert unquote(quoted) == odd
    assert kwargs["url"] == f"{before}{quoted}{after}{quoted}/1.0-1"
    place = {"organization": "acme", "repository": odd, "platform": "rh8-x86_64"}
    egg = {"python_tag": "cp311", "name": odd, "version": "1.0-1"}
    assert endpoints.request(1, "delete_egg", place, **egg, force=False).path == kwargs["url"]

    request = httpx.Client(base_url="http://host/prefix").build_request(**kwargs)
    assert request.url.raw_path == f"/prefix{kwargs['url']}?force=False".encode()


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_names_that_would_make_another_path_are_refused(name):
    with pytest.raises(ValueError, match="URL"):
        v1_delete_egg.request_kwargs("acme", name, "rh8-x86_64", "cp311", "numpy", "1.0-1")
    with pytest.raises(ValueError, match="URL"):
        v1_delete_egg.sync(
            "acme", name, "rh8", "cp311", "numpy", "1.0-1", client=Client("http://127.0.0.1:9")
        )


# Docstrings ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OPERATIONS)
def test_docstrings_say_what_the_description_says(name, description):
    operation = OPERATIONS[name]
    data = described(description, operation)

    def resolved(entry: dict[str, Any]) -> dict[str, Any]:
        _, _, kind, found = entry["$ref"].split("/")
        return description["components"][kind][found]

    shared = description["paths"][operation.path].get("parameters", [])
    parts = [resolved(entry) for entry in (*shared, *data.get("parameters", []))]
    if "requestBody" in data:
        parts.append(resolved(data["requestBody"]))
    texts = [data["summary"], *(part.get("description", "") for part in (data, *parts))]
    answers = [
        f"{key}: {resolved(answer)['description']}" for key, answer in data["responses"].items()
    ]
    module = importlib.import_module(operation.module)
    for form in FORMS:
        document = inspect.getdoc(getattr(module, form))
        assert max(map(len, document.splitlines())) <= 96
        flat = " ".join(document.split())
        for text in (*texts, *(answers if form.endswith("_detailed") else ())):
            assert " ".join(text.split()).rstrip(".") in flat


# Importing ----------------------------------------------------------------------------------


def imported_by(statement: str) -> set[str]:
    code = f"{statement}\nimport sys; print(*sys.modules)"
    return set(subprocess.check_output([sys.executable, "-c", code], text=True).split())


def test_an_operation_imports_no_model_but_its_own():
    program = """
from brood_api import Client
from brood_api.api.platforms import v1_list_platforms
from httpx import Client as Http, MockTransport, Response
answer = MockTransport(lambda request: Response(200, json={"platforms": []}))
http = Http(transport=answer, base_url="http://host")
v1_list_platforms.sync(client=Client(base_url="http://host").set_httpx_client(http))
"""
    modules = imported_by(program)
    assert {name for name in modules if name.startswith("brood_api.models.")} == {
        "brood_api.models.error",
        "brood_api.models.platform_list",
    }


def test_the_operations_import_nothing_heavy():
    every = ", ".join(operation.module for operation in OPERATIONS.values())
    modules = imported_by(f"import brood_api.operations, {every}")
    assert not {"httpx", "attr", "dateutil"} & modules
    assert {name.split(".")[1] for name in modules if name.startswith("brood_api.")} == {
        "api",
        "operations",
        "parameters",
    }


def test_models_are_found_in_one_place_and_imported_when_asked_for(root):
    modules = imported_by("import brood_api.models; brood_api.models.Error")
    assert {name for name in modules if name.startswith("brood_api.models.")} == {
        "brood_api.models.error"
    }
    files = {path.stem for path in (root / "generated/brood_api/models").glob("[!_]*.py")}
    homes = {name: models._MODULES[name].removeprefix(".") for name in models.__all__}
    assert sorted(homes.values()) == sorted(files)
    for name, home in homes.items():
        module = importlib.import_module(f"brood_api.models.{home}")
        assert getattr(models, name) is getattr(module, name)
    assert set(models.__all__) <= set(dir(models))
    with pytest.raises(AttributeError, match="no attribute 'Brood'"):
        models.Brood  # noqa: B018


@pytest.mark.long
def test_mypy_knows_the_models(root):
    program = "from brood_api.models import Error, Nothing\nreveal_type(Error('away').error)"
    command = [sys.executable, "-m", "mypy", "--config-file=", "--strict"]
    command += ["--no-incremental", "-c", program]
    output = subprocess.run(
        command,
        cwd=root,
        env={**os.environ, "MYPYPATH": "generated"},
        capture_output=True,
        text=True,
    ).stdout
    assert 'note: Revealed type is "str"' in output
    assert 'has no attribute "Nothing"' in output


def test_every_module_compiles_and_imports(root):
    package = root / "generated/brood_api"
    assert compileall.compile_dir(package, quiet=1, force=True)
    for path in package.rglob("*.py"):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        importlib.import_module(name.removesuffix(".__init__"))


def test_the_package_offers_both_clients_and_nothing_unknown():
    import brood_api

    assert {"AuthenticatedClient", "Client"} <= set(dir(brood_api))
    with pytest.raises(AttributeError, match="no attribute 'Brood'"):
        brood_api.Brood  # noqa: B018


# Documents ----------------------------------------------------------------------------------


def test_documents_survive_the_models_with_their_unknown_fields(description):
    survived = 0
    for name, schema in description["components"]["schemas"].items():
        model = getattr(models, name, None)
        if not isinstance(model, type) or "file" in schema.get("properties", {}):
            continue  # a plain value, or a form that is only ever sent
        example = dict(schema["example"])
        if not isinstance(schema.get("additionalProperties"), dict):
            example["a field of tomorrow"] = {"of": ["any", "shape", None]}
        assert model.from_dict(example).to_dict() == example, name
        survived += 1
    assert survived > len(description["components"]["schemas"]) / 2


def test_the_types_of_documents_are_those_of_the_schemas(description, generate):
    typed = 0
    for name, schema in description["components"]["schemas"].items():
        properties, required = generate.members(description, schema)
        document = getattr(documents, name, None)
        if "file" in properties:
            assert document is None  # a form
        elif properties:
            assert list(document.__annotations__) == list(properties)
            assert document.__required_keys__ == required
            assert {*schema["example"]} <= properties.keys() | {"repositories"}
            typed += 1
        else:
            assert not is_typeddict(document)
    assert {name for name in vars(documents) if name in documents.__all__} == {*documents.__all__}
    assert typed >= 20


def test_schemas_of_every_shape_become_types(generate, root):
    text = {"type": "string"}
    schemas = {
        "Level": {"type": "string", "enum": ["lo", "it's"], "description": 'Said "so"'},
        "Number": {"oneOf": [{"type": "integer"}, text, {"type": "integer"}]},
        "Base": {"required": ["id"], "properties": {"id": text, "seen": text}},
        "Whole": {
            "description": "First\nand \\ second",
            "allOf": [
                {"$ref": "#/components/schemas/Base"},
                {"required": ["seen"], "properties": {"at": {"type": "string", "nullable": True}}},
            ],
            "properties": {
                "level": {"allOf": [{"$ref": "#/components/schemas/Level"}], "nullable": True},
                "inner": {"properties": {"deep": {"type": "number"}}},
                "named": {"title": "Named", "properties": {"flag": {"type": "boolean"}}},
                "rows": {"type": "array", "items": {"$ref": "#/components/schemas/Base"}},
                "map": {"type": "object", "additionalProperties": {"type": "array"}},
                "open": {"type": "object", "additionalProperties": True},
                "first": {"$ref": "#/components/schemas/Base/properties/id"},
                "any": {},
                "whole": {"$ref": "#/components/schemas/Whole"},
            },
        },
        "Odd": {"required": ["a-b"], "properties": {"a-b": text, "class": text}},
        "Rows": {
            "type": "array",
            "items": {"allOf": [{"$ref": "#/components/schemas/Base"}], "nullable": True},
        },
        "Form": {"properties": {"file": {"type": "string", "format": "binary"}}},
    }
    found = generate.list_documents({"components": {"schemas": schemas}})
    ((name, code),) = [
        each
        for each in generate.render_own(root / generate.TEMPLATES, documents=found, operations=[])
        if each[0] == "documents.py"
    ]
    module: dict[str, Any] = {"__name__": "documents"}
    exec(compile(code, name, "exec", dont_inherit=True), module)
    assert module["Level"] == Literal["lo", "it's"]
    assert module["Number"] == int | str
    base, whole = module["Base"], module["Whole"]
    assert module["Rows"] == list[base | None]
    hints = get_type_hints(whole, module)
    assert hints == {
        "id": str,
        "seen": str,
        "at": str | None,
        "level": Literal["lo", "it's"] | None,
        "inner": module["WholeInner"],
        "named": module["Named"],
        "rows": list[base],
        "map": dict[str, list[Any]],
        "open": dict[str, Any],
        "first": str,
        "any": Any,
        "whole": whole,
    }
    assert whole.__required_keys__ == {"id", "seen"}
    assert inspect.getdoc(whole) == "First\nand \\ second"
    assert set(module["WholeInner"].__annotations__) == {"deep"}
    assert set(module["Odd"].__annotations__) == {"a-b", "class"}
    assert "Form" not in module["__all__"]


# The ready functions, against real sockets ------------------------------------------------------

EGGS = ("acme", "dev", "rh8", "cp311")
EGG = FileUpload(file=File(BytesIO(b""), "a-1-1.egg"), data=Checksum("0" * 64))


def ask(answer: Answer, function: Callable[..., Any], *names: str, **given: Any) -> Any:
    """What a function makes of a server's answer."""
    with ScriptedServer(answer) as server:
        return function(*names, client=Client(server.url), **given)


def test_a_ready_function_sends_the_token_and_returns_the_document():
    body = json.dumps({"platforms": ["rh8-x86_64"]}).encode()
    with ScriptedServer(Answer(headers=JSON, body=body)) as server:
        client = AuthenticatedClient(base_url=f"{server.url}/prefix", token="t0ken")
        platforms = v1_list_platforms.sync(client=client)
        assert platforms.platforms == ["rh8-x86_64"]
        assert asyncio.run(v1_list_platforms.asyncio(client=client)) == platforms
    assert [r.target for r in server.requests] == ["/prefix/api/v1/json/metadata/platforms"] * 2
    assert {r.headers["authorization"] for r in server.requests} == {"Bearer t0ken"}


def test_a_plain_client_takes_a_configured_httpx_client():
    body = b'{"repositories": ["acme/dev"]}'
    with ScriptedServer(Answer(headers=JSON, body=body)) as server:
        session = httpx.Client(base_url=server.url, auth=("ada@example.com", "pw"))
        client = Client(base_url=server.url).set_httpx_client(session)
        found = v0_list_available_repositories.sync(client=client, include_indexable="True")
    assert found.repositories == ["acme/dev"]
    (request,) = server.requests
    assert request.target == "/api/v0/json/metadata/user/repositories?include_indexable=True"
    assert request.headers["authorization"].startswith("Basic ")


def test_an_error_document_is_returned():
    answer = Answer(401, headers=JSON, body=b'{"error": "Who are you?"}')
    response = ask(answer, v1_create_session_token.sync_detailed)
    assert response.status_code == 401
    assert response.parsed == Error("Who are you?")


def test_json_without_its_content_encoding_is_read():
    body = gzip.compress(b'{"numpy-1.0-1.egg": {"name": "numpy", "version": "1.0", "build": 1}}')
    index = ask(Answer(headers=JSON, body=body), v1_get_egg_index.sync, *EGGS)
    assert index["numpy-1.0-1.egg"].version == "1.0"


@pytest.mark.parametrize("status", [200, 404, 503])
def test_a_page_of_html_is_an_error_that_tells_its_status(status):
    answer = Answer(status, headers={"Content-Type": "text/html"}, body=b"<h1>Gateway</h1>")
    with pytest.raises(UnexpectedContent, match=f"{status} is no JSON.*Gateway") as caught:
        ask(answer, v1_get_egg_index.sync, *EGGS)
    assert caught.value.status_code == status


@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_success_without_its_body_is_none(status):
    """Other servers need not answer with the document that is described."""
    response = ask(Answer(status), v1_upload_egg.sync_detailed, *EGGS[:3], body=EGG)
    assert (response.status_code, response.parsed) == (status, None)
    with ScriptedServer(Answer(status)) as server:
        assert asyncio.run(v1_list_platforms.asyncio(client=Client(server.url))) is None


def test_a_success_that_is_no_json_is_an_error():
    with pytest.raises(UnexpectedContent, match="201 is no JSON"):
        ask(Answer(201, body=b"OK"), v1_upload_egg.sync, *EGGS[:3], body=EGG)


@pytest.mark.parametrize("status", [418, 500, 502, 522])
def test_an_undocumented_status_is_an_error(status):
    answer = Answer(status, headers=JSON, body=b'{"error": "away"}')
    with pytest.raises(UnexpectedStatus, match="away") as caught:
        ask(answer, v1_list_platforms.sync)
    assert caught.value.status_code == status


@pytest.mark.parametrize("status", [405, 408, 431, 503])
def test_what_the_server_refuses_is_read(status):
    answer = Answer(status, headers=JSON, body=b'{"error": "away"}')
    response = ask(answer, v1_list_platforms.sync_detailed)
    assert (response.status_code, response.parsed) == (status, Error("away"))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b'{"message": "gone"}', 'lacks \'error\': {"message": "gone"}'),
        (401, b'{"error": 5}', "int stands where str should"),
        (401, b'{"error": null}', "NoneType stands where str should"),
        (401, b"null", "NoneType stands where Mapping should: null"),
        (401, b"[]", "list stands where Mapping should"),
        (401, b'["gone"]', "list stands where Mapping should"),
        (401, b'"gone"', "str stands where Mapping should"),
        (401, b"5", "int stands where Mapping should"),
        (503, b"", "is no JSON"),
        (200, b"[" * 100_000, "is no JSON"),
        (200, b'{"platforms": ["rh8', "is no JSON"),
        (200, b"{}", "lacks 'platforms'"),
        (200, b"[]", "list stands where Mapping should"),
        (200, b'{"platforms": null}', "NoneType stands where list[str] should"),
        (200, b'{"platforms": "rh8"}', "str stands where list[str] should"),
        (200, b'{"platforms": [1]}', "list stands where list[str] should"),
    ],
)
def test_another_document_than_the_described_one_is_an_error(form, status, body, reason):
    async def ask(url: str) -> None:
        async with Client(url, verify_ssl=False) as client:
            with client:
                answer = getattr(v1_list_platforms, form)(client=client)
                if form.startswith("asyncio"):
                    await answer

    answer = Answer(status, headers=JSON, body=body)
    with ScriptedServer(answer) as server, pytest.raises(UnexpectedContent) as caught:
        asyncio.run(ask(server.url))
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        assert (error.status_code, error.content) == (status, body)
        assert str(status) in str(error) and reason in str(error)
        assert repr(error) == f"UnexpectedContent({str(error)!r})" and len(repr(error)) < 500


@pytest.mark.parametrize(
    "entry",
    [
        [],
        "numpy",
        {"name": "numpy", "version": "1.0"},
        {"name": "numpy", "version": 1.0, "build": 1},
        {"name": "numpy", "version": "1.0", "build": True},
        {"name": "numpy", "version": "1.0", "build": 1, "size": "1"},
        {"name": "numpy", "version": "1.0", "build": 1, "product": 1},
        {"name": "numpy", "version": "1.0", "build": 1, "packages": ["a", None]},
    ],
)
def test_what_is_within_a_document_is_checked_as_well(entry):
    body = json.dumps({"numpy-1.0-1.egg": entry}).encode()
    with pytest.raises(UnexpectedContent):
        ask(Answer(headers=JSON, body=body), v1_get_egg_index.sync, *EGGS)


def test_what_is_missing_or_null_or_a_whole_number_is_taken():
    entry = {"name": "numpy", "version": "1.0", "build": 1, "product": None, "mtime": 3}
    body = json.dumps({"numpy-1.0-1.egg": entry}).encode()
    index = ask(Answer(headers=JSON, body=body), v1_get_egg_index.sync, *EGGS)
    assert index.to_dict() == {"numpy-1.0-1.egg": entry}


@pytest.mark.parametrize(
    "body", [b'{"token": ["s3cret"]}', b'{"tokens": "s3cret"}', b'{"token": "s3cret', b"s3cret"]
)
def test_an_error_shows_no_token(body):
    with pytest.raises(UnexpectedContent) as caught:
        ask(Answer(headers=JSON, body=body), v1_create_session_token.sync)
    assert "s3cret" not in f"{caught.value} {caught.value!r} {caught.value.__cause__}"


def test_a_document_shows_no_token():
    body = b'{"name": "laptop", "token": "s3cret"}'
    laptop = models.NewApiTokenRequest("laptop")
    answer = Answer(headers=JSON, body=body)
    response = ask(answer, v1_create_api_token.sync_detailed, body=laptop)
    assert response.parsed.token == "s3cret"
    assert "laptop" in repr(response) and "s3cret" not in repr(response)
    created = models.UserCreated.from_dict(
        {"email": "ada@example.com", "one_time_password": "s3cret"}
    )
    assert "ada@example.com" in repr(created) and "s3cret" not in repr(created)


def test_a_response_can_be_made_to_raise():
    answers = (
        Answer(headers=JSON, body=b'{"platforms": []}'),
        Answer(401, headers=JSON, body='{"error": "There is no \\u001b[1mü"}'.encode()),
        Answer(503, headers=JSON, body=gzip.compress(b'{"error": "away"}')),
    )
    with ScriptedServer(*answers) as server:
        good, *bad = (v1_list_platforms.sync_detailed(client=Client(server.url)) for _ in answers)
    assert good.raise_for_status() is good
    for response, says in zip(bad, ("There is no \x1b[1mü", "away"), strict=True):
        with pytest.raises(UnexpectedStatus) as caught:
            response.raise_for_status()
        for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
            assert type(error) is UnexpectedStatus
            assert (error.status_code, error.content) == (response.status_code, response.content)
            assert error.error == says
            shown = says.replace("\x1b", " ")
            assert str(error) == f"The server answered {response.status_code}: {shown}"


def test_an_error_shows_a_part_of_a_long_page():
    error = UnexpectedStatus(502, b"<h1>Gateway</h1>\r\n" + b"x" * 10_000)
    assert str(error).startswith("The server answered 502: <h1>Gateway</h1>  xxx")
    assert len(repr(error)) < 400 and error.error is None
    assert str(UnexpectedStatus(302, b"")) == "The server answered 302"


# Files and forms ----------------------------------------------------------------------------


def test_a_file_is_opened_by_its_path(tmp_path):
    path = tmp_path / "numpy-1.0-1.egg"
    path.write_bytes(b"egg")
    for given in (path, str(path)):
        with File.from_path(given) as file:
            assert (file.file_name, file.payload.read()) == ("numpy-1.0-1.egg", b"egg")
        assert file.payload.closed
    with pytest.raises(FileNotFoundError, match="nothing"):
        File.from_path(tmp_path / "nothing.egg")


def test_a_form_is_sent_again_from_the_beginning():
    """As httpx does when an authentication was refused; names cannot leave their line."""
    file = File(BytesIO(b"egg"), 'a "b"\r\nc.egg', "application/zip")
    file.payload.seek(2)
    form = FileUpload(file, Checksum("0" * 64)).to_multipart()
    first = b"".join(form)
    assert b"".join(form) == first
    assert form.headers()["Content-Length"] == str(len(first))
    assert first.splitlines()[1:5] == [
        b'Content-Disposition: form-data; name="file"; filename="a %22b%22%0D%0Ac.egg"',
        b"Content-Type: application/zip",
        b"",
        b"egg",
    ]


def test_a_form_takes_little_memory_and_needs_a_file_that_can_seek(tmp_path):
    path = tmp_path / "numpy-1.0-1.egg"
    with path.open("wb") as sparse:
        sparse.truncate(100_000_000)
    with File.from_path(path) as file:
        form = FileUpload(file, Checksum("0" * 64)).to_multipart()
        tracemalloc.start()
        try:
            assert str(sum(map(len, form))) == form.headers()["Content-Length"]
            assert tracemalloc.get_traced_memory()[1] < 1_000_000
        finally:
            tracemalloc.stop()
    read, write = os.pipe()
    with open(read, "rb") as pipe, open(write, "wb"), pytest.raises(OSError, match="seek"):
        FileUpload(File(pipe), Checksum("0" * 64)).to_multipart().headers()


def test_a_download_is_a_file(tmp_path):
    with ScriptedServer(Answer(206, body=b"tail")) as server:
        found = v1_download_egg.sync(
            "acme", "dev", "rh8", "cp311", "numpy", "1.0-1",
            client=Client(base_url=server.url), range_="bytes=4-",
        )  # fmt: skip
    assert found.payload.read() == b"tail"
    assert server.requests[0].headers["range"] == "bytes=4-"


# The clients --------------------------------------------------------------------------------


def test_a_clients_repr_holds_no_secret():
    client = AuthenticatedClient(
        base_url="https://ada:passw0rd@host/prefix",
        token="t0ken",
        headers={"X-Key": "s3cret"},
        cookies={"session": "c00kie"},
        httpx_args={"auth": ("ada", "passw0rd")},
    )
    client.get_httpx_client()
    assert repr(client) == "<AuthenticatedClient https://host/prefix>"
    assert repr(Client(base_url="https://host")) == "<Client https://host>"


def test_a_clients_requests_do_not_wait_for_ever():
    timeout = Client(base_url="https://host").get_httpx_client().timeout
    assert timeout == httpx.Timeout(60.0, connect=10.0)


def test_a_changed_copy_leaves_the_client_as_it_was():
    client = Client(base_url="https://host", headers={"A": "1"})
    session = client.get_httpx_client()
    before = (dict(session.headers), dict(session.cookies), session.timeout)
    copy = client.with_headers({"B": "2"}).with_cookies({"c": "3"})
    copy = copy.with_timeout(httpx.Timeout(1.0))
    assert (dict(session.headers), dict(session.cookies), session.timeout) == before
    changed = copy.get_httpx_client()
    assert (changed.headers["A"], changed.headers["B"]) == ("1", "2")
    assert changed.cookies["c"] == "3"
    assert changed.timeout == httpx.Timeout(1.0)
