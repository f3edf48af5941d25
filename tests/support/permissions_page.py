"""docs/permissions.md, made of the list of pages: `make permissions`."""

import sys

from ui.navigation.pages import PAGES

HEAD = """# Permissions

What the identity that the console signs in with needs in Azure, page by page. One of the roles of a row is enough;
"A and B" takes both. A page without its role says what is missing and shows the rest.

| Page | Use | Roles, any one | On | Actions | Notes |
|---|---|---|---|---|---|
"""


def permissions_page() -> str:
    """The whole document, in markdown."""
    rows = [
        (
            page.title,
            need.use,
            ", ".join(need.roles),
            need.on,
            ", ".join(f"`{action}`" for action in need.actions),
            need.note,
        )
        for page in PAGES
        for need in page.needs
    ]
    return HEAD + "".join("| " + " | ".join(cell or "–" for cell in row) + " |\n" for row in rows)


if __name__ == "__main__":
    sys.stdout.write(permissions_page())
