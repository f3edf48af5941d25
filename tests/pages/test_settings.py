"""A registry's settings on their page: what can be set, the plan, the change read back, and the registry's deletion."""

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.session import AzureSession
from services.registry_lifecycle.settings import settings_of
from tests.support.app_test import Open, actions, button, confirm_button, facts, refresh_button, texts, wait_for_job
from tests.support.own_sandbox import OwnSandbox
from ui.jobs import runs
from ui.runtime import connection


def said(at: AppTest) -> str:
    """All words of the page, without what keeps other people's text from being markdown."""
    assert not at.exception
    return "\n".join([texts(at), *(str(one.value) for one in (*at.warning, *at.success))]).replace("\\", "")


def switch(at: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in at.toggle if one.label == label)


def area(at: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in at.text_area if one.label == label)


def differences(at: AppTest) -> list[tuple[str, str, str]]:
    shown = next((one.value for one in at.table if "After" in one.value.columns), None)
    rows = [] if shown is None else shown.itertuples(index=False, name=None)
    return [tuple(cell.replace("\\", "") for cell in row) for row in rows]


def change(at: AppTest, label: str) -> None:
    """Confirms the plan in its dialog, which AppTest closes with each run, and waits for the end."""
    button(at, label).click().run()
    button(at, label).click()
    button(at, f"{label} now").click()
    at.run()
    wait_for_job(at, "Change settings")
    at.run()


def test_a_setting_is_planned_changed_and_read_back(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("settings.py", own.session(), registry="casaacr01")
    assert "No changes yet" in said(at)
    switch(at, "Admin user").set_value(True).run()
    area(at, "Tags, one per line").set_value("owner=platform\ncost center=42").run()
    assert differences(at) == [("Admin user", "off", "on"), ("Tags", "none", "cost center=42, owner=platform")]
    assert "two passwords that do not expire" in said(at)
    assert "az acr update --name casaacr01 --admin-enabled true --tags 'cost center=42' owner=platform" in said(at)
    change(at, "Change 2 settings")
    assert "casaacr01: 2 settings changed and verified." in said(at)
    assert differences(at) == []
    found = settings_of(own.registry())
    assert (found.admin_user, found.tags) == (True, (("cost center", "42"), ("owner", "platform")))
    button(at, "Dismiss").click().run()
    assert "changed and verified" not in said(at)


def test_what_the_sku_lacks_is_off_with_the_reason(open_view: Open) -> None:
    at = open_view("settings.py", registry="contosodev")
    for label in ("Public access", "Anonymous pull", "Dedicated data endpoints", "Delete untagged manifests"):
        assert switch(at, label).disabled
    assert area(at, "IP rules").disabled
    assert not switch(at, "Admin user").disabled
    for words in ("Basic has no anonymous pull.", "Basic has no retention policy."):
        assert words in said(at)
    at = open_view("settings.py", registry="contosohub")
    assert not any(one.disabled for one in at.toggle)


def test_a_retired_sku_takes_no_change(open_view: Open) -> None:
    at = open_view("settings.py", registry="contosoarchive")
    assert switch(at, "Admin user").disabled
    assert "Classic is retired, and its settings can't be changed" in said(at)


def test_a_closed_network_says_who_is_shut_out(open_view: Open) -> None:
    at = open_view("settings.py", registry="contosohub")
    networks = next(one for one in at.radio if one.label == "Networks")
    networks.set_value("Deny").run()
    assert "nothing can reach the registry then" in said(at)
    area(at, "IP rules").set_value("198.51.100.0/25").run()
    next(one for one in at.text_input if one.label.startswith("Your public IP")).set_value("198.51.100.200").run()
    shown = said(at)
    assert "Your address 198.51.100.200 is in none of the IP rules" in shown
    assert "aks-platform can pull from it now, and may not be able to afterwards: AcrPull" in shown
    assert "203.0.113.20 is in none of the registry's IP rules" in shown
    assert "aks-batch can pull from it now, and may not be able to afterwards: AcrPull" in shown
    assert "az acr network-rule add --name contosohub --ip-address 198.51.100.0/25" in shown
    button(at, "Discard changes").click().run()
    assert "No changes yet" in said(at)


@pytest.mark.parametrize(
    ("label", "typed", "words"),
    [
        ("IP rules", "203.0.113.5/24", "It is an address within 203.0.113.0/24."),
        ("IP rules", "2001:db8::/32", "IPv4 only"),
        ("IP rules", "everyone", "It is neither an address nor a range."),
        ("Tags, one per line", "environment", "'environment' is not a tag: write name=value."),
        ("Tags, one per line", "a=1\nA=2", "The tag a is there 2 times"),
        ("Tags, one per line", "a/b=1", "can't contain /"),
    ],
)
def test_what_is_typed_wrong_is_said_and_nothing_is_planned(
    open_view: Open, label: str, typed: str, words: str
) -> None:
    at = open_view("settings.py", registry="contosohub")
    area(at, label).set_value(typed).run()
    assert words in said(at)
    assert not [one for one in at.button if one.label.startswith("Change ")]


def test_a_refused_change_says_why(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"method": "PATCH", "path": "/casaacr01$", "status": 409})
    at = open_view("settings.py", own.session(), registry="casaacr01")
    switch(at, "Admin user").set_value(True).run()
    change(at, "Change 1 setting")
    assert "Could not change the settings of casaacr01" in said(at)
    assert not own.registry().access.admin_user
    assert differences(at) == [("Admin user", "off", "on")]


@pytest.mark.usefixtures("impatient")
def test_a_second_change_waits_for_the_first(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"method": "PATCH", "path": "/casaacr01$", "delay_ms": 3000})
    at = open_view("settings.py", own.session(), registry="casaacr01")
    switch(at, "Admin user").set_value(True).run()
    button(at, "Change 1 setting").click().run()
    button(at, "Change 1 setting").click()
    button(at, "Change 1 setting now").click()
    at.run()
    begun = runs.under_way(connection.who(), at.session_state["jobs: Change settings"][0])
    assert begun and begun.running
    assert "A change of its settings is in progress" in said(at)
    assert not [one for one in at.button if one.label.startswith("Change ")]
    assert begun.finished.wait(30)


def test_a_reader_is_told_before_anything_is_sent(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("settings.py", own.session(as_reader=True), registry="casaacr01")
    switch(at, "Admin user").set_value(True).run()
    assert "You may not change this registry" in said(at)
    assert button(at, "Change 1 setting").disabled
    switch(at, "Show what would be deleted").set_value(True).run()
    assert "You may not delete this registry" in said(at)
    at.text_input(key="confirm casaacr01").set_value("casaacr01").run()
    assert confirm_button(at, "Delete registry").disabled


def test_what_changed_elsewhere_is_no_wish_of_this_form(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("settings.py", own.session(), registry="casaacr01")
    switch(at, "Admin user").set_value(True).run()
    document = own.sandbox.store.get_resource(own.registry().id)
    assert document
    own.sandbox.store.put_resource({**document, "tags": {"by": "others"}})
    refresh_button(at).click().run()
    assert differences(at) == []
    assert area(at, "Tags, one per line").value == "by=others"


def test_a_read_only_console_changes_and_deletes_nothing(
    open_view: Open, own: OwnSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("ui.registry_lifecycle.settings_change", "ui.elements.writing"):
        monkeypatch.setattr(f"{module}.may_write", lambda **_: False)
    at = open_view("settings.py", own.session(), registry="casaacr01")
    switch(at, "Admin user").set_value(True).run()
    assert button(at, "Change 1 setting").disabled
    switch(at, "Show what would be deleted").set_value(True).run()
    at.text_input(key="confirm casaacr01").set_value("casaacr01").run()
    assert confirm_button(at, "Delete registry").disabled


def test_a_registry_is_deleted_once_its_name_is_typed(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("settings.py", own.session(), registry="casaacr01")
    switch(at, "Show what would be deleted").set_value(True).run()
    shown = facts(at)
    assert (shown["Repositories"], shown["Tags"], shown["Manifests"]) == ("1", "1", "3")
    assert shown["Clusters that can pull from it"] == "None"
    assert "nodejstemplate (2025-" in shown["Last update"].replace("\\", "")
    assert "What stays: Resource group, Role assignments" in [one.label for one in at.expander]
    assert "Its images can't be restored" in said(at)
    assert "az acr delete --name casaacr01 --resource-group resource-group-4 --subscription" in said(at)
    assert confirm_button(at, "Delete registry").disabled
    at.text_input(key="confirm casaacr01").set_value("CASAACR01").run()
    assert confirm_button(at, "Delete registry").disabled
    at.text_input(key="confirm casaacr01").set_value("casaacr01").run()
    confirm_button(at, "Delete registry").click().run()
    wait_for_job(at, "Delete registry")
    at.run()
    assert "Registry casaacr01: deleted and verified, with 1 repository." in said(at)
    assert not at.toggle
    button(at, "Dismiss").click().run()
    assert "There is no registry casaacr01 here" in said(at)


def test_a_deletion_names_the_clusters_that_pull_through_a_group(open_view: Open) -> None:
    at = open_view("settings.py", registry="contosodev")
    switch(at, "Show what would be deleted").set_value(True).run()
    clusters = facts(at)["Clusters that can pull from it"].replace("\\", "")
    assert clusters == "1 can, others not known: clusters of contoso-restricted could not be read"
    assert "aks-dev can pull from it: pods that need its images will not start" in said(at)


def test_a_deletion_that_is_refused_says_why_and_leaves_the_page(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("settings.py", own.session(), registry="casaacr01")
    switch(at, "Show what would be deleted").set_value(True).run()
    own.push("v1", repository="team/new")
    at.text_input(key="confirm casaacr01").set_value("casaacr01").run()
    confirm_button(at, "Delete registry").click().run()
    wait_for_job(at, "Delete registry")
    at.run()
    assert "It has repositories that the plan did not show: team/new" in said(at)
    assert switch(at, "Admin user")
    assert own.registry().name == "casaacr01"


def test_what_can_not_be_listed_is_said_before_the_deletion(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("settings.py", own.session(), registry="casaacr01")
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    switch(at, "Show what would be deleted").set_value(True).run()
    assert facts(at)["Repositories"] == "Unknown"
    assert "Its repositories could not be listed" in said(at)


def test_findings_lead_to_the_settings_that_change_them(open_view: Open, session: AzureSession) -> None:
    at = open_view("registry.py", registry="contosobuild")
    assert {"Change settings", "Delete registry"} <= {*actions(at)}
    at = open_view("settings.py", registry="contosobuild", fix="admin_user")
    assert "Planned changes (1)" in [found.value for found in at.subheader]
    button(at, "Discard changes").click().run()
    assert "Planned changes (0)" in [found.value for found in at.subheader]
    assert connection.current() is session


@pytest.mark.parametrize("field", ["retention_days", "nothing", "mode", "tags"])
def test_a_fix_that_the_registry_can_not_have_changes_nothing(open_view: Open, field: str) -> None:
    at = open_view("settings.py", registry="contosobuild", fix=field)
    assert not at.exception
    assert "Planned changes (0)" in [found.value for found in at.subheader]
