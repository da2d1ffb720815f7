"""The description of Brood, as the server needs it: its operations and their bodies."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from importlib import resources
from itertools import islice
from typing import Any

from attrs import field, frozen

from hatcher.server.access import Access
from hatcher.server.refusals import bad_request

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_BASE = "urn:brood"
#: How many faults of a document are looked at for the one to tell.
_MAX_FAULTS = 50

_PYTHON_BOOLEAN = {"True": True, "False": False}
#: What a value of the query is, how it is written, and what makes it of that.
_NUMBER = r"-?[0-9]{1,18}(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?"
_FORMS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "integer": ("an integer", "-?[0-9]{1,18}", int),
    "number": ("a number", _NUMBER, float),
    "boolean": ("true or false", "true|false", json.loads),
    "python boolean": ("True or False", "True|False", _PYTHON_BOOLEAN.__getitem__),
}
_Object = Mapping[str, Any]
_IMPORTING = threading.Lock()


@frozen
class Operation:
    """One operation of the description.

    Attributes
    ----------
    operation_id : str
        Its unique name: ``v1_list_platforms``.
    tag : str
        What it is about: ``eggs``.
    version : int or None
        The version of the API; None below ``/repo``, where the path has none.
    method : str
        The HTTP method, in upper case.
    path : str
        The template of the path: ``/api/v1/json/auth/tokens/api/{name}``.
    access : Access
        The least access that may call it.
    is_open : bool
        Whether it may be called without credentials.
    query : tuple of QueryParameter
        What its query may say.
    check_body : callable or None
        Refuses with 400 what is not as a JSON body must be; in an upload, the part ``data``.
    """

    operation_id: str
    tag: str
    version: int | None
    method: str
    path: str
    access: Access
    is_open: bool
    query: tuple[QueryParameter, ...]
    check_body: Callable[[Any], None] | None = field(repr=False)


@frozen
class QueryParameter:
    """A parameter in the query.

    Attributes
    ----------
    name : str
        What it is called.
    required : bool
        Whether it must be sent.
    """

    name: str
    required: bool
    _description: Description = field(repr=False)
    _schema: _Object = field(repr=False)

    def read(self, sent: Sequence[str]) -> Any:
        """Return its value in the type described; its default, or None, when it is not sent.

        Parameters
        ----------
        sent : sequence of str
            All that a query says under this name; of several values the last one counts,
            unless a list is described.

        Raises
        ------
        Refusal
            400: it is missing or is not as described.
        """
        schema = self._schema
        pythonic = schema.get("enum") == list(_PYTHON_BOOLEAN)
        if not sent:
            if self.required:
                raise bad_request(f"The query parameter '{self.name}' is missing. Send it.")
            default: Any = schema.get("default")
            return _PYTHON_BOOLEAN.get(default) if pythonic else default
        if pythonic:
            return self._typed("python boolean", sent[-1])
        if schema["type"] == "array":
            value: Any = [self._typed(schema["items"]["type"], word) for word in sent]
        else:
            value = self._typed(schema["type"], sent[-1])
        error = self._description.first_error(schema, value)
        if error is not None:
            raise bad_request(f"The query parameter '{self.name}' is not as described: {error}.")
        return value

    def _typed(self, kind: str, word: str) -> Any:
        if kind == "string":
            return word
        words, form, value_of = _FORMS[kind]
        if re.fullmatch(form, word) is None:
            raise bad_request(f"The query parameter '{self.name}' is '{word}'. Give {words}.")
        return value_of(word)


class Description:
    """The description of Brood.

    Parameters
    ----------
    document : mapping
        The OpenAPI document.
    """

    def __init__(self, document: _Object) -> None:
        self.document = document
        self.operations = tuple(self._read())

    @classmethod
    def installed(cls) -> Description:
        """Return the one that this hatcher was built with."""
        text = resources.files("brood_api").joinpath("brood.json").read_text(encoding="utf-8")
        return cls(json.loads(text))

    def first_error(self, schema: _Object, document: Any) -> str | None:
        """Say in words what is wrong with a document; None when nothing is.

        Parameters
        ----------
        schema : mapping
            A schema of the description; its references are the description's.
        document : object
            What came out of the JSON.
        """
        # One thread at a time: these modules import each other, and of several threads that
        # need them at once, right after the start, some would find them half made.
        with _IMPORTING:
            from jsonschema.exceptions import best_match
            from jsonschema.validators import Draft202012Validator

            registry = self._registry
        validator = Draft202012Validator(schema, registry=registry)
        # A long list may have millions of faults, all alike.
        error = best_match(islice(validator.iter_errors(document), _MAX_FAULTS))
        if error is None:
            return None
        where = "".join(f"[{step!r}]" for step in error.absolute_path)
        return f"{error.message}{f' (at {where})' if where else ''}"

    @cached_property
    def _registry(self) -> Any:
        # Imported with the first body: 50 ms that no start needs.
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        return Registry().with_resource(_BASE, DRAFT202012.create_resource(self.document))

    def _read(self) -> Iterator[Operation]:
        for path, item in self.document["paths"].items():
            for method, operation in item.items():
                if method not in _METHODS:
                    continue
                version = re.match(r"/api/v(\d+)/", path)
                yield Operation(
                    operation_id=operation["operationId"],
                    tag=operation["tags"][0],
                    version=int(version[1]) if version else None,
                    method=method.upper(),
                    path=path,
                    access=Access[operation["x-access"]],
                    is_open={} in operation["security"],
                    query=tuple(self._query(item, operation)),
                    check_body=self._body(operation),
                )

    def _query(self, item: _Object, operation: _Object) -> Iterator[QueryParameter]:
        # Those of the operation stand for those of its path that have the same name.
        parameters = {}
        for each in (*item.get("parameters", ()), *operation.get("parameters", ())):
            parameter = self._resolve(each)
            if parameter["in"] == "query":
                parameters[parameter["name"]] = parameter
        for name, parameter in parameters.items():
            required = parameter.get("required", False)
            yield QueryParameter(name, required, self, self._flat(parameter["schema"]))

    def _flat(self, schema: _Object) -> _Object:
        """The schema of a parameter without references, in the words of JSON Schema."""
        flat = dict(self._resolve(schema))
        if "allOf" in flat:
            (inner,) = flat.pop("allOf")
            flat = {**self._flat(inner), **flat}
        for limit in ("Minimum", "Maximum"):
            # In OpenAPI 3.0 it says whether the limit itself is excluded.
            if flat.pop(f"exclusive{limit}", False):
                flat[f"exclusive{limit}"] = flat.pop(limit.lower())
        if "items" in flat:
            flat["items"] = self._flat(flat["items"])
        return flat

    def _body(self, operation: _Object) -> Callable[[Any], None] | None:
        if "requestBody" not in operation:
            return None
        ((media_type, content),) = self._resolve(operation["requestBody"])["content"].items()
        schema = content["schema"]
        if media_type == "multipart/form-data":
            schema = self._resolve(schema)["properties"]["data"]
        # With a reference that holds outside of the description.
        return partial(
            self._check, {"$ref": _BASE + schema["$ref"]} if "$ref" in schema else schema
        )

    def _check(self, schema: _Object, document: Any) -> None:
        error = self.first_error(schema, document)
        if error is not None:
            raise bad_request(f"The document is not as described: {error}.")

    def _resolve(self, node: Any) -> Any:
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node
