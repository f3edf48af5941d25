"""What was billed, and the month's review."""
