"""Whether an approval is of all that was proposed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.deletion.several import SeveralPlan
from services.images.repository_contents import RepositoryContents
from services.policies.policy import DeleteRule, KeepRule, Policy
from services.policies.simulation import plan_run
from services.schedules.decisions import approves_all
from services.schedules.runs import ProposedManifest, ProposedPart
from tests.services.policies.test_simulation import repository, simulated
from tests.support.documents import digest_of

OLD = DeleteRule("old", older_than_days=30)
BY_AGE = Policy("p", (OLD,))
PROPOSED = (
    ProposedPart("app", 1, (ProposedManifest(digest_of(1), ("v1",)), ProposedManifest(digest_of(2), ("v2",)))),
    ProposedPart("secret", 1, (ProposedManifest(digest_of(3), ("v3",)),)),
)


def planned(*found: RepositoryContents, policy: Policy = BY_AGE, running: Sequence[str] = ()) -> SeveralPlan:
    return plan_run(simulated(policy, *found, running=frozenset(running)).repositories)


@pytest.mark.parametrize(
    ("plan", "everything"),
    [
        (planned(repository("app", 1, 2), repository("secret", 3)), True),
        # More is deleted than was proposed.
        (planned(repository("app", 1, 2, 4), repository("secret", 3)), True),
        # What is gone from what was read.
        (planned(repository("app", 1), repository("secret", 3)), True),
        (planned(repository("app", 1, 2), repository("secret", 5, age=1)), True),
        # A repository that was not read.
        (planned(repository("app", 1, 2)), False),
        (planned(), False),
        # What stays now, whatever keeps it.
        (planned(repository("app", 1, 2), repository("secret", 3), running=[digest_of(2)]), False),
        (
            planned(
                repository("app", 1, 2),
                repository("secret", 3),
                policy=Policy("p", (KeepRule("v2", tags=("v2",)), OLD)),
            ),
            False,
        ),
    ],
)
def test_an_approval_is_of_everything_where_nothing_of_it_is_left_out(plan: SeveralPlan, everything: bool) -> None:
    assert approves_all(PROPOSED, plan) is everything


def test_what_may_be_there_unread_is_not_gone() -> None:
    refusal = Refusal(digest_of(9), ServiceError("Could not read", "403", "", "Denied"))
    incomplete = replace(repository("app", 1), unread=(refusal,))
    assert not approves_all(PROPOSED, planned(incomplete, repository("secret", 3)))
