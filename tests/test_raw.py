"""The raw way: generated endpoint functions with the client of the graph."""

import asyncio
import gc
from collections.abc import Iterator
from io import BytesIO

import httpx
import pytest

import brood_api
from brood_api.api.eggs import v1_get_egg_index, v1_upload_egg
from brood_api.api.organizations import v1_create_organization, v1_list_organizations
from brood_api.api.platforms import v0_list_platforms, v1_list_platforms
from brood_api.errors import UnexpectedStatus
from brood_api.models import Checksum, FileUpload, NewOrganization
from brood_api.types import File, Response
from hatcher.api import BroodBearerTokenAuth, BroodClient, BroodClientAuth
from hatcher.errors import HatcherException
from hatcher.testing.faults import Answer, ScriptedServer


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Open connections of event loops that are gone are garbage, which warns when it goes.

    In the midst of an import that pytest rewrites, Python 3.11 does not survive that warning.
    """
    yield
    gc.collect()


def test_raw_functions_work_with_each_kind_of_credentials(brood_server):
    password = brood_server.admin_email, brood_server.admin_password
    token = brood_server.client().create_api_token("raw")["token"]
    for auth in (
        password,
        BroodBearerTokenAuth(token),
        BroodClientAuth(brood_server.url, password),
        BroodClientAuth(brood_server.url, token),
    ):
        with BroodClient.from_url(brood_server.url, auth=auth) as client:
            expected = client.list_platforms()
            assert v1_list_platforms.sync(client=client.raw).platforms == expected
            answers = [
                asyncio.run(operation.asyncio(client=client.raw))
                for operation in (v0_list_platforms, v1_list_platforms)
            ]
            assert [answer.platforms for answer in answers] == [expected, expected]


def test_the_raw_client_can_be_entered_in_one_loop_after_another(brood_server):
    client = brood_server.client()

    async def ask() -> list[str]:
        async with client.raw as raw:
            answers = await asyncio.gather(
                *(v1_list_platforms.asyncio(client=raw) for _ in range(5))
            )
        return answers[0].platforms

    assert asyncio.run(ask()) == asyncio.run(ask()) == client.list_platforms()


def test_raw_and_graph_see_the_same(brood_server):
    client = brood_server.client()
    body = NewOrganization(name="acme", description="Makers of everything")
    assert v1_create_organization.sync_detailed(client=client.raw, body=body).status_code == 201
    assert (
        client.list_organizations() == v1_list_organizations.sync(client=client.raw).organizations
    )
    client.organization("acme").create_repository("dev", "Builds of the night")
    index = v1_get_egg_index.sync("acme", "dev", "rh8-x86_64", "cp311", client=client.raw)
    assert index.to_dict() == {}


def test_raw_is_one_client_that_shows_no_secret_and_ends_with_the_graph(brood_server):
    client = brood_server.client()
    raw = client.raw
    assert client.raw is raw
    assert brood_server.admin_password not in repr(raw)
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        v1_list_platforms.sync(client=raw)


async def upload(raw: brood_api.Client, form: str, body: FileUpload) -> Response:
    async with raw:
        answer = getattr(v1_upload_egg, form)("acme", "dev", "rh8-x86_64", client=raw, body=body)
        return await answer if form.startswith("asyncio") else answer


def test_a_renewed_token_sends_an_upload_again_from_its_beginning():
    json = {"Content-Type": "application/json"}
    for form in ("sync_detailed", "asyncio_detailed"):
        answers = (
            Answer(headers=json, body=b'{"token": "first"}'),
            Answer(headers=json, body=b'{"platforms": []}'),
            Answer(401, headers=json, body=b'{"error": "It has run out."}'),
            Answer(headers=json, body=b'{"token": "second"}'),
            Answer(201),
        )
        with ScriptedServer(*answers) as server:
            auth = BroodClientAuth(server.url, "key")
            with BroodClient.from_url(server.url, auth=auth) as client:
                v1_list_platforms.sync(client=client.raw)
                body = FileUpload(File(BytesIO(b"egg"), "nose-1.3.0-1.egg"), Checksum("0" * 64))
                response = asyncio.run(upload(client.raw, form, body))
        assert response.status_code == 201
        *_, refused, _, taken = server.requests
        assert refused.body == taken.body and b"\r\n\r\negg\r\n" in taken.body
        assert [request.headers["authorization"] for request in (refused, taken)] == [
            "Bearer first",
            "Bearer second",
        ]


def test_an_undocumented_answer_is_an_error(brood_server):
    from brood_api import Client

    with (
        Client(base_url=f"{brood_server.url}/nowhere") as elsewhere,
        pytest.raises(UnexpectedStatus),
    ):
        v1_list_platforms.sync(client=elsewhere)


@pytest.mark.parametrize("base_url", ["", "http://127.0.0.1:9/elsewhere"])
def test_a_client_of_ones_own_is_what_its_raw_client_sends_through(brood_server, base_url):
    sent = []
    with httpx.Client(
        base_url=base_url,
        auth=(brood_server.admin_email, brood_server.admin_password),
        event_hooks={"request": [lambda request: sent.append(str(request.url))]},
    ) as own:
        client = BroodClient.from_session(brood_server.url, own)
        assert client.raw is client.raw
        assert client.raw.get_httpx_client() is own
        assert v1_list_platforms.sync(client=client.raw).platforms == client.list_platforms()
        paths = [f"/api/v{version}/json/metadata/platforms" for version in (1, 0)]
        assert sent == [brood_server.url + path for path in paths]

        client.close()
        assert not own.is_closed
        assert v1_list_platforms.sync(client=client.raw).platforms


def test_a_client_of_ones_own_is_not_awaited_but_another_may_be(brood_server):
    auth = (brood_server.admin_email, brood_server.admin_password)
    with httpx.Client(auth=auth) as own:
        client = BroodClient.from_session(brood_server.url, own)
        with pytest.raises(HatcherException, match="set_async_httpx_client"):
            asyncio.run(v1_list_platforms.asyncio(client=client.raw))

        async def ask() -> list[str]:
            async with httpx.AsyncClient(auth=auth) as mine:
                client.raw.set_async_httpx_client(mine)
                return (await v1_list_platforms.asyncio(client=client.raw)).platforms

        assert asyncio.run(ask()) == client.list_platforms()


def test_other_credentials_than_those_of_ones_own_client_have_no_raw_client(brood_server):
    auth = (brood_server.admin_email, brood_server.admin_password)
    with httpx.Client(auth=("nobody", "x")) as own:
        client = BroodClient.from_session(brood_server.url, own).with_auth(auth)
        assert client.list_platforms()
        with pytest.raises(HatcherException, match="other credentials"):
            _ = client.raw
