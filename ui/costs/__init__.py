"""Charts and tables of the cost review."""
