"""One call of an operation: what a handler is given, and what it answers with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hatcher.artefacts.checks import read_json
from hatcher.server import access
from hatcher.server.access import Access, Account, Organization, Repository
from hatcher.server.brood import Brood
from hatcher.server.description import Operation
from hatcher.server.names import canonical_platform
from hatcher.server.refusals import Refusal, bad_request, forbidden, not_found

#: The largest JSON body that is read, in bytes; re-indexing 50,000 eggs takes 4 MB.
MAX_DOCUMENT = 16 << 20


@frozen
class Call:
    """One call of an operation, as its handler sees it.

    Attributes
    ----------
    brood : Brood
        The server.
    operation : Operation
        What is called.
    request : starlette.requests.Request
        The request itself.
    account : Account
        Who calls.
    path : mapping of str to str
        The parameters of the path, decoded.
    query : mapping of str to object
        What the query says, in the types described; the default, or None, of what it leaves out.
    document : object
        The JSON body, checked; None where the operation has none.
    """

    brood: Brood
    operation: Operation
    request: Request = field(repr=False)
    account: Account
    path: Mapping[str, str]
    query: Mapping[str, Any]
    document: Any = field(default=None, repr=False)

    @property
    def platform(self) -> str:
        """The one name of the platform of the path.

        Raises
        ------
        Refusal
            404: there is no such platform.
        """
        try:
            return canonical_platform(self.path["platform"])
        except Refusal as refusal:
            raise not_found(refusal.message) from refusal

    def organization(self, connection: Connection) -> Organization:
        """Return the organization of the path, if the account may do this in it.

        Raises
        ------
        Refusal
            403 or 404: it may not, or there is none.
        """
        needed = self.operation.access
        organization = access.find_organization(connection, self.account, self.path["organization"])
        if needed >= Access.organization_administrator:
            access.demand(self.account, organization.access, needed, organization.name)
        return organization

    def repository(self, connection: Connection) -> Repository:
        """Return the repository of the path, if the account may do this with it.

        Raises
        ------
        Refusal
            403 or 404: it may not, or there is none.
        """
        names = self.path["organization"], self.path["repository"]
        repository = access.find_repository(connection, self.account, *names)
        access.demand(self.account, repository.access, self.operation.access, repository.name)
        return repository

    def authorize(self) -> None:
        """Refuse, before anything else is looked at, what the account may not do.

        Raises
        ------
        Refusal
            403 or 404.
        """
        needed = self.operation.access
        if "organization" not in self.path:
            if needed > Access.authenticated and not self.account.server_administrator:
                raise forbidden(f"This needs the access level {needed.name}.")
            return
        with self.brood.database.read() as connection:
            if "repository" in self.path and needed < Access.organization_administrator:
                self.repository(connection)
            else:
                self.organization(connection)


def read_query(operation: Operation, request: Request) -> dict[str, Any]:
    """Return what a query says; what is not described in it is ignored.

    Raises
    ------
    Refusal
        400: a parameter is missing or is not as described.
    """
    sent = request.query_params
    return {each.name: each.read(sent.getlist(each.name)) for each in operation.query}


async def read_document(request: Request) -> Any:
    """Return the JSON body of a request.

    Raises
    ------
    Refusal
        400: it is no JSON; 413: it is too large; 415: it is not sent as JSON.
    """
    demand_media_type(request, "application/json")
    demand_size(request, MAX_DOCUMENT)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_DOCUMENT:
            raise larger("The document", MAX_DOCUMENT)
    return parse_document(bytes(body))


def demand_media_type(request: Request, media_type: str) -> None:
    """Refuse with 415 a body that is sent as something else."""
    sent = request.headers.get("content-type", "")
    if sent.partition(";")[0].strip().lower() != media_type:
        raise Refusal(415, f"The Content-Type must be {media_type}; it is '{sent}'.")


def demand_size(request: Request, most: int) -> None:
    """Refuse with 413, before any of it is read, a body of more bytes than are taken."""
    if int(request.headers.get("content-length", 0)) > most:
        raise larger("The request", most)


def larger(what: str, most: int) -> Refusal:
    """Return a 413."""
    return Refusal(413, f"{what} is larger than {most} bytes. This server takes no more.")


def parse_document(text: bytes) -> Any:
    """Return what JSON text says.

    Raises
    ------
    Refusal
        400: it is none.
    """
    try:
        return read_json(text)
    except ValueError as error:
        raise bad_request(f"The document is not JSON: {error}.") from error


def answer(document: Mapping[str, Any], status: int = 200) -> Response:
    """Return an answer with a JSON document."""
    return JSONResponse(document, status)


def done() -> Response:
    """Return the answer that has nothing to say."""
    return Response(status_code=204)
