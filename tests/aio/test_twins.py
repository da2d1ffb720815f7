"""What stands for the objects of the sync graph: what it is equal to, how it shows, what it takes."""

from __future__ import annotations

import copy
import pickle
from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import pytest

import hatcher.mirror
from hatcher.aio import AsyncBroodClient, AsyncEgg, access, mirror
from hatcher.api import BroodClient, RequestEvent
from hatcher.errors import HatcherException, InvalidArgumentError, InvalidNameError
from hatcher.testing import BroodServer

from ..access.conftest import ADA, wanted
from .graphs import APP, BUNDLE, EGG, PLATFORM, RUNTIME, SOME, TAG, stock

#: Where nobody listens: who sends something fails.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BroodServer]:
    """A Brood with something of everything."""
    with BroodServer() as server:
        stock(server, tmp_path_factory.mktemp("stock") / "artefacts")
        yield server


@pytest.fixture
async def client(server: BroodServer, anyio_backend: str) -> AsyncIterator[AsyncBroodClient]:
    auth = server.admin_email, server.admin_password
    async with AsyncBroodClient.from_url(server.url, auth, api_version=1) as client:
        yield client


def places(client: Any) -> list[Any]:
    """Everything that is built without asking."""
    acme = client.organization("acme")
    dev = acme.repository("dev")
    here = dev.platform(PLATFORM)
    return [
        *(client, acme, dev, here, acme.team("builders"), acme.user(ADA), here.egg(*EGG)),
        *(here.runtime(*RUNTIME), here.app(*APP), here.bundle(*BUNDLE), here.bundles),
        *(client.at("acme"), client.at("acme/dev"), client.at(f"acme/dev/{PLATFORM}")),
        *(client.repository("acme/dev"), client.platform(f"acme/dev/{PLATFORM}")),
    ]


# -- what they are ---------------------------------------------------------------------------


def test_twins_of_the_same_are_equal():
    one, other = (AsyncBroodClient.from_url(NOWHERE, api_version=1) for _ in range(2))
    strangers = places(AsyncBroodClient.from_url(NOWHERE, api_version=0))
    for a, b, stranger in zip(places(one), places(other), strangers, strict=True):
        assert a == b
        assert hash(a) == hash(b)
        assert a != stranger
        assert a != a._sync
        assert {a: 1}[b] == 1
    assert len({*places(one)}) == len(places(one)) - 5  # which are there twice


def test_twins_show_as_what_they_stand_for():
    one = BroodClient.from_url(NOWHERE, ("ada", "secret"), api_version=1)
    for sync, twin in zip(places(one), places(AsyncBroodClient(one)), strict=True):
        kind = type(sync).__name__
        assert type(twin).__name__ == f"Async{kind}"
        assert repr(twin) == repr(sync).replace(kind, f"Async{kind}", 1)
        assert str(twin).removeprefix("<Async") == str(sync).removeprefix("<")
        assert twin._repr_html_() == f"Async{sync._repr_html_()}"
        assert "secret" not in repr(twin)
    cache, found = mirror.AsyncCache("folder"), AsyncBroodClient(one).search("numpy")
    assert repr(cache) == repr(cache._sync).replace("Cache", "AsyncCache", 1)
    assert str(found).startswith("<hatcher.aio.graph.AsyncSearchResults object at ")
    bundles = aiter(AsyncBroodClient(one).platform(f"acme/dev/{PLATFORM}").bundles)
    assert repr(bundles).startswith("<hatcher.aio.twin.Iteration object at ")
    assert cache._repr_html_() is None


def test_twins_cannot_be_changed():
    for twin in (*places(AsyncBroodClient.from_url(NOWHERE)), mirror.AsyncCache("folder")):
        with pytest.raises(AttributeError, match=r"'nam' of <?Async.* cannot be set"):
            twin.nam = "other"
        with pytest.raises(AttributeError, match="cannot be set"):
            twin._sync = None
        with pytest.raises(AttributeError, match="cannot be deleted"):
            del twin._sync


def test_twins_are_pickled_without_secrets():
    client = AsyncBroodClient.from_url(NOWHERE, ("ada", "secret"), api_version=1, threads=3)
    for twin in places(client):
        pickled = pickle.dumps(twin)
        assert b"secret" not in pickled
        again = pickle.loads(pickled)
        assert (type(again), again) == (type(twin), twin)
        assert again._threads.limit == 3


def test_twins_are_copied():
    client = AsyncBroodClient.from_url(NOWHERE, ("ada", "secret"), api_version=1)
    for twin in places(client):
        assert copy.copy(twin) == copy.deepcopy(twin) == twin
        assert copy.copy(twin)._threads is twin._threads


@pytest.mark.anyio
async def test_plans_and_what_was_found_are_compared_and_ordered(client):
    here = client.platform(f"acme/dev/{PLATFORM}")
    found = [result async for result in here.search("*", python_tag=TAG, kind="egg")]
    assert max(found) == max(found, key=lambda result: result._sync)
    assert isinstance(found[0].artefact, AsyncEgg)
    assert found[0].artefact in [result.artefact for result in found]
    one, other = [
        await mirror.plan(client.at("acme/dev"), client.at("acme/prod"), **SOME) for _ in range(2)
    ]
    assert one == other
    assert bool(one) is True
    assert str(one) == str(one._sync)
    assert repr(one) == repr(one._sync).replace("Plan", "AsyncPlan", 1)
    none = await mirror.plan(client.at("acme/dev"), client.at("acme/dev"), **SOME)
    assert bool(none) is False
    with pytest.raises(AttributeError):
        none.steps = ()


# -- how they are made -----------------------------------------------------------------------


def test_a_client_is_made_of_a_sync_one():
    sync = BroodClient.from_url(NOWHERE, api_version=1)
    assert AsyncBroodClient(sync).at("acme")._sync == sync.at("acme")
    assert AsyncBroodClient(sync) == AsyncBroodClient(sync, threads=5)
    for wrong in (None, NOWHERE, AsyncBroodClient(sync), sync.at("acme")):
        with pytest.raises(InvalidArgumentError, match="cannot be made of a"):
            AsyncBroodClient(wrong)


@pytest.mark.parametrize("threads", [0, -1, 1.5, "8", None, True])
def test_the_number_of_threads_is_checked(threads):
    with pytest.raises(InvalidArgumentError, match="threads is"):
        AsyncBroodClient.from_url(NOWHERE, threads=threads)


class Own(AsyncBroodClient):
    def __init__(self, client: BroodClient, *, threads: int = 64) -> None:
        super().__init__(client, threads=threads)
        object.__setattr__(self, "note", "mine")

    async def first(self) -> str:
        return (await self.list_organizations())[0]


@pytest.mark.anyio
async def test_a_class_of_ones_own_is_kept(server):
    auth = server.admin_email, server.admin_password
    async with Own.from_url(server.url, api_version=1, threads=7) as anonymous:
        client = anonymous.with_auth(auth)
        for each in (anonymous, client, pickle.loads(pickle.dumps(client)), copy.copy(client)):
            assert (type(each), each.note, each._threads.limit) == (Own, "mine", 7)
        assert client._threads is anonymous._threads
        assert await client.first() == "acme"
        assert repr(client).startswith("<AsyncBroodClient ")
        await client.close()


async def never(*_: object) -> bool:
    raise AssertionError("Nobody awaits it.")


class Never:
    """What is called like a function, and returns a coroutine."""

    async def __call__(self, *_: object) -> bool:
        return await never()


@pytest.mark.anyio
@pytest.mark.parametrize("never", [never, Never()], ids=["function", "object"])
async def test_coroutine_functions_are_refused_where_nobody_awaits_them(client, tmp_path, never):
    for callback in ("auth", "on_request", "on_response"):
        with pytest.raises(
            InvalidArgumentError, match=f"{callback} cannot be a coroutine function"
        ):
            AsyncBroodClient.from_url(NOWHERE, **{callback: never})
    here = client.platform(f"acme/dev/{PLATFORM}")
    with pytest.raises(InvalidArgumentError, match="names cannot be a coroutine function"):
        await here.download_eggs(TAG, tmp_path, names=never)
    with pytest.raises(InvalidArgumentError, match="names cannot be a coroutine function"):
        here._sync.download_eggs(TAG, tmp_path, names=never)


# -- what is sent, and when ------------------------------------------------------------------


@pytest.mark.anyio
async def test_nothing_is_sent_before_something_is_awaited(server):
    """Not even by a client that has to find out which version of the API the server speaks."""
    sent: list[RequestEvent] = []
    auth = server.admin_email, server.admin_password
    async with AsyncBroodClient.from_url(
        server.url, auth, api_version="newest", on_request=sent.append
    ) as client:
        for twin in places(client):
            assert twin == copy.copy(twin)
            assert f"{twin!r} {twin!s} {twin._repr_html_()} {hash(twin)}"
            pickle.loads(pickle.dumps(twin))
            for name in dir(type(twin)):
                if name != "api_version" and isinstance(getattr(type(twin), name), property):
                    getattr(twin, name)
        assert client.with_auth(None).raw is not None
        found = client.search("*", platform=PLATFORM, kind="bundle")
        assert (found.unreadable, found.advice) == ([], "There is no repository that you may see.")
        aiter(client.platform(f"acme/dev/{PLATFORM}").bundles)
        calls = [
            mirror.AsyncPlan.from_document({}, client.at("acme/dev"), client.at("acme/prod")),
            mirror.AsyncPruning.read({}, client.at("acme/dev")),
            access.AsyncPlan.from_document({}, client),
            client.list_platforms(),
        ]
        for call in calls:
            call.close()
        with pytest.raises(HatcherException, match=r"Await a method of\s+the client before"):
            _ = client.api_version
        await anyio.sleep(0)
        assert sent == []

        await client.list_platforms()
        assert client.api_version == client.with_auth(None).api_version == 1
        assert len(sent) == 2


def test_what_cannot_be_is_refused_at_once():
    client = AsyncBroodClient.from_url(NOWHERE, api_version="newest")
    here = client.platform(f"acme/dev/{PLATFORM}")
    for build in (
        lambda: client.at("a/b/c/d"),
        lambda: client.organization(".."),
        lambda: here.egg(TAG, "", "1.0-1"),
        lambda: here.runtime("cpython"),
        lambda: here.bundles.get("cp38", ".", "1.0-1"),
    ):
        with pytest.raises(InvalidNameError):
            build()
    with pytest.raises(InvalidArgumentError):
        client.search("numpy", kind="wheel")
    with pytest.raises(HatcherException):
        AsyncBroodClient.from_url("ftp://example.com")
    with pytest.raises(HatcherException):
        AsyncBroodClient.from_url(NOWHERE, api_version=2)


# -- twins as arguments ----------------------------------------------------------------------


@pytest.mark.anyio
async def test_twins_are_given_to_calls(client, tmp_path, anyio_backend):
    acme = client.organization("acme")
    name = f"taken-{anyio_backend}"
    repository = await acme.create_repository(name, "")
    team = await acme.create_team(name, "read_index")
    await team.add_repository(repository)
    assert await team.query_repository_access(repository)
    user = await acme.create_user(f"{name}@example.com", (each for each in [team, "readers"]))
    assert await team.query_user_access(user)
    await acme.create_user(f"other-{name}@example.com", dict.fromkeys([team]).keys())
    assert len(await team.list_users()) == 2

    here = client.platform(f"acme/dev/{PLATFORM}")
    cache = mirror.AsyncCache(tmp_path / "cache")
    report = await mirror.promote([here.egg(*EGG)], repository, cache=cache)
    report.raise_for_failures()
    assert (await cache.usage()).files == 1
    report = await mirror.promote((each for each in [here.runtime(*RUNTIME)]), repository)
    report.raise_for_failures()
    assert (await access.read(acme, client.organization("acme"))).rows
    assert await mirror.check_bundle(here.bundle(*BUNDLE), repository) is not None

    copied = repository.platform(PLATFORM)
    found = [result.artefact async for result in copied.search("*", python_tag=TAG, kind="egg")]
    assert found == [copied.egg(*EGG)]
    # Also what the sync graph has made.
    assert (await copied.delete_eggs([found[0]._sync], dry_run=True)).results
    (await copied.delete_eggs(found)).raise_for_failures()
    assert await copied.list_eggs(TAG) == []


@pytest.mark.anyio
async def test_plans_are_kept(client):
    sides = client.at("acme/dev"), client.at("acme/prod")
    plan = await mirror.plan(*sides, **SOME)
    again = await mirror.AsyncPlan.from_document(plan.document(), *sides)
    assert (type(again), again) == (mirror.AsyncPlan, plan)
    with pytest.raises(InvalidArgumentError):
        await mirror.AsyncPlan.from_document(plan.document(), *reversed(sides))
    plan = await access.plan(client, wanted(builders=None), prune=True)
    assert await access.AsyncPlan.from_document(plan.document(), client) == plan
    plan = await mirror.prune(sides[0], 1, **SOME)
    assert await mirror.AsyncPruning.read(plan.document(), sides[0]) == plan


def test_twins_are_not_for_the_sync_verbs(tmp_path):
    client = AsyncBroodClient.from_url(NOWHERE, api_version=1)
    dev = client.at("acme/dev")
    for call in (
        lambda: hatcher.mirror.export(client, tmp_path),
        lambda: hatcher.mirror.usage(dev),
        lambda: dev._session,
    ):
        with pytest.raises(AttributeError, match=r"give it to .* hatcher\.aio\.mirror"):
            call()
    with pytest.raises(InvalidArgumentError, match="AsyncRepository"):
        hatcher.mirror.plan(dev, dev)
    with pytest.raises(AttributeError, match=r"has no attribute 'list_platform'$") as caught:
        _ = client.list_platform
    assert (caught.value.name, caught.value.obj) == ("list_platform", client)


# -- event loops, and the end ----------------------------------------------------------------


def test_a_client_belongs_to_one_event_loop(server):
    auth = server.admin_email, server.admin_password
    client = AsyncBroodClient.from_url(server.url, auth, api_version=1)
    assert anyio.run(client.list_organizations, backend="trio") == ["acme"]
    for backend in ("asyncio", "trio"):
        for call in (client.list_organizations, client.at("acme").list_repositories):
            with pytest.raises(HatcherException, match="used from two event loops"):
                anyio.run(call, backend=backend)
    # Another client of the same connections is for another event loop.
    again = AsyncBroodClient(client._sync)
    assert anyio.run(again.list_organizations) == ["acme"]
    client._sync.close()


@pytest.mark.anyio
async def test_what_is_closed_says_so(server):
    auth = server.admin_email, server.admin_password
    client = AsyncBroodClient.from_url(server.url, auth, api_version=1)
    assert await client.list_organizations() == ["acme"]
    results = client.search("*", python_tag=TAG, platform=PLATFORM)
    await client.close()
    await client.close()
    with pytest.raises(HatcherException, match="This client was closed"):
        await client.list_organizations()
    with pytest.raises(HatcherException, match="This client was closed"):
        await anext(results)
    await results.close()
