"""A company: the walkthrough's neighbours in three more subscriptions, from the tables it imports."""

from __future__ import annotations

from datetime import datetime, timedelta

from sandbox.arm.policies import policy
from sandbox.arm.replications import replication
from sandbox.arm.webhooks import webhook
from sandbox.billing.costs import CUSTOMER_AGREEMENT, PAY_AS_YOU_GO
from sandbox.seeds.company import GRANTS, clusters, custom_roles, networks, principals
from sandbox.seeds.costs import bill
from sandbox.seeds.hooks import events
from sandbox.seeds.places import APPS, GROUPS, HUB, REGISTRIES, SUBSCRIPTIONS, Registry
from sandbox.seeds.pull_events import log_events
from sandbox.seeds.resources import assignment, group, registry, subscription
from sandbox.seeds.shelves import fill
from sandbox.seeds.tasks import tasks
from sandbox.seeds.tokens import tokens
from sandbox.seeds.workloads import add_container_apps, add_workloads
from sandbox.storage.store import Store, timestamp


def estate(store: Store, now: datetime) -> None:
    """Add the company to a store that has the walkthrough."""

    def ago(days: float) -> str:
        return timestamp(now - timedelta(days=days))

    for subscription_id, name in SUBSCRIPTIONS.items():
        offer = PAY_AS_YOU_GO if subscription_id == APPS else CUSTOMER_AGREEMENT
        store.put_resource(subscription(subscription_id, name, offer))
    for place in GROUPS:
        store.put_resource(group(place.subscription, place.name, place.location, place.tags))
    # What can refuse a new registry: a group that is being deleted, and a policy.
    store.put_resource(group(APPS, "retired-rg", "eastus", state="Deleting"))
    allowed = {"location": ["westeurope", "northeurope", "swedencentral", "eastus", "westus2"]}
    store.put_resource(policy(f"/subscriptions/{APPS}", "allowed-locations", "Allowed locations", allowed))
    for entry in REGISTRIES:
        _add_registry(store, entry, ago(entry.age))
    for document in (*principals(), *custom_roles(ago(900)), *clusters(), *networks()):
        store.put_resource(document)
    for grant in GRANTS:
        store.put_resource(
            assignment(
                grant.scope,
                grant.role,
                grant.principal_id,
                grant.principal_type,
                ago(grant.age),
                condition=grant.condition,
            )
        )
    fill(store, now)
    add_workloads(store)
    add_container_apps(store)
    events(store)
    log_events(store, now)
    tokens(store, ago)
    tasks(store, store.get_resource(HUB.id) or {}, ago)
    bill(store, now)


def _add_registry(store: Store, entry: Registry, created: str) -> None:
    document = registry(
        entry.group.id,
        entry.name,
        entry.sku,
        entry.location,
        created,
        entry.properties,
        tags=entry.tags,
        extra_bytes=entry.extra_bytes,
    )
    store.put_resource(document)
    if entry.replicas:
        for location in (entry.location, *entry.replicas):
            store.put_resource(replication(document, location, created))
    for name in entry.webhooks:
        # The scanner is down: it does not answer its webhook.
        path = "status/503" if name == "scanhook" else "acr"
        store.put_resource(webhook(document, name, f"https://{name}.contoso.example/{path}", "", ["push", "delete"]))
