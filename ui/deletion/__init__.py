"""Clean-up forms, plans of deletions, and running deletions."""
