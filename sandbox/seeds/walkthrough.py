"""One small registry and one cluster that can't pull from it yet: where a beginner's guide starts."""

from __future__ import annotations

from sandbox.billing.costs import FREE_TRIAL
from sandbox.identity.principals import CONSOLE, READER, TENANT_ID, Application, principal
from sandbox.seeds.images import MIB, Build, Layer, Shelf, layer, push_buildx, tag
from sandbox.seeds.networks import outbound_addresses
from sandbox.seeds.resources import (
    Kubelet,
    assignment,
    cluster,
    group,
    group_id,
    registry,
    subscription,
    tenant,
)
from sandbox.storage.store import Store

SUBSCRIPTION = "b63a40da-5629-452a-9350-e48460eae13f"
GROUP = group_id(SUBSCRIPTION, "resource-group-4")
_CREATED, _UPDATED = "2025-04-09T14:59:48.7546763Z", "2025-04-09T14:59:50.3720327Z"
_BEFORE = "2025-04-01T08:12:31.4410020Z"

# Compressed sizes of node:20's layers and of what the sample's Dockerfile adds.
_NODE = (
    ("debian bookworm", 48_497_231, "# debian.sh --arch 'amd64' out/ 'bookworm' '@1743984000'"),
    ("node 20 ca-certificates", 24_021_870, "RUN /bin/sh -c apt-get update && apt-get install -y ca-certificates curl"),
    ("node 20 scm", 64_397_164, "RUN /bin/sh -c apt-get update && apt-get install -y git mercurial subversion"),
    ("node 20 buildpack", 211_339_072, "RUN /bin/sh -c apt-get update && apt-get install -y autoconf gcc make"),
    ("node 20 user", 3_324, "RUN /bin/sh -c groupadd --gid 1000 node && useradd --uid 1000 --gid node node"),
    ("node 20 node", 48_170_662, "RUN /bin/sh -c curl -fsSLO https://nodejs.org/dist/v20.19.0/node-v20.19.0.tar.xz"),
    ("node 20 yarn", 1_247_803, "RUN /bin/sh -c curl -fsSLO https://yarnpkg.com/downloads/1.22.22/yarn.tar.gz"),
    ("node 20 entrypoint", 446, "COPY docker-entrypoint.sh /usr/local/bin/"),
)
_APP = (
    ("workdir", 93, "WORKDIR /app"),
    ("package", 1_120, "COPY package.json package-lock.json ./"),
    ("npm", 58 * MIB, "RUN /bin/sh -c npm ci --omit=dev"),
    ("tools", 121 * MIB, "RUN /bin/sh -c apt-get update && apt-get install -y chromium"),
    ("config", 2_710, "COPY config ./config"),
    ("public", 3_914_872, "COPY public ./public"),
    ("views", 18_233, "COPY views ./views"),
    ("source", 214_550, "COPY src ./src"),
    ("build", 9_482_113, "RUN /bin/sh -c npm run build"),
    ("prune", 1_204, "RUN /bin/sh -c npm prune"),
    ("certificates", 12_871, "COPY certs /usr/local/share/ca-certificates"),
    ("permissions", 221_540, "RUN /bin/sh -c chown -R node:node /app"),
)


def tenancy(store: Store) -> None:
    """The directory with the two identities that clients sign in with, and the first subscription."""
    store.put_resource(tenant())
    store.put_resource(subscription(SUBSCRIPTION, "casacloud", FREE_TRIAL))
    for application, role in ((CONSOLE, "Owner"), (READER, "Reader")):
        store.put_resource(_application(application))
        scope = f"/subscriptions/{SUBSCRIPTION}"
        store.put_resource(assignment(scope, role, application.object_id, "ServicePrincipal", _BEFORE))


def _application(application: Application) -> dict[str, object]:
    return principal(
        application.object_id,
        application.name,
        "servicePrincipal",
        app_id=application.app_id,
        secret=application.secret,
    )


def walkthrough(store: Store) -> None:
    """Groups, the registry with its one image, and the cluster."""
    store.put_resource(group(SUBSCRIPTION, "casacloud_rg1", "eastus"))
    store.put_resource(group(SUBSCRIPTION, "resource-group-4", "eastus"))
    store.put_resource(registry(GROUP, "casaacr01", "Standard", "eastus2", "2025-04-09T14:41:07.2210940Z"))
    shelf = Shelf(store, "casaacr01", "nodejstemplate", keeps_layers=True)
    build = Build(_CREATED, _layers(_NODE), _layers(_APP, "nodejstemplate "), command="node server.js")
    tag(shelf, "v1.0.0", push_buildx(shelf, build), _CREATED)
    store.add_repository("casaacr01", "nodejstemplate", _UPDATED)
    kubelet = Kubelet(
        "7d2f894e-14ab-41d0-b83d-dda90d45c7d6",
        "d55c1efa-7418-42a5-9dc4-34467aba4ca0",
        f"/subscriptions/{SUBSCRIPTION}/resourcegroups/node-rg"
        "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/aks1-agentpool",
    )
    control_plane = "a7283972-89ef-4ce1-a630-3925cb926d3c"
    aks1 = cluster(
        SUBSCRIPTION,
        "resource-group-4",
        "aks1",
        "eastus",
        identity=system_identity(control_plane),
        kubelet=kubelet,
    )
    for document in (aks1, *outbound_addresses(aks1, "203.0.113.10")):
        store.put_resource(document)
    store.put_resource(
        principal(control_plane, "aks1", "managedIdentity", app_id="5e6f1c7a-30b9-4a86-8f5e-3dd1b2a9c044")
    )
    store.put_resource(principal(kubelet.object_id, "aks1-agentpool", "managedIdentity", app_id=kubelet.client_id))


def system_identity(object_id: str) -> dict[str, str]:
    """The identity block of a cluster with a system-assigned identity."""
    return {"type": "SystemAssigned", "principalId": object_id, "tenantId": TENANT_ID}


def _layers(table: tuple[tuple[str, int, str], ...], prefix: str = "") -> tuple[Layer, ...]:
    return tuple(layer(prefix + name, size, made_by) for name, size, made_by in table)
