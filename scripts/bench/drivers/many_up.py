"""Many small eggs uploaded so that they appear together.

The client that can do it in one call does; the other one uploads each out of sight, and has them
shown in the end, as its own command ``eggs batch-upload`` does.
"""

from pathlib import Path

from measuring import make_platform, measure, read_job

job = read_job()
platform = make_platform(job)
eggs = sorted(map(str, Path(job["eggs"]).iterdir()))
if len(eggs) != job["count"]:
    raise SystemExit(f"There are {len(eggs)} eggs, not {job['count']}.")


def work() -> None:
    if hasattr(platform, "upload_eggs"):
        platform.upload_eggs(eggs).raise_for_failures()
    else:
        for egg in eggs:
            platform.upload_egg(egg, enabled=False)
        platform.reindex(eggs)


measure(job, work)
