"""Session tokens and API tokens."""

from __future__ import annotations

from sqlalchemy import delete, select
from starlette.responses import Response

from hatcher.server.binding import operation
from hatcher.server.calls import Call, answer, done
from hatcher.server.database import api_tokens, unique
from hatcher.server.names import usable_name
from hatcher.server.refusals import not_found


@operation("create_session_token")
def create_session_token(call: Call) -> Response:
    """Give a session token for the credentials that the request came with."""
    return answer({"token": call.brood.accounts.create_session_token(call.account)})


@operation("list_api_tokens")
def list_api_tokens(call: Call) -> Response:
    """List the caller's API tokens, never the tokens themselves."""
    with call.brood.database.read() as connection:
        rows = connection.execute(
            select(api_tokens.c.name, api_tokens.c.created, api_tokens.c.last_used)
            .filter_by(user_id=call.account.id)
            .order_by(api_tokens.c.created)
        )
        return answer({"tokens": [dict(row) for row in rows.mappings()]})


@operation("create_api_token")
def create_api_token(call: Call) -> Response:
    """Make an API token, and show it this once."""
    name = usable_name("an API token", call.document["name"])
    taken = f"You have an API token '{name}' already. Choose another name, or delete it first."
    with unique(taken), call.brood.database.write() as connection:
        token = call.brood.accounts.create_api_token(connection, call.account, name)
    return answer({"name": name, "token": token})


@operation("delete_api_token")
def delete_api_token(call: Call) -> Response:
    """Delete an API token, and end the sessions that it opened."""
    name = call.path["name"]
    token = delete(api_tokens).filter_by(user_id=call.account.id, name=name)
    with call.brood.database.write() as connection:
        deleted = connection.execute(token).rowcount
    if not deleted:
        raise not_found(f"You have no API token '{name}'.")
    return done()
