"""What Overview could not read: in one notice, in the words of its list, and by subscription for its costs."""

from collections.abc import Iterable

from services.connection.parallel import Partial, Refusal
from services.costs.recent_bills import Bills
from services.jobs.jobs import JobSummary
from services.pull_checks.matrix import Pulls
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.errors import Part, show_partial
from ui.loaders.registries import Inventory
from ui.runtime.background import Reading


def show_unread(
    inventory: Inventory, pulls: Pulls, bills: Bills, prices: tuple[Refusal, ...], records: Partial[JobSummary]
) -> None:
    """The page's one notice. `prices`: why list prices could not be read."""
    rows = tuple(refusal for bill in bills.costs.values for refusal in bill.unread)
    show_partial(
        Part(inventory.registries, "subscription"),
        Part(inventory.usages, "usage"),
        Part(inventory.counts, "catalogue"),
        Part(pulls.clusters, "subscription"),
        Part(pulls.access, "subscription"),
        Part(pulls.addresses, "public address", "public addresses"),
        Part(Partial((), pulls.memberships.refused), "identity's groups", "identities' groups"),
        Part(Partial((), pulls.private_links.refused), "private path"),
        Part(bills.costs, "bill"),
        Part(Partial((), rows), "bill"),
        Part(bills.budgets, "subscription's budgets", "subscriptions' budgets"),
        Part(Partial((), prices), "price list"),
        Part(records, "record"),
    )


def unread_bills(bills: Reading[Bills], registries: Iterable[Registry]) -> set[str]:
    """The subscriptions of these registries whose bill could not be read."""
    if bills.error:
        return {registry.subscription for registry in registries}
    costs = bills.value.costs
    without = {bill.subscription.name for bill in costs.values if bill.error and not bill.rows}
    return without | {refusal.what for refusal in costs.refused}


def unread_words(inventory: Reading[Inventory], pulls: Reading[Pulls], records: Partial[JobSummary]) -> str:
    """What the list of what needs attention lacks: 'clusters not read yet', '1 subscription unread'."""
    running = [
        "registries" if inventory.running else "",
        "clusters" if pulls.running else "",
    ]
    later = " and ".join(name for name in running if name)
    lists = (inventory.value.registries, pulls.value.clusters, pulls.value.access)
    subscriptions = {refusal.what for one in lists for refusal in one.refused}
    usages = inventory.value.usages
    unlooked = len(usages.refused) + (0 if inventory.running else usages.untried)
    failed = [
        counted(len(subscriptions), "subscription") if subscriptions else "",
        counted(unlooked, "usage") if unlooked else "",
        "clusters" if pulls.error else "",
        counted(number, "record") if (number := len(records.refused) + records.untried) else "",
    ]
    unread = ", ".join(part for part in failed if part)
    parts = (f"{unread} unread" if unread else "", f"{later} not read yet" if later else "")
    return "; ".join(part for part in parts if part)
