"""One registry: its names, usage, network, access and findings."""

import pyarrow as pa
import streamlit as st

from services.commands import registries as az_registries
from services.registries.findings import Risk, findings_of
from ui.elements.columns import Sizes
from ui.elements.errors import panel, show_error
from ui.elements.metrics import Metric, show_metrics
from ui.elements.page import az_lines, header
from ui.elements.table import show_facts, show_rows
from ui.elements.text import ago, exact, plain, shell, size
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, step
from ui.runtime import connection

RISK_COLOURS = {Risk.HIGH: "red", Risk.MEDIUM: "orange", Risk.LOW: "gray"}

who = connection.who()
listed = selection.registry_of_url(who)
registry, at = listed, None
with panel():
    loaded = registry_loaders.registry(who, listed.id)
    registry, at = loaded.value, loaded.at
header(
    plain(registry.name),
    f"{plain(registry.resource_group)} in {plain(listed.subscription)}, {plain(registry.location)}",
    at,
    lambda: registry_loaders.forget_registry(who, listed),
    (step(pages.INVENTORY, "Registries"), last_step(registry.name)),
)
badges = [
    f":blue-badge[:material/category: {plain(registry.sku)}]",
    f":gray-badge[:material/shield_person: {registry.access.mode} permissions]",
    f":gray-badge[:material/lan: {registry.network.words}]",
]
if registry.unsettled:
    badges.append(f":red-badge[:material/error: {plain(registry.provisioning_state or registry.unsettled)}]")
st.markdown(" ".join(badges))
here = {"registry": st.query_params["registry"]}
with st.container(horizontal=True):
    link_to(pages.REPOSITORIES, **here)
    link_to(pages.SIGN_IN, **here)
    link_to(pages.ASSIGN_ROLE, **here)
    link_to(pages.SETTINGS, **here)
    link_to(pages.SKU_COMPARISON, **here)
    link_to(pages.PULL_MATRIX, search=registry.name)
    link_to(pages.ACCESS_REVIEW, **here)
    link_to(pages.ROLES, **here)
    link_to(pages.WEBHOOKS, **here)
    link_to(pages.REPLICAS, **here)
    link_to(pages.TOKENS, **here)

replicas = registry.replicas
unread = {refusal.what: refusal.error.cause for refusal in registry.unread}
show_metrics(
    [
        Metric(
            "Stored",
            None if registry.stored_bytes is None else size(registry.stored_bytes),
            help="The included storage is not a limit: Azure bills each GiB above it.",
            beside=f"of {size(registry.included_bytes)} included" if registry.included_bytes else "",
            unknown=unread.get("usage", "its usage was not read."),
        ),
        Metric(
            "Replicas",
            None if replicas is None else len(replicas),
            unknown=unread.get("replicas", "its replicas were not read."),
        ),
        Metric("Webhooks", registry.webhooks, unknown=unread.get("usage", "its usage was not read.")),
        Metric("Created", ago(registry.created), help=exact(registry.created)),
    ]
)
for refusal in registry.unread:
    show_error(refusal.error)

st.subheader("Login server", anchor=False)
st.code(registry.login_server or "none yet", language=None)
st.subheader("Resource id", anchor=False)
st.code(registry.id, language=None, wrap_lines=True)

found = findings_of(registry)
st.subheader(f"Findings ({len(found)})", anchor=False)
if not found:
    st.success("No findings", icon=":material/check_circle:")
for finding in found:
    with st.expander(f"{finding.title} :{RISK_COLOURS[finding.risk]}-badge[{finding.risk} risk]"):
        st.markdown(f"{finding.reason} {finding.risk_text}\n\n{shell(finding.fix)}")
        if finding.in_settings:
            link_to(pages.SETTINGS, "Change it in Settings", **here)

left, right = st.columns(2)
with left:
    st.subheader("Network", anchor=False)
    network = registry.network
    show_facts(
        {
            "Public access": {"public": "All networks", "restricted": "Selected networks", "private": "Disabled"}[
                network.words
            ],
            "IP rules": plain(", ".join(network.ip_rules)) or "None",
            "Trusted Azure services": "Allowed" if network.trusted_services else "Not allowed",
            "ACR Tasks past network rules": {True: "Allowed", False: "Not allowed", None: "Not reported by Azure"}[
                network.tasks_bypass
            ],
            "Private endpoints": ", ".join(
                f"{plain(end.endpoint_id.split('/')[-1])} ({end.state})" for end in network.private_endpoints
            )
            or "None",
            "Data endpoints": plain(", ".join(network.data_endpoints)) or "Shared",
        },
    )
with right:
    st.subheader("Access", anchor=False)
    access = registry.access
    show_facts(
        {
            "Permissions": f"{access.mode} ({'by repository' if access.mode == 'ABAC' else 'for the whole registry'})",
            "Admin user": "Enabled" if access.admin_user else "Disabled",
            "Anonymous pull": "Enabled" if access.anonymous_pull else "Disabled",
            "ARM tokens": "Accepted" if access.arm_audience_tokens else "Refused",
            "Untagged manifests": f"Deleted after {access.retention_days} days"
            if access.retention_days is not None
            else "Kept",
            "Soft delete": registry.soft_delete.label,
            "Encryption key": "Customer-managed" if access.customer_key else "Microsoft-managed",
        },
    )

if replicas:
    st.subheader("Replicas", anchor=False)
    show_rows(
        [
            {"Region": replica.region, "Provisioning state": replica.provisioning_state, "Status": replica.status}
            for replica in replicas
        ],
        "Replica regions beside the home region",
    )

if registry.usages:
    st.subheader("Usage", anchor=False)
    of_bytes = [usage for usage in registry.usages if usage.unit == "Bytes"]
    of_number = [usage for usage in registry.usages if usage.unit != "Bytes"]
    for usages, column, alt in (
        (of_bytes, Sizes(), "Storage used, and what the SKU's fee includes, which is not a limit"),
        (of_number, st.column_config.NumberColumn(format="%,d"), "Used and limit of each resource"),
    ):
        if usages:
            show_rows(
                [{"Resource": usage.name, "Used": usage.current, "Limit": usage.limit} for usage in usages],
                alt,
                columns={"Used": column, "Limit": column},
                types={"Used": pa.int64(), "Limit": pa.int64()} if usages is of_number else None,
                placeholder="unlimited",
            )
az_lines(
    az_registries.show_login_server(registry.name),
    az_registries.show_resource_id(registry.name),
    az_registries.show_usage(registry.name),
)
