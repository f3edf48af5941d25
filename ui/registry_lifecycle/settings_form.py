"""The form of a registry's settings: what each means, or why it can't be set where the SKU lacks it."""

from dataclasses import dataclass

import streamlit as st

from services.arm.resource_tags import Tags, parse_tags
from services.connection.errors import ServiceError
from services.registries.registry import Mode, Registry
from services.registry_lifecycle.settings import (
    MOST_RETENTION_DAYS,
    MOST_SOFT_DELETE_DAYS,
    Settings,
    parse_ip_rules,
    recommended,
    settings_of,
)
from services.registry_lifecycle.settings_change import unavailable_settings
from services.registry_lifecycle.settings_warnings import is_address
from ui.elements.errors import show_error
from ui.elements.text import plain

_NETWORKS = {"Allow": "All networks", "Deny": "Selected networks (IP rules)"}
_FIRST_DAYS = 30
# What Azure sets where nothing is given.
_FIRST_SOFT_DELETE_DAYS = 7
# The parameter of the URL that names a setting to fix.
FIX = "fix"


@dataclass(frozen=True)
class _Form:
    """The form of one registry. What is typed belongs to the settings as they were read: it is dropped where they
    change. `start`: what the form is filled in with. `lacks`: why a setting can't be set, by field."""

    registry: Registry
    now: Settings
    start: Settings
    lacks: dict[str, str]

    def key(self, field: str) -> str:
        return f"{field} of {self.registry.id} {hash((self.now, self.start))} {_begun(self.registry)}"

    def disabled(self, field: str, *, used: bool = False) -> bool:
        """Whether `field` can't be set. What is `used` although the SKU lacks it can still be turned off."""
        return field in self.lacks and not used

    def caption(self, field: str, meaning: str) -> None:
        st.caption(self.lacks.get(field, meaning))

    def toggle(self, field: str, label: str, meaning: str, *, used: bool = False) -> bool:
        on = st.toggle(label, getattr(self.start, field), key=self.key(field), disabled=self.disabled(field, used=used))
        self.caption(field, meaning)
        return bool(on)


def _begun(registry: Registry) -> int:
    return int(st.session_state.get(f"settings form of {registry.id}", 0))


def discard(registry: Registry) -> None:
    """Resets the form to the settings that the registry has."""
    st.query_params.pop(FIX, None)
    st.session_state[f"settings form of {registry.id}"] = _begun(registry) + 1


@dataclass(frozen=True)
class Wanted:
    """The settings that the form asks for, and the reader's IP address, "" where it was not given."""

    settings: Settings
    caller: str


def show_form(registry: Registry) -> Wanted | None:
    """Shows the form, with the change filled in that `?fix=` of the URL asks for; None where something typed into it is
    wrong, with the reason beside it."""
    now, lacks = settings_of(registry), unavailable_settings(registry)
    field = st.query_params.get(FIX, "")
    form = _Form(registry, now, now if field in lacks else recommended(now, field), lacks)
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
    endpoints, days, soft_delete = data
    return Wanted(
        Settings(
            public, action, rules, trusted, endpoints, admin, anonymous, arm_tokens, mode, days, tags, soft_delete
        ),
        caller,
    )


def _network(form: _Form) -> tuple[tuple[bool, str, tuple[str, ...], bool], str] | None:
    now = form.now
    with st.container(border=True):
        st.subheader("Network", anchor=False)
        public = form.toggle(
            "public_access",
            "Public access",
            "Off: only private endpoints reach the registry, and the settings below have no effect.",
            used=not now.public_access,
        )
        actions = list(_NETWORKS)
        action = st.radio(
            "Networks",
            actions,
            actions.index(form.start.default_action) if form.start.default_action in actions else 0,
            format_func=_NETWORKS.__getitem__,
            key=form.key("default_action"),
            disabled=form.disabled("default_action", used=now.default_action == "Deny"),
        )
        form.caption("default_action", "The networks that public access allows.")
        typed = st.text_area(
            "IP rules",
            "\n".join(now.ip_rules),
            key=form.key("ip_rules"),
            placeholder="203.0.113.0/24",
            disabled=form.disabled("ip_rules", used=bool(now.ip_rules)),
        )
        form.caption("ip_rules", "Public IPv4 addresses or ranges in CIDR notation, one per line. At most 200.")
        trusted = form.toggle(
            "trusted_services",
            "Trusted Azure services",
            "Imports, Defender, Machine Learning and Container Instances reach the registry although its network is "
            "restricted. ACR Tasks are not among them: they need networkRuleBypassAllowedForTasks.",
        )
        caller = _caller(form) if public and action == "Deny" else ""
        try:
            return (public, str(action), parse_ip_rules(typed or ""), trusted), caller
        except ServiceError as error:
            show_error(error)
            return None


def _caller(form: _Form) -> str:
    typed = (st.text_input("Your public IP address", key=form.key("caller")) or "").strip()
    st.caption("Optional: with it, the plan says whether the rules allow you. The console can't see it.")
    if typed and not is_address(typed):
        st.warning(f"{plain(typed)} is not an IP address.", icon=":material/warning:")
        return ""
    return typed


def _access(form: _Form) -> tuple[bool, bool, Mode, bool]:
    now = form.now
    with st.container(border=True):
        st.subheader("Access", anchor=False)
        admin = form.toggle(
            "admin_user", "Admin user", "One shared user name, two passwords that do not expire, all permissions."
        )
        anonymous = form.toggle(
            "anonymous_pull",
            "Anonymous pull",
            "Anyone who reaches the registry can pull every image without signing in.",
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
            disabled=form.disabled("mode"),
        )
        form.caption("mode", "Which roles apply: AcrPull and the like, or the repository roles with their conditions.")
        arm_tokens = form.toggle(
            "arm_audience_tokens",
            "ARM tokens",
            "The registry also accepts tokens issued for Azure Resource Manager, not only those for registries.",
        )
    return admin, anonymous, Mode(mode or now.mode), arm_tokens


def _data(form: _Form) -> tuple[bool, int | None, int | None]:
    now = form.now
    with st.container(border=True):
        st.subheader("Data", anchor=False)
        endpoints = form.toggle(
            "data_endpoints",
            "Dedicated data endpoints",
            "Layers are served from the registry's own hosts, not from *.blob.core.windows.net.",
            used=now.data_endpoints,
        )
        has = now.retention_days is not None
        deletes = st.toggle(
            "Delete untagged manifests",
            form.start.retention_days is not None,
            key=form.key("retention"),
            disabled=form.disabled("retention_days", used=has),
        )
        form.caption(
            "retention_days", "The retention policy (preview). It deletes permanently, and only Docker media types."
        )
        days = None
        if deletes:
            days = st.number_input(
                "Days after the last tag is removed",
                0,
                MOST_RETENTION_DAYS,
                form.start.retention_days if form.start.retention_days is not None else _FIRST_DAYS,
                key=form.key("retention_days"),
            )
        soft_delete = _soft_delete(form)
    return endpoints, days, soft_delete


def _soft_delete(form: _Form) -> int | None:
    """The days that are asked for, 0 for off; None where the policy is unknown."""
    now = form.now.soft_delete_days
    keeps = st.toggle("Soft delete", bool(now), key=form.key("soft_delete"), disabled=now is None)
    if now is None:
        st.caption(f"Unknown: {plain(form.registry.soft_delete.unread)}")
        return None
    st.caption(
        "What is deleted can be restored, and stays billed, until it expires (preview; not with replicas, nor with the "
        "policy above)."
    )
    if not keeps:
        return 0
    return int(
        st.number_input(
            "Days that what is deleted can be restored",
            1,
            MOST_SOFT_DELETE_DAYS,
            now or _FIRST_SOFT_DELETE_DAYS,
            key=form.key("soft_delete_days"),
        )
    )


def _tags(form: _Form) -> Tags | None:
    with st.container(border=True):
        st.subheader("Tags", anchor=False)
        typed = st.text_area(
            "Tags, one per line",
            "\n".join(f"{name}={value}" for name, value in form.now.tags),
            key=form.key("tags"),
            placeholder="environment=production",
            disabled=form.disabled("tags"),
        )
        form.caption("tags", "name=value. Tags of the Azure resource, for cost reports and policies, not of images.")
        try:
            return tuple(sorted(parse_tags(typed or "")))
        except ServiceError as error:
            show_error(error)
            return None
