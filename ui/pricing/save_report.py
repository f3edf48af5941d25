"""Saving a report as one HTML file, or as CSV for a spreadsheet."""

import streamlit as st

from services.pricing.report import Report, csv_of, html_of


def show_save(report: Report) -> None:
    """Two download buttons in a popover. A file is only created when its button is used."""
    name = report.title.replace(",", "").replace(" ", "-").lower()
    with st.popover("Save report", icon=":material/download:"):
        st.markdown("This page as one file, to read and print without the console.")
        for label, ending, mime, create in (
            ("HTML", "html", "text/html", lambda: html_of(report)),
            # Without this mark, spreadsheets assume an older encoding.
            ("CSV", "csv", "text/csv", lambda: "\ufeff" + csv_of(report)),
        ):
            st.download_button(
                f"Save as {label}", create, f"{name}.{ending}", mime, icon=":material/download:", on_click="ignore"
            )
