"""What would make one repository equal to another one."""

from collections import Counter

from measuring import make_client, measure, read_job

from hatcher import mirror

job = read_job()
organization = make_client(job).organization(job["platform"][0])
source, target = (organization.repository(name) for name in job["repositories"])
found: Counter[str] = Counter()


def work() -> None:
    plan = mirror.plan(
        source,
        target,
        kinds=["eggs"],
        platforms=[job["platform"][2]],
        python_tags=["cp311"],
        prune=True,
    )
    found.update(step.action for step in plan.steps)


requests = measure(job, work)
if found != job["steps"]:
    raise SystemExit(f"The steps are {dict(found)}, not {job['steps']}.")
if requests is not None and requests > len(job["repositories"]):
    raise SystemExit(f"It took {requests} requests for {len(job['repositories'])} indices.")
