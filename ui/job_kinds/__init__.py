"""The list of all kinds of jobs."""
