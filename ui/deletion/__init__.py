"""Plans of deletions shown, and deletions under way."""
