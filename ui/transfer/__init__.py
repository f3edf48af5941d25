"""Push, copy, download, and the download route."""
