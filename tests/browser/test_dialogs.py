"""Every dialog of the product, opened as a person does: where the focus is, the order of Tab, and the two ways out."""

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import act_until, choose_action, select_row, settled

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
# A dialog's function, by its file: none is left out.
DIALOGS = {
    f"{file.relative_to(ROOT / 'ui')} {name}"
    for file in (ROOT / "ui").rglob("*.py")
    for name in re.findall(r"@dialog\([^\n]*\ndef (\w+)", file.read_text())
}
IMAGE = "image?registry=contosohub&repository=api/orders&reference=latest"
TAGS = "repository?registry=contosohub&repository=api/orders"
Open = Callable[[Page], None]


def press(name: str) -> Open:
    return lambda page: page.get_by_test_id("stMain").get_by_role("button", name=name, exact=True).click()


def press_until(name: str) -> Open:
    """For a page whose charts come late."""
    return lambda page: act_until(page.get_by_role("dialog"), lambda: press(name)(page))


def act(name: str) -> Open:
    return lambda page: choose_action(page, name)


def row(text: str) -> Open:
    """Selects this row of the page's table."""
    return lambda page: select_row(page, text)


def tags(*names: str) -> Open:
    """Selects these tags. The table sends a selection a moment after the click."""

    def select(page: Page) -> None:
        for number, name in enumerate(names, 1):
            select_row(page, re.escape(name))
            expect(page.get_by_text(f"{number} selected")).to_be_visible()
        settled(page)

    return select


def nothing(_page: Page) -> None:
    """Nothing has to be selected first."""


def switch_admin_user(page: Page) -> None:
    page.get_by_text("Admin user", exact=True).click()


def remove_a_role(page: Page) -> None:
    page.get_by_role("button", name=re.compile("^Remove ")).click()


def write_exportable_policy(page: Page) -> None:
    """Writes a policy that acr purge can do, and opens its export."""

    def write() -> None:
        box = page.get_by_label("YAML", exact=True)
        box.fill("name: Old\nrules: [{name: old, action: delete untagged}]")
        box.press("Control+Enter")

    act_until(page.get_by_test_id("stExpander").filter(has_text="old ·"), write)
    settled(page)
    page.get_by_role("tab", name="acr purge").click()
    settled(page)


# The page, what is selected there first, and what opens the dialog.
OPENED: dict[str, tuple[str, Open, Open]] = {
    "aks/attach.py attach": ("aks?cluster=aks1&registry=casaacr01", nothing, press("Attach registry")),
    "aks/attach.py detach": ("aks?cluster=aks-platform&registry=contosohub", nothing, press("Detach registry")),
    "aks/attach_many.py attach_many": ("matrix?search=casaacr01", row("aks1"), press("Attach registry")),
    "aks/pull_proof.py start_test_pull": (
        "aks?cluster=aks-platform&registry=contosohub&repository=api/orders&reference=latest",
        nothing,
        press("Run test pull"),
    ),
    "child_resources/passwords.py new_password": (
        "tokens?registry=contosobase&token=plant-gateway",
        nothing,
        press("Generate password"),
    ),
    "child_resources/replications.py add": ("replicas?registry=contosohub", nothing, press("Add replica")),
    "child_resources/replications.py delete": ("replicas?registry=contosohub", nothing, press("Delete replica")),
    "child_resources/tokens.py create": ("tokens?registry=contosohub", nothing, press("Create token")),
    "child_resources/tokens.py change_status": (
        "tokens?registry=contosobase&token=plant-gateway",
        nothing,
        act("Disable token"),
    ),
    "child_resources/tokens.py delete": (
        "tokens?registry=contosobase&token=plant-gateway",
        nothing,
        act("Delete token"),
    ),
    "child_resources/webhooks.py add": ("webhooks?registry=contosohub", nothing, press("Add webhook")),
    "child_resources/webhooks.py show_service_uri": (
        "webhooks?registry=contosohub&webhook=deployhook",
        nothing,
        act("Show service URI"),
    ),
    "child_resources/webhooks.py change_status": (
        "webhooks?registry=contosohub&webhook=deployhook",
        nothing,
        act("Disable webhook"),
    ),
    "child_resources/webhooks.py delete": (
        "webhooks?registry=contosohub&webhook=deployhook",
        nothing,
        act("Delete webhook"),
    ),
    "deletion/restore.py restore": ("deleted?registry=contosodev", row("v1.0.1"), press("Restore")),
    "running/asking.py start_asking": ("running", nothing, press("Ask clusters")),
    "deletion/tag_removal.py remove_tags": (TAGS, tags("latest"), press("Remove tags")),
    "images/lock_actions.py change_locks": (IMAGE, nothing, act("Set tag locks")),
    "images/lock_actions.py change_many_locks": (TAGS, tags("latest", "v1.0.0"), press("Lock tags")),
    "costs/budget_dialog.py create_budget": ("costs?show=Budgets", nothing, press_until("Create budget")),
    "pulls/logging.py turn_on_logging": (
        "repository?registry=casaacr01&repository=nodejstemplate",
        nothing,
        press("Turn on logging"),
    ),
    "images/tag_actions.py add_tag": (IMAGE, nothing, press("Add tag")),
    "images/tag_actions.py remove_tag": (IMAGE, nothing, act("Remove tag")),
    "pricing/sku_change.py change_sku": ("skus?registry=contosobuild", nothing, press("Change SKU of contosobuild")),
    "registry_lifecycle/group_creation.py create_resource_group": ("create", nothing, press("Create resource group")),
    "registry_lifecycle/settings_change.py _confirm": (
        "settings?registry=contosohub",
        switch_admin_user,
        press("Change 1 setting"),
    ),
    "roles/assign.py assign": (
        "assign?registry=casaacr01&role=AcrPush&kind=User&principal=5c1d0000-0000-4000-8000-000000000001",
        nothing,
        press("Plan assignment"),
    ),
    "roles/unassign.py remove": ("assign?registry=contosohub", row("AcrPush"), remove_a_role),
    "transfer/copy.py copy_to": (IMAGE, nothing, act("Copy image")),
    "transfer/promote.py promote": (IMAGE, nothing, act("Promote image")),
    "transfer/copy_many.py _ask_and_copy": (TAGS, tags("latest", "v1.0.0"), press("Copy images")),
    "transfer/promote_many.py _ask_and_promote": (TAGS, tags("latest", "v1.0.0"), press("Promote images")),
    "transfer/download.py download_image": (IMAGE, nothing, act("Download image")),
    "tasks/dialogs.py create": (
        "policies?policy=new&registry=contosohub",
        write_exportable_policy,
        press("Create ACR Task"),
    ),
    "tasks/dialogs.py change_status": (
        "tasks?registry=contosohub&task=build-toolbox",
        nothing,
        act("Disable task"),
    ),
    "tasks/dialogs.py run_now": ("tasks?registry=contosohub&task=build-toolbox", nothing, press("Run task")),
    "tasks/dialogs.py delete": ("tasks?registry=contosohub&task=build-toolbox", nothing, act("Delete task")),
    "transfer/download.py download_images": (TAGS, tags("latest", "v1.0.0"), press("Download images")),
}
# No registry of the estate has a scope map that no token uses; a new console has no policy, and no deletion's record.
NOT_OPENED = {
    "child_resources/tokens.py delete_map",
    "deletion/put_back.py bring_back",
    "policies/saved.py ask_deletion",
    "policies/simulation.py _ask_again",
    "schedules/editing.py ask_schedule_deletion",
    "schedules/editing.py edit_schedule",
    "schedules/proposal.py _ask_decline",
    "schedules/proposal.py _show_manifests",
}

# What has the focus: its name, whether it is in the dialog, whether it is the button that changes something, a field
# or the dialog itself; and where it is.
FOCUSED = """() => {
  const dialog = document.querySelector('[role=dialog]'), one = document.activeElement;
  const box = one.getBoundingClientRect(), from = dialog.getBoundingClientRect();
  return {
    name: (one.getAttribute('aria-label') || one.innerText || one.type || '').trim().slice(0, 40),
    inside: dialog.contains(one), itself: one === dialog,
    primary: (one.getAttribute('kind') || one.dataset.testid || '').toLowerCase().includes('primary'),
    field: ['INPUT', 'TEXTAREA'].includes(one.tagName),
    top: box.top - from.top, bottom: box.bottom - from.top, left: box.left, right: box.right,
  };
}"""
MOST_STOPS = 60


def stops(page: Page) -> list[dict[str, Any]]:
    """What Tab leads to, from the dialog on, until it comes round."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        one = page.evaluate(FOCUSED)
        if found and (one["name"], one["top"], one["left"]) == (found[0]["name"], found[0]["top"], found[0]["left"]):
            break
        found.append(one)
    return found


def test_every_dialog_is_opened_here() -> None:
    assert OPENED.keys() | NOT_OPENED == DIALOGS


@pytest.mark.parametrize("dialog", OPENED)
def test_a_dialog_is_used_and_left_by_the_keyboard(page: Page, address: str, dialog: str) -> None:
    path, select, open_it = OPENED[dialog]
    page.goto(f"{address}/{path}")
    expect(page.get_by_test_id("stSkeletonElement")).to_have_count(0, timeout=60_000)
    settled(page)
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0, timeout=60_000)
    settled(page)
    shown = page.get_by_role("dialog")

    select(page)
    settled(page)
    open_it(page)
    expect(shown).to_be_visible()
    settled(page)
    way_out = shown.get_by_role("button", name=re.compile("^(Cancel|Close)$")).last
    expect(way_out).to_be_visible()
    first = page.evaluate(FOCUSED)
    assert first["inside"], "the focus is behind the dialog"
    assert not first["primary"], "Enter would confirm at once"
    order = stops(page)
    assert all(one["inside"] for one in order), [one["name"] for one in order if not one["inside"]]
    # The cross at the top comes first; then from above to below, and in columns to the right.
    for one, following in pairwise(order[1:]):
        on = following["bottom"] > one["top"] or following["left"] >= one["right"]
        assert on, f"Tab goes up from {one['name']} to {following['name']}"
    names = [one["name"] for one in order]
    assert {"Cancel", "Close", "Done"} & set(names[1:]), names
    fields = [number for number, one in enumerate(order) if one["field"]]
    confirming = [number for number, one in enumerate(order) if one["primary"]]
    assert not confirming or not fields or fields[0] < confirming[0], names

    way_out.click()
    expect(shown).to_have_count(0)
    settled(page)
    open_it(page)
    expect(shown).to_be_visible()
    settled(page)
    page.keyboard.press("Escape")
    expect(shown).to_have_count(0)
