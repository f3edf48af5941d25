"""How to sign in to one registry with each tool, and what the signed-in identity may do there."""

import streamlit as st

from services.commands import registries as az_registries
from services.commands import sign_in as az_sign_in
from services.registries.registry import Mode
from services.registries.sign_in import REPOSITORY, Tool, how_to_sign_in, pushing_role
from ui.access_review.token_grants import show_granted
from ui.elements.errors import panel
from ui.elements.page import az_lines, header
from ui.elements.text import plain, shell
from ui.loaders import registries as registry_loaders
from ui.navigation import pages, selection
from ui.navigation.links import last_step, link_to, registry_steps
from ui.navigation.url_choice import check_url
from ui.runtime import connection

who = connection.who()
listed = selection.registry_of_url(who, pages.SIGN_IN)
key = st.query_params["registry"]
registry, at = listed, None
with panel():
    loaded = registry_loaders.registry(who, listed.id)
    registry, at = loaded.value, loaded.at
header(
    f"Sign in to {plain(registry.name)}",
    f"{plain(registry.login_server)}, {registry.access.mode} permissions",
    at,
    lambda: registry_loaders.forget_registry(who, listed),
    (*registry_steps(listed.name, key), last_step(pages.SIGN_IN.title)),
)
check_url("tool", "tool", [one.value for one in Tool])
tool = st.radio(
    "Tool", list(Tool), index=list(Tool).index(Tool.DOCKER), horizontal=True, key="tool", bind="query-params"
)
repository = (
    st.text_input(
        "Repository",
        key="repository",
        bind="query-params",
        placeholder=REPOSITORY,
        help="For the pipeline's push, the pull secret, and the permissions below",
        width=420,
    )
    or ""
).strip()

with panel():
    guide = how_to_sign_in(registry, Tool(tool or Tool.DOCKER), repository)
    for warning in guide.warnings:
        st.warning(warning, icon=":material/warning:")
    for step in guide.steps:
        st.markdown(f":small[{plain(step.about)}]")
        st.code(step.text, language=None, wrap_lines=True)
    st.markdown("\n".join(f"- **Requires:** {need}" for need in guide.needs) + f"\n- **Expires:** {guide.lasts}")
    if tool in (Tool.GITHUB, Tool.AZURE_PIPELINES):
        role = {"role": pushing_role(registry.access.mode), "kind": "ServicePrincipal"}
        scoped = {"repositories": repository} if repository and registry.access.mode is Mode.ABAC else {}
        wanted = {"registry": key, **role, **scoped}
        link_to(pages.ASSIGN_ROLE, "Assign the pipeline's role", **wanted)
    if tool == Tool.KUBERNETES:
        link_to(pages.INTEGRATION_CHECKER, registry=key)

st.subheader("Your permissions", anchor=False)
show_granted(who, registry, repository)

st.subheader("Admin user", anchor=False)
if registry.access.admin_user:
    st.markdown(
        "Enabled: one name, two passwords, all rights, no expiry. Use it only where nothing else can "
        f"sign in.\n\n{shell(az_sign_in.show_admin_credential(registry.name))}"
    )
else:
    st.markdown("Disabled, as recommended: everyone signs in with an identity of their own.")
az_lines(
    az_registries.show_login_server(registry.name),
    az_sign_in.sign_in(registry.name),
    az_registries.check_health(registry.name, repository or REPOSITORY),
)
