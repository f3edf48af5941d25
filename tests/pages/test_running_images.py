"""The page of running images: what runs where, and what of it can't be pulled again."""

from datetime import UTC, datetime

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from sandbox.clusters.clusters import CLUSTER_TYPE
from services.connection.errors import ServiceError
from services.connection.session import AzureSession
from services.running.asking import ask_clusters, plan_asking
from services.running.images import ClusterImages
from tests.support.app_test import REFUSED, Open, button, confirm_button, figures, reopen, texts, wait_for_job
from tests.support.own_sandbox import OwnSandbox
from ui.elements import write_permission
from ui.images import image_view
from ui.loaders import clusters as cluster_loaders
from ui.loaders import running as running_loader
from ui.running.asking import ASK_CLUSTERS
from ui.runtime import connection


def ask_all(open_view: Open, session: AzureSession) -> None:
    """Every cluster that can be asked has answered."""
    open_view("running_images.py")
    who = connection.who()
    reading = cluster_loaders.pulls(who)
    assert reading.finished.wait(30)
    for answer in ask_clusters(session, plan_asking(reading.value.clusters.values)).values:
        running_loader.keep(who, answer)


def table(at: AppTest) -> pd.DataFrame:
    frame: pd.DataFrame = at.dataframe[0].value
    return frame.set_index("Workload")


@pytest.mark.usefixtures("own")
def test_before_a_cluster_is_asked_nothing_is_said_of_what_runs(open_view: Open) -> None:
    at = open_view("running_images.py")
    assert "No cluster asked" in texts(at)
    assert not figures(at)
    assert [frame.proto.id for frame in at.dataframe] == []


def test_apps_are_read_without_asking_and_what_clusters_run_is_unknown_beside_them(open_view: Open) -> None:
    at = open_view("running_images.py")
    assert "No cluster asked" in texts(at)
    rows = table(at)
    (logged,) = [name for name in rows.index if "vault/signer" in name]
    rows_of_apps = rows.drop(logged)
    assert dict(zip(rows_of_apps.index, rows_of_apps["Where"], strict=True)) == {
        "checkout-preview": "Container App",
        "orders-bff": "Container App",
        "catalog-search": "Container App",
        "nightly-mailing": "Container Apps job",
        "load-test": "Container Instances",
    }
    assert rows["Replicas"]["checkout-preview"] == 0
    # The older revision runs beside the newest.
    assert {name.rpartition(":")[2] for name in rows.loc[["orders-bff"], "Image"]} == {"v1.1.0", "v1.2.1"}
    assert figures(at)["Workloads"] == ("≥ 6", "6 clusters not known; 1 subscription not listed")
    # What Container insights logs of a cluster is shown, and leaves it unknown.
    assert rows["Cluster or group"][logged] == "aks-secure"
    states = next(frame.value for frame in at.dataframe if "State" in frame.value and "Cluster" in frame.value)
    assert states.set_index("Cluster")["State"]["aks-secure"] == "Not asked; some by Container insights"
    assert states.set_index("Cluster")["State"]["aks-platform"] == "Not asked"
    only = open_view("running_images.py", where="Container Instances")
    assert set(table(only).index) == {"load-test"}


def test_what_runs_where_and_how_it_stands(open_view: Open, session: AzureSession) -> None:
    ask_all(open_view, session)
    at = open_view("running_images.py")
    assert not at.exception
    rows = table(at)
    state = rows["State"].str[2:]
    assert state["Deployment shop/checkout-2024"] == "Not in the registry"
    assert state["Pod tools/viewer"] == "Not a valid reference"
    assert state["Deployment shop/storefront"] == "Tag moved on"
    assert state["Deployment ci/storefront-preview"] == "Tag moved on"
    assert state["Deployment api/catalog"] == "Current"
    assert state["StatefulSet monitoring/prometheus"] == "Outside your registries"
    # A registry that the console may not reach.
    assert state["Deployment vault/signer"] == "Unknown"
    assert "by tag" in rows["Digest"]["Deployment shop/admin"] or rows["Digest"]["Deployment shop/admin"]
    assert rows["Replicas"]["Deployment shop/admin"] == 0
    assert figures(at)["Clusters known"] == ("≥ 5", "of 6 listed; 1 subscription not listed")
    assert figures(at)["Tag moved on"] == ("≥ 2", "1 cluster not known; 1 subscription not listed")
    assert any("Clusters: 5 of at least 6 asked" in one.label for one in at.expander)


def test_the_filters_are_in_the_url(open_view: Open, session: AzureSession) -> None:
    ask_all(open_view, session)
    at = open_view("running_images.py", state="Tag moved on", cluster="aks-batch")
    assert list(table(at).index) == ["Deployment ci/storefront-preview"]
    at = open_view("running_images.py", search="no such image")
    assert "No image matches" in texts(at)


def test_where_no_cluster_answered_it_says_so_and_why(open_view: Open) -> None:
    open_view("running_images.py")
    who = connection.who()
    reading = cluster_loaders.pulls(who)
    assert reading.finished.wait(30)
    why = ServiceError("Could not ask", "Its run command is switched off.", "")
    for cluster in reading.value.clusters.values:
        running_loader.keep(who, ClusterImages(cluster, datetime.now(UTC), error=why))
    said = texts(open_view("running_images.py"))
    assert "No cluster answered" in said
    assert "Its run command is switched off" in said
    assert "No image matches" not in said


def test_a_read_only_console_asks_no_cluster(open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    at = open_view("running_images.py")
    button(at, "Ask clusters").click().run()
    assert confirm_button(at, "Ask 1 cluster").disabled
    assert not [one for one in own.sandbox.requests if one.path.endswith("/runCommand")]


def test_a_cluster_that_refuses_says_why(open_view: Open, own: OwnSandbox) -> None:
    (cluster,) = own.sandbox.store.list_resources(CLUSTER_TYPE)
    cluster["_sandbox"] = {"workloads": []}
    own.sandbox.store.put_resource(cluster)
    own.break_({"method": "POST", "path": "/runCommand$", "status": 403})
    at = open_view("running_images.py")
    button(at, "Ask clusters").click().run()
    reopen(at, "Ask clusters")
    confirm_button(at, "Ask 1 cluster").click()
    at.run()
    wait_for_job(at, ASK_CLUSTERS.action)
    at.run()
    assert "0 of 1 cluster answered" in texts(at)
    assert "Could not ask aks1 which images run in it" in texts(at)
    assert figures(at)["Clusters known"][0] == "0"
    assert figures(at)["Workloads"][0] == "–"


def test_a_repository_and_an_image_say_where_they_run(
    open_view: Open, session: AzureSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = {"registry": "contosohub", "repository": "web/storefront"}
    at = open_view("repository.py", **hub)
    assert "Runs in" not in at.dataframe[0].value.columns
    ask_all(open_view, session)
    at = open_view("repository.py", **hub)
    runs = at.dataframe[0].value.set_index("Tag")["Runs in"]
    here = ["Deployment shop/storefront in aks-platform"]
    # What runs, and what its tag points to now.
    assert [tag for tag, places in runs.items() if list(places) == here] == ["latest", "v1.3.2", "v1.3.1"]
    at = open_view("repository.py", **hub, unseen="true")
    assert not {"latest", "v1.3.2", "v1.3.1"} & set(at.dataframe[0].value["Tag"])
    shown = texts(open_view("image.py", **hub, reference="v1.3.1"))
    assert "1 workload" in shown
    assert "Not seen" in texts(open_view("image.py", **hub, reference="v1.0.0"))
    # Of a larger repository the indexes that list it are read only when asked for.
    monkeypatch.setattr(image_view, "PAGE", 0)
    unknown = open_view("image.py", **hub, reference="v1.0.0")
    assert "Itself not. The indexes that list it were not read." in [one.help for one in unknown.markdown]


def test_the_images_of_a_storage_say_where_they_run(open_view: Open, session: AzureSession) -> None:
    images = {"registry": "contosohub", "repository": "web/storefront", "show": "Images"}
    ask_all(open_view, session)
    at = open_view("storage.py", **images)
    runs = next(one.value for one in at.dataframe if "Runs in" in one.value.columns).set_index("Tags")["Runs in"]
    running = {tags for tags, places in runs.items() if list(places)}
    assert running and all("latest" in tags or "v1.3" in tags for tags in running)
    assert {place for places in runs for place in places} == {"Deployment shop/storefront in aks-platform"}
    at = open_view("storage.py", **images, unseen="true")
    shown = next(one.value for one in at.dataframe if "Runs in" in one.value.columns)
    assert not running & set(shown["Tags"]) and len(shown) == len(runs) - len(running)
