"""The fault walk: what a view states while a class of its reads fails, compared with what it states of the truth."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from sandbox.server import Sandbox
from services.connection.parallel import Partial
from services.registries.registry import Registry, Usage
from tests.support.fault_walk import VIEWS, Fault, FaultWalk
from tests.support.page_statements import Statement, contradictions
from tests.ui.navigation.test_pages import ADDRESSES
from ui.loaders import registries as registry_loaders

REGISTRIES, USAGES, MANIFESTS = "providers/Microsoft.ContainerRegistry/registries$", "/listUsages$", "/manifests/.*$"
# A part of the walk for `make test`: views whose figures and verdicts are made of many reads.
CHOSEN = [
    ("inventory", REGISTRIES),
    ("inventory", USAGES),
    ("inventory", "/_catalog$"),
    ("repositories", "/acr/v1/[^_]+$"),
    ("storage", MANIFESTS),
    ("manifests", MANIFESTS),
    ("delete", MANIFESTS),
    ("skus", REGISTRIES),
    ("costs", "/usageDetails$"),
    ("matrix", "/roleAssignments$"),
    ("abac switch", "/denyAssignments$"),
]


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FaultWalk]:
    folder = tmp_path_factory.mktemp("walk")
    faults = folder / "faults.json"
    faults.write_text("[]")
    with Sandbox.start(folder / "sandbox", "estate", faults=faults) as sandbox:
        yield FaultWalk(sandbox, faults)


def test_every_page_is_walked() -> None:
    assert {address for address, _query in VIEWS.values()} == set(ADDRESSES)


def faults_of(walk: FaultWalk, view: str, path: str) -> list[Fault]:
    """All of the class refused, and each second one throttled."""
    return [
        fault
        for fault in walk.faults_of(view)
        if path in fault.path and (fault.every, fault.answer["status"]) in ((1, 403), (2, 429))
    ]


@pytest.mark.parametrize(("view", "path"), CHOSEN)
def test_what_a_page_states_is_so_while_a_read_fails(walk: FaultWalk, view: str, path: str) -> None:
    faults = faults_of(walk, view, path)
    assert faults
    assert not [f"{fault}: {one}" for fault in faults for one in walk.contradictions(view, fault)]


@pytest.mark.long
@pytest.mark.parametrize("view", VIEWS)
def test_what_any_page_states_is_so_while_any_read_fails(walk: FaultWalk, view: str) -> None:
    assert not [f"{fault}: {one}" for fault in walk.faults_of(view) for one in walk.contradictions(view, fault)]


def unread_as_empty(found: Partial[Registry]) -> Partial[Registry]:
    """Every usage that could not be read as 0 bytes."""
    nothing = (Usage("Size", 0, 1, "Bytes"),)
    return replace(found, values=tuple(replace(one, usages=one.usages or nothing, unread=()) for one in found.values))


def refusals_dropped(found: Partial[Registry]) -> Partial[Registry]:
    """Only what was read, as if it were all."""
    return Partial(found.values)


@pytest.mark.parametrize(
    ("lie", "path", "caught"),
    [
        (unread_as_empty, USAGES, "says contosobuild, Stored = 0"),
        (unread_as_empty, USAGES, "says contosobuild, Needs attention = "),
        (refusals_dropped, REGISTRIES, "lacks without a word **≥ 12** registries"),
        (refusals_dropped, REGISTRIES, "says **No registries found**"),
    ],
)
def test_a_loader_that_hides_what_failed_is_caught(
    walk: FaultWalk,
    monkeypatch: pytest.MonkeyPatch,
    lie: Callable[[Partial[Registry]], Partial[Registry]],
    path: str,
    caught: str,
) -> None:
    list_registries = registry_loaders.list_registries
    faults = faults_of(walk, "inventory", path)
    walk.truth("inventory")
    monkeypatch.setattr(registry_loaders, "list_registries", lambda *args, **more: lie(list_registries(*args, **more)))
    found = [one for fault in faults for one in walk.contradictions("inventory", fault)]
    assert any(one.startswith(caught) for one in found), found[:12]


TRUTH = (
    Statement("", "Repositories (3)", "heading"),
    Statement("metric Stored", "704 GiB", "metric Stored"),
    Statement("metric Stored, beside", "of 2.4 TiB included", "metric Stored"),
    Statement("web, Size", "10", "row web"),
    Statement("web, Locked", "delete", "row web"),
    Statement("button Delete 3 images", "disabled"),
    Statement("web, Needs attention", "['● Anonymous pull' '+1']", "row web"),
    Statement("hub, Needs attention", "[]", "row hub"),
)


def under_fault(*changed: Statement, without: int = -1) -> list[Statement]:
    """The truth with these in place of what it says of the same subject, and without one."""
    subjects = {one.subject for one in changed}
    kept = [one for number, one in enumerate(TRUTH) if one.subject not in subjects or number == 0]
    return [one for one in kept if without < 0 or one != TRUTH[without]] + list(changed)


BOUND = tuple(replace(one, value="≥ 704 GiB") if one.value == "704 GiB" else one for one in TRUTH)


REFUSED = Statement("", "1 registry could not be read: web")


@pytest.mark.parametrize(
    "seen",
    [
        under_fault(),
        under_fault(Statement("metric Stored", "–", "metric Stored")),
        under_fault(Statement("metric Stored", "≥ 605 GiB", "metric Stored")),
        under_fault(Statement("web, Locked", "Unknown", "row web"), Statement("web, Size", "0", "row web")),
        under_fault(REFUSED, without=3),
        under_fault(Statement("", "Could not read web", refusal=True), without=0),
        under_fault(Statement("web, Needs attention", "['● Anonymous pull' '+3']", "row web"), REFUSED, without=7),
    ],
)
def test_the_judge_accepts_what_is_marked_as_unknown(seen: list[Statement]) -> None:
    assert not contradictions(TRUTH, seen)


@pytest.mark.parametrize(
    "seen",
    [
        under_fault(Statement("metric Stored", "605 GiB", "metric Stored")),
        under_fault(Statement("metric Stored", "0 B", "metric Stored"), REFUSED),
        under_fault(Statement("metric Stored", "≥ 1.2 TiB", "metric Stored")),
        under_fault(Statement("web, Size", "0", "row web"), REFUSED),
        under_fault(Statement("web, Locked", "", "row web"), REFUSED),
        under_fault(Statement("", "No registries found"), REFUSED),
        under_fault(Statement("success", "No findings"), REFUSED),
        under_fault(Statement("button Delete 3 images", "enabled"), REFUSED),
        under_fault(Statement("a traceback", "KeyError"), REFUSED),
        under_fault(Statement("web, Needs attention", "['● Anonymous pull' '+3']", "row web"), REFUSED),
        under_fault(Statement("web, Needs attention", "['Legacy permissions' '+1']", "row web"), REFUSED, without=7),
        under_fault(Statement("web, Needs attention", "['● Open to all' '+1']", "row web"), REFUSED),
        under_fault(without=3),
        under_fault(without=0),
    ],
)
def test_the_judge_catches_what_the_truth_contradicts(seen: list[Statement]) -> None:
    assert contradictions(TRUTH, seen)


def test_an_id_stands_for_a_name_and_for_nothing_else() -> None:
    held = Statement("app, Reason", "AcrPull, held by the group nodes.", "row app")
    by_id = replace(held, value="AcrPull, held by the group ce91b7cb-4358-5ca9-90fd-7adbd8786f1b.")
    refused = Statement("", "Names could not be read")
    assert not contradictions([held], [by_id, refused])
    assert contradictions([held], [by_id])
    assert contradictions([held], [replace(by_id, value=by_id.value.replace("AcrPull", "AcrPush")), refused])


@pytest.mark.parametrize("true", ["≥ EUR 76.94", "EUR 76.94"])
def test_lower_bounds_of_two_currencies_are_not_compared(true: str) -> None:
    truth = [Statement("metric Saved", true, "metric Saved")]
    reason = Statement("metric Saved, beside", "currency of the bills unknown", "metric Saved")
    assert not contradictions(truth, [replace(truth[0], value="≥ USD 85.48"), reason])
    assert contradictions(truth, [replace(truth[0], value="≥ USD 85.48")])


@pytest.mark.parametrize("bound", ["≥ EUR 85.48", "≥ EUR 85.48, of AKS too", "≥ 85.48"])
def test_lower_bounds_of_the_same_or_of_no_currency_are_compared(bound: str) -> None:
    truth = [Statement("metric Saved", "EUR 76.94", "metric Saved")]
    reason = Statement("metric Saved, beside", "currency of the bills unknown", "metric Saved")
    assert contradictions(truth, [replace(truth[0], value=bound), reason])


def test_amounts_in_another_currency_are_accepted_where_the_page_says_that_they_are() -> None:
    truth = [
        Statement("success", "**Basic**, EUR 4.50 a month of 30 days."),
        Statement("contosobuild, Now, EUR", "57.71", "row contosobuild"),
        Statement("contosobuild, Recommended", "Basic → Premium", "row contosobuild"),
    ]
    said = Statement("", "The currency of the bills is unknown: amounts are in USD.")
    other = [
        replace(truth[0], value="**Basic**, USD 5.00 a month of 30 days."),
        replace(truth[1], subject="contosobuild, Now, USD", value="64.12"),
        truth[2],
    ]
    assert not contradictions(truth, [*other, said])
    assert contradictions(truth, other)
    assert contradictions(truth, [*other[:2], replace(truth[2], value="Keep Basic"), said])
    assert contradictions(
        truth, [replace(other[0], value="**Premium**, USD 5.00 a month of 30 days."), *other[1:], said]
    )


def test_another_lower_bound_needs_another_reason() -> None:
    less = replace(TRUTH[1], value="≥ 0 B")
    assert contradictions(BOUND, under_fault(less))
    assert not contradictions(BOUND, under_fault(less, replace(TRUTH[2], value="At least: 6 could not be read")))


def test_tables_that_are_at_least_say_of_how_much() -> None:
    truth = [
        Statement("", "At least: 1 of 4 bills could not be read in full.", section="Who spends it"),
        Statement("Data Stored, Nov 2026", "54.46", "row Data Stored", "Who spends it"),
    ]
    less = replace(truth[1], value="47.46")
    more_unread = replace(truth[0], value="At least: 2 of 4 bills could not be read in full.")
    assert contradictions(truth, [truth[0], less])
    assert contradictions(truth, [more_unread, replace(less, section="Another")])
    assert not contradictions(truth, [more_unread, less])
