"""Growth of a registry: recorded where all was read, shown with what is unknown, and forecast once it can be."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, select
from streamlit.testing.v1 import AppTest

from services.connection.parallel import Partial
from services.database.tables import snapshots
from services.deletion.running_images import RunningImages
from services.growth.history import WHOLE, Snapshot
from services.growth.store import add_snapshots, read_history
from services.policies.decisions import LastPulls
from services.policies.simulation import simulate
from services.policies.text import parse_policy
from services.pricing.estimates import GIB
from tests.support.app_test import Open, figures, texts
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.growth import worker
from ui.loaders import contents
from ui.loaders import registries as registry_loaders
from ui.runtime import connection
from ui.runtime.database import database

pytestmark = pytest.mark.usefixtures("own")
HERE = {"registry": REGISTRY, "show": "Growth"}


def read_all(own: OwnSandbox) -> None:
    who = connection.who()
    assert registry_loaders.inventory(who).finished.wait(30)
    assert registry_loaders.catalogue(who, own.client.login_server).finished.wait(30)
    assert contents.registry(who, own.client.login_server).finished.wait(30)


def grow(own: OwnSandbox, days: int, a_day: int = GIB) -> date:
    """Records so many days before the last one that is recorded."""
    registry = own.registry()
    last = read_history(database(), registry)[-1].day
    for age in range(1, days + 1):
        size = 90 * GIB - age * a_day
        day = last - timedelta(days=age)
        of_both = (Snapshot(day, name, size, 0, 0, 1, 1) for name in (WHOLE, "team/app"))
        add_snapshots(database(), registry, of_both)
    today = (Snapshot(last, name, 90 * GIB, 0, 0, 1, 1) for name in (WHOLE, "team/app"))
    add_snapshots(database(), registry, today)
    return last


def test_the_first_day_is_recorded_and_said_to_be_the_first(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    own.break_({"path": "metrics:getBatch", "status": 403})
    at = open_view("storage.py", **HERE)
    assert "No growth known yet" in texts(at) and "The first is of 20" in texts(at)
    (whole, *each) = read_history(database(), own.registry())
    assert whole.repository == WHOLE and whole.total == own.sandbox.store.blobs.stored_bytes(REGISTRY)
    assert {one.repository for one in each} == set(own.sandbox.store.list_repositories(REGISTRY))


def test_a_registry_that_was_not_read_completely_is_not_recorded(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    own.push("v1")
    own.break_({"path": "/v2/team/app/manifests/", "status": 403})
    read_all(own)
    assert read_history(database(), own.registry()) == ()


def test_what_grew_and_when_the_included_storage_is_full(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    last = grow(own, 40)
    at = open_view("storage.py", **HERE)
    found = {name: value for name, (value, _) in figures(at).items()}
    assert found["Grown in 7 days"] == "+7.0 GiB" and found["Grown in 30 days"] == "+30.0 GiB"
    assert found["In 3 months"] == "181 GiB"
    assert found["Included storage full"] == f"{last + timedelta(days=10):%Y-%m-%d}"
    assert "41 days recorded" in texts(at)
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value)
    assert list(table["Repository"]) == ["team/app"]


def test_a_repository_that_was_deleted_before_the_week_shrank_in_the_month_alone(
    own: OwnSandbox, open_view: Open
) -> None:
    open_view("deletions.py")
    read_all(own)
    last = grow(own, 40)
    day = last - timedelta(days=30)
    had = [one for one in read_history(database(), own.registry()) if one.day == day]
    add_snapshots(database(), own.registry(), [*had, Snapshot(day, "team/gone", GIB, 0, 0, 1, 1)])
    at = open_view("storage.py", **HERE)
    assert not at.exception
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value).set_index("Repository")
    assert table.loc["team/gone", "In 30 days"] == -1 and table.loc["team/gone", "In 7 days"] == 0
    assert table.loc["team/gone", "Note"] == "Deleted"


def test_no_repository_is_shown_that_the_person_cannot_read(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    own.push("v1")
    own.push("v1", number=2, repository="team/hidden")
    own.break_({"path": "/acr/v1/team/hidden/", "status": 403})
    read_all(own)
    for age in range(40):
        day = datetime.now(UTC).date() - timedelta(days=age)
        each = (Snapshot(day, name, (90 - age) * GIB, 0, 0, 1, 1) for name in ("team/app", "team/hidden", "team/gone"))
        add_snapshots(database(), own.registry(), [Snapshot(day, WHOLE, 300 * GIB, 0, 0, 3, 3), *each])
    at = open_view("storage.py", **HERE)
    assert not at.exception
    names = {trace.get("name") for trace in drawn(at)}
    assert "team/app" in names and not names & {"team/hidden", "team/gone"}
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value)
    assert list(table["Repository"]) == ["team/app"]
    assert "Left out: 2 repositories that you can't read" in texts(at)


def test_with_few_days_the_forecast_is_unknown_and_says_why(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    grow(own, 3)
    own.break_({"path": "metrics:getBatch", "status": 403})
    at = open_view("storage.py", **HERE)
    assert figures(at)["In 3 months"][0] == "–"
    assert "a forecast needs 14 days, and 4 are recorded" in "".join(one.help or "" for one in at.metric)
    assert figures(at)["Grown in 7 days"][1] == "in 3 days: no record is closer"


def test_without_a_database_it_is_said(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    engine: Engine = database()
    with engine.begin() as db:
        db.exec_driver_sql("DROP TABLE snapshots")
    at = open_view("storage.py", **HERE)
    assert "could not be read" in "".join(one.value for one in at.error) or "could not be read" in texts(at)


def test_why_there_is_no_daily_snapshot_is_said(
    own: OwnSandbox, open_view: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_view("deletions.py")
    read_all(own)
    assert "No daily snapshot is taken by itself: this console may read nothing" in texts(
        open_view("storage.py", **HERE)
    )
    monkeypatch.setenv("ACR_CONSOLE_SNAPSHOT_READS", "20000")
    assert "the console has not listed its registries yet" in texts(open_view("storage.py", **HERE))
    own.push("v1")
    own.break_({"path": "/v2/team/app/manifests/", "status": 403})
    worker.take_due(Event())
    own.break_()
    at = open_view("storage.py", **HERE)
    (said,) = [one.value for one in at.warning if "snapshot" in one.value]
    assert "Today's snapshot could not be taken" in said and "1 manifest could not be read " in said
    assert "There is no daily snapshot yet." in said


def test_a_wrong_clock_of_the_console_records_no_day(
    own: OwnSandbox, open_view: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_view("deletions.py")

    class Ahead(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:
            return datetime.now(tz) + timedelta(days=60)

    with monkeypatch.context() as patch:
        patch.setattr(contents, "datetime", Ahead)
        read_all(own)
    with database().connect() as db:
        assert db.execute(select(snapshots.c.day)).all() == []


def test_without_snapshots_the_forecast_is_made_of_what_azure_measured(
    own: OwnSandbox, open_view: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    today = datetime.now(UTC).date()
    by_day = {today - timedelta(days=age): (90 - age) * GIB for age in range(89, -1, -1)}
    monkeypatch.setattr("ui.loaders.growth.read_measured", lambda *_: by_day)
    open_view("deletions.py")
    read_all(own)
    at = open_view("storage.py", **HERE)
    assert "From what Azure measured, as snapshots are of 1 day only" in texts(at)
    found = {name: value for name, (value, _) in figures(at).items()}
    assert found["Grown in 7 days"] == "+7.0 GiB" and found["Grown in 30 days"] == "+30.0 GiB"
    assert found["In 3 months"] == "181 GiB"
    assert found["Included storage full"] == f"{today + timedelta(days=10):%Y-%m-%d}"
    assert "90 days measured since" in texts(at) and "a forecast would have been off by 0.0 % on average" in texts(at)
    assert "Unknown by repository: snapshots are of 1 day only. Each day on which all" in texts(at)
    table = next(one.value for one in at.dataframe if "Earliest" in one.value).set_index("Limit")
    assert table.loc["Included storage", "Expected"] == today + timedelta(days=10)
    assert {trace.get("name") for trace in drawn(at)} >= {"As Azure measured", "Forecast"}
    grow(own, 5)
    at = open_view("storage.py", **HERE)
    assert "From what Azure measured, as snapshots are of 6 days only" in texts(at)
    assert figures(at)["Grown in 30 days"][0] == "+30.0 GiB"
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value)
    assert list(table["Repository"]) == ["team/app"]


def test_with_enough_snapshots_what_azure_measured_is_a_line_of_its_own(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    grow(own, 20)
    at = open_view("storage.py", **HERE)
    assert "As Azure measured: StorageUsed of Azure Monitor since" in texts(at)
    assert "The forecast is made of the snapshots." in texts(at) and "From what Azure measured" not in texts(at)
    assert {"team/app", "As Azure measured", "Forecast"} <= {trace.get("name") for trace in drawn(at)}
    assert figures(at)["Grown in 7 days"][0] == "+7.0 GiB"


def test_why_it_is_unknown_what_azure_measured_is_said(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    own.break_({"path": "metrics:getBatch", "status": 403})
    at = open_view("storage.py", **HERE)
    assert "What Azure measured is unknown: " in texts(at) and not drawn(at)


def test_when_limits_are_reached(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    last = grow(own, 40)
    at = open_view("storage.py", **HERE)
    table = next(one.value for one in at.dataframe if "Earliest" in one.value).set_index("Limit")
    assert table.loc["Included storage", "Expected"] == last + timedelta(days=10)
    assert table.loc["Cap of Standard", "Note"] == "Not within a year"
    assert list(table.index)[1] in ("Premium costs less", "A larger SKU costs less")


def test_by_prefix_what_grew_is_added_up(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    grow(own, 40)
    at = open_view("storage.py", **HERE)
    at.radio(key="growth by").set_value("Prefix").run()
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value)
    assert list(table["Prefix"]) == ["team/"] and "team/" in {trace.get("name") for trace in drawn(at)}


def test_a_prefix_whose_bytes_are_all_shared_now_is_not_deleted(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    own.push("v1")
    read_all(own)
    last = grow(own, 40)
    whole = Snapshot(last, WHOLE, 0, 90 * GIB, 0, 1, 1)
    add_snapshots(database(), own.registry(), [whole, Snapshot(last, "team/app", 0, 90 * GIB, 0, 1, 1)])
    at = open_view("storage.py", **HERE)
    at.radio(key="growth by").set_value("Prefix").run()
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value).set_index("Prefix")
    assert table.loc["team/", "In 30 days"] < 0 and table.loc["team/", "Note"] == ""


def test_the_newest_simulation_is_a_second_curve(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    own.push("v1")
    read_all(own)
    last = grow(own, 40)
    at = open_view("storage.py", **HERE)
    assert "simulate one over this registry" in texts(at)
    policy = parse_policy("name: Old\nrules:\n  - {name: all, action: delete, tags: '*', older_than_days: 0}\n")
    nothing = simulate(
        policy, Partial(()), datetime.now(UTC), registry=REGISTRY, running=lambda _one: RunningImages(), pulls={},
        unknown_pulls=LastPulls(),
    )  # fmt: skip
    found = replace(nothing, freed=5 * GIB)
    count = contents.last_count(connection.who(), own.client.login_server)
    assert count
    stale = (policy, own.registry().id, count.at - timedelta(minutes=1), (), datetime.now(UTC), None)
    at.session_state["simulations"] = {stale: found}
    at.run()
    assert "simulate one over this registry" in texts(at)
    key = (policy, own.registry().id, count.at, (), datetime.now(UTC), None)
    at.session_state["simulations"] = {key: found}
    at.run()
    assert "The policy Old, simulated just now, would free 5.0 GiB at once." in texts(at)
    sooner, later = last + timedelta(days=10), last + timedelta(days=15)
    assert f"full on {later:%Y-%m-%d} instead of {sooner:%Y-%m-%d}" in texts(at).replace("\\", "")
    assert "Forecast after the policy" in {trace.get("name") for trace in drawn(at)}


def drawn(at: AppTest) -> list[dict[str, Any]]:
    """The traces of the chart of growth."""
    charts = [json.loads(one.proto.spec) for one in at.get("plotly_chart")]
    names = {"As Azure measured", "Forecast", "team/app", "team/"}
    return next((one["data"] for one in charts if names & {trace.get("name") for trace in one["data"]}), [])


def test_only_the_span_that_is_chosen_is_read(own: OwnSandbox, open_view: Open) -> None:
    open_view("deletions.py")
    read_all(own)
    grow(own, 200, a_day=GIB // 8)
    at = open_view("storage.py", **HERE)
    assert "201 days recorded" in texts(at)
    next(one for one in at.radio if one.label == "Span").set_value("3 months").run()
    assert "92 days recorded" in texts(at)


def test_all_registries_are_stacked_by_registry_or_by_their_tag(own: OwnSandbox, open_view: Open) -> None:
    own.make_registry("contosotwo")
    own.make_registry("contosothree")
    tagged = own.sandbox.store.get_resource(own.registry("contosotwo").id)
    own.sandbox.store.put_resource({**(tagged or {}), "tags": {"team": "payments"}})
    today = datetime.now(UTC).date()
    for name, now in ((REGISTRY, 5), ("contosotwo", 90)):
        for age, size in ((60, 1), (0, now)):
            whole = Snapshot(today - timedelta(days=age), WHOLE, size * GIB, 0, 0, 1, 1)
            add_snapshots(database(), own.registry(name), [whole])
    at = open_view("overview.py", show="Growth")
    assert not at.exception
    assert "Unknown of 1 of 3 registries" in texts(at)
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value).set_index("Registry")
    assert list(table.index) == ["contosotwo", REGISTRY]
    assert table.loc["contosotwo", "In 30 days"] == 89
    next(one for one in at.selectbox if one.label == "Stack by").set_value("team").run()
    table = next(one.value for one in at.dataframe if "In 30 days" in one.value).set_index("Value")
    assert list(table.index) == ["payments", "No tag team"]
    own.sandbox.store.delete_resource(own.registry("contosotwo").id)
    registry_loaders.inventory.clear(connection.who())
    # What a person does not see there is in nothing that they are shown.
    at = open_view("overview.py", show="Growth")
    assert "contosotwo" not in str([one.value for one in at.dataframe]) and "payments" not in texts(at)


def test_where_all_snapshots_are_older_than_the_span_a_longer_one_can_be_chosen(
    own: OwnSandbox, open_view: Open
) -> None:
    old = datetime.now(UTC).date() - timedelta(days=500)
    add_snapshots(database(), own.registry(), [Snapshot(old, WHOLE, GIB, 0, 0, 1, 1)])
    at = open_view("overview.py", show="Growth")
    assert "No growth known in this time" in texts(at)
    next(one for one in at.radio if one.label == "Span").set_value("All").run()
    assert f"Snapshots since {old}" in texts(at) and "No growth known" not in texts(at)


def test_while_registries_are_still_listed_nothing_is_said_of_their_growth() -> None:
    def page(running: bool) -> None:
        from ui.growth.estate import show_estate_growth

        show_estate_growth((), running=running)

    said = [texts(AppTest.from_function(page, args=(running,)).run()) for running in (True, False)]
    assert ["No growth known" in one for one in said] == [False, True]
