"""What a registry is, as lines: the row of facts at its top, its names, network, access and limits."""

from collections.abc import Mapping

import pyarrow as pa
import streamlit as st

from services.commands.sign_in import sign_in
from services.pulls.metrics import MonthCounts
from services.registries.registry import Registry
from services.wording import counted
from ui.elements.columns import Sizes
from ui.elements.fact_row import Fact, show_fact_row
from ui.elements.table import show_facts, show_rows
from ui.elements.text import ago, exact, plain, size
from ui.runtime.background import Reading

# Six of them fit beside each other.
_NARROWEST_PX = 130
_NETWORKS = {"public": "All networks", "restricted": "Selected networks", "private": "Private endpoints only"}


def show_registry_facts(registry: Registry, month: Reading[MonthCounts | None]) -> None:
    """The row of facts above the tabs. `month`: how often it was pulled and pushed to, as metrics count it."""
    show_fact_row(
        [
            _state(registry),
            _sku(registry),
            _stored(registry),
            _pulls(month),
            Fact("Network", _NETWORKS[registry.network.words], beside=_endpoints(registry)),
            Fact("Permissions", registry.access.mode, beside=_meaning(registry)),
        ],
        width=_NARROWEST_PX,
    )


def _state(registry: Registry) -> Fact:
    created = f"created {ago(registry.created)}" if registry.created else "time of creation not reported"
    at = exact(registry.created) if registry.created else ""
    if registry.unsettled:
        label = plain(registry.provisioning_state) or "Not reported"
        return Fact("State", f":red[:material/error:] {label}", at, created)
    return Fact("State", f":green[:material/check_circle:] {plain(registry.provisioning_state)}", at, created)


def _sku(registry: Registry) -> Fact:
    replicas = registry.replicas
    beside = "replicas unknown" if replicas is None else counted(len(replicas), "replica") if replicas else ""
    return Fact("SKU", plain(registry.sku), beside=beside)


def _stored(registry: Registry) -> Fact:
    if registry.stored_bytes is None:
        return Fact("Stored", "–", _why(registry, "usage"), "unknown")
    included = f"of {size(registry.included_bytes)} included" if registry.included_bytes else ""
    return Fact(
        "Stored",
        size(registry.stored_bytes),
        "The included storage is not a limit: Azure bills each GiB above it.",
        included,
    )


def _pulls(month: Reading[MonthCounts | None]) -> Fact:
    label = "Pulls, 30 days"
    if month.value is None:
        why = f"Unknown: {plain(month.error.cause)}" if month.error else "Being read."
        return Fact(label, "–", why, "unknown" if month.error else "")
    meaning = "Of all images and by everyone, failed ones too: Azure Monitor counts them without logs."
    return Fact(label, f"{month.value.pulls:,}", meaning, counted(month.value.pushes, "push", "pushes"))


def _why(registry: Registry, what: str) -> str:
    causes = {refusal.what: refusal.error.cause for refusal in registry.unread}
    return f"Unknown: {plain(causes.get(what, f'its {what} was not read.'))}"


def _endpoints(registry: Registry) -> str:
    number = len(registry.network.private_endpoints)
    return counted(number, "private endpoint") if number else ""


def _meaning(registry: Registry) -> str:
    return "by repository" if registry.access.mode == "ABAC" else "for the whole registry"


def show_names(registry: Registry) -> None:
    """The login server, the line that signs in, and the resource id, to be copied."""
    line = sign_in(registry.name)
    with st.grid(2, min_column_width=320, gap="xsmall"):
        _show_name("Login server", registry.login_server or "none yet")
        _show_name("Sign in with docker", line)
    _show_name("Resource id", registry.id)


def _show_name(label: str, value: str) -> None:
    with st.container(gap="xxsmall"):
        st.markdown(f":small[{label}]")
        st.code(value, language=None, wrap_lines=True)


def show_network_facts(registry: Registry) -> None:
    """The network rules, and each private endpoint with its state."""
    network = registry.network
    facts: dict[str, str] = {
        "Public access": "Disabled" if network.words == "private" else _NETWORKS[network.words],
        "IP rules": plain(", ".join(network.ip_rules)) or "None",
        "Trusted Azure services": "Allowed" if network.trusted_services else "Not allowed",
        "ACR Tasks past network rules": {True: "Allowed", False: "Not allowed", None: "Not reported by Azure"}[
            network.tasks_bypass
        ],
        "Data endpoints": plain(", ".join(network.data_endpoints)) or "Shared",
    }
    show_facts(facts)
    st.subheader(f"Private endpoints ({len(network.private_endpoints)})", anchor=False)
    if network.private_endpoints:
        show_rows(
            [
                {"Name": end.endpoint_id.split("/")[-1], "State": end.state, "Resource id": end.endpoint_id}
                for end in network.private_endpoints
            ],
            "Private endpoints of the registry",
        )
    else:
        st.markdown("None: the registry is reached by its public address.")


def access_facts(registry: Registry) -> Mapping[str, str]:
    """How one signs in."""
    access = registry.access
    return {
        "Permissions": f"{access.mode} ({_meaning(registry)})",
        "Admin user": "Enabled" if access.admin_user else "Disabled",
        "Anonymous pull": "Enabled" if access.anonymous_pull else "Disabled",
        "ARM tokens": "Accepted" if access.arm_audience_tokens else "Refused",
    }


def data_facts(registry: Registry) -> Mapping[str, str]:
    """How images are kept, and the tags of the Azure resource."""
    access = registry.access
    return {
        "Untagged manifests": f"Deleted after {counted(access.retention_days, 'day')}"
        if access.retention_days is not None
        else "Kept",
        "Soft delete": registry.soft_delete.label,
        "Encryption key": "Customer-managed" if access.customer_key else "Microsoft-managed",
        "Resource group": plain(registry.resource_group),
        "Subscription": f"{plain(registry.subscription)} ({plain(registry.subscription_id)})",
        "Location": plain(registry.location),
        "Tags": plain(", ".join(f"{name}={value}" for name, value in registry.tags)) or "None",
    }


def show_usage(registry: Registry) -> None:
    """What the registry has of each kind, and the limit of its SKU."""
    if registry.usages is None:
        st.markdown(_why(registry, "usage"))
        return
    of_bytes = [usage for usage in registry.usages if usage.unit == "Bytes"]
    of_number = [usage for usage in registry.usages if usage.unit != "Bytes"]
    for usages, column, alt in (
        (of_number, st.column_config.NumberColumn(format="%,d"), "Used and limit of each resource"),
        (of_bytes, Sizes(), "Storage used, and what the SKU's fee includes, which is not a limit"),
    ):
        if usages:
            show_rows(
                [{"Resource": usage.name, "Used": usage.current, "Limit": usage.limit} for usage in usages],
                alt,
                columns={"Used": column, "Limit": column},
                types={"Used": pa.int64(), "Limit": pa.int64()} if usages is of_number else None,
                placeholder="unlimited",
            )
