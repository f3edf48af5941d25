"""The script that lists a cluster's images, run by a shell with jq, and what is made of its answer."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.running.images import RunningImage
from services.running.listing import MOST_BYTES, listing_script, parse_listing, render_images
from tests.support.strategies import digests

TITLE = "Could not ask aks1"
SHOP = {"namespace": "shop"}
HUB = "contosohub.azurecr.io/web"
NEW, OLD = f"sha256:{'a' * 64}", f"sha256:{'b' * 64}"
PLAIN = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
IMAGES = st.lists(
    st.builds(RunningImage, PLAIN, PLAIN, PLAIN, PLAIN, st.one_of(st.just(""), digests), st.integers(0, 10**6)),
    max_size=8,
)


@given(IMAGES)
def test_an_answer_is_read_as_it_was_printed(images: list[RunningImage]) -> None:
    noise = "Warning: kubectl is old\nUnable to use a TTY\n"
    assert parse_listing(noise + render_images(images), TITLE).images == tuple(images)


@given(IMAGES, st.data())
def test_a_cut_answer_is_never_a_complete_one(images: list[RunningImage], data: st.DataObject) -> None:
    logs = render_images(images)
    cut = data.draw(st.integers(0, len(logs) - 3))
    with pytest.raises(ServiceError) as raised:
        parse_listing(logs[:cut], TITLE)
    assert raised.value.code in ("CutAnswer", "NotUnderstood")


@given(IMAGES.filter(bool), st.data())
def test_a_lost_line_is_noticed(images: list[RunningImage], data: st.DataObject) -> None:
    lines = render_images(images).split("\n")
    lines.pop(data.draw(st.integers(0, len(images) - 1)))
    with pytest.raises(ServiceError):
        parse_listing("\n".join(lines), TITLE)


@pytest.mark.parametrize("line", ['["end","2"]', '["shop","Pod","a","b","c"]', "[1,2]", '["a","b","c","d","e","6"]'])
def test_a_line_of_another_shape_makes_all_of_it_unknown(line: str) -> None:
    with pytest.raises(ServiceError):
        parse_listing(f'{line}\n["end",0]\n', TITLE)


def container(image: str, name: str = "main") -> dict[str, Any]:
    return {"name": name, "image": image}


def template(*images: str) -> dict[str, Any]:
    return {"template": {"spec": {"containers": [container(image, f"c{n}") for n, image in enumerate(images)]}}}


def pod(name: str, by: dict[str, Any] | None, labels: dict[str, str], phase: str, image_id: str) -> dict[str, Any]:
    return {
        "kind": "Pod",
        "metadata": {
            "name": name,
            **SHOP,
            "labels": labels,
            **({"ownerReferences": [{**by, "controller": True}]} if by else {}),
        },
        "spec": {
            "initContainers": [container(f"{HUB}/init:v1", "init")],
            "containers": [container(f"{HUB}:v2")],
            "volumes": [{"name": "none"}, {"name": "model", "image": {"reference": f"{HUB}/model:v7"}}],
        },
        "status": {
            "phase": phase,
            "initContainerStatuses": [{"name": "init", "imageID": f"sha256:{'c' * 64}"}],
            # Not the reference that was asked for: another tag of the same image.
            "containerStatuses": [{"name": "main", "image": f"{HUB}:other", "imageID": image_id}],
        },
    }


HASH = {"pod-template-hash": "7d4b"}
SET = {"kind": "ReplicaSet", "name": "web-7d4b"}
LISTS: dict[str, list[dict[str, Any]]] = {
    "pods": [
        pod("web-7d4b-1", SET, HASH, "Running", f"{HUB}@{NEW}"),
        pod("web-7d4b-2", SET, HASH, "Running", f"{HUB}@{NEW}"),
        pod("web-7d4b-3", SET, HASH, "Failed", f"{HUB}@{OLD}"),
        pod("web-7d4b-4", SET, HASH, "Pending", ""),
        {
            "kind": "Pod",
            "metadata": {"name": "bare", **SHOP},
            "spec": {"containers": [container("no image!")]},
            "status": {},
        },
    ],
    "deployments.apps": [
        {"kind": "Deployment", "metadata": {"name": "web", **SHOP}, "spec": {"replicas": 4, **template(f"{HUB}:v2")}},
        {"kind": "Deployment", "metadata": {"name": "idle", **SHOP}, "spec": {"replicas": 0, **template(f"{HUB}:v0")}},
    ],
    "statefulsets.apps": [
        {"kind": "StatefulSet", "metadata": {"name": "db", "namespace": "data"}, "spec": template("postgres:17")}
    ],
    "daemonsets.apps": [
        {
            "kind": "DaemonSet",
            "metadata": {"name": "log", **SHOP},
            "spec": template("log:1"),
            "status": {"desiredNumberScheduled": 5},
        }
    ],
    "replicasets.apps": [
        {
            "kind": "ReplicaSet",
            "metadata": {
                "name": "web-0ld0",
                **SHOP,
                "labels": {"pod-template-hash": "0ld0"},
                "ownerReferences": [{"kind": "Deployment", "name": "web", "controller": True}],
            },
            "spec": {"replicas": 0, **template(f"{HUB}:v1")},
        }
    ],
    "replicationcontrollers": [],
    "jobs.batch": [{"kind": "Job", "metadata": {"name": "once", **SHOP}, "spec": template("once:1"), "status": {}}],
    "cronjobs.batch": [
        {
            "kind": "CronJob",
            "metadata": {"name": "nightly", **SHOP},
            "spec": {"jobTemplate": {"spec": template("night:1", "sidecar:1")}},
        }
    ],
}
NOTHING: dict[str, list[dict[str, Any]]] = {kind: [] for kind in LISTS}
EXPECTED = {
    RunningImage("shop", "Deployment", "web", f"{HUB}:v2", NEW, 2),
    RunningImage("shop", "Deployment", "web", f"{HUB}:v2", OLD, 0),
    RunningImage("shop", "Deployment", "web", f"{HUB}:v2", "", 1),
    RunningImage("shop", "Deployment", "web", f"{HUB}:v2", "", 4),
    RunningImage("shop", "Deployment", "web", f"{HUB}/init:v1", "", 3),
    RunningImage("shop", "Deployment", "web", f"{HUB}/model:v7", "", 3),
    RunningImage("shop", "Pod", "bare", "no image!", "", 1),
    RunningImage("shop", "Deployment", "idle", f"{HUB}:v0", "", 0),
    RunningImage("data", "StatefulSet", "db", "postgres:17", "", 1),
    RunningImage("shop", "DaemonSet", "log", "log:1", "", 5),
    RunningImage("shop", "ReplicaSet", "web-0ld0", f"{HUB}:v1", "", 0),
    RunningImage("shop", "Job", "once", "once:1", "", 0),
    RunningImage("shop", "CronJob", "nightly", "night:1", "", 0),
    RunningImage("shop", "CronJob", "nightly", "sidecar:1", "", 0),
}


def run_script(tmp_path: Path, lists: dict[str, Any], namespaces: tuple[str, ...] | None = None) -> str:
    """What the script prints where kubectl lists that; a kind that is left out is refused."""
    for kind, found in lists.items():
        (tmp_path / f"{kind}.json").write_text(json.dumps({"kind": "List", "items": found}))
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(f'#!/bin/sh\n[ "$3 $4 $5" = "--all-namespaces --output json" ] && cat "{tmp_path}/$2.json"\n')
    kubectl.chmod(0o755)
    shell = shutil.which("sh")
    assert shell
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        [shell], input=listing_script(namespaces).encode(), capture_output=True, check=False, env={"PATH": path}
    )
    return done.stdout.decode()


needs_jq = pytest.mark.skipif(not shutil.which("jq"), reason="jq, which the script uses in the cluster, is not here")


@needs_jq
def test_the_script_lists_pods_and_every_template(tmp_path: Path) -> None:
    found = parse_listing(run_script(tmp_path, LISTS), TITLE).images
    assert set(found) == EXPECTED
    assert len(found) == len(EXPECTED)


@needs_jq
def test_the_script_lists_some_namespaces_alone(tmp_path: Path) -> None:
    found = parse_listing(run_script(tmp_path, LISTS, ("data", "none")), TITLE).images
    assert set(found) == {one for one in EXPECTED if one.namespace == "data"}


@needs_jq
@pytest.mark.parametrize("kind", LISTS)
def test_a_kind_that_can_t_be_listed_leaves_no_complete_answer(tmp_path: Path, kind: str) -> None:
    with pytest.raises(ServiceError) as raised:
        parse_listing(run_script(tmp_path, {one: found for one, found in LISTS.items() if one != kind}), TITLE)
    assert raised.value.code == "CutAnswer"


@needs_jq
def test_an_answer_that_would_be_cut_is_the_bytes_of_each_namespace(tmp_path: Path) -> None:
    many = [
        {
            "kind": "Pod",
            "metadata": {"name": f"worker-{number:05}", "namespace": f"ns{number % 2}"},
            "spec": {"containers": [container(f"{HUB}/größe:v1")]},
            "status": {},
        }
        for number in range(8000)
    ]
    printed = run_script(tmp_path, {**NOTHING, "pods": many})
    sizes = parse_listing(printed, TITLE).sizes
    assert sizes is not None
    half = run_script(tmp_path, {**NOTHING, "pods": many}, ("ns0",))
    images = parse_listing(half, TITLE).images
    assert len(images) == 4000
    rows = render_images(images).encode().rpartition(b'["end"')[0]
    assert sizes == {"ns0": len(rows), "ns1": len(rows)}
    assert len(printed) < MOST_BYTES < 2 * len(rows)
