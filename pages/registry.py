"""One registry, whole: its names, usage, network, access and findings."""

import streamlit as st

from services.commands import registries as az_registries
from services.registries.findings import Risk, findings_of
from ui.elements.errors import panel, show_error
from ui.elements.page import az_lines, crumb, header
from ui.elements.table import show_facts, table_of
from ui.elements.text import ago, exact, plain, shell, size
from ui.loaders import registries as registry_loaders
from ui.navigation import selection
from ui.runtime import connection

RISK_COLOURS = {Risk.HIGH: "red", Risk.MEDIUM: "orange", Risk.LOW: "gray"}

who = connection.who()
listed = selection.registry_of_url(who)
crumb("inventory.py", "Inventory")
registry, at = listed, None
with panel():
    loaded = registry_loaders.registry(who, listed.id)
    registry, at = loaded.value, loaded.at
header(
    registry.name,
    f"{plain(registry.resource_group)} in {plain(listed.subscription)}, {plain(registry.location)}",
    at,
    lambda: registry_loaders.forget_registry(who, listed.id, listed.login_server),
)
badges = [
    f":blue-badge[:material/category: {plain(registry.sku)}]",
    f":gray-badge[:material/shield_person: {registry.access.mode} permissions]",
    f":gray-badge[:material/lan: {registry.network.words}]",
]
if registry.provisioning_state != "Succeeded":
    badges.append(f":red-badge[:material/error: {plain(registry.provisioning_state)}]")
st.markdown(" ".join(badges))
here = {"registry": st.query_params["registry"]}
with st.container(horizontal=True):
    st.page_link("repositories.py", label="Repositories and tags", icon=":material/sell:", query_params=here)
    st.page_link("sign_in.py", label="Sign in", icon=":material/login:", query_params=here)
    st.page_link("assign.py", label="Assign a role", icon=":material/person_add:", query_params=here)
    st.page_link("settings.py", label="Settings", icon=":material/tune:", query_params=here)
    st.page_link("sku_comparison.py", label="Which SKU", icon=":material/compare_arrows:", query_params=here)
    st.page_link(
        "pull_matrix.py", label="Who can pull", icon=":material/grid_on:", query_params={"search": registry.name}
    )
    st.page_link("access_review.py", label="Who can do what", icon=":material/admin_panel_settings:", query_params=here)
    st.page_link("roles.py", label="Which role", icon=":material/badge:", query_params=here)
    st.page_link("webhooks.py", label="Webhooks", icon=":material/webhook:", query_params=here)
    st.page_link("replicas.py", label="Replicas", icon=":material/public:", query_params=here)
    st.page_link("tokens.py", label="Tokens", icon=":material/vpn_key:", query_params=here)

replicas = registry.replicas
with st.grid(4, min_column_width=170):
    st.metric(
        "Stored",
        size(registry.stored_bytes),
        delta=f"of {size(registry.included_bytes)} included" if registry.included_bytes else None,
        delta_color="off",
        delta_arrow="off",
        border=True,
        height="stretch",
        help="What the fixed fee includes is no cap: beyond it each GiB is billed.",
    )
    st.metric("Replicas", "–" if replicas is None else len(replicas), border=True, height="stretch")
    st.metric("Webhooks", "–" if registry.webhooks is None else registry.webhooks, border=True, height="stretch")
    st.metric("Created", ago(registry.created), border=True, height="stretch", help=exact(registry.created))
for refusal in registry.unread:
    show_error(refusal.error)

st.subheader("Login server", anchor=False)
st.code(registry.login_server or "none yet", language=None)
st.subheader("Resource id", anchor=False)
st.code(registry.id, language=None, wrap_lines=True)

found = findings_of(registry)
st.subheader(f"Findings ({len(found)})", anchor=False)
if not found:
    st.success("Nothing to look at.", icon=":material/check_circle:")
for finding in found:
    with st.expander(f"{finding.title} :{RISK_COLOURS[finding.risk]}-badge[{finding.risk} risk]"):
        st.markdown(f"{finding.reason} {finding.risk_text}\n\n{shell(finding.fix)}")
        if finding.in_settings:
            st.page_link("settings.py", label="Change it in Settings", icon=":material/tune:", query_params=here)

left, right = st.columns(2)
with left:
    st.subheader("Network", anchor=False)
    network = registry.network
    show_facts(
        {
            "Public access": {"public": "all networks", "restricted": "chosen addresses", "private": "off"}[
                network.words
            ],
            "IP rules": plain(", ".join(network.ip_rules)) or "none",
            "Trusted Azure services": "let in" if network.trusted_services else "not let in",
            "Private endpoints": ", ".join(
                f"{plain(end.endpoint_id.split('/')[-1])} ({end.state})" for end in network.private_endpoints
            )
            or "none",
            "Data endpoints": plain(", ".join(network.data_endpoints)) or "shared",
        },
    )
with right:
    st.subheader("Access", anchor=False)
    access = registry.access
    show_facts(
        {
            "Permissions": f"{access.mode} ({'by repository' if access.mode == 'ABAC' else 'for the whole registry'})",
            "Admin user": "on" if access.admin_user else "off",
            "Anonymous pull": "on" if access.anonymous_pull else "off",
            "ARM tokens": "accepted" if access.arm_audience_tokens else "refused",
            "Untagged manifests": f"deleted after {access.retention_days} days"
            if access.retention_days is not None
            else "kept for good",
            "Encryption key": "customer-managed" if access.customer_key else "Microsoft-managed",
        },
    )

if replicas:
    st.subheader("Replicas", anchor=False)
    st.dataframe(
        table_of(
            [
                {"Region": replica.region, "State": replica.provisioning_state, "Status": replica.status}
                for replica in replicas
            ]
        ),
        hide_index=True,
        alt="Replica regions beside the home region",
    )

if registry.usages:
    st.subheader("Usage", anchor=False)
    st.dataframe(
        table_of(
            [
                {
                    "What": usage.name,
                    "Used": size(usage.current) if usage.unit == "Bytes" else f"{usage.current:,}",
                    "Limit": "unlimited"
                    if usage.limit is None
                    else size(usage.limit)
                    if usage.unit == "Bytes"
                    else f"{usage.limit:,}",
                }
                for usage in registry.usages
            ]
        ),
        hide_index=True,
        alt="Usage and limits. Size's limit is what the SKU includes, not a cap",
    )
az_lines(
    az_registries.show_login_server(registry.name),
    az_registries.show_resource_id(registry.name),
    az_registries.show_usage(registry.name),
)
