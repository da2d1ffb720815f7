"""A program that uses every public method of hatcher.aio, for mypy to read; nobody runs it.

What is refused is marked to be ignored, and mypy says so when there is nothing to ignore.
"""

from __future__ import annotations

from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import Any, assert_type

import httpx

from brood_api.client import Client
from hatcher import aio
from hatcher.aio import (
    AsyncApp,
    AsyncBroodClient,
    AsyncBundle,
    AsyncBundleCollection,
    AsyncEgg,
    AsyncLocalBundle,
    AsyncOrganization,
    AsyncProgress,
    AsyncRepository,
    AsyncRuntime,
    AsyncSearchResult,
    AsyncSearchResults,
    AsyncSinglePlatformRepository,
    AsyncTeam,
    AsyncUser,
    Iteration,
    access,
    mirror,
)
from hatcher.api import BatchReport, BroodClient, BroodClientAuth, Phase, ProgressBar
from hatcher.core.documents import AvailableRepository, BundleListing, EggListing, EggMetadata
from hatcher.mirror import Cache, MirrorReport


async def clients(url: str, password: str) -> None:
    auth = BroodClientAuth(url, ("ada@example.com", password))
    async with AsyncBroodClient.from_url(url, auth=auth, api_version=1, threads=8) as client:
        assert_type(client, AsyncBroodClient)
        assert_type(client.api_version, int)
        assert_type(client.url, str)
        assert_type(client.raw, Client)
        assert_type(client.with_auth(None), AsyncBroodClient)
        assert_type(await client.list_organizations(), list[str])
        print(await client.list_platforms(), await client.list_python_tags(True))
        print(await client.list_available_repositories(), (await client.whoami())["user"])
        token: str = (await client.create_api_token("laptop"))["token"]
        print(token, [each["name"] for each in await client.list_api_tokens()])
        await client.delete_api_token("laptop", missing_ok=True)
        assert_type(await client.create_organization("acme", ""), AsyncOrganization)
    await AsyncBroodClient.from_session(url, httpx.Client(), threads=1).close()
    await AsyncBroodClient(BroodClient.from_url(url), threads=1).close()
    AsyncBroodClient.from_url(url, threads="many")  # type: ignore[arg-type]
    AsyncBroodClient(url)  # type: ignore[arg-type]
    with AsyncBroodClient.from_url(url):  # type: ignore[attr-defined]
        pass


class Own(AsyncBroodClient):
    """A class of the user's own."""


def own(url: str) -> None:
    assert_type(Own.from_url(url), Own)
    assert_type(Own.from_url(url).with_auth(None), Own)


def places(client: AsyncBroodClient) -> AsyncSinglePlatformRepository:
    assert_type(
        client.at("acme"), AsyncOrganization | AsyncRepository | AsyncSinglePlatformRepository
    )
    assert_type(client.organization("acme").repository("dev"), AsyncRepository)
    assert_type(client.repository("acme/dev"), AsyncRepository)
    return client.platform("acme/dev/rh8-x86_64")


async def use_organization(organization: AsyncOrganization) -> None:
    assert_type(await organization.list_repositories(), list[str])
    repository = await organization.create_repository("dev", "", public=True)
    assert_type(repository, AsyncRepository)
    team = await organization.create_team("builders", "upload_repository")
    assert_type(organization.team(team.name), AsyncTeam)
    user = await organization.create_user("ada@example.com", teams=[team, "readers"])
    assert_type(organization.user(user.email), AsyncUser)
    print([each["group"] for each in await organization.list_teams()], organization.name)
    print(await organization.list_users(), user.one_time_password, user.organization_name)
    print((await user.metadata())["email"], (await team.metadata())["group"])
    await team.add_repository(repository)
    await team.remove_repository("dev", missing_ok=True)
    assert_type(await team.query_repository_access(repository), bool)
    await team.add_user(user)
    await team.remove_user(user.email)
    print(await team.query_user_access(user), team.organization_name)
    print(await team.list_repositories(), await team.list_users())
    await team.delete(force=True)
    await user.delete()
    await team.add_repository(user)  # type: ignore[arg-type]


async def what_brood_does_not_implement(organization: AsyncOrganization) -> None:
    try:
        await organization.delete()
    except NotImplementedError:
        await organization.metadata()


async def use_repository(repository: AsyncRepository, file: Path) -> None:
    await repository.upload_runtime(file, verify=True, progress=told)
    await repository.upload_app(file, progress=telling)
    assert_type(await repository.upload_bundle(file), AsyncLocalBundle)
    assert_type(await repository.metadata(), AvailableRepository)
    print(await repository.list_platforms(), repository.name, repository.organization_name)
    for report in (
        await repository.upload_runtimes([file], concurrency=4),
        await repository.upload_apps([str(file)], dry_run=True),
        await repository.upload_bundles([file], overwrite=True),
    ):
        assert_type(report, BatchReport)
    assert_type(repository.platform("rh8-x86_64"), AsyncSinglePlatformRepository)
    await repository.delete(force=True)


async def telling(done: int, total: int | None, phase: Phase) -> None:
    print(done, total, phase)


def told(done: int, total: int | None, phase: Phase) -> None:
    print(done, total, phase)


async def use_eggs(platform: AsyncSinglePlatformRepository, folder: Path) -> None:
    progress: AsyncProgress = telling
    with ProgressBar("nose") as bar:
        for way in (progress, telling, told, bar):
            await platform.upload_egg(folder / "nose-1.3.0-1.egg", progress=way)
    await platform.upload_egg(folder / "x", progress=print_it)  # type: ignore[arg-type]
    await platform.reindex([folder / "nose-1.3.0-1.egg"])
    assert_type(await platform.list_eggs("cp311"), list[EggListing])
    size: int = (await platform.egg_index("cp311"))["nose-1.3.0-1.egg"]["size"]
    assert_type(await platform.egg_metadata(None, "nose", "1.3.0-1"), EggMetadata)
    print(await platform.requirements_of("nose", None), await platform.dependents_of("a", "cp38"))
    total, chunks = await platform.iter_download_egg("cp311", "nose", "1.3.0-1", folder)
    assert_type(total, int)
    assert_type(chunks, Iteration[int])
    async with aclosing(chunks):
        async for chunk in chunks:
            assert_type(chunk, int)
    async with chunks as again:
        size += sum([chunk async for chunk in again])
    await chunks.close()
    for chunk in chunks:  # type: ignore[attr-defined]
        print(chunk)
    await platform.download_egg("cp311", "nose", "1.3.0-1", folder, progress=telling)
    await platform.delete_egg("cp311", "nose", "1.3.0-1", missing_ok=True)
    egg = platform.egg("cp311", "nose", "1.3.0-1")
    assert_type(egg, AsyncEgg)
    assert_type(await egg.metadata(), EggMetadata)
    assert_type(await egg.iter_download(folder), tuple[int, Iteration[int]])
    if await egg.exists() and await egg.sha256():
        await egg.download(folder, connections=4)
        print(egg.name, egg.version, egg.python_tag, size)
        await egg.delete()
    print(platform.name, platform.repository_name, platform.organization_name)


def print_it(done: str) -> None:
    print(done)


async def use_latest(platform: AsyncSinglePlatformRepository) -> None:
    assert_type(await platform.latest("nose", "cp311"), AsyncEgg)
    assert_type(await platform.latest("cpython", kind="runtime"), AsyncRuntime)
    assert_type(await platform.latest("com.example.viewer", kind="app"), AsyncApp)
    assert_type(await platform.latest("tools", kind="bundle"), AsyncBundle)
    await platform.latest("nose", kind="wheel")  # type: ignore[call-overload]


async def use_batches(platform: AsyncSinglePlatformRepository, folder: Path) -> None:
    egg = platform.egg("cp311", "nose", "1.3.0-1")
    for report in (
        await platform.upload_eggs(folder.glob("*.egg"), progress=telling),
        await platform.download_eggs("cp311", folder, names=["nose-*"], progress=told),
        await platform.delete_eggs([egg, egg._sync, "nose-1.3.0-1.egg"], "cp311"),
        await platform.download_runtimes(folder),
        await platform.download_bundles(folder, names=str.isascii),
        await platform.upload_runtimes([folder / "a.runtime"]),
        await platform.upload_bundles([folder / "a.bundle"]),
    ):
        assert_type(report, BatchReport)
        report.raise_for_failures()
    await platform.delete_eggs([platform], "cp311")  # type: ignore[list-item]


async def use_runtimes_and_apps(platform: AsyncSinglePlatformRepository, folder: Path) -> None:
    place = "cpython", "3.8.17+1"
    print(await platform.runtime_index(), await platform.list_runtimes())
    version: str = (await platform.runtime_metadata(*place))["version"]
    await platform.download_runtime(*place, folder, progress=telling)
    assert_type(await platform.iter_download_runtime(*place, folder), tuple[int, Iteration[int]])
    assert_type(platform.runtime(*place), AsyncRuntime)
    await platform.delete_runtime(*place, missing_ok=True)
    await platform.runtime_delete(*place)
    print(await platform.app_index(), version)
    assert_type(await platform.list_apps(), list[tuple[str, str, str]])
    app = platform.app("cp38", "com.example.viewer", "1.0-1")
    assert_type(app, AsyncApp)
    print((await app.metadata())["name"], app.python_tag, app.app_id)
    print((await platform.app_metadata("cp38", app.app_id, app.version))["version"])


async def use_bundles(platform: AsyncSinglePlatformRepository, folder: Path) -> None:
    collection, place = platform.bundles, ("cp38", "tools", "1.0.0-1")
    assert_type(collection, AsyncBundleCollection)
    async for bundle in collection:
        assert_type(bundle, AsyncBundle)
        print(bundle.python_tag, bundle.name, bundle.version, bundle.canonical_filename)
    for bundle in collection:  # type: ignore[attr-defined]
        print(bundle)
    assert_type(collection.get(*place), AsyncBundle)
    assert_type(await collection.list(), list[BundleListing])
    print(await collection.index(), await platform.bundle_index())
    await collection.delete(*place, missing_ok=True)
    print(await platform.list_bundles(), await platform.bundle_list())
    assert_type(await platform.bundle_save(*place, folder), str)
    await platform.download_bundle(*place, folder)
    await platform.delete_bundle(*place)
    await platform.bundle_delete(*place)
    print((await platform.bundle_metadata(*place))["data"])
    assert_type(platform.bundle(*place), AsyncBundle)
    local = await collection.from_file(folder / "tools-1.0.0-1.bundle")
    assert_type(local, AsyncLocalBundle)
    assert_type(local.bundle, AsyncBundle)
    await local.upload(overwrite=True, progress=telling)
    print(local.name, local.version, local.python_tag, local.canonical_filename, local.filepath)
    print(await local.metadata(), await local.save(folder))
    await local.delete()


async def use_search(client: AsyncBroodClient) -> None:
    results = client.search("numpy>=1.26", python_tag="cp311", kind=["egg", "runtime"])
    assert_type(results, AsyncSearchResults)
    async with results:
        async for result in results:
            assert_type(result, AsyncSearchResult)
            assert_type(result.artefact, AsyncEgg | AsyncRuntime | AsyncApp | AsyncBundle)
            print(result.kind, result.name, result.version, result.python_tag, result.place)
            print(result.size, result.sha256, await result.artefact.exists())
    print(results.advice, results.unreadable)
    await results.close()
    client.search(5)  # type: ignore[arg-type]


async def use_mirror(client: AsyncBroodClient, folder: Path) -> None:
    dev, prod = client.at("acme/dev"), client.repository("acme/prod")
    plan = await mirror.plan(dev, prod, kinds=["eggs"])
    assert_type(plan, aio.mirror.AsyncPlan)
    cache = mirror.AsyncCache(folder, 10**9)
    for each in (cache, Cache(folder), None):
        assert_type(await plan.apply(cache=each, progress=telling), MirrorReport)
    assert_type(await mirror.AsyncPlan.from_document(plan.document(), dev, "x"), mirror.AsyncPlan)
    print(plan.steps, plan.those("copy"), plan.bytes, plan.problems, plan.selection, plan.prune)
    print(plan.source, plan.target, plan.max_deletes)
    pruning = await mirror.prune(dev, 3, older_than=timedelta(days=3))
    assert_type(pruning, mirror.AsyncPruning)
    assert_type(await mirror.AsyncPruning.read(pruning.document(), dev), mirror.AsyncPruning)
    print(pruning.of_unknown_age, await pruning.apply())
    egg, bundle = client.platform("a/b/c").egg("cp311", "a", "1-1"), folder / "a-1-1.bundle"
    for report in (
        await mirror.promote(egg, prod, cache=cache),
        await mirror.promote([egg, egg._sync], prod._sync, progress=telling),
        await mirror.export(client, folder, repositories=["acme/dev"]),
        await mirror.import_(client, folder, create_missing=True),
        await mirror.pack(dev, folder / "dev.zip", lacking=prod),
        await mirror.fetch_bundle(bundle, folder, prod, cache=cache),
    ):
        assert_type(report, MirrorReport)
    print(await mirror.usage(client), await mirror.verify(folder), await mirror.diff(dev, prod))
    print(await mirror.check_bundle(bundle, client))
    print(await mirror.manifest(dev) == await mirror.read_manifest(folder / "manifest.json"))
    assert_type(await cache.copy("0" * 64, folder, progress=telling), bool)
    async with cache.lend("0" * 64) as lent:
        assert_type(lent, Path | None)
    print(await cache.get("0" * 64), await cache.add(folder, "0" * 64), cache.folder, cache.limit)
    print(await cache.usage(), await cache.verify(), await cache.prune(), await cache.clear())
    await mirror.plan(client, prod)  # type: ignore[arg-type]
    await mirror.promote(egg, client)  # type: ignore[arg-type]


async def use_access(client: AsyncBroodClient, document: dict[str, Any]) -> None:
    plan = await access.plan(client, document, prune=True)
    assert_type(plan, access.AsyncPlan)
    assert_type(await plan.apply(dry_run=True), access.Report)
    assert_type(await access.AsyncPlan.from_document(plan.document(), client), access.AsyncPlan)
    assert_type(await access.read(client.organization("acme")), access.Access)
    print(plan.server, plan.steps, plan.problems, plan.wanted, plan.prune, plan.max_deletes)
    print(plan.force, plan.caller, plan.removals)
    await access.read(client)  # type: ignore[arg-type]
