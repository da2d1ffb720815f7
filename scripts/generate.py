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
import hashlib
import importlib.metadata
import importlib.util
import json
import keyword
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
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
ACCESS_LEVELS = (
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


def load_description(root: Path = ROOT) -> dict[str, Any]:
    """Read the description; duplicate keys, which YAML would overwrite silently, are refused."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        description = YAML(typ="safe").load(root / DESCRIPTION)
    except YAMLError as error:
        raise GenerationError(f"{DESCRIPTION} is no valid YAML: {error}") from error
    if not isinstance(description, dict) or not isinstance(description.get("paths"), dict):
        raise GenerationError(f"{DESCRIPTION} has no paths: it is no OpenAPI description")
    return description


def validate(description: dict[str, Any]) -> None:
    """Validate the description against the OpenAPI specification."""
    try:
        from openapi_spec_validator import OpenAPIV30SpecValidator
    except ImportError as error:
        raise GenerationError(
            f"{DESCRIPTION} cannot be validated: openapi-spec-validator is not installed"
        ) from error

    errors = list(OpenAPIV30SpecValidator(description).iter_errors())
    if errors:
        lines = (f"  at {'/'.join(map(str, e.absolute_path)) or '/'}: {e.message}" for e in errors)
        raise GenerationError("\n".join([f"{DESCRIPTION} is no valid OpenAPI 3.0:", *lines]))


def list_operations(description: dict[str, Any]) -> list[Operation]:
    """List the operations, and refuse what the generator would drop or overwrite silently."""
    operations: dict[str, Operation] = {}
    problems: list[str] = []
    for path, item in description["paths"].items():
        for method in METHODS:
            if method not in (item or ()):
                continue
            data = item[method]
            where = f"{method.upper()} {path}"
            if not isinstance(data, dict):
                problems.append(f"{where}: is empty")
                continue
            version = re.match(r"/api/v(\d+)/", path)
            prefix = f"v{version[1]}_" if version else ""
            operation = Operation(
                id=str(data.get("operationId", "")),
                version=int(version[1]) if version else None,
                method=method.upper(),
                path=path,
                tag=",".join(map(str, data.get("tags", []))),
                safety=str(data.get("x-safety", "")),
                access=str(data.get("x-access", "")),
            )
            if not re.fullmatch(rf"{prefix}(?!v\d+_)[a-z][a-z0-9_]*", operation.id):
                problems.append(f"{where}: operationId must read like {prefix}list_things")
            elif operation.id in operations:
                first = operations[operation.id]
                problems.append(
                    f"{where}: operationId {operation.id} is taken by {first.method} {first.path}"
                )
            if not re.fullmatch(r"[a-z][a-z0-9_]*", operation.tag):
                problems.append(f"{where}: must have exactly one tag, fit for a package name")
            if operation.safety not in SAFETIES:
                problems.append(f"{where}: x-safety must be one of {', '.join(SAFETIES)}")
            if operation.access not in ACCESS_LEVELS:
                problems.append(f"{where}: x-access must be one of {', '.join(ACCESS_LEVELS)}")
            if not data.get("security"):
                problems.append(f"{where}: must have its own security")
            for parameter in (*data.get("parameters", ()), *item.get("parameters", ())):
                resolve(description, parameter)
            operations[operation.id] = operation
    if problems:
        raise GenerationError("\n  ".join([f"{DESCRIPTION} has faults:", *problems]))
    return list(operations.values())


def resolve(description: dict[str, Any], entry: Any) -> dict[str, Any]:
    """Return what an entry of the description refers to, or the entry itself."""
    found = entry
    while isinstance(found, dict) and "$ref" in found:
        keys = str(found["$ref"]).removeprefix("#/").split("/")
        found = description
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        raise GenerationError(f"{DESCRIPTION} has faults:\n  {entry!r} leads to nothing")
    return found


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


def to_json(description: dict[str, Any]) -> str:
    """Write the description as JSON, which loads a hundred times as fast as YAML."""
    try:
        return json.dumps(description, indent=1, ensure_ascii=False) + "\n"
    except TypeError as error:
        message = f"{DESCRIPTION} holds a value that JSON has not; quote dates and times: {error}"
        raise GenerationError(message) from error


# Generating -----------------------------------------------------------------------------------


def generate(root: Path, package: Path, *, must_validate: bool = False) -> list[Operation]:
    """Generate a fresh package into `package`, a folder that does not exist yet."""
    require_pins(root)
    description = load_description(root)
    operations = list_operations(description)
    if must_validate or importlib.util.find_spec("openapi_spec_validator"):
        validate(description)
    as_json = to_json(description)

    with tempfile.TemporaryDirectory(prefix="brood-api-") as folder:
        templates = assemble_templates(root, Path(folder) / "templates")
        run_generator(root, templates, package)
        documents = list_documents(description)
        for name, text in render_own(templates, operations=operations, documents=documents):
            (package / name).write_text(text, "utf-8")
    (package / "brood.json").write_text(as_json, "utf-8")
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
    run(
        "openapi_python_client",
        "generate",
        # Without this, operations that it cannot parse are left out and all seems well.
        "--fail-on-warning",
        "--meta=none",
        f"--path={(root / DESCRIPTION).resolve()}",
        f"--config={(root / CONFIGURATION).resolve()}",
        f"--custom-template-path={templates}",
        f"--output-path={package}",
        cwd=package.parent,
    )


def render_own(templates: Path, **listed: Any) -> Iterator[tuple[str, str]]:
    """Yield the modules that upstream does not have, with their names."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
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
            target = present / name
            if problem == "extra":
                target.unlink(missing_ok=True)
            elif name != STAMP:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(fresh / name, target)
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
        generate(root, fresh, must_validate=True)
        return [f"{what}: {PACKAGE / name}" for what, name in differences(fresh, root / PACKAGE)]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Generate the client from the description.")
    parser.add_argument(
        "--check", action="store_true", help="change nothing; fail if the client is not up to date"
    )
    options = parser.parse_args(arguments)
    try:
        if not options.check:
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
