"""Parts of Overview, and the search that is on every page."""
