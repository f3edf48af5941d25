"""The list of pages: addresses that people keep, scripts that are there, and the document made of it."""

from pathlib import Path

import pytest

from tests.support.permissions_page import permissions_page
from ui.navigation.pages import PAGES, PageLink

ROOT = Path(__file__).parents[3]
# What people have in bookmarks and in mails. An address may be added; none may go, and none may change.
ADDRESSES = {
    "": "overview.py",
    "search": "search.py",
    "inventory": "inventory.py",
    "create": "create.py",
    "repositories": "repositories.py",
    "push": "push.py",
    "storage": "storage.py",
    "deletions": "deletions.py",
    "registry": "registry.py",
    "sign-in": "sign_in.py",
    "settings": "settings.py",
    "deleted": "deleted.py",
    "webhooks": "webhooks.py",
    "tasks": "tasks.py",
    "replicas": "replicas.py",
    "tokens": "tokens.py",
    "repository": "repository.py",
    "image": "image.py",
    "compare": "compare.py",
    "delete": "delete.py",
    "cleanup": "clean_up.py",
    "policies": "policies.py",
    "skus": "sku_comparison.py",
    "costs": "cost_review.py",
    "aks": "integration_checker.py",
    "matrix": "pull_matrix.py",
    "running": "running_images.py",
    "roles": "roles.py",
    "access": "access_review.py",
    "assign": "assign.py",
}


def test_addresses_stay() -> None:
    assert {page.url_path: page.path for page in PAGES} == ADDRESSES


def test_every_script_is_a_page_of_the_list() -> None:
    scripts = {file.name for file in (ROOT / "pages").glob("*.py")} - {"shell.py", "__init__.py"}
    assert {page.path for page in PAGES} == scripts


def test_titles_differ() -> None:
    assert len({page.title for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)
def test_a_page_says_what_it_needs(page: PageLink) -> None:
    assert page.needs
    for need in page.needs:
        assert need.use
        assert need.roles or need.actions or need.note


def test_the_document_of_permissions_is_made_of_the_list() -> None:
    written = (ROOT / "docs" / "permissions.md").read_text()
    assert written == permissions_page(), "make permissions makes it anew"


def test_links_are_made_of_the_list() -> None:
    wrong = [
        f"{file.relative_to(ROOT)} links by itself: use ui/navigation/links.py"
        for top in ("ui", "pages")
        for file in (ROOT / top).rglob("*.py")
        if file.name not in ("links.py", "sidebar.py")
        and any(call in file.read_text() for call in ("st.page_link(", "st.switch_page("))
    ]
    assert not wrong, "\n".join(wrong)
