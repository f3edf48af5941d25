"""Names that others gave are text in the browser too, whatever markdown, GitHub or Streamlit would make of them."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support.console import ROOT, console, settled
from tests.ui.elements.test_text import SAMPLES

pytestmark = pytest.mark.browser

SCRIPT = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import streamlit as st
from ui.elements.text import plain

for name in {SAMPLES!r}:
    st.markdown(plain(name))
    st.caption(f"**{{plain(name)}}** in :gray[{{plain(name)}}]")
st.markdown("the end of www.contoso.example")
"""


def test_no_name_becomes_a_link_an_icon_or_an_arrow(page: Page, tmp_path: Path) -> None:
    script = tmp_path / "names.py"
    script.write_text(SCRIPT)
    with console(tmp_path, str(script)) as address:
        page.goto(address)
        settled(page)
        expect(page.get_by_text("the end of")).to_be_visible()
        assert page.locator("[data-testid=stMain] a").all_inner_texts() == ["www.contoso.example"]
        main = page.get_by_test_id("stMain")
        expect(main.locator("del, img, [data-testid=stIconMaterial]")).to_have_count(0)
        found = main.inner_text().replace("\u2060", "")
        assert [name for name in SAMPLES if found.count(name) < 3] == []
