"""Whether one cluster can pull from one registry: its identity, each check, and the role that it needs."""

import streamlit as st

from services.aks.detach import attachments
from services.aks.puller import object_id_of
from services.commands import access as az_access
from services.commands import aks as az_aks
from services.commands import registries as az_registries
from services.pull_checks.checks import CheckState
from services.pull_checks.events import PulledImage
from ui.aks.attach import ATTACH, DETACH, attach, detach, show_propagation
from ui.aks.cluster_choice import choose_cluster, cluster_key, show_clusters, show_unknown_cluster
from ui.aks.identities import show_identities
from ui.aks.pull_checks import show_checks, show_text, show_verdict
from ui.aks.pull_events import pasted_causes, show_events
from ui.aks.pull_proof import show_test_pull, start_test_pull
from ui.elements.errors import Part, show_error, show_partial
from ui.elements.notices import show_done
from ui.elements.page import az_lines, header
from ui.loaders import clusters
from ui.loaders.principals import names_at
from ui.navigation import pages, selection
from ui.navigation.links import link_to
from ui.roles.who_can_assign import caller_may_assign, who_can_assign
from ui.runtime import connection
from ui.runtime.background import show_progress

who = connection.who()
reading = clusters.pulls(who)

header(
    pages.INTEGRATION_CHECKER.title,
    "",
    None if reading.running else reading.at,
    lambda: clusters.forget_pulls(who),
)
show_done()
show_progress(reading, "pulls")
if reading.error:
    show_error(reading.error)
    st.stop()
if reading.running:
    st.stop()  # Streamlit drops from the URL a choice that is not among the options yet.
pulls = reading.value
notice = st.container()
listed = pulls.registries
pair = st.container(horizontal=True, vertical_alignment="bottom")
with pair:
    cluster = choose_cluster(pulls.clusters)
registry = selection.registry_named(listed)
names = names_at(who, pulls, registry)
with notice:
    show_partial(
        *clusters.parts_by_subscription(pulls.registries, pulls.clusters, pulls.access),
        Part(names.partial, "directory", "directories"),
    )
not_there = [show_unknown_cluster(pulls.clusters, cluster), selection.show_unknown(listed)]
if cluster is None or registry is None:
    if cluster is None and not not_there[0]:
        show_clusters(pulls.clusters)
    if registry is None and not not_there[1]:
        selection.show_registries(listed, pages.INTEGRATION_CHECKER)
    show_events((), None, listed, cluster_key(cluster, pulls.clusters.values) if cluster else "")
    link_to(pages.PULL_MATRIX, "See all pairs in the pull matrix")
    st.stop()

with pair:
    repository = (st.text_input("Repository (optional)", key="repository", bind="query-params") or "").strip()
    reference = (st.text_input("Tag or digest", key="reference", bind="query-params") or "").strip()
# A managed identity is read again with the cluster.
principal = "" if cluster.puller.object_id else object_id_of(cluster, pulls.memberships)
if not (principal or cluster.puller.object_id) and (client := cluster.puller.client_id):
    principal = st.text_input(
        "Object id of the service principal",
        key="principal",
        bind="query-params",
        help=f"Look it up in the directory: `az ad sp show --id {client} --query id --output tsv`",
    ).strip()
image = bool(repository and reference)
question = (who, cluster.id, registry.id, repository, reference, principal, reading.at)
checking = clusters.pull_checks(*question)
show_progress(checking, f"checks {cluster.id} {registry.id}")
if checking.error:
    show_error(checking.error)
run = checking.value
if run.cluster is None or run.registry is None:
    st.stop()
checks, puller = run.report.checks, run.report.puller
lacks_role = any(check.id == "C6" and check.state is not CheckState.PASSED for check in checks)
on = run.registry


def fixer() -> str:
    may = caller_may_assign(who, on)
    if may:
        return f"you, with **{ATTACH}**"
    unread = " Unknown whether you can: your permissions could not be read." if may is None else ""
    return f"{who_can_assign(who, pulls, on)}{unread}"


said = show_verdict(run, running=checking.running, image=image, with_names=names.with_names, who_can_assign=fixer)
show_propagation(run.cluster, run.registry)
with st.container(horizontal=True):
    if st.button(ATTACH, icon=":material/link:", type="primary" if lacks_role else "secondary"):
        attach(who, run.cluster, run.registry, principal)
    if puller and attachments(run.registry, puller) and st.button(DETACH, icon=":material/link_off:"):
        detach(who, run.cluster, run.registry, puller)
    if image and st.button("Run test pull", icon=":material/science:"):
        start_test_pull(who, run.cluster, run.registry, repository, reference)
    if st.button("Check again", icon=":material/refresh:"):
        clusters.pull_checks.clear(*question)
        st.rerun()
if image:
    show_test_pull(run.cluster, run.registry, repository, reference)
checked = PulledImage(registry.login_server, repository, reference)
registry_key = selection.key_of(registry, selection.with_login_server(listed))
show_checks(checks, names.with_names, pasted_causes(checked, listed), registry_key, said)
access = pulls.by_subscription.get(registry.subscription_id)
show_identities(run.cluster, run.registry, puller, access.records if access else None, names)
show_events(
    checks,
    checked,
    listed,
    cluster_key(cluster, pulls.clusters.values),
)
if not checking.running:
    show_text(run.cluster, run.registry, run, checking.at, image=image)
group, pulls_as = run.cluster.resource_group, run.cluster.puller
az_lines(
    az_aks.check_acr(cluster.name, group, registry.login_server),
    az_registries.show_resource_id(registry.name),
    az_aks.show_kubelet_identity(cluster.name, group),
    az_access.assign_role(pulls_as.client_id or pulls_as.object_id, "AcrPull", registry.id),
    label="The guide's steps with az",
)
