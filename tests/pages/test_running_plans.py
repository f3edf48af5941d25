"""Plans of deletions and running images: what runs stays, and what nobody asked is unknown."""

from collections.abc import Iterable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from sandbox.clusters.clusters import CLUSTER_TYPE
from sandbox.clusters.container_apps import JOB_TYPE
from sandbox.documents.registry_rules import REGISTRY_TYPE
from services.jobs.audit import read_entries
from tests.services.running.test_apps import put, template
from tests.support.app_test import (
    Open,
    button,
    confirm_button,
    confirm_field,
    open_dialog,
    reopen,
    select_rows,
    texts,
    wait_for_job,
)
from tests.support.own_sandbox import OwnSandbox
from ui.jobs import runs
from ui.loaders import clusters as cluster_loaders
from ui.loaders import running as running_loader
from ui.running.asking import ASK_CLUSTERS
from ui.runtime import connection
from ui.runtime.database import database

REGISTRY, NODE = "casaacr01", "nodejstemplate"
URL = {"registry": REGISTRY, "repository": NODE}
RULE = {**URL, "tags": "v*"}
ALL_THE_SAME, TOO = "Delete all the same", "Delete what runs too"

pytestmark = pytest.mark.usefixtures("own")


@pytest.fixture(autouse=True)
def may_pull(own: OwnSandbox) -> None:
    """aks1 may pull from the registry, and runs its image."""
    registry = own.sandbox.store.find_resource(REGISTRY_TYPE, REGISTRY)
    assert registry
    registry["properties"]["anonymousPullEnabled"] = True
    own.sandbox.store.put_resource(registry)
    set_workloads(own, {"replicas": 2})


def set_workloads(own: OwnSandbox, *workloads: dict[str, Any], **properties: Any) -> None:
    (cluster,) = own.sandbox.store.list_resources(CLUSTER_TYPE)
    made = {"kind": "Deployment", "namespace": "shop", "name": "web", "registry": REGISTRY, "image": f"{NODE}:v1.0.0"}
    cluster["_sandbox"] = {"workloads": [{**made, **one} for one in workloads]}
    cluster["properties"] |= properties
    own.sandbox.store.put_resource(cluster)


def ask(at: AppTest, label: str = "Ask clusters") -> AppTest:
    """Presses the button of the page, and that of the dialog, and waits for the answers."""
    button(at, label).click().run()
    assert "az aks command invoke --name aks1" in "\n".join(code.value for code in at.code)
    reopen(at, label)
    confirm_button(at, "Ask 1 cluster").click()
    at.run()
    wait_for_job(at, ASK_CLUSTERS.action)
    return at.run()


def said(elements: Iterable[Any]) -> str:
    return "\n".join(one.value for one in elements).replace("\\", "")


def boxes(at: AppTest) -> dict[str, Any]:
    return {one.label: one for one in at.checkbox}


def delete_button(at: AppTest) -> Any:
    return next(one for one in at.button if one.label.startswith("Delete ") and one.key.startswith("do "))


def test_a_rule_deletes_nothing_while_a_cluster_was_not_asked(open_view: Open) -> None:
    at = open_view("clean_up.py", **RULE)
    assert "**Unknown what runs** in aks1" in texts(at)
    assert "Unknown whether it runs in aks1 (not asked)." in said(at.error)
    assert delete_button(at).disabled
    boxes(at)[ALL_THE_SAME].check().run()
    confirm_field(at).set_value(NODE).run()
    assert not delete_button(at).disabled
    assert "Unknown whether it runs" in said(at.warning)
    delete_button(at).click().run()
    run = runs.under_way(connection.who(), at.query_params["record"])
    assert run and run.finished.wait(30)
    record = open_view("deletions.py", record=at.query_params["record"])
    assert "Confirmed: Unknown whether it runs in aks1 (not asked)." in said(record.caption)
    began = [one.fields for one in read_entries(database(), connection.who()) if one.fields["what"] == "began"]
    assert began[-1]["notes"] == ["Unknown whether it runs in aks1 (not asked)."]


def test_a_cluster_that_is_asked_keeps_what_runs_and_the_question_is_under_activity(open_view: Open) -> None:
    at = ask(open_view("clean_up.py", **RULE))
    assert not at.exception
    assert "1 of 1 cluster answered" in texts(at)
    assert "Deployment shop/web in aks1" in said(at.error)
    assert "**Unknown what runs**" not in texts(at)
    assert ALL_THE_SAME not in boxes(at)
    assert delete_button(at).disabled
    activity = open_view("deletions.py")
    assert "Ask clusters which images run" in str([frame.value for frame in activity.dataframe])


def test_what_is_known_to_run_nowhere_goes_by_rule(open_view: Open, own: OwnSandbox) -> None:
    set_workloads(own, {"image": "other:v1", "replicas": 1})
    at = ask(open_view("clean_up.py", **RULE))
    confirm_field(at).set_value(NODE).run()
    assert not delete_button(at).disabled
    assert "Running images: no workload found" in [one.label for one in at.expander]


def test_a_cluster_that_can_t_be_asked_stays_unknown_with_its_reason(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("clean_up.py", **RULE)
    own.break_({"method": "POST", "path": "/runCommand$", "status": 403})
    ask(at)
    assert delete_button(at).disabled
    assert "aks1 (could not be asked: 403" in said(at.error)


def test_by_name_an_unknown_cluster_is_said_and_the_name_typed(open_view: Open) -> None:
    at = open_view("delete.py", **URL, reference="v1.0.0")
    assert "aks1 (not asked)" in said(at.warning)
    assert ALL_THE_SAME not in boxes(at)
    confirm_field(at).set_value(NODE).run()
    assert not delete_button(at).disabled


@pytest.mark.parametrize("reference", ["v1.0.0", ""])
def test_by_name_what_runs_goes_only_where_the_person_says_so(open_view: Open, reference: str) -> None:
    at = open_view("delete.py", **URL, **({"reference": reference} if reference else {}))
    ask(at)
    assert delete_button(at).disabled
    boxes(at)[TOO].check().run()
    confirm_field(at).set_value(NODE).run()
    assert "Deployment shop/web in aks1" in said(at.warning)
    assert not delete_button(at).disabled


def test_what_a_cluster_said_before_still_runs_where_it_can_t_be_asked_again(open_view: Open, own: OwnSandbox) -> None:
    at = ask(open_view("clean_up.py", **RULE))
    own.break_({"method": "POST", "path": "/runCommand$", "status": 403})
    ask(at, "Ask clusters again")
    assert boxes(at)[ALL_THE_SAME].value is False
    boxes(at)[ALL_THE_SAME].check().run()
    assert "Deployment shop/web in aks1" in said(at.error)
    assert delete_button(at).disabled


def test_a_plan_asks_nothing_more_where_running_images_are_known(open_view: Open, own: OwnSandbox) -> None:
    ask(open_view("clean_up.py", **RULE))
    asked = len(own.sandbox.requests)
    open_view("clean_up.py", **RULE)
    who = connection.who()
    assert running_loader.answers(who)
    assert not cluster_loaders.pulls(who).running
    paths = [request.path for request in list(own.sandbox.requests)[asked:]]
    assert not [path for path in paths if "managedClusters" in path]


def test_a_tag_that_pods_pull_by_stays_by_rule_and_is_said_by_name(open_view: Open) -> None:
    ask(open_view("clean_up.py", **RULE))
    at = open_view("clean_up.py", **RULE, do="Remove tags only")
    assert "Pods pull by it: Deployment shop/web in aks1." in said(at.error)
    at = open_view("clean_up.py", **URL, do="Remove tags only", how="By name", tag="v1.0.0")
    at.multiselect(key=next(one.key for one in at.multiselect if one.label == "Tags")).set_value(["v1.0.0"]).run()
    assert "v1.0.0: Deployment shop/web in aks1" in said(at.warning)


def test_an_app_keeps_what_it_names_by_rule_and_one_that_can_t_be_read_keeps_all(
    open_view: Open, own: OwnSandbox
) -> None:
    set_workloads(own, {"image": "other:v1", "replicas": 1})
    server = own.registry().login_server
    job = put(own, JOB_TYPE, "nightly", {"template": template(f"{server}/{NODE}:v1.0.0")})
    at = ask(open_view("clean_up.py", **RULE))
    assert "Container Apps job nightly in" in said(at.error)
    assert delete_button(at).disabled
    assert "1 read" in next(one.value for one in at.markdown if one.value.startswith("Container Apps and"))
    own.sandbox.store.put_resource({**own.sandbox.store.get_resource(job), "properties": {}})
    running_loader.apps.clear(connection.who())
    at = open_view("clean_up.py", **RULE)
    assert "**Unknown what runs** in nightly" in texts(at)
    assert "nightly (its containers could not be read: It has no template)." in said(at.error)
    assert delete_button(at).disabled


def test_a_query_that_is_refused_leaves_all_apps_unknown(open_view: Open, own: OwnSandbox) -> None:
    set_workloads(own, {"image": "other:v1", "replicas": 1})
    own.break_({"method": "POST", "path": "/Microsoft.ResourceGraph/resources$", "status": 403})
    at = ask(open_view("clean_up.py", **RULE))
    assert "Container Apps and Container Instances (could not be read: 403" in said(at.error)
    assert delete_button(at).disabled
    boxes(at)[ALL_THE_SAME].check().run()
    confirm_field(at).set_value(NODE).run()
    assert not delete_button(at).disabled


def test_who_removes_a_tag_that_workloads_name_is_told_which(open_view: Open, own: OwnSandbox) -> None:
    at = open_dialog(open_view("image.py", **URL, reference="v1.0.0"), "Remove tag")
    assert "Named by" not in said(at.warning)
    put(own, JOB_TYPE, "nightly", {"template": template(f"{own.registry().login_server}/{NODE}:v1.0.0")})
    running_loader.apps.clear(connection.who())
    open_view("running_images.py")  # It waits for the apps.
    at = open_dialog(open_view("image.py", **URL, reference="v1.0.0"), "Remove tag")
    assert "Named by:" in said(at.warning)
    assert "v1.0.0: Container Apps job nightly in " in said(at.warning)
    at = open_view("repository.py", **URL)
    select_rows(at, 0, 0)
    at.run()
    select_rows(at, 0, 0)
    button(at, "Remove tags").click().run()
    assert "v1.0.0: Container Apps job nightly in " in said(at.warning)
