"""Registries of many subscriptions by one query of Azure Resource Graph, as far as its answer can stand for lists.

It says nothing of what the caller may not read, so that a subscription without rows may have none, or refuse: those are
asked by a list of their own. It lags behind Resource Manager by seconds to minutes, so a subscription in which this
session has changed something is asked there too: https://learn.microsoft.com/azure/governance/resource-graph/overview
"""

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from azure.mgmt.containerregistry import ContainerRegistryManagementClient

from services.arm.resource_graph import query_resources
from services.connection.errors import ServiceError
from services.connection.sdk_models import prepare_models
from services.connection.session import AzureSession

_LOG = logging.getLogger(__name__)

# From so many subscriptions on a query costs less than their lists.
GRAPH_FROM = 50
QUERY = (
    "resources"
    " | where type =~ 'microsoft.containerregistry/registries'"
    " | project id, name, type, location, tags, sku, identity, properties, subscriptionId"
    " | order by id asc"
)
_TITLE = "The registries could not be listed by Azure Resource Graph"


def rows_by_subscription(session: AzureSession, subscription_ids: Iterable[str]) -> Mapping[str, list[Any]]:
    """The registries of those subscriptions that need no list, as Resource Manager has them, by the subscription's id.

    The others are missing: those without any, those changed of late, and all of them where the query is refused,
    throttled, cut or not understood.
    """
    try:
        rows = query_resources(session, QUERY, _TITLE)
        found = _grouped(rows)
    except ServiceError as error:
        _LOG.info("%s: %s", error.title, error.cause)
        return {}
    prepare_models(ContainerRegistryManagementClient)
    changed = session.changes.subscriptions
    wanted = {one: found.get(one.casefold()) for one in subscription_ids if one.casefold() not in changed}
    return {subscription: rows for subscription, rows in wanted.items() if rows}


def _grouped(rows: Iterable[Any]) -> Mapping[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        match row:
            case {"subscriptionId": str(subscription), "id": str()}:
                found.setdefault(subscription.casefold(), []).append(row)
            case _:
                # Of which subscription it is, is not known: then none of them is known whole.
                raise ServiceError(
                    _TITLE,
                    "A row is not as Resource Graph documents it.",
                    "Nothing is to be done: subscriptions are asked one by one.",
                    "NotUnderstood",
                )
    return found
