"""The description of Brood, as the server needs it: its operations and their bodies."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator, Mapping
from functools import cached_property
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

_IMPORTING = threading.Lock()


@frozen
class Operation:
    """One operation of the description.

    Attributes
    ----------
    operation_id : str
        Its unique name: ``v1_list_platforms``.
    version : int or None
        The version of the API; None below ``/repo``, where the path has none.
    method : str
        The HTTP method, in upper case.
    path : str
        The template of the path: ``/api/v1/json/auth/tokens/api/{name}``.
    access : Access
        The least access that may call it.
    flags : mapping of str to bool
        The booleans of its query, and what holds when they are missing.
    body : BodySchema or None
        What a JSON body must be; in an upload, the part ``data``.
    """

    operation_id: str
    version: int | None
    method: str
    path: str
    access: Access
    flags: Mapping[str, bool]
    body: BodySchema | None = field(repr=False)


@frozen
class BodySchema:
    """What a JSON document must be."""

    _description: Description
    _schema: Mapping[str, Any]

    def check(self, document: Any) -> None:
        """Refuse a document that is not as described.

        Raises
        ------
        Refusal
            400: it says where the document is wrong.
        """
        error = self._description.first_error(self._schema, document)
        if error is not None:
            raise bad_request(f"The document is not as described: {error}.")


class Description:
    """The description of Brood.

    Parameters
    ----------
    document : mapping
        The OpenAPI document.
    """

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.operations = tuple(self._read())

    @classmethod
    def installed(cls) -> Description:
        """Return the one that this hatcher was built with."""
        text = resources.files("brood_api").joinpath("brood.json").read_text(encoding="utf-8")
        return cls(json.loads(text))

    def first_error(self, schema: Mapping[str, Any], document: Any) -> str | None:
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
                parameters = [
                    self._resolve(parameter)
                    for parameter in (*item.get("parameters", ()), *operation.get("parameters", ()))
                ]
                version = re.match(r"/api/v(\d+)/", path)
                yield Operation(
                    operation_id=operation["operationId"],
                    version=int(version[1]) if version else None,
                    method=method.upper(),
                    path=path,
                    access=Access[operation["x-access"]],
                    flags={
                        parameter["name"]: parameter["schema"]["default"] == "True"
                        for parameter in parameters
                        if parameter["in"] == "query"
                    },
                    body=self._body(operation),
                )

    def _body(self, operation: Mapping[str, Any]) -> BodySchema | None:
        if "requestBody" not in operation:
            return None
        ((media_type, content),) = self._resolve(operation["requestBody"])["content"].items()
        schema = content["schema"]
        if media_type == "multipart/form-data":
            schema = self._resolve(schema)["properties"]["data"]
        return BodySchema(self, _absolute(schema))

    def _resolve(self, node: Any) -> Any:
        while "$ref" in node:
            target: Any = self.document
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node


def _absolute(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with a reference that holds outside of the description."""
    if "$ref" in schema:
        return {"$ref": _BASE + schema["$ref"]}
    return schema
