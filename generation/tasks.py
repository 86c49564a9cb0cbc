"""Worker entrances. Light: the web process imports them too."""

from procrastinate import JobContext
from procrastinate.contrib.django import app
from procrastinate.job_context import AbortReason

from generation.jobs import sweeping
from generation.jobs.posting import LIGHT, WORK


@app.task(name=WORK, pass_context=True)
async def work(context: JobContext, job_id: int) -> None:
    """Make one job. The supervisor that runs this worker has put itself into the context."""
    await context.additional_context["studio"].work(
        job_id, context.job.queue, lambda: context.abort_reason() == AbortReason.USER_REQUEST
    )


@app.periodic(cron="* * * * * */20")
@app.task(name="generation.sweep", queue="sweep", queueing_lock="generation.sweep", priority=200)
def sweep(timestamp: int) -> None:
    """Find lost jobs and set them going again, every 20 s and at every start of a worker."""
    sweeping.sweep()


@app.periodic(cron="17 * * * *")
@app.task(name="generation.tidy", queue=LIGHT, queueing_lock="generation.tidy")
def tidy(timestamp: int) -> None:
    """Remove what killed attempts left behind, hourly. In the house: a studio sees no old jobs."""
    sweeping.tidy()


@app.periodic(cron="47 3 * * *")
@app.task(name="generation.forget", queue="sweep", queueing_lock="generation.forget")
async def forget(timestamp: int) -> None:
    """Remove queue rows that ended badly a week ago."""
    await app.job_manager.delete_old_jobs(
        nb_hours=24 * 7, include_failed=True, include_cancelled=True, include_aborted=True
    )
