"""A registry's settings as a form: what each means, and why it can't be set where the SKU lacks it."""

from dataclasses import dataclass

import streamlit as st

from services.arm.resource_tags import Tags, parse_tags
from services.connection.errors import ServiceError
from services.registries.registry import Mode, Registry
from services.registry_lifecycle.settings import (
    MOST_RETENTION_DAYS,
    Settings,
    parse_ip_rules,
    settings_of,
)
from services.registry_lifecycle.settings_change import lacking
from services.registry_lifecycle.settings_warnings import is_address
from ui.elements.errors import show_error
from ui.elements.text import plain

_NETWORKS = {"Allow": "All networks", "Deny": "Only those of the IP rules"}
_FIRST_DAYS = 30


@dataclass(frozen=True)
class _Form:
    """The form of one registry. What is typed belongs to the settings as they were read: where these change, by
    whomever, it begins anew."""

    registry: Registry
    now: Settings
    lacks: dict[str, str]

    def key(self, field: str) -> str:
        return f"{field} of {self.registry.id} {hash(self.now)} {_begun(self.registry)}"

    def off(self, field: str, *, used: bool = False) -> bool:
        """Whether it can't be set: what is `used` in spite of the SKU can still be turned off."""
        return field in self.lacks and not used

    def says(self, field: str, meaning: str) -> None:
        st.caption(self.lacks.get(field, meaning))

    def switch(self, field: str, label: str, meaning: str, *, used: bool = False) -> bool:
        on = st.toggle(label, getattr(self.now, field), key=self.key(field), disabled=self.off(field, used=used))
        self.says(field, meaning)
        return bool(on)


def _begun(registry: Registry) -> int:
    return int(st.session_state.get(f"settings form of {registry.id}", 0))


def discard(registry: Registry) -> None:
    """Begins the form anew, from the settings that the registry has."""
    st.session_state[f"settings form of {registry.id}"] = _begun(registry) + 1


@dataclass(frozen=True)
class Wanted:
    """What the form says, and the address of whoever asks, "" where it was not given."""

    settings: Settings
    caller: str


def show_form(registry: Registry) -> Wanted | None:
    """The form. None where something typed into it is refused: why is shown beside it."""
    form = _Form(registry, settings_of(registry), lacking(registry))
    left, right = st.columns(2)
    with left:
        network = _network(form)
    with right:
        access = _access(form)
        data = _data(form)
    tags = _tags(form)
    if network is None or tags is None:
        return None
    (public, action, rules, trusted), caller = network
    admin, anonymous, mode, arm_tokens = access
    endpoints, days = data
    return Wanted(
        Settings(public, action, rules, trusted, endpoints, admin, anonymous, arm_tokens, mode, days, tags), caller
    )


def _network(form: _Form) -> tuple[tuple[bool, str, tuple[str, ...], bool], str] | None:
    now = form.now
    with st.container(border=True):
        st.subheader("Network", anchor=False)
        public = form.switch(
            "public_access",
            "Public access",
            "Off: only private endpoints lead to the registry, and what is below does not count.",
            used=not now.public_access,
        )
        actions = list(_NETWORKS)
        action = st.radio(
            "Networks",
            actions,
            actions.index(now.default_action) if now.default_action in actions else 0,
            format_func=_NETWORKS.__getitem__,
            key=form.key("default_action"),
            disabled=form.off("default_action", used=now.default_action == "Deny"),
        )
        form.says("default_action", "Which networks public access lets in.")
        typed = st.text_area(
            "IP rules",
            "\n".join(now.ip_rules),
            key=form.key("ip_rules"),
            placeholder="203.0.113.0/24",
            disabled=form.off("ip_rules", used=bool(now.ip_rules)),
        )
        form.says("ip_rules", "Public IPv4 addresses or ranges in CIDR notation, one a line. At most 200.")
        trusted = form.switch(
            "trusted_services",
            "Trusted Azure services",
            "Lets imports, ACR Tasks and Defender in while the network is restricted.",
        )
        caller = _caller(form) if public and action == "Deny" else ""
        try:
            return (public, str(action), parse_ip_rules(typed or ""), trusted), caller
        except ServiceError as error:
            show_error(error)
            return None


def _caller(form: _Form) -> str:
    typed = (st.text_input("Your outbound address, if you know it", key=form.key("caller")) or "").strip()
    st.caption(
        "The console does not know from which address the registry sees you: with it, the plan says if it is in."
    )
    if typed and not is_address(typed):
        st.warning(f"{plain(typed)} is no address.", icon=":material/warning:")
        return ""
    return typed


def _access(form: _Form) -> tuple[bool, bool, Mode, bool]:
    now = form.now
    with st.container(border=True):
        st.subheader("Access", anchor=False)
        admin = form.switch(
            "admin_user", "Admin user", "One shared name with two passwords that do not expire and may do everything."
        )
        anonymous = form.switch(
            "anonymous_pull",
            "Anonymous pull",
            "Whoever reaches the registry can pull every image without signing in.",
            used=now.anonymous_pull,
        )
        modes = list(Mode)
        mode = st.radio(
            "Permissions",
            modes,
            modes.index(now.mode),
            format_func={
                Mode.LEGACY: "For the whole registry (Legacy)",
                Mode.ABAC: "By repository (ABAC)",
            }.__getitem__,
            key=form.key("mode"),
            disabled=form.off("mode"),
        )
        form.says("mode", "Which roles count: AcrPull and its like, or the repository roles with their conditions.")
        arm_tokens = form.switch(
            "arm_audience_tokens",
            "ARM tokens",
            "Takes tokens made for Azure Resource Manager too, not only those made for registries.",
        )
    return admin, anonymous, Mode(mode or now.mode), arm_tokens


def _data(form: _Form) -> tuple[bool, int | None]:
    now = form.now
    with st.container(border=True):
        st.subheader("Data", anchor=False)
        endpoints = form.switch(
            "data_endpoints",
            "Dedicated data endpoints",
            "Layers come from hosts of the registry's own, not from *.blob.core.windows.net.",
            used=now.data_endpoints,
        )
        has = now.retention_days is not None
        deletes = st.toggle(
            "Delete untagged manifests",
            has,
            key=form.key("retention"),
            disabled=form.off("retention_days", used=has),
        )
        form.says("retention_days", "The retention policy, a preview: Docker media types only, and for good.")
        days = None
        if deletes:
            days = st.number_input(
                "Days after the last tag is gone",
                0,
                MOST_RETENTION_DAYS,
                now.retention_days if now.retention_days is not None else _FIRST_DAYS,
                key=form.key("retention_days"),
            )
    return endpoints, days


def _tags(form: _Form) -> Tags | None:
    with st.container(border=True):
        st.subheader("Tags", anchor=False)
        typed = st.text_area(
            "Tags of the Azure resource",
            "\n".join(f"{name}={value}" for name, value in form.now.tags),
            key=form.key("tags"),
            placeholder="environment=production",
            disabled=form.off("tags"),
        )
        form.says("tags", "name=value, one a line: for cost reports and policies, no tags of images.")
        try:
            return tuple(sorted(parse_tags(typed or "")))
        except ServiceError as error:
            show_error(error)
            return None
