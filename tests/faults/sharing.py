"""A batch that is stopped, and a long download beside it over the same client."""

import hashlib
import threading
from pathlib import Path

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher import mirror
from hatcher.api import BroodClient

from ..forking import serve


def run(job):
    """Do it; return what became of the batch, and of the download."""
    inside, over = threading.Event(), threading.Event()
    failures = []

    with BroodClient.from_url(
        job["url"], auth=tuple(job["auth"]), api_version=1, verify_ssl=job["verify_ssl"]
    ) as client:
        platform = client.at("acme/dev/rh8-x86_64")
        destination = Path(job["destination"])

        def wait(done, total, phase):
            if phase == "downloading" and 0 < done < total:
                inside.set()
                over.wait(60)

        def download():
            try:
                platform.download_egg("cp311", "Large", "1.0-1", destination, progress=wait)
            except BaseException as error:
                failures.append(f"{type(error).__name__}: {error}")
            finally:
                inside.set()

        def fail(done, total, phase):
            if done and phase in ("uploading", "downloading"):
                over.wait(0.5)  # until all threads hang
                raise RuntimeError("no more of that")

        thread = threading.Thread(target=download)
        thread.start()
        inside.wait()
        progress = fail if job["how"] == "progress" else None
        try:
            do(job, client, platform, progress)
            ended = "done"
        except BaseException as error:
            ended = type(error).__name__
        batch_threads = [each.name for each in threading.enumerate() if "batch" in each.name]
        over.set()
        thread.join()
        found = destination / "Large-1.0-1.egg"
        sha256 = hashlib.sha256(found.read_bytes()).hexdigest() if found.exists() else None
        # And the client goes on as if nothing had been.
        eggs = len(platform.egg_index("cp311"))
    return {
        "ended": ended,
        "threads": batch_threads,
        "failures": failures,
        "sha256": sha256,
        "eggs": eggs,
    }


def do(job, client, platform, progress):
    options = {"concurrency": 4, "progress": progress}
    folder = Path(job["destination"], "batch")
    folder.mkdir()
    what = {"names": ["Egg*"], "platforms": ["rh8-x86_64"], "python_tags": ["cp311"]}
    match job["kind"]:
        case "uploads":
            client.at(f"acme/{job['target']}/rh8-x86_64").upload_eggs(job["eggs"], **options)
        case "downloads":
            platform.download_eggs("cp311", folder, names=["Egg*"], **options)
        case "apply":
            target = client.at(f"acme/{job['target']}")
            plan = mirror.plan(client.at("acme/dev"), target, **what)
            plan.apply(**options)
        case "export":
            options.update(what, repositories=["acme/dev"], kinds=["eggs"])
            mirror.export(client, folder, **options)


serve(run)
