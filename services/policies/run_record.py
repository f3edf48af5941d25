"""What the records of the deletions of a run say of its policy. Pure."""

from collections.abc import Iterable

from services.deletion.by_policy import PolicyRun
from services.policies.policy import Policy


def policy_run(
    policy: Policy,
    saved: tuple[str, int] | None,
    above: Iterable[str],
    *,
    edited: bool = False,
    run: str = "",
    by_itself: bool = False,
) -> PolicyRun:
    """The run of `policy`, which is `saved` as that id and version, or `edited` from it; None: never saved. The rest as
    in `PolicyRun`."""
    ceiling = policy.ceiling
    return PolicyRun(
        policy.name,
        *(saved or ("", 0)),
        edited,
        ceiling.manifests,
        ceiling.share_percent,
        ceiling.gib,
        tuple(above),
        run,
        by_itself,
    )
