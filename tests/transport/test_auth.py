"""Credentials: what they look like on the wire, and that they show nowhere else."""

import base64
import pickle
from typing import Any

import pytest

from hatcher.api import BasicAuth, BroodBearerTokenAuth, BroodClient, BroodClientAuth
from hatcher.errors import InvalidArgumentError
from hatcher.transport.secret import Secret


def test_a_secret_shows_itself_only_when_asked() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {vars(BasicAuth('a', 'hunter2'))}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2") != Secret("other")
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_basic_authentication_is_utf8() -> None:
    header = BasicAuth("ada@example.com", "pässword").authorization()
    assert base64.b64decode(header.removeprefix("Basic ")).decode() == "ada@example.com:pässword"


@pytest.mark.parametrize(
    "auth",
    [
        BasicAuth("ada", "hunter2"),
        BroodBearerTokenAuth("hunter2"),
        BroodClientAuth("https://brood.example.com", ("ada", "hunter2")),
        BroodClientAuth("https://brood.example.com", "hunter2"),
    ],
)
def test_no_repr_and_no_pickle_holds_a_secret(auth: Any) -> None:
    client = BroodClient.from_url("https://brood.example.com", auth=auth)
    node = client.organization("acme").repository("dev").platform("rh8-x86_64")
    shown = f"{auth!r} {client!r} {client._session!r} {node!r} {node}"
    assert "hunter2" not in shown
    assert b"hunter2" not in pickle.dumps(node)
    assert b"hunter2" not in pickle.dumps(client)


@pytest.mark.parametrize("token", ["", "two words", "line\n", "ünicode"])
def test_what_is_no_token_is_refused_without_being_shown(token: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        BroodBearerTokenAuth(token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize("auth", ["a-bare-token", ("only one",), ("a", "b", "c"), 7, ("a", None)])
def test_what_is_no_auth_is_refused_when_the_client_is_made(auth: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="BroodBearerTokenAuth") as caught:
        BroodClient.from_url("https://brood.example.com", auth=auth)
    assert "a-bare-token" not in str(caught.value)


def test_a_user_name_with_a_colon_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="':'"):
        BasicAuth("a:b", "c")


def test_where_tokens_are_exchanged_is_what_the_description_says() -> None:
    from brood_api.operations import OPERATIONS
    from hatcher.transport.auth import EXCHANGE_PATHS

    operations = ("v1_create_session_token", "v0_create_session_token")
    assert tuple(OPERATIONS[name].path for name in operations) == EXCHANGE_PATHS
