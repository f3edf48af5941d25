"""A change of a registry whose process dies goes on in another: once, and with the end that it would have had."""

import pytest
from sqlalchemy import Engine

from sandbox.documents.registry_rules import REGISTRY_TYPE
from services.connection.changes import Outcome
from services.jobs.plans import details_of
from services.registries.skus import Sku
from services.registry_lifecycle.sku_change import SkuPlan, read_sku_plan, run_sku_change, sku_items
from tests.support.killed import (
    Change,
    Killed,
    Planned,
    assert_the_same_wherever_it_is_killed,
    continue_job,
    found,
    killed_at,
    run_once,
)
from tests.support.own_sandbox import REGISTRY, OwnSandbox

# A poller waits in a thread, which dies with its process.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def set_sku(own: OwnSandbox, sku: str) -> None:
    document = own.sandbox.store.find_resource(REGISTRY_TYPE, REGISTRY)
    assert document
    own.sandbox.store.put_resource({**document, "sku": {"name": sku, "tier": sku}})


def _plan_sku(own: OwnSandbox) -> Planned:
    plan = read_sku_plan(own.session(), own.registry().id, Sku.PREMIUM)
    return sku_items(plan), details_of(SkuPlan, plan, plan.commands)


SKU_CHANGE = Change(
    "Change SKU",
    run_sku_change,
    lambda own: set_sku(own, "Standard"),
    _plan_sku,
    lambda own: own.registry().sku,
)


@pytest.mark.parametrize("change", [SKU_CHANGE], ids=lambda change: change.action)
def test_wherever_it_is_killed_the_end_is_the_same(database: Engine, own: OwnSandbox, change: Change) -> None:
    assert_the_same_wherever_it_is_killed(database, own, change)


def test_what_somebody_else_changed_meanwhile_is_refused(database: Engine, own: OwnSandbox) -> None:
    job = SKU_CHANGE.begin(database, own)
    with killed_at(1, answered=True), pytest.raises(Killed):
        run_once(database, own.session(), run_sku_change, job)
    set_sku(own, "Basic")
    ended = continue_job(database, own.session(), run_sku_change, job)
    (result,) = ended.results.values()
    assert result.outcome == Outcome.REFUSED
    assert "It is Basic now, no longer Standard." in result.cause
    assert (ended.state, own.registry().sku) == ("Failed", "Basic")


def test_after_a_stop_nothing_is_sent(database: Engine, own: OwnSandbox) -> None:
    job = SKU_CHANGE.begin(database, own)
    run_once(database, own.session(), run_sku_change, job, stop=True)
    assert found(database, job).state == "Stopped"
    assert not own.writes()
