"""az acr task against the sandbox: each of az and the console sees what the other creates, runs and reads."""

import shlex

import pytest

from sandbox.seeds.walkthrough import SUBSCRIPTION
from services.commands.images import run_purge
from services.connection.session import connect_sandbox
from services.registries.reading import get_registry
from services.tasks.changes import apply_task, read_facts, run_task
from services.tasks.plan import NewTask, plan_task
from services.tasks.runs import list_runs, read_log
from services.tasks.tasks import get_task, list_tasks
from tests.clients.test_az import REGISTRY, run, running  # noqa: F401
from tests.support.az_program import AZ, MISSING

PURGE = "acr purge --filter '(nodejstemplate):^(?!(v.*)$)(pr-.*)$' --ago 30d"
LEFTOVERS = "acr purge --filter '(nodejstemplate):^$' --ago 30d --untagged"

pytestmark = [
    pytest.mark.client,
    pytest.mark.skipif(AZ is None, reason=MISSING),
]


def words_of(line):
    """The words of az in a line that may pipe a definition into it, and that definition."""
    words = shlex.split(line)
    if words[0] == "printf":
        return words[words.index("|") + 2 :], words[2]
    return words[1:], None


def test_a_task_by_az_s_line_is_the_one_that_the_console_creates(run, running):  # noqa: F811
    session = connect_sandbox(running.ready)
    registry = get_registry(session, REGISTRY)
    run("account", "set", "-s", SUBSCRIPTION)
    found = []
    for number, commands in enumerate(((PURGE,), (PURGE, LEFTOVERS))):
        wanted = NewTask(f"retention-{number}", commands, "0 1 * * *")
        plan = plan_task(registry, read_facts(session, registry), wanted)
        words, definition = words_of(plan.commands[0])
        run(*words, stdin=definition)
        by_az = get_task(session, registry, wanted.name)
        run("acr", "task", "delete", "-r", "casaacr01", "-n", wanted.name, "--yes")
        apply_task(session, plan)
        by_console = get_task(session, registry, wanted.name)
        found.append((by_az, by_console))
    for by_az, by_console in found:
        alike = ("name", "status", "kind", "commands", "runs", "timeout", "signs_in_as", "principal_id")
        assert [getattr(by_az, one) for one in alike] == [getattr(by_console, one) for one in alike]


def test_runs_and_logs_of_each_are_seen_by_the_other(run, running):  # noqa: F811
    session = connect_sandbox(running.ready)
    registry = get_registry(session, REGISTRY)
    if "retention-0" not in [one.name for one in list_tasks(session, registry).values]:
        wanted = NewTask("retention-0", (PURGE,), "0 1 * * *")
        apply_task(session, plan_task(registry, read_facts(session, registry), wanted))
    assert "retention-0" in [one["name"] for one in run("acr", "task", "list", "-r", "casaacr01")]
    begun = run_task(session, registry, get_task(session, registry, "retention-0"))
    listed = run("acr", "task", "list-runs", "-r", "casaacr01", "-n", "retention-0")
    assert (listed[0]["runId"], listed[0]["status"]) == (begun, "Succeeded")
    run("acr", "task", "run", "-r", "casaacr01", "-n", "retention-0", "--no-wait")
    newest = list_runs(session, registry, "retention-0").values[0]
    assert newest.id != begun
    log = read_log(session, registry, newest.id)
    assert log
    said = run("acr", "task", "logs", "-r", "casaacr01", "--run-id", newest.id, text=True)
    assert said.split() == log.text.split()
    run("acr", "task", "update", "-r", "casaacr01", "-n", "retention-0", "--status", "Disabled")
    disabled = get_task(session, registry, "retention-0")
    assert (disabled.enabled, disabled.commands) == (False, (PURGE,))


def test_what_a_purge_would_delete_is_listed_by_the_line_of_the_console(run):  # noqa: F811
    words, _none = words_of(run_purge("casaacr01", PURGE))
    said = run(*words, text=True)
    assert "Number of tags to be deleted: 0" in said
