"""A program that uses every public method, for mypy to read; nobody runs it."""

from __future__ import annotations

from pathlib import Path

import httpx

from hatcher.api import (
    App,
    BatchReport,
    BroodBearerTokenAuth,
    BroodClient,
    BroodClientAuth,
    Bundle,
    Egg,
    FileResult,
    Organization,
    Phase,
    Progress,
    ProgressBar,
    Repository,
    RequestEvent,
    ResponseEvent,
    RetryPolicy,
    Runtime,
    SearchResult,
    SearchResults,
    SinglePlatformRepository,
    Team,
    Timeouts,
    User,
)
from hatcher.errors import BroodHTTPError


def clients(url: str, password: str) -> list[BroodClient]:
    token = BroodBearerTokenAuth("token")
    return [
        BroodClient.from_url(url),
        BroodClient.from_url(url, auth=("ada@example.com", password), api_version=1),
        BroodClient.from_url(url, auth=token, verify_ssl=Path("ca.pem"), timeout=30.0, retries=0),
        BroodClient.from_url(url, auth=BroodClientAuth(url, ("ada@example.com", password))),
        BroodClient.from_url(url, timeout=Timeouts(read=5), retries=RetryPolicy(retries=5)),
        BroodClient.from_url(url, auth=httpx.BasicAuth("ada", password)),
        BroodClient.from_url(url, auth=(b"ada", password.encode())),
        BroodClient.from_url(url, auth=["ada", password]),
        BroodClient.from_url(url, auth=lambda request: request.headers.update({"X-Key": "key"})),
        BroodClient.from_session(url, httpx.Client(), api_version=1),
        BroodClient.from_url(url, headers={"X-Team": "build"}, on_request=tell, on_response=told),
        BroodClient.from_session(
            url, httpx.Client(), timeout=None, retries=0, on_request=tell, on_response=told
        ),
    ]


def tell(event: RequestEvent) -> None:
    event.headers["X-Operation"] = f"{event.operation}: {event.method} {event.url}"
    event.context = 5


def told(event: ResponseEvent) -> None:
    status: int | None = event.status_code
    seconds: float = event.elapsed
    error: BaseException | None = event.error
    kind: str = event.headers["Content-Type"]
    print(event.request.context, status, seconds, error, kind)


def use_client(client: BroodClient) -> list[str]:
    with client:
        names: list[str] = client.list_organizations()
        names += client.list_platforms()
        names += client.list_python_tags(list_all=True)
        names += client.list_available_repositories(include_indexable=True)
        names += [token["name"] for token in client.list_api_tokens()]
        created: str = client.create_api_token("nightly")["token"]
        client.delete_api_token("nightly")
        who = client.whoami()
        user: str | None = who["user"]
        access: dict[str, str | None] = who["repositories"]
        other: BroodClient = client.with_auth(None)
        organization: Organization = other.create_organization("acme", "Makers of everything")
        place = client.at("acme/dev/rh8-x86_64")
        if isinstance(place, SinglePlatformRepository):
            use_eggs(place, Path("downloads"))
        results: SearchResults = client.search("numpy<2", platform="rh8-*", kind=["egg", "app"])
        found: SearchResult = max(results)
        names += [found.place, results.advice, *(problem.place for problem in results.unreadable)]
        repository: Repository = client.repository("acme/dev")
        use_eggs(client.platform("acme/dev/rh8-x86_64"), Path(repository.name))
        client.raw.get_httpx_client()
        number: int = client.api_version
        client.close()
    return [*names, created, str(user), *access, organization.name, str(number), client.url]


def use_organization(client: BroodClient) -> str:
    organization = client.organization("acme")
    repositories: list[str] = organization.list_repositories()
    repository: Repository = organization.create_repository("dev", "Builds of the night")
    known: list[str] = organization.list_users() + repository.list_platforms()
    again: Repository = organization.repository("dev")
    groups: list[str] = [team["group"] for team in organization.list_teams()]
    team: Team = organization.create_team("builders", "upload_repository")
    use_team(organization.team("builders"), repository)
    user: User = organization.create_user("ada@example.com", teams=[team, "readers"])
    use_user(organization.user("ada@example.com"))
    return f"{organization.name} {repositories} {again} {groups} {user} {known}"


def what_brood_does_not_implement(organization: Organization) -> None:
    for method in (organization.delete, organization.metadata):
        try:
            method()
        except NotImplementedError as error:
            print(error)


def use_team(team: Team, repository: Repository) -> str:
    team.add_repository(repository)
    team.add_repository("dev")
    allowed: bool = team.query_repository_access(repository)
    names: list[str] = team.list_repositories()
    team.remove_repository("dev")
    team.add_user("ada@example.com")
    member: bool = team.query_user_access("ada@example.com")
    addresses: list[str] = team.list_users()
    team.remove_user("ada@example.com")
    group: str = team.metadata()["group"]
    team.delete(force=True)
    return f"{team.organization_name}/{team.name} {allowed} {member} {names} {addresses} {group}"


def use_user(user: User) -> str:
    address: str = user.metadata()["email"]
    first: str | None = user.one_time_password
    user.delete()
    return f"{user.organization_name} {user.email} {address} {first}"


def use_repository(repository: Repository, file: Path) -> str:
    repository.upload_runtime(file, overwrite=True, verify=False, progress=tell_of)
    repository.upload_app(str(file), overwrite=True, progress=tell_of)
    local = repository.upload_bundle(file, progress=tell_of)
    local.upload(overwrite=True, progress=tell_of)
    bundle: Bundle = local.bundle
    access: str = repository.metadata()["access"]
    platform: SinglePlatformRepository = repository.platform("rh8-x86_64")
    repository.delete(force=True)
    return f"{repository.organization_name}/{repository.name} {platform} {access} {bundle}"


def tell_of(done: int, total: int | None, phase: Phase) -> None:
    print(done, total, phase)


def use_eggs(platform: SinglePlatformRepository, folder: Path) -> int:
    platform.upload_egg(folder / "nose-1.3.0-1.egg", overwrite=False, enabled=False, verify=True)
    with ProgressBar("nose", transient=True) as bar:
        platform.upload_egg(folder / "nose-1.3.0-1.egg", progress=bar)
    tell: Progress = tell_of
    platform.upload_egg(folder / "nose-1.3.0-1.egg", progress=tell)
    platform.reindex([folder / "nose-1.3.0-1.egg"])
    newest: Egg = platform.latest("nose", "cp311")
    runtime: Runtime = platform.latest("cpython", kind="runtime")
    print(newest.name, runtime.version)
    tags: list[str | None] = [egg["python_tag"] for egg in platform.list_eggs("cp311")]
    size: int = platform.egg_index("cp311")["nose-1.3.0-1.egg"]["size"]
    name: str = platform.egg_index("cp311").rows()[0]["name"]
    above = [line["depth"] for line in platform.dependents_of("nose", "cp311", "1.3.0")]
    print(
        platform.egg_index("cp311").to_frame(), name, platform.requirements_of("nose", None), above
    )
    digest: str = platform.egg_metadata(None, "nose", "1.3.0-1")["sha256"]
    platform.download_egg(None, "nose", "1.3.0-1", folder, expected_sha256=digest, progress=tell)
    total, chunks = platform.iter_download_egg(None, "nose", "1.3.0-1", folder, filename="x.egg")
    size += total + sum(chunks) + len(tags)
    egg: Egg = platform.egg(None, "nose", "1.3.0-1")
    if egg.exists() and egg.sha256() == egg.metadata()["sha256"]:
        egg.download(folder, progress=tell_of)
        size += sum(egg.iter_download(folder)[1])
        print(egg.python_tag, egg.name, egg.version)
        egg.delete()
    platform.delete_egg(None, "nose", "1.3.0-1", force=True)
    print(platform.organization_name, platform.repository_name, platform.name)
    return size


def use_runtimes(platform: SinglePlatformRepository, folder: Path) -> None:
    print(platform.runtime_index(), platform.list_runtimes())
    version: str = platform.runtime_metadata("cpython", "3.8.17+1")["version"]
    platform.runtime_metadata(python_tag="cp27", version="2.7.10-1")
    platform.download_runtime("cpython", version, folder, progress=tell_of)
    total, chunks = platform.iter_download_runtime("cpython", version, folder)
    runtime: Runtime = platform.runtime("cpython", version)
    runtime.delete(force=True)
    platform.runtime_delete("cpython", version)
    platform.delete_runtime("cpython", version)
    print(total, sum(chunks))


def use_batches(repository: Repository, folder: Path) -> BatchReport:
    platform = repository.platform("rh8-x86_64")
    report: BatchReport = platform.upload_eggs(
        folder.glob("*.egg"), overwrite=True, enabled=False, concurrency=4, journal=folder / "j"
    )
    platform.upload_eggs([folder / "a.egg"], journal=False)
    for batch in (
        report,
        platform.upload_runtimes([folder / "a.runtime"], overwrite=True),
        platform.upload_bundles([str(folder / "a.bundle")], concurrency=1),
        repository.upload_runtimes(folder.glob("*.runtime")),
        repository.upload_bundles(folder.glob("*.bundle"), overwrite=True),
        repository.upload_apps([folder / "a.yaml"], dry_run=True),
        platform.download_eggs("cp311", folder, names=["nose-*"], concurrency=8),
        platform.download_runtimes(folder, names=lambda name: name.startswith("cpython")),
        platform.download_bundles(str(folder)),
    ):
        if not batch:
            failed: list[Exception | None] = [result.error for result in batch.failed]
            print(failed, batch.not_tried)
            batch.raise_for_failures()
        counts: list[int] = [len(batch.uploaded), len(batch.downloaded), len(batch.already_there)]
        print(counts)
    first: FileResult = report.results[0]
    print(first.name, first.path, first.outcome, first.size)
    print(platform.delete_eggs(["nose-1.3.0-1.egg"], "cp311", dry_run=True).deleted)
    return report


def use_apps(platform: SinglePlatformRepository) -> list[tuple[str, str, str]]:
    for apps in platform.app_index().values():
        print(list(apps))
    app: App = platform.app("cp38", "com.example.viewer", "1.0-1")
    print(app.python_tag, app.app_id, app.exists(), app.metadata()["name"])
    print(platform.app_metadata("cp38", "com.example.viewer", "1.0-1")["version"])
    return platform.list_apps()


def use_bundles(platform: SinglePlatformRepository, folder: Path) -> str:
    for bundle in platform.bundles:
        print(bundle.python_tag, bundle.name, bundle.version, bundle.canonical_filename)
        bundle.download(folder)
    collection = platform.bundles
    print(collection.index(), collection.list(), collection.from_file(folder / "a-1-1.bundle"))
    collection.delete("cp38", "tools", "1.0.0-1")
    print(platform.bundle_index(), platform.bundle_list(), platform.list_bundles())
    runtime = platform.bundle_metadata("cp38", "tools", "1.0.0-1")["data"]["runtime"]
    path: str = platform.bundle_save("cp38", "tools", "1.0.0-1", folder, overwrite=True)
    platform.bundle_delete("cp38", "tools", "1.0.0-1")
    platform.delete_bundle("cp38", "tools", "1.0.0-1")
    platform.download_bundle("cp38", "tools", "1.0.0-1", folder)
    one: Bundle = collection.get("cp38", "tools", "1.0.0-1")
    one.delete()
    return path + one.save(folder) + str(platform.bundle("cp38", "tools", "1.0.0-1")) + str(runtime)


def what_went_wrong(error: BroodHTTPError) -> str:
    return f"{error.status_code} {error.response.status_code} {error.error} {error.url}"
