"""The checks as text for a ticket, in the form that `az aks check-acr` prints.

Its lines are those of https://github.com/Azure/aks-canipull, spelling included; checks that it does not have follow in
the same form.
"""

from collections.abc import Iterable
from datetime import datetime

from services.aks.clusters import Cluster
from services.pull_checks.checks import EXISTENCE, Answer, Check, CheckState, Verdict
from services.pull_checks.network import NAME, Resolved
from services.pull_checks.permission import PERMISSION
from services.registries.registry import Registry

_RESULTS = {
    CheckState.PASSED: "SUCCEEDED",
    CheckState.FAILED: "FAILED",
    CheckState.WARNING: "WARNING",
    CheckState.UNKNOWN: "UNKNOWN",
}


def as_text(
    cluster: Cluster,
    registry: Registry,
    checks: Iterable[Check],
    verdict: Verdict,
    now: datetime,
    resolved: Resolved | None = None,
) -> str:
    """A line for each check, with `now` in UTC before it. `resolved`: for the canonical name, None if unknown."""
    by_title = {check.title: check for check in checks}
    server = registry.login_server
    lines: list[str] = []

    def step(title: str, words: str) -> None:
        if check := by_title.pop(title, None):
            lines.append(f"{words}: {_RESULTS[check.state]}")
            if check.state is not CheckState.PASSED:
                lines.append(check.evidence)

    step(NAME, f"Checking host name resolution ({server})")
    if resolved and resolved.canonical:
        lines.append(f"Canonical name for ACR ({server}): {resolved.canonical.rstrip('.')}.")
    lines.append(f"ACR location: {registry.location}")
    lines.append("Checking managed identity..." if cluster.kubelet else "The cluster uses service principal.")
    if cluster.kubelet:
        lines.append(f"Kubelet managed identity client ID: {cluster.kubelet.client_id}")
    step(EXISTENCE, "Validating managed identity existance")
    step(PERMISSION, "Validating image pull permission")
    for check in list(by_title.values()):
        step(check.title, f"Checking {check.title[0].lower()}{check.title[1:]}")
    last = {
        Answer.CAN: f"\nYour cluster can pull images from {server}!",
        Answer.CANNOT: f"\nYour cluster can't pull images from {server}.",
        Answer.PROBABLY: f"\n{verdict.sentence}",
        Answer.UNDECIDED: f"\n{verdict.sentence}",
    }[verdict.answer]
    return "\n".join(f"[{now:%Y-%m-%dT%H:%M:%SZ}] {line}" for line in (*lines, last)) + "\n"
