"""One cluster and one registry: as whom it pulls, whether it may, why not, and the role that lets it."""

import streamlit as st

from services import az_commands
from services.detach import attachments
from services.pull_matrix import Answer
from ui import clusters, connection, loaders, selection
from ui.attach import attach, detach, show_propagation
from ui.cluster_choice import choose_cluster
from ui.done import show_done
from ui.errors import panel, show_error, show_refused
from ui.identities import show_identities
from ui.page import az_lines, empty, header
from ui.pull_answer import show_answer
from ui.reading import show_progress

TITLE, CAPTION = "Integration checker", "Can this cluster pull from this registry, why not, and attach it."

who = connection.who()
inventory = loaders.inventory(who)
reading = clusters.pulls(who)


def refresh() -> None:
    clusters.pulls.clear(who)
    clusters.checked.clear()


header(TITLE, CAPTION, None if reading.running else reading.at, refresh)
show_done()
show_progress(inventory, "inventory")
show_progress(reading, "pulls")
for failed in (inventory, reading):
    if failed.error:
        show_error(failed.error)
if reading.running or (inventory.running and not inventory.value.registries.values):
    st.stop()  # What the URL names would be forgotten where it is not there to be chosen yet.
show_refused(reading.value.clusters, "subscription's clusters", "subscriptions' clusters")
left, right = st.columns(2)
with left:
    cluster = choose_cluster(reading.value.clusters.values)
registries = [registry for registry in inventory.value.registries.values if registry.login_server]
with right:
    keys = [selection.key_of(registry, registries) for registry in registries]
    key = st.selectbox("Registry", keys, None, key="registry", bind="query-params", placeholder="Choose one")
registry = selection.find(registries, key) if key else None
if cluster is None or registry is None:
    empty(":material/hub:", "Choose a cluster and a registry", "Or look at all pairs at once in the pull matrix.")
    st.page_link("matrix.py", label="Pull matrix", icon=":material/grid_on:")
    st.stop()

checked = None
with panel():
    checked = clusters.checked(who, cluster.id, registry.id)
if checked is None:
    st.stop()
show_answer(checked)
show_propagation(checked.cluster, checked.registry)
with st.container(horizontal=True):
    if st.button("Check again", icon=":material/refresh:"):
        clusters.checked.clear(who, cluster.id, registry.id)
        st.rerun()
    needed = checked.pair.answer in (Answer.CANNOT, Answer.UNKNOWN, Answer.SOME)
    if st.button("Attach", icon=":material/link:", type="primary" if needed else "secondary"):
        attach(who, checked.cluster, checked.registry)
    if attachments(checked.registry, checked.held) and st.button("Detach", icon=":material/link_off:"):
        detach(who, checked.cluster, checked.registry, checked.held)
show_identities(checked.cluster)
group, puller = checked.cluster.resource_group, checked.cluster.puller
az_lines(
    az_commands.check_acr(cluster.name, group, registry.login_server),
    az_commands.show_resource_id(registry.name),
    az_commands.show_kubelet_identity(cluster.name, group),
    az_commands.assign_role(puller.client_id or puller.object_id, "AcrPull", registry.id),
    label="The guide's steps with az",
)
