"""The guide, from a cold start to an attached cluster, as one person does it: by at most 30 clicks and inputs."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from sandbox.server import Sandbox
from tests.support.console import cells, click_name, console, settled
from tests.support.image_archives import FULL_NAME, Layout

pytestmark = pytest.mark.browser

AT_MOST = 30


class Reader:
    """Who follows the guide: each click, each field that is filled in and each file that is chosen is an act."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.main = page.get_by_test_id("stMain")
        self.dialog = page.get_by_role("dialog")
        self.acts: list[str] = []

    def click(self, target: Locator) -> None:
        settled(self.page)
        self.acts.append(f"click {target}")
        target.click()

    def press(self, name: str, within: Locator | None = None) -> None:
        self.click((within or self.main).get_by_role("button", name=name, exact=True))

    def choose(self, menu: str, item: str) -> None:
        self.press(menu)
        self.click(self.page.get_by_role("menuitem", name=item))

    def go(self, title: str) -> None:
        self.click(self.page.get_by_test_id("stSidebar").get_by_role("link", name=title, exact=True))
        self.sees(self.main.get_by_role("heading", name=title, exact=True))

    def back_to(self, name: str) -> None:
        self.click(self.main.get_by_role("link", name=name, exact=True))

    def open(self, name: str) -> None:
        settled(self.page)
        self.acts.append(f"open {name}")
        click_name(self.page, name)

    def fill(self, field: Locator, text: str) -> None:
        settled(self.page)
        self.acts.append(f"type {text}")
        field.fill(text)
        self.page.keyboard.press("Tab")

    def sees(self, shown: Locator) -> None:
        expect(shown.filter(visible=True).first).to_be_visible(timeout=30_000)


def lists(reader: Reader) -> list[str]:
    settled(reader.page)
    return [row[0] for row in cells(reader.page)[1:]]


def test_the_guide_from_a_cold_start_to_an_attached_cluster(page: Page, tmp_path: Path) -> None:
    with Sandbox.start(tmp_path / "sandbox", "walkthrough") as sandbox:
        store = sandbox.store
        made = store.find_resource("Microsoft.ContainerRegistry/registries", "casaacr01")
        assert made
        store.delete_registry_data("casaacr01")
        store.delete_resource(made["id"])
        group = store.find_resource("Microsoft.Resources/resourceGroups", "casacloud_rg1")
        assert group
        store.delete_resource(group["id"])
    saved = tmp_path / "nodejstemplate.tar"
    built = Layout()
    index = built.platforms("amd64", "arm64")
    saved.write_bytes(built.named(index, "docker.io/casacloud/nodejstemplate:v1.0.0", key=FULL_NAME).tar())
    with console(tmp_path, ACR_CONSOLE_SANDBOX_SEED="walkthrough") as address:
        page.goto(address)
        reader = Reader(page)
        main, dialog = reader.main, reader.dialog

        # A resource group, and the registry in it
        reader.click(main.get_by_role("link", name="Create registry"))
        reader.click(main.get_by_text("New", exact=True))
        reader.fill(main.get_by_label("Name of the new group"), "casacloud_rg1")
        reader.fill(main.get_by_label("Name", exact=True), "casaacr01")
        reader.sees(main.get_by_text("Create the resource group casacloud_rg1 in eastus."))
        reader.press("Create registry")
        reader.sees(main.get_by_text("Registry casaacr01: created and verified"))

        # Its login server, and how to sign in
        reader.click(main.get_by_role("link", name="Sign in"))
        reader.sees(main.get_by_text("az acr login --name casaacr01"))

        # Tag and push
        reader.back_to("casaacr01")
        reader.press("Push image")
        settled(page)
        reader.acts.append("choose the file")
        main.locator("input[type=file]").set_input_files(saved)
        reader.sees(main.get_by_text("nodejstemplate is new. v1.0.0 is a new tag."))
        reader.press("Push image")
        reader.sees(main.get_by_text("Pushed and verified: v1.0.0 points to"))

        # Repositories, the repository, its tags
        reader.go("Repositories and tags")
        assert lists(reader) == ["nodejstemplate"]
        reader.open("nodejstemplate")
        reader.sees(main.get_by_role("heading", name="nodejstemplate", exact=True))
        assert lists(reader) == ["v1.0.0"]

        # Another tag, removed again, and the tags verified
        reader.open("v1.0.0")
        reader.press("Add tag")
        reader.fill(dialog.get_by_role("textbox"), "v1.0.1")
        reader.press("Add tag", dialog)
        expect(dialog).to_have_count(0)
        reader.sees(main.get_by_text("v1.0.1"))
        reader.choose("More", "Remove tag")
        reader.click(dialog.get_by_role("button", name="Remove tag"))
        expect(dialog).to_have_count(0)

        # The repository deleted
        reader.back_to("nodejstemplate")
        reader.choose("More", "Delete repository")
        reader.fill(main.get_by_placeholder("nodejstemplate"), "nodejstemplate")
        reader.click(main.get_by_role("button", name=re.compile("^Delete ")))
        reader.sees(main.get_by_text(re.compile("deleted")))

        # Roles, prices, which SKU
        reader.go("Roles")
        reader.sees(main.get_by_text("AcrPush"))
        reader.go("SKU comparison")
        reader.sees(main.get_by_text("Basic is enough"))

        # Attach the cluster
        reader.go("Integration checker")
        reader.sees(main.get_by_text("aks1 can't pull from casaacr01"))
        reader.click(main.get_by_text("Ids to copy"))
        reader.sees(main.get_by_text("d55c1efa-7418-42a5-9dc4-34467aba4ca0"))
        reader.press("Attach registry")
        reader.press("Attach registry", dialog)
        reader.sees(main.get_by_text("aks1 can pull from casaacr01"))
    assert len(reader.acts) <= AT_MOST, "\n".join(reader.acts)
