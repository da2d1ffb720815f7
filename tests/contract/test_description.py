"""openapi/brood.yaml: it is valid, complete, and keeps its own house rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from openapi_schema_validator import OAS30Validator

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}

# Every operation of the protocol that v0 and v1 share, below /api/v0/json and /api/v1/json.
SHARED = """
create_session_token         POST   /auth/tokens/auth
list_api_tokens              GET    /auth/tokens/api
create_api_token             POST   /auth/tokens/api
delete_api_token             DELETE /auth/tokens/api/{name}
list_platforms               GET    /metadata/platforms
list_python_tags             GET    /metadata/python-tags
list_all_python_tags         GET    /metadata/python-tags/all
list_available_repositories  GET    /metadata/user/repositories
list_organizations           GET    /admin/organizations
create_organization          POST   /admin/organizations
list_repositories            GET    /admin/organizations/{organization}/repositories
create_repository            POST   /admin/organizations/{organization}/repositories
delete_repository            DELETE /admin/repositories/{organization}/{repository}
list_teams                   GET    /admin/organizations/{organization}/teams
create_team                  POST   /admin/organizations/{organization}/teams
get_team                     GET    /admin/teams/{organization}/{team}
delete_team                  DELETE /admin/teams/{organization}/{team}
list_team_repositories       GET    /admin/teams/{organization}/{team}/repositories
get_team_repository          GET    /admin/teams/{organization}/{team}/repositories/{repository}
add_team_repository          PUT    /admin/teams/{organization}/{team}/repositories/{repository}
remove_team_repository       DELETE /admin/teams/{organization}/{team}/repositories/{repository}
list_team_members            GET    /admin/teams/{organization}/{team}/members
get_team_member              GET    /admin/teams/{organization}/{team}/members/{email}
add_team_member              PUT    /admin/teams/{organization}/{team}/members/{email}
remove_team_member           DELETE /admin/teams/{organization}/{team}/members/{email}
create_user                  POST   /admin/organizations/{organization}/users
get_user                     GET    /admin/users/{organization}/{email}
delete_user                  DELETE /admin/users/{organization}/{email}
get_egg_index                GET    /indices/{organization}/{repository}/{platform}/{python_tag}/eggs
get_egg_metadata             GET    /metadata/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}
upload_egg                   POST   /data/{organization}/{repository}/{platform}/eggs/upload
download_egg                 GET    /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}
delete_egg                   DELETE /data/{organization}/{repository}/{platform}/{python_tag}/eggs/{name}/{version}
reindex_eggs                 POST   /data/{organization}/{repository}/{platform}/eggs/re-index
get_app_index                GET    /indices/{organization}/{repository}/{platform}/apps
get_app_metadata             GET    /metadata/{organization}/{repository}/{platform}/{python_tag}/apps/{app_id}/{version}
upload_app                   POST   /data/{organization}/{repository}/{platform}/apps/upload
get_runtime_index            GET    /indices/{organization}/{repository}/{platform}/runtimes
upload_runtime               POST   /data/{organization}/{repository}/{platform}/runtimes/upload
"""  # noqa: E501
ONLY_V0 = """
get_runtime_metadata         GET    /metadata/{organization}/{repository}/{platform}/runtimes/{python_tag}/{version}
download_runtime             GET    /data/{organization}/{repository}/{platform}/runtimes/{python_tag}/{version}
"""  # noqa: E501
ONLY_V1 = """
get_runtime_metadata         GET    /metadata/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}
download_runtime             GET    /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}
delete_runtime               DELETE /data/{organization}/{repository}/{platform}/runtimes/{implementation}/{version}
get_bundle_index             GET    /indices/{organization}/{repository}/{platform}/bundles
get_bundle_metadata          GET    /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}
delete_bundle                DELETE /metadata/{organization}/{repository}/{platform}/bundles/{python_tag}/{name}/{version}
upload_bundle                POST   /data/{organization}/{repository}/bundles/upload
"""  # noqa: E501

UNVERSIONED = """
get_legacy_index             GET    /repo/{organization}/{repository}/{platform}/index.json
download_legacy_egg          GET    /repo/{organization}/{repository}/{platform}/{filename}
"""

#: What every error has.
ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}

ACCESS_LEVELS = {
    "anonymous",
    "authenticated",
    "read_index",
    "read_repository",
    "upload_repository",
    "organization_administrator",
    "server_administrator",
}


def protocol() -> dict[str, tuple[str, str]]:
    """operationId → (method, path), written out from the protocol."""
    table = {}
    for prefix, root, rows in (
        ("v0_", "/api/v0/json", SHARED + ONLY_V0),
        ("v1_", "/api/v1/json", SHARED + ONLY_V1),
        ("", "", UNVERSIONED),
    ):
        for row in filter(None, rows.split("\n")):
            name, method, path = row.split()
            table[f"{prefix}{name}"] = (method, f"{root}{path}")
    return table


def operations(description: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in description["paths"].items():
        for method in METHODS & item.keys():
            yield method.upper(), path, item[method]


def by_id(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {data["operationId"]: data for _, _, data in operations(description)}


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def resolve(description: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in node:
        target: Any = description
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        node = target
    return node


def validator(description: dict[str, Any], schema: dict[str, Any]) -> OAS30Validator:
    return OAS30Validator({**schema, "components": description["components"]})


def test_it_is_valid_openapi(root, description, generate):
    assert description["openapi"] == "3.0.3"
    generate.check_description(root, description)


def test_it_holds_the_whole_protocol_and_nothing_else(description):
    described = {
        data["operationId"]: (method, path) for method, path, data in operations(description)
    }
    assert described == protocol()


def test_operation_ids_are_unique(root):
    """In the text, too: loading would drop what a repeated key overwrites."""
    text = (root / "openapi/brood.yaml").read_text("utf-8")
    ids = re.findall(
        r"^      operationId: (\S+)$", text.partition("\ncomponents:")[0], re.MULTILINE
    )
    assert len(ids) == len(set(ids)) == len(protocol())
    paths = re.findall(r"^  (/\S+):$", text, re.MULTILINE)
    assert len(paths) == len(set(paths))


def test_every_operation_declares_what_it_must(description):
    tags = {tag["name"] for tag in description["tags"]}
    for method, _, data in operations(description):
        name = data["operationId"]
        assert len(data["tags"]) == 1, name
        assert data["tags"][0] in tags, name
        assert bool(data.get("deprecated")) == (name == "v0_create_session_token"), name
        assert data["summary"], name
        assert name.startswith("v0_") or data.get("description", "").strip(), name
        assert data["security"][:2] == [{"basicAuth": []}, {"bearerAuth": []}], name
        assert data["security"][2:] in ([], [{}]), name
        assert data["x-safety"] in {"safe", "idempotent", "ambiguous"}, name
        assert data["x-access"] in ACCESS_LEVELS, name
        # Where a request is refused before anybody knows what it asks for, too.
        always = {"400", "401", "405", "408", "429", "431", "503", "507"}
        assert always <= data["responses"].keys(), name
        assert any(code.startswith("2") for code in data["responses"]), name
        if data["x-access"] not in ("anonymous", "authenticated") or method != "GET":
            assert "403" in data["responses"], name
        sending = {"413", "415"} & data["responses"].keys()
        assert sending == ({"413", "415"} if "requestBody" in data else set()), name


def test_every_error_is_an_error_document(description):
    """And a Brood fails in two ways only."""
    for name, data in by_id(description).items():
        for code, response in data["responses"].items():
            if code[0] in "45":
                assert code[0] == "4" or code in ("503", "507")
                assert resolve(description, response)["content"] == ERROR, (name, code)


def test_safety_follows_from_what_an_operation_does(description):
    for method, _, data in operations(description):
        name = data["operationId"][3:]
        if method == "GET" or name == "create_session_token":
            expected = "safe"
        elif method in {"PUT", "DELETE"} or name == "reindex_eggs":
            expected = "idempotent"
        else:
            expected = "ambiguous"
        assert data["x-safety"] == expected, name


def test_both_versions_tell_the_same_of_the_same_operation(description):
    operations_of = by_id(description)
    differing = set()
    for name in (name[3:] for name in operations_of if name.startswith("v0")):
        v0, v1 = operations_of[f"v0_{name}"], operations_of[f"v1_{name}"]
        for key in ("tags", "summary", "security", "x-safety", "x-access"):
            assert v0[key] == v1[key], (name, key)
        # Their success may differ, with the documents; which successes and errors, never.
        assert v0["responses"].keys() - {"400"} == v1["responses"].keys() - {"400"}, name
        differing |= {name} if v0["responses"] != v1["responses"] else set()
    assert differing == {"list_available_repositories", "get_runtime_index", "get_runtime_metadata"}
    listing = operations_of["v0_list_available_repositories"]["responses"]["200"]
    assert listing == {"$ref": "#/components/responses/RepositoryList"}


def test_deletions_take_force_and_answer_204(description):
    for method, _, data in operations(description):
        if method == "DELETE":
            assert {"$ref": "#/components/parameters/Force"} in data["parameters"]
            assert "204" in data["responses"], data["operationId"]


def test_downloads_offer_ranges_and_conditions(description):
    for name, data in by_id(description).items():
        if name[3:].startswith("download_"):
            names = {resolve(description, p)["name"] for p in data["parameters"]}
            assert names == {"Range", "If-Range", "If-None-Match"}
            headers = {"ETag", "Accept-Ranges", "X-Request-ID"}
            whole = {*headers, "Content-Disposition", "Content-Length"}
            for status, expected in {
                "200": whole,
                "206": {*whole, "Content-Range"},
                "304": headers,
                "416": {*headers, "Content-Range", "Cache-Control"},
            }.items():
                response = resolve(description, data["responses"][status])
                assert response["headers"].keys() == expected, (name, status)
                if status[0] == "2":
                    assert list(response["content"]) == ["application/octet-stream"]


def test_uploads_have_a_file_and_data_in_this_order(description):
    uploads = {n: d for n, d in by_id(description).items() if n[3:].startswith("upload_")}
    assert uploads.keys() == {name for name in protocol() if "_upload_" in name}
    for name, data in uploads.items():
        body = resolve(description, data["requestBody"])["content"]["multipart/form-data"]
        assert list(resolve(description, body["schema"])["properties"]) == ["file", "data"], name
        assert {"200", "201", "409"} <= data["responses"].keys(), name


def test_query_booleans_are_pythons_words(description):
    assert description["components"]["schemas"]["PythonBoolean"]["enum"] == ["True", "False"]
    defaults = {
        parameter["name"]: parameter["schema"]["default"]
        for parameter in description["components"]["parameters"].values()
        if parameter["in"] == "query"
    }
    assert defaults == {
        "overwrite": "False",
        "enabled": "True",
        "force": "False",
        "include_indexable": "False",
    }


def test_every_success_with_something_to_say_has_a_body(description):
    for name, data in by_id(description).items():
        codes = {code for code in data["responses"] if code[0] in "23"}
        for code in codes:
            content = resolve(description, data["responses"][code]).get("content")
            assert (content is None) == (code in {"204", "304"}), (name, code)
        if "2XX" in codes:
            assert data["responses"]["2XX"] == data["responses"]["201"], name


def test_every_answer_names_its_request(description):
    for name, response in description["components"]["responses"].items():
        headers = response["headers"]
        assert "X-Request-ID" in headers, name
        # What has an ETag may be kept, unless it is an error.
        kept = "ETag" in headers and response.get("content") != ERROR
        assert kept != ("Cache-Control" in headers), name


def test_every_index_and_file_tells_its_kind_of_etag(description):
    for name, data in by_id(description).items():
        kind = "ETag" if "download_" in name else "IndexETag" if name.endswith("_index") else None
        for code in {"200", "206", "304"} & data["responses"].keys():
            response = resolve(description, data["responses"][code])
            etag = response["headers"].get("ETag")
            wanted = kind and {"$ref": f"#/components/headers/{kind}"}
            assert etag == wanted, (name, code)


def test_the_description_says_what_it_is(description):
    info = description["info"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", info["version"])
    assert info["contact"]["name"]
    assert description["externalDocs"]["url"].startswith("https://")
    for words in ("Enthought Deployment Server", "paginated", "`HEAD`", "`X-Request-ID`"):
        assert words in info["description"], words


def test_every_property_has_a_description(description):
    def properties(where: str, node: Any) -> Iterator[tuple[str, Any]]:
        if isinstance(node, dict):
            if isinstance(node.get("properties"), dict):
                yield from ((f"{where}.{name}", each) for name, each in node["properties"].items())
            for key, value in node.items():
                yield from properties(f"{where}/{key}", value)
        elif isinstance(node, list):
            for number, value in enumerate(node):
                yield from properties(f"{where}/{number}", value)

    found = [*properties("", description["components"]["schemas"])]
    assert found
    for where, schema in found:
        assert resolve(description, schema).get("description", "").strip(), where


def test_two_times_have_no_offset(description):
    """Whoever parses a date-time expects one, so that these must say it."""
    token = description["components"]["schemas"]["ApiToken"]["properties"]
    assert "without an offset" in token["created"]["description"]
    assert "`created`" in token["last_used"]["description"]
    assert str(description).count("'date-time'") == 2


def test_every_schema_has_a_description_and_a_valid_example(description):
    for name, schema in description["components"]["schemas"].items():
        assert schema["description"], name
        errors = list(validator(description, schema).iter_errors(schema["example"]))
        assert not errors, (name, errors)


def test_every_parameter_and_header_has_a_valid_example(description):
    components = description["components"]
    for name, node in {**components["parameters"], **components["headers"]}.items():
        assert node["description"], name
        if "allOf" not in node["schema"]:
            errors = list(validator(description, node["schema"]).iter_errors(node["example"]))
            assert not errors, (name, errors)


def test_documents_keep_unknown_fields(description):
    forms = {"FileUpload", "RuntimeUploadV0", "BundleUpload"}
    for name, schema in description["components"]["schemas"].items():
        for part in [schema, *schema.get("allOf", [])]:
            if part.get("type") == "object" and name not in forms:
                assert part["additionalProperties"], name


def test_every_component_is_used(description):
    used: set[str] = set()
    waiting = set(references(description["paths"]))
    while waiting:
        reference = waiting.pop()
        used.add(reference)
        waiting |= set(references(resolve(description, {"$ref": reference}))) - used
    present = {
        f"#/components/{kind}/{name}"
        for kind, components in description["components"].items()
        if kind != "securitySchemes"
        for name in components
    }
    assert present == used


def test_the_shipped_json_is_the_description(root, description):
    shipped = json.loads((root / "generated/brood_api/brood.json").read_text("utf-8"))
    assert shipped == description
