"""Runs of retention policies that wait for a person, as entries of what needs attention."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Engine

from services.estate.attention import Attention
from services.policies.store import list_policies
from services.registries.findings import Risk
from services.registries.registry import Registry
from services.schedules.runs import RunState, ScheduledRun, waiting_runs
from services.wording import counted

_TITLES = {
    RunState.PROPOSED: "Clean-up waits for approval",
    RunState.FAILED: "Scheduled clean-up failed",
    RunState.BLOCKED: "Scheduled clean-up could not be planned",
}


def waiting_schedules(engine: Engine, registries: Sequence[Registry]) -> list[Attention]:
    """An entry for each policy of which runs on these registries wait, or failed. Raises ServiceError (NoDatabase)."""
    names = {one.id.casefold(): one.name for one in registries}
    found: defaultdict[tuple[str, RunState], list[ScheduledRun]] = defaultdict(list)
    for run in waiting_runs(engine):
        if run.registry.casefold() in names:
            found[run.policy, run.state].append(run)
    policies = {one.id: one.name for one in list_policies(engine)} if found else {}
    return [
        Attention(
            Risk.MEDIUM,
            _TITLES[state],
            f"{policies[policy]}, {_where([names[one.registry.casefold()] for one in runs])}",
            runs[0].error or _reason(runs),
            policy=policy,
        )
        for (policy, state), runs in found.items()
        if policy in policies
    ]


def _where(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else counted(len(names), "registry", "registries")


def _reason(runs: Sequence[ScheduledRun]) -> str:
    unread = [sentence for run in runs if run.figures for sentence in run.figures.unread]
    manifests = sum(run.figures.manifests for run in runs if run.figures)
    return unread[0] if unread and not manifests else f"It would delete {counted(manifests, 'manifest')}."
