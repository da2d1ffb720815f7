#!/usr/bin/env python
"""Generate the client ``generated/brood_api`` from the description ``openapi/brood.yaml``.

::

    python scripts/generate.py            renew the generated client
    python scripts/generate.py --check    change nothing; fail if it differs from a fresh one

The build hook loads this file too: a build generates when the stamp is stale. The stamp, kept
in the generated package, is a hash of everything that the package is made from.

Loading this file and reading the stamp take nothing but the standard library. Generating takes
the packages pinned in pyproject.toml's dependency group ``generate``.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import keyword
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent

# Below the root of the project.
DESCRIPTION = Path("openapi/brood.yaml")
CONFIGURATION = Path("openapi/generator.yaml")
PATCHES = Path("openapi/patches.toml")
TEMPLATES = Path("openapi/templates")
SCRIPT = Path("scripts/generate.py")
PACKAGE = Path("generated/brood_api")

STAMP = "stamp.sha256"
#: What upstream has no templates for.
OWN_MODULES = ("documents.py", "operations.py", "parameters.py")

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
SAFETIES = ("safe", "idempotent", "ambiguous")
#: What a reference leads to, by the key that it stands under, or that is above it.
REFERENCES = {
    **{name: name for name in ("headers", "links", "parameters", "responses")},
    **dict.fromkeys(("additionalProperties", "items", "not", "properties", "schema"), "schemas"),
    **dict.fromkeys(("allOf", "anyOf", "oneOf", "schemas"), "schemas"),
    "requestBody": "requestBodies",
}
QUERY_TYPES = ("string", "integer", "number", "boolean")
ACCESS_LEVELS = (
    "anonymous",
    "authenticated",
    "read_index",
    "read_repository",
    "upload_repository",
    "organization_administrator",
    "server_administrator",
)


class GenerationError(Exception):
    """The client cannot be generated; the message says why and what to do."""


class Operation(NamedTuple):
    """An operation of the description, as operations.py.jinja needs it."""

    id: str
    version: int | None
    method: str
    path: str
    tag: str
    safety: str
    access: str

    @classmethod
    def of(cls, path: str, method: str, data: Mapping[str, Any]) -> Operation:
        """Take from the description what it says, right or wrong."""
        version = re.match(r"/api/v(\d+)/", path)
        return cls(
            id=str(data.get("operationId", "")),
            version=int(version[1]) if version else None,
            method=method.upper(),
            path=path,
            tag=",".join(data.get("tags", [])),
            safety=str(data.get("x-safety", "")),
            access=str(data.get("x-access", "")),
        )


class Field(NamedTuple):
    """A field of a document, as documents.py.jinja needs it."""

    name: str
    type: str
    description: str

    @property
    def is_name(self) -> bool:
        """Whether a class can have a field of this name."""
        return self.name.isidentifier() and not keyword.iskeyword(self.name)


class Document(NamedTuple):
    """A schema of the description, as documents.py.jinja needs it."""

    name: str
    description: str
    alias: str = ""
    fields: Sequence[Field] = ()


# What the package is made from ----------------------------------------------------------------


def pins(root: Path = ROOT) -> list[str]:
    """Return the pinned requirements of generating, from their only source."""
    with (root / "pyproject.toml").open("rb") as file:
        return list(tomllib.load(file)["dependency-groups"]["generate"])


def stamp(root: Path = ROOT) -> str:
    """Hash description, configuration, templates, patches, this script and the pins."""
    templates = sorted(path.relative_to(root) for path in (root / TEMPLATES).glob("*.jinja"))
    digest = hashlib.sha256(json.dumps(pins(root)).encode())
    for path in (DESCRIPTION, CONFIGURATION, PATCHES, SCRIPT, *templates):
        # A checkout with other line ends is still the same source.
        content = (root / path).read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"\n{path.as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()


def is_stale(root: Path = ROOT) -> bool:
    """Tell whether the generated package was made from something else than what is there."""
    path = root / PACKAGE / STAMP
    return not path.is_file() or path.read_text().strip() != stamp(root)


# Reading and checking the description ---------------------------------------------------------


class Fault(NamedTuple):
    """What is wrong with the description, and where: the keys that lead to it."""

    place: tuple[Any, ...]
    message: str


def refuse(root: Path, faults: Iterable[Fault]) -> None:
    """Raise when there are faults: one line for each, with its place."""
    found = list(faults)
    if found:
        from ruamel.yaml import YAML

        tree = YAML(typ="safe", pure=True).compose(root / DESCRIPTION)
        # What stands in the file once may be found in all places that it is merged into.
        lines: dict[tuple[int, str], str] = {}
        for place, message in found:
            where = "/".join(map(str, place)) or "/"
            lines.setdefault((line_of(tree, place), one_line(message)), where)
        told = sorted(lines.items())
        raise GenerationError("\n".join(f"{DESCRIPTION}:{n}: at {at}: {m}" for (n, m), at in told))


def one_line(text: object, most: int = 300) -> str:
    """Shorten a text to one line; what matters in a long one stands at its ends."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[: most // 2]} ... {line[-most // 2 :]}"


def line_of(node: Any, place: tuple[Any, ...]) -> int:
    """Return the line of a place in the file, or of what it should stand in."""
    line = 1
    for key in place:
        found = next(under(node, key), None)
        if found is None:
            break
        line, node = found
    return line


def under(node: Any, key: Any) -> Iterator[tuple[int, Any]]:
    """Yield what stands under a key of a YAML node, with its line; what is merged in, last."""
    if not isinstance(node.value, list):
        return
    if isinstance(key, int) and node.tag == "tag:yaml.org,2002:seq":
        yield from ((each.start_mark.line + 1, each) for each in node.value[key : key + 1])
        return
    merged = []
    for name, value in (each for each in node.value if isinstance(each, tuple)):
        if name.value == "<<":
            merged += [value] if value.tag == "tag:yaml.org,2002:map" else value.value
        elif name.value == str(key):
            yield name.start_mark.line + 1, value
    for other in merged:
        yield from under(other, key)


def load_description(root: Path = ROOT) -> dict[str, Any]:
    """Read the description, and refuse what is no YAML, no JSON, or refers to nothing.

    Duplicate keys, which YAML would overwrite silently, are refused, too.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        description = YAML(typ="safe").load(root / DESCRIPTION)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = "" if mark is None else f"{mark.line + 1}:"
        said = one_line(error.problem)
        raise GenerationError(f"{DESCRIPTION}:{line} no valid YAML: {said}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise GenerationError(f"{DESCRIPTION}: no valid YAML: {one_line(error)}") from error
    except OSError as error:
        raise GenerationError(f"{DESCRIPTION}: {error.strerror}") from error
    if not isinstance(description, dict) or not isinstance(description.get("paths"), dict):
        raise GenerationError(f"{DESCRIPTION}: it has no paths, and so is no OpenAPI description")
    refuse(root, document_faults(description, description, (), ()))
    return description


def document_faults(
    description: dict[str, Any], node: Any, place: tuple[Any, ...], above: tuple[int, ...]
) -> Iterator[Fault]:
    """Yield what JSON could not hold, and references that lead to nothing."""
    if id(node) in above:
        yield Fault(place, "contains itself")
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield from reference_faults(description, node, place)
        for key, value in node.items():
            if not isinstance(key, str):
                yield Fault((*place, key), f"the key {key!r} must be a string: quote it")
            yield from document_faults(description, value, (*place, key), (*above, id(node)))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from document_faults(description, value, (*place, number), (*above, id(node)))
    elif isinstance(node, float) and not math.isfinite(node):
        yield Fault(place, f"JSON has no number {node}")
    elif not isinstance(node, str | int | float | None):
        yield Fault(place, f"JSON has no {type(node).__name__}: quote {node}")


def reference_faults(
    description: dict[str, Any], node: dict[str, Any], place: tuple[Any, ...]
) -> Iterator[Fault]:
    """Yield what is wrong with a reference: what it leads to depends on where it stands."""
    reference = node["$ref"]
    inside, name = ("", *place)[-2:]
    kind = REFERENCES.get(name) or REFERENCES.get(inside)
    if not isinstance(resolve(description, node), dict):
        yield Fault(place, f"$ref leads to nothing: {reference}")
    elif kind and not re.fullmatch(f"#/components/{kind}/[^/]+", reference):
        yield Fault(place, f"$ref must lead to one of #/components/{kind}: {reference}")


def check_description(root: Path, description: dict[str, Any]) -> list[Operation]:
    """List the operations, and refuse what OpenAPI, the generator or the server does not bear."""
    refuse(root, schema_faults(description))
    operations = list_operations(description)
    refuse(root, operation_faults(description, operations))
    refuse(root, meaning_faults(description))
    return operations


def list_operations(description: dict[str, Any]) -> list[Operation]:
    """List the operations in the order of the description."""
    return [
        Operation.of(path, method, item[method])
        for path, item in description["paths"].items()
        for method in METHODS
        if method in item
    ]


def schema_faults(description: dict[str, Any]) -> Iterator[Fault]:
    """Yield what is not as OpenAPI 3.0 wants it."""
    from jsonschema import Draft4Validator
    from openapi_spec_validator.schemas import schema_v30

    for error in Draft4Validator(dict(schema_v30)).iter_errors(description):
        found: dict[tuple[Any, ...], list[Any]] = {}
        for cause in causes(error):
            found.setdefault(tuple(cause.absolute_path), []).append(cause)
        for place, here in found.items():
            if all(cause.validator == "enum" for cause in here):
                words = ", ".join(str(word) for cause in here for word in cause.validator_value)
                yield Fault(place, f"{here[0].instance!r} is none of {words}")
            else:
                yield from (Fault(place, cause.message) for cause in here)


def causes(error: Any) -> list[Any]:
    """Return what makes an error: of alternatives, what went wrong deepest."""
    if not error.context:
        return [error]
    branches: dict[Any, list[Any]] = {}
    for each in error.context:
        branches.setdefault(each.schema_path[0], []).append(each)
    # What has no $ref is not meant as a reference.
    told = [
        [cause for each in branch for cause in causes(each)]
        for branch in branches.values()
        if not any(each.validator_value == ["$ref"] for each in branch)
    ]
    found = [cause for branch in told for cause in branch] or [error]
    if len(told) <= 1:
        return found
    deepest = max(len(cause.absolute_path) for cause in found)
    found = [cause for cause in found if len(cause.absolute_path) == deepest]
    return [cause for cause in found if cause.validator != "not"] or found


def operation_faults(description: dict[str, Any], operations: list[Operation]) -> Iterator[Fault]:
    """Yield what the generator or the server would not bear."""
    for path, item in description["paths"].items():
        if "$ref" in item:
            yield Fault(("paths", path), "must not be a reference: the operations stand here")
    first: dict[str, Operation] = {}
    for operation in operations:
        place = ("paths", operation.path, operation.method.lower())
        other = first.setdefault(operation.id, operation)
        prefix = "" if operation.version is None else f"v{operation.version}_"
        if not re.fullmatch(rf"{prefix}(?!v\d+_)[a-z][a-z0-9_]*", operation.id):
            yield Fault((*place, "operationId"), f"must read like {prefix}list_things")
        elif other is not operation:
            taken = f"is taken by {other.method} {other.path}"
            yield Fault((*place, "operationId"), f"operationId {operation.id} {taken}")
        if not re.fullmatch(r"[a-z][a-z0-9_]*", operation.tag):
            yield Fault((*place, "tags"), "must have exactly one tag, fit for a package name")
        if operation.safety not in SAFETIES:
            yield Fault((*place, "x-safety"), f"must be one of {', '.join(SAFETIES)}")
        if operation.access not in ACCESS_LEVELS:
            yield Fault((*place, "x-access"), f"must be one of {', '.join(ACCESS_LEVELS)}")
        yield from security_faults(description, operation, place)
        yield from parameter_faults(description, operation, place)
    for name, link in description.get("components", {}).get("links", {}).items():
        if link.get("operationId") not in {None, *first}:
            place = ("components", "links", name)
            yield Fault(place, f"there is no operation {link['operationId']}")


def security_faults(
    description: dict[str, Any], operation: Operation, place: tuple[str, ...]
) -> Iterator[Fault]:
    """Yield what is wrong with who may ask."""
    security = description["paths"][operation.path][operation.method.lower()].get("security")
    if not security:
        yield Fault(place, "must have its own security")
    schemes = description.get("components", {}).get("securitySchemes", {})
    for name in {name for each in security or () for name in each} - schemes.keys():
        yield Fault((*place, "security"), f"there is no security scheme {name}")


def parameter_faults(
    description: dict[str, Any], operation: Operation, place: tuple[str, ...]
) -> Iterator[Fault]:
    """Yield what is wrong with the parameters of an operation."""
    parameters = [*parameters_of(description, operation)]
    described = {each["name"] for each in parameters if each["in"] == "path"}
    named = set(re.findall(r"\{([^}]*)\}", operation.path))
    for name in sorted(named - described):
        yield Fault(place, f"the parameter {name} of the path is not described")
    for name in sorted(described - named):
        yield Fault(place, f"the parameter {name} is not in the path")
    types = f"{', '.join(QUERY_TYPES)} or an array of one, in the usual style"
    for each in parameters:
        if each["in"] == "query" and not can_be_queried(description, each):
            must = f"must have a schema of the type {types}"
            yield Fault(place, f"the query parameter {each['name']} {must}")


def parameters_of(description: dict[str, Any], operation: Operation) -> Iterator[dict[str, Any]]:
    """Yield the parameters of an operation, those of its path first."""
    item = description["paths"][operation.path]
    for part in (item, item[operation.method.lower()]):
        yield from (resolve(description, each) for each in part.get("parameters", ()))


def meaning_faults(description: dict[str, Any]) -> Iterator[Fault]:
    """Yield what OpenAPI forbids in words only, such as a default that is none of the values."""
    from openapi_spec_validator import OpenAPIV30SpecValidator

    for error in OpenAPIV30SpecValidator(description).iter_errors():
        # Of a default it does not say where it is.
        wrong = (at for at, value in defaults(description, ()) if value == error.instance)
        yield Fault(tuple(error.absolute_path) or next(wrong, ()), error.message)


def defaults(node: Any, place: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield every default of the description, with its place."""
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if key == "default":
            yield (*place, key), value
        if isinstance(value, dict | list):
            yield from defaults(value, (*place, key))


def can_be_queried(description: dict[str, Any], parameter: dict[str, Any]) -> bool:
    """Say whether the generator and the server both understand a parameter of the query."""
    schema = resolve(description, parameter.get("schema", {}))
    if parameter.get("style", "form") != "form" or parameter.get("explode") is False:
        return False
    seen = []
    while "allOf" in schema:
        if len(schema["allOf"]) != 1 or schema in seen:
            return False
        seen.append(schema)
        schema = resolve(description, schema["allOf"][0])
    if schema.get("type") == "array":
        schema = resolve(description, schema.get("items", {}))
    return schema.get("type") in QUERY_TYPES


def resolve(description: dict[str, Any], entry: Any) -> Any:
    """Return what an entry of the description refers to; None if that leads to nothing."""
    seen = set()
    while isinstance(entry, dict) and isinstance(entry.get("$ref"), str):
        reference = entry["$ref"]
        if reference in seen or not reference.startswith("#/"):
            return None
        seen.add(reference)
        entry = description
        for key in reference.removeprefix("#/").split("/"):
            key = key.replace("~1", "/").replace("~0", "~")
            entry = entry.get(key) if isinstance(entry, dict) else None
    return entry


def list_documents(description: dict[str, Any]) -> list[Document]:
    """List the schemas, and the objects within them, as types; forms with files are no JSON."""
    objects: dict[str, Document] = {}
    others = []
    for name, schema in description.get("components", {}).get("schemas", {}).items():
        properties, _ = members(description, schema)
        if any(each.get("format") == "binary" for each in properties.values()):
            continue
        kind = json_type(description, schema, name, objects)
        if kind != name:
            others.append(Document(name, about(schema) or name, kind))
    return [*objects.values(), *others]


def about(schema: Mapping[str, Any]) -> str:
    return str(schema.get("description", "")).strip()


def members(
    description: dict[str, Any], schema: Mapping[str, Any]
) -> tuple[dict[str, Any], set[str]]:
    """Return the properties of an object with those of `allOf`, and which are required."""
    schema = resolve(description, schema)
    properties, required = {}, set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        of_part, required_there = members(description, part)
        properties |= of_part
        required |= required_there
    return properties | schema.get("properties", {}), required


def json_type(
    description: dict[str, Any], schema: Mapping[str, Any], name: str, found: dict[str, Document]
) -> str:
    """Return the type of what a schema describes; objects with properties are added to `found`."""

    def inner(part: Mapping[str, Any], suffix: str = "Item") -> str:
        return json_type(description, part, part.get("title", name + suffix), found)

    alternatives = schema.get("oneOf") or schema.get("anyOf")
    properties, required = members(description, schema)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return json_type(description, resolve(description, schema), name, found)
    if alternatives:
        numbered = (inner(part, str(number)) for number, part in enumerate(alternatives))
        kind = " | ".join(dict.fromkeys(numbered))
    elif "enum" in schema:
        kind = f"Literal[{', '.join(map(repr, schema['enum']))}]"
    elif len(schema.get("allOf", ())) == 1 and "properties" not in schema:
        kind = inner(schema["allOf"][0])
    elif properties:
        kind = name
        if name not in found:
            found[name] = Document(name, about(schema) or name)  # it may be within itself
            fields = []
            for key, part in properties.items():
                of_field = inner(part, key.title().replace("_", ""))
                # What is not built in may stand further down.
                text = of_field if of_field.islower() else repr(of_field)
                text = text if key in required else f"NotRequired[{text}]"
                fields.append(Field(key, text, about(part)))
            found[name] = found[name]._replace(fields=fields)
    elif schema.get("type") == "array":
        kind = f"list[{inner(schema.get('items', {}))}]"
    elif schema.get("type") == "object":
        values = schema.get("additionalProperties")
        kind = f"dict[str, {inner(values) if isinstance(values, dict) else 'Any'}]"
    else:
        names = {"string": "str", "integer": "int", "number": "float", "boolean": "bool"}
        kind = names.get(schema.get("type", ""), "Any")
    return f"{kind} | None" if schema.get("nullable") else kind


def texts_of(description: dict[str, Any], operation: Operation) -> dict[str, Any]:
    """Return what is said of an operation and of what belongs to it, for docstrings.jinja."""
    data = description["paths"][operation.path][operation.method.lower()]

    def sentences(entry: Any) -> str:
        said = " ".join(str(entry.get("description", "")).split()).rstrip(".")
        example = f"Example: {entry['example']}" if "example" in entry else ""
        return " ".join(f"{text}." for text in (said, example) if text)

    texts: dict[str, Any] = {
        "summary": data.get("summary", ""),
        "description": data.get("description", "").strip(),
        "body": sentences(resolve(description, data.get("requestBody", {}))),
        "answers": {
            status: sentences(resolve(description, answer))
            for status, answer in sorted(data["responses"].items(), key=lambda item: str(item[0]))
        },
    }
    for parameter in parameters_of(description, operation):
        texts.setdefault(parameter["in"], {})[parameter["name"]] = sentences(parameter)
    return texts


# Generating -----------------------------------------------------------------------------------


def generate(root: Path, package: Path) -> list[Operation]:
    """Generate a fresh package into `package`, a folder that does not exist yet."""
    require_pins(root)
    description = load_description(root)
    operations = check_description(root, description)
    texts = {operation.id: texts_of(description, operation) for operation in operations}

    with tempfile.TemporaryDirectory(prefix="brood-api-") as folder:
        templates = assemble_templates(root, Path(folder) / "templates")
        as_jinja = f"{{% set texts = {json.dumps(texts, ensure_ascii=False)} %}}"
        (templates / "texts.jinja").write_text(as_jinja, "utf-8")
        run_generator(root, templates, package)
        documents = list_documents(description)
        for name, text in render_own(templates, operations=operations, documents=documents):
            (package / name).write_text(text, "utf-8")
    # As JSON, which loads a hundred times as fast as YAML.
    as_json = json.dumps(description, indent=1, ensure_ascii=False)
    (package / "brood.json").write_text(f"{as_json}\n", "utf-8")
    (package / "py.typed").touch()
    run_ruff(package)
    (package / STAMP).write_text(stamp(root) + "\n", "utf-8")
    return operations


def require_pins(root: Path) -> None:
    """Refuse to generate with other versions than the pinned ones: the output would differ."""
    wrong = []
    for pin in pins(root):
        name, _, version = pin.partition("==")
        try:
            found = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found = "missing"
        if found != version:
            wrong.append(f"{pin} (here: {found})")
    if wrong:
        raise GenerationError(
            f"The client in {PACKAGE} must be generated anew, which takes {', '.join(wrong)}.\n"
            f"Install with: {sys.executable} -m pip install {' '.join(pins(root))}"
        )


def assemble_templates(root: Path, folder: Path) -> Path:
    """Lay upstream's templates, patched, into `folder` and below it, and ours over them."""
    spec = importlib.util.find_spec("openapi_python_client")
    assert spec is not None and spec.origin is not None  # require_pins has seen it
    upstream = folder / "upstream"
    shutil.copytree(Path(spec.origin).parent / "templates", upstream)
    patch(root, upstream)
    shutil.copytree(upstream, folder, dirs_exist_ok=True)
    return shutil.copytree(root / TEMPLATES, folder, dirs_exist_ok=True)


def patch(root: Path, templates: Path) -> None:
    """Change upstream's templates; what is to be changed must be there."""
    for name, changes in tomllib.loads((root / PATCHES).read_text("utf-8")).items():
        text = (templates / name).read_text("utf-8")
        for old, new in changes.items():
            if old not in text:
                raise GenerationError(f"{PATCHES}: upstream's {name} has no {old!r}")
            text = text.replace(old, new)
        (templates / name).write_text(text, "utf-8")


def run_generator(root: Path, templates: Path, package: Path) -> None:
    """Let upstream write the package, and refuse what it would leave out or cannot do."""
    import openapi_python_client as upstream
    from openapi_python_client.config import Config, ConfigFile, MetaType

    try:
        settings = ConfigFile.load_from_path((root / CONFIGURATION).resolve())
        source = ((root / DESCRIPTION).resolve(), "utf-8", False, package)
        config = Config.from_sources(settings, MetaType.NONE, *source)
        with contextlib.redirect_stdout(io.StringIO()):  # it names a temporary folder
            problems = upstream.generate(config=config, custom_template_path=templates)
    except Exception as error:
        said = f"{type(error).__name__}: {one_line(error)}"
        raise GenerationError(f"openapi-python-client failed: {said}") from error
    refuse(root, (generator_fault(problem) for problem in problems))


def generator_fault(problem: Any) -> Fault:
    """Return what upstream says, with the place that it names in words."""
    text = f"{problem.header} {problem.detail or ''}"
    operation = re.search(r"(\w+) (/\S+) within", text)
    component = re.search(r"/(components)/(\w+)/([\w.-]+)", text)
    place: tuple[Any, ...] = component.groups() if component else ()
    if operation:
        place = ("paths", operation[2], operation[1].lower())
    return Fault(place, f"openapi-python-client: {text}")


def render_own(templates: Path, **listed: Any) -> Iterator[tuple[str, str]]:
    """Yield the modules that upstream does not have, with their names."""
    import jinja2

    settings = {"trim_blocks": True, "lstrip_blocks": True, "undefined": jinja2.StrictUndefined}
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(templates), **settings)
    environment.filters["repr"] = repr
    for name in OWN_MODULES:
        template = environment.get_template(f"{name}.jinja")
        yield name, template.render(**listed, safeties=SAFETIES)


def run_ruff(package: Path) -> None:
    """Sort imports, drop unused ones, format; whatever configuration lies around."""
    settings = ("--isolated", "--no-cache", "--no-respect-gitignore", "--target-version=py311")
    # From the parent, so that no module of the package passes for a top-level one.
    here = {"cwd": package.parent}
    run("ruff", "check", *settings, "--select=F401,I", "--fix", "--quiet", package.name, **here)
    run("ruff", "format", *settings, "--line-length=100", "--quiet", package.name, **here)


def run(module: str, *arguments: str, cwd: Path) -> None:
    """Run a module with this interpreter, so that it is the one installed beside it."""
    result = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONUTF8": "1", "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode:
        raise GenerationError(f"{module} failed:\n{result.stdout.strip()}")


# Comparing and renewing -----------------------------------------------------------------------


def files_of(package: Path) -> dict[str, bytes]:
    """Read all files of a package, but for what Python itself leaves there."""
    return {
        path.relative_to(package).as_posix(): path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def differences(fresh: Path, present: Path) -> Iterator[tuple[str, str]]:
    """Yield every file that differs, with what is the matter with it."""
    expected, found = files_of(fresh), files_of(present)
    for name in sorted(expected.keys() | found.keys()):
        if name not in found:
            yield "missing", name
        elif name not in expected:
            yield "extra", name
        elif expected[name] != found[name]:
            yield "changed", name


def renew(root: Path = ROOT) -> str:
    """Bring the generated package up to date in place, and say in words what was done."""
    present = root / PACKAGE
    with tempfile.TemporaryDirectory(prefix="brood-api-") as temporary:
        fresh = Path(temporary) / PACKAGE.name
        operations = generate(root, fresh)
        changes = list(differences(fresh, present))
        # Stale until all is there: an interrupted run is repeated by the next build.
        (present / STAMP).unlink(missing_ok=True)
        for problem, name in changes:
            (present / name).parent.mkdir(parents=True, exist_ok=True)
            if problem == "extra":
                (present / name).unlink(missing_ok=True)
            elif name != STAMP:
                shutil.copyfile(fresh / name, present / name)
        for folder in sorted(present.rglob("*/"), reverse=True):
            in_fresh = fresh / folder.relative_to(present)
            if folder.name != "__pycache__" and not in_fresh.is_dir():
                shutil.rmtree(folder)
        shutil.copyfile(fresh / STAMP, present / STAMP)
    return f"{PACKAGE}: {len(operations)} operations, {len(changes)} files changed"


def check(root: Path = ROOT) -> list[str]:
    """Compare the generated package with a fresh one, and return a line per difference."""
    with tempfile.TemporaryDirectory(prefix="brood-api-") as folder:
        fresh = Path(folder) / PACKAGE.name
        generate(root, fresh)
        return [f"{what}: {PACKAGE / name}" for what, name in differences(fresh, root / PACKAGE)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate the client from the description.")
    text = "change nothing; fail if the client is not up to date"
    parser.add_argument("--check", action="store_true", help=text)
    try:
        if not parser.parse_args(arguments).check:
            print(renew())
            return 0
        lines = check()
    except GenerationError as error:
        print(error, file=sys.stderr)
        return 1
    if not lines:
        print(f"{PACKAGE} is what {DESCRIPTION} says")
        return 0
    print("\n".join(lines))
    print(f"{PACKAGE} is not what {DESCRIPTION} says. Run: make generate", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
