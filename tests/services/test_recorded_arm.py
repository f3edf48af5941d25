"""Recorded answers of Resource Manager about groups and subscriptions, and its refusals of any kind."""

import json
from typing import Any

import pytest

from services.arm.providers import read_provider
from services.arm.resource_groups import ResourceGroup, create_group, find_group, list_groups
from services.arm.subscriptions import list_subscriptions
from services.connection.errors import ServiceError
from tests.support.canned import ARM, Answer
from tests.support.recordings import (
    PLANES,
    RECORDINGS,
    Area,
    Recording,
    arm,
    check_refusal,
    refusals,
    serve_provider,
)


def replay_subscriptions(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions", recording.answer)
    found = list_subscriptions(session).values
    assert {(s.id, s.name, s.tenant_id, s.state) for s in found} == {
        (entry["subscriptionId"], entry["displayName"], entry["tenantId"], entry["state"])
        for entry in recording.body["value"]
    }


def replay_locations(recording: Recording) -> None:
    wire, session = arm()
    first, *others = recording.body["value"]
    serve_provider(wire, "s1", others)
    wire.on("GET", f"{ARM}/subscriptions/s1/locations", recording.answer)
    provider = read_provider(session, "s1")
    assert {(place.name, place.display_name) for place in provider.locations} == {
        (entry["name"], entry["displayName"]) for entry in others
    }
    assert not provider.offers(first["name"])


def check_group(found: ResourceGroup, document: dict[str, Any]) -> None:
    assert (found.name, found.location) == (document["name"], document["location"])
    assert found.state == document["properties"]["provisioningState"]


def replay_groups(recording: Recording) -> None:
    wire, session = arm()
    subscription = recording.part("/subscriptions/([^/]+)/")
    wire.on("GET", f"{ARM}{recording.path}", recording.answer, Answer(200, {"value": []}))
    found = {group.name: group for group in list_groups(session, subscription).values}
    assert len(found) == len(recording.body["value"])
    for document in recording.body["value"]:
        check_group(found[document["name"]], document)


def replay_group(recording: Recording) -> None:
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions/s1/resourcegroups/{recording.body['name']}", recording.answer)
    found = find_group(session, "s1", recording.body["name"])
    assert found
    check_group(found, recording.body)


def replay_new_group(recording: Recording) -> None:
    wire, session = arm()
    name, location = recording.body["name"], recording.request["location"]
    wire.on("PUT", f"{ARM}/subscriptions/s1/resourcegroups/{name}", recording.answer)
    check_group(create_group(session, "s1", name, location), recording.body)
    assert json.loads(wire.sent[0].body) == {"location": location}


AREA = Area(
    "arm",
    read={
        "real/subscriptions/subscription_locations_*.json": replay_locations,
        "real/resource-groups/resource_group_list_*.json": replay_groups,
        "real/resource-groups/resource_group_get*.json": replay_group,
        "real/resource-groups/resource_group_create_*.json": replay_new_group,
        "real/subscriptions/subscription_list_*.json": replay_subscriptions,
    },
    not_read={
        "real/subscriptions/subscription_get_*.json": "subscriptions are read as a list",
        "real/subscriptions/tenants_list.json": "the tenant is the token's own",
        "real/resource-graph/*.json": "Resource Graph is not asked: each provider answers for itself",
        "real/resource-groups/resource_group_head_*.json": "a group is looked for by reading it",
        "real/resource-groups/resource_group_delete_*.json": "the console deletes no group",
    },
)


@pytest.mark.parametrize("file", AREA.read_files)
def test_an_answer_is_read(file: str) -> None:
    AREA.replay(file)


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    AREA.check_complete()


@pytest.mark.parametrize("file", [file for area in PLANES for file in refusals(area) if area != "data plane"])
def test_refusals_of_arm(file: str) -> None:
    recording = RECORDINGS[file]
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions", recording.answer)
    with pytest.raises(ServiceError) as raised:
        list_subscriptions(session)
    check_refusal(raised.value, recording)
    assert {request.method for request in wire.sent} == {"GET"}


@pytest.mark.parametrize("file", [file for file in refusals("arm") if RECORDINGS[file].plane == "resource-groups"])
def test_a_group_that_is_not_there_is_none(file: str) -> None:
    recording = RECORDINGS[file]
    wire, session = arm()
    wire.on("GET", f"{ARM}/subscriptions/s1/resourcegroups/none", recording.answer)
    if recording.body:
        assert find_group(session, "s1", "none") is None
        return
    with pytest.raises(ServiceError):  # A 404 without a code is some proxy's, and proves nothing.
        find_group(session, "s1", "none")


def test_each_folder_has_its_file_of_tests() -> None:
    assert {one.plane for one in RECORDINGS.values()} == {plane for planes in PLANES.values() for plane in planes}
