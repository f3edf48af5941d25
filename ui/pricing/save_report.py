"""Saving a report: as a page that needs nothing else, or for a spreadsheet."""

import streamlit as st

from services.pricing.report import Report, csv_of, html_of


def show_save(report: Report) -> None:
    """Two buttons. The files are made when they are asked for."""
    name = report.title.replace(",", "").replace(" ", "-").lower()
    st.subheader("Save", anchor=False)
    st.markdown("All of the above as one file, to read and print without the console.")
    with st.container(horizontal=True):
        for label, ending, mime, made in (
            ("HTML", "html", "text/html", lambda: html_of(report)),
            # A spreadsheet takes a file without this mark for some older encoding.
            ("CSV", "csv", "text/csv", lambda: "\ufeff" + csv_of(report)),
        ):
            st.download_button(
                f"Save as {label}", made, f"{name}.{ending}", mime, icon=":material/download:", on_click="ignore"
            )
