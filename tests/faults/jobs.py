"""What client processes do that can be killed or interrupted in the middle."""

import errno
import hashlib
import os
import re
import signal
import threading
from pathlib import Path

# Imported here, where jobs would otherwise spend most of their time on it.
import okonomiyaki.file_formats  # noqa: F401

from hatcher import mirror
from hatcher.api import BroodClient, Timeouts
from hatcher.errors import HatcherException
from hatcher.transfer import segments

from ..forking import serve

WHERE = {"platforms": ["rh8-x86_64"], "python_tags": ["cp311"]}


def run(job):
    """Do it; return what became of it."""
    options = {
        "verify_ssl": job.get("verify_ssl", True),
        "timeout": Timeouts(**job.get("wait", {})),
    }
    auth = tuple(job["auth"])
    with BroodClient.from_url(job["url"], auth=auth, api_version=1, **options) as client:
        return JOBS[job["do"]](job, client)


def transfer(job, client):
    """Upload or download one egg; with ``kill_after`` it ends when so many bytes have come."""

    def progress(done, total, phase):
        if "kill_after" in job and phase == "downloading" and done >= job["kill_after"]:
            os.kill(os.getpid(), signal.SIGKILL)

    platform = client.at("acme/dev/rh8-x86_64")
    if job["direction"] == "up":
        platform.upload_egg(job["egg"], overwrite=True)
        return {}
    options = {"connections": job["connections"]} if job.get("connections", 1) > 1 else {}
    segments.SPLIT_FROM = job.get("split_from", segments.SPLIT_FROM)
    if job.get("without") == "attributes":
        os.setxattr = os.getxattr = no_attributes
    if "sha256" in job and "connections" not in job:
        platform.list_eggs("cp311")  # imports and connects
    before = peak()
    expected = job.get("sha256"), job.get("filename")
    options["progress"] = progress
    platform.download_egg("cp311", "Spam", "1.0-1", job["destination"], *expected, **options)
    return {"taken": peak() - before}


def interrupted(job, client):
    """Download one egg, until Ctrl-C."""
    try:
        transfer(job, client)
    except KeyboardInterrupt:
        return {"interrupted": True, "threads": [each.name for each in threading.enumerate()]}
    return {"interrupted": False, "threads": ["MainThread"]}


def no_attributes(*_):
    raise OSError(errno.ENOTSUP, "no attributes here")


def peak():
    """The most memory that this process had so far, in bytes; 0 where that cannot be told."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
    return int(found[1]) * 1024 if found else 0


def batch(job, client):
    """Upload or download many eggs, until Ctrl-C."""
    platform = client.at(f"acme/{job['repository']}/rh8-x86_64")
    options = {"concurrency": job["concurrency"]}
    try:
        if job["direction"] == "up":
            report = platform.upload_eggs(job["eggs"], **options)
        else:
            report = platform.download_eggs("cp311", job["destination"], **options)
    except KeyboardInterrupt:
        threads = [thread.name for thread in threading.enumerate()]
        return {"interrupted": True, "threads": threads}
    return {"interrupted": False, "complete": bool(report), "report": str(report)}


def upload_or_mirror(job, client):
    """Do it; return whether all of it was done, and why not."""
    target = client.at(f"acme/{job['repository']}")
    try:
        if job["kind"] == "upload":
            report = target.platform("rh8-x86_64").upload_eggs(job["eggs"], concurrency=4)
        else:
            source = client.at(f"acme/{job['source']}")
            report = mirror.plan(source, target, **WHERE, concurrency=4).apply(concurrency=4)
    except HatcherException as error:
        return {"complete": False, "report": f"{type(error).__name__}: {error}"}
    return {"complete": bool(report), "report": str(report)}


def stop_beside_a_download(job, client):
    """Stop a batch, with a long download beside it; return what became of both."""
    inside, over = threading.Event(), threading.Event()
    failures = []
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
    try:
        do_many(job, client, platform, fail if job["how"] == "progress" else None)
        ended = "done"
    except BaseException as error:
        ended = type(error).__name__
    batch_threads = [each.name for each in threading.enumerate() if "batch" in each.name]
    over.set()
    thread.join()
    found = destination / "Large-1.0-1.egg"
    return {
        "ended": ended,
        "threads": batch_threads,
        "failures": failures,
        "sha256": hashlib.sha256(found.read_bytes()).hexdigest() if found.exists() else None,
        # And the client goes on as if nothing had been.
        "eggs": len(platform.egg_index("cp311")),
    }


def do_many(job, client, platform, progress):
    options = {"concurrency": 4, "progress": progress}
    folder = Path(job["destination"], "batch")
    folder.mkdir()
    what = {"names": ["Egg*"], **WHERE}
    match job["kind"]:
        case "uploads":
            client.at(f"acme/{job['target']}/rh8-x86_64").upload_eggs(job["eggs"], **options)
        case "downloads":
            platform.download_eggs("cp311", folder, names=["Egg*"], **options)
        case "apply":
            target = client.at(f"acme/{job['target']}")
            mirror.plan(client.at("acme/dev"), target, **what).apply(**options)
        case "export":
            options.update(what, repositories=["acme/dev"], kinds=["eggs"])
            mirror.export(client, folder, **options)


def nothing(job, client):
    return {}


ALL = (transfer, interrupted, batch, upload_or_mirror, stop_beside_a_download, nothing)
JOBS = {each.__name__: each for each in ALL}

serve(run)
