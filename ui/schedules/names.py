"""Names of registries and of runs' states, as the pages of schedules have them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from services.connection.parallel import Partial
from services.policies.policy import Policy, matches
from services.registries.registry import Registry
from services.schedules.runs import RunState, ScheduledRun
from ui.navigation.selection import with_login_server

# The colour and sign of a state in a line of text.
BADGES: Mapping[str, tuple[str, str]] = {
    RunState.PROPOSED: ("orange", ":material/approval:"),
    RunState.BLOCKED: ("orange", ":material/block:"),
    RunState.FAILED: ("red", ":material/error:"),
    RunState.APPROVED: ("green", ":material/check:"),
    RunState.STARTED: ("green", ":material/check:"),
}


def state_words(run: ScheduledRun) -> str:
    """The state of a run, and of what it began: 'Approved: Completed'."""
    return f"{run.state}: {run.progress}" if run.progress else str(run.state)


def name_of_registry(registry_id: str, registries: Sequence[Registry]) -> str:
    """The registry's name; the last word of its id where this identity does not see it."""
    found = find_registry(registry_id, registries)
    return found.name if found else registry_id.rpartition("/")[2]


def find_registry(registry_id: str, registries: Sequence[Registry]) -> Registry | None:
    """The registry of that id, whatever its case."""
    return next((one for one in registries if one.id.casefold() == registry_id.casefold()), None)


def registries_of(policy: Policy, listed: Partial[Registry]) -> list[Registry]:
    """The registries that the policy is for, by name."""
    found = [one for one in with_login_server(listed) if matches(one.name, policy.registries)]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def until(moment: datetime) -> str:
    """'in 5 hours', 'in 2 days'; 'now' where it is due."""
    minutes = (moment - datetime.now(UTC)).total_seconds() / 60
    if minutes < 1:
        return "now"
    for unit, span, most in (("minute", 1, 60), ("hour", 60, 48), ("day", 1440, 10_000)):
        if minutes < most * span:
            number = max(1, round(minutes / span))
            return f"in {number:,} {unit}{'' if number == 1 else 's'}"
    return "later"
