"""What it costs that a deletion is a job: each result committed to the database as it comes."""

import threading
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Engine, insert

from benchmarks import processes
from benchmarks.clients import console_client
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from services.database.engine import open_database, writing
from services.database.tables import job_items
from services.deletion.job_records import as_details, as_items
from services.deletion.job_runs import run_deletion
from services.images.repositories import all_tags, get_repository
from services.images.tagging import apply_untag, plan_untag
from services.jobs.jobs import Job, JobItem, begin
from services.jobs.running import RunningJob
from services.jobs.work import run_to_end
from tests.support.postgres import postgres

REGISTRY, TAGS, LATENCY_MS, ROUNDS = "bench", 2000, 20, 3
LEASE = timedelta(seconds=30)


def measure() -> list[Row]:
    with TemporaryDirectory() as folder, postgres() as server:
        database = open_database(f"sqlite:///{Path(folder) / 'console.db'}")
        return [_results(database, "SQLite"), _results(open_database(server), "PostgreSQL"), _deletion(database)]


def _begin(database: Engine, number: int) -> Job:
    items = [JobItem(f"v{at}", "sha256:0") for at in range(number)]
    return begin(database, "bench", "remove tags", "bench.azurecr.io", "app", items, {}, LEASE)


def _results(database: Engine, kind: str) -> Row:
    def ours() -> None:
        running = RunningJob(database, _begin(database, TAGS), LEASE, threading.Event())
        for at in range(TAGS):
            running.add_result(f"v{at}", "deleted")
        running.end()

    def bare() -> None:
        job = _begin(database, 0).id
        for at in range(TAGS):
            with writing(database, "bench") as db:
                row = {"job": job, "name": f"v{at}", "position": at, "digest": "sha256:0", "tags": [], "cause": ""}
                db.execute(insert(job_items).values(row))

    pairs = by_turns(lambda: seconds(ours), lambda: seconds(bare), ROUNDS)
    return at_most(
        f"{TAGS:,} results of a job recorded one by one in {kind}: time, × bare inserts", median_ratio(pairs), 3
    )


def _deletion(database: Engine) -> Row:
    with processes.sandbox(f"{REGISTRY}:1:{2 * ROUNDS * TAGS}", latency_ms=LATENCY_MS) as ready:
        client = console_client(ready, REGISTRY)
        (name,) = client.sdk.list_repository_names()
        repository = get_repository(client, name)
        tags = {tag.name: tag for tag in all_tags(client, name).values}
        shares = iter([list(tags)[at : at + TAGS] for at in range(0, len(tags), TAGS)])

        def as_job() -> None:
            plan = plan_untag(REGISTRY, repository, {tag: tags[tag] for tag in next(shares)}, {})
            server = client.login_server
            job = begin(database, "bench", "remove tags", server, name, as_items(plan), as_details(plan), LEASE)
            running = RunningJob(database, job, LEASE, threading.Event())
            run_to_end(running, lambda: run_deletion(client, job, running, {}, lambda _result: None))

        def plain() -> None:
            plan = plan_untag(REGISTRY, repository, {tag: tags[tag] for tag in next(shares)}, {})
            assert len(apply_untag(client, plan).values) == TAGS

        client.tokens.hold_for_reading([name])
        pairs = by_turns(lambda: seconds(as_job), lambda: seconds(plain), ROUNDS)
    return at_most(
        f"{TAGS:,} tags removed at {LATENCY_MS} ms as a job: time, × without the database", median_ratio(pairs), 1.15
    )
