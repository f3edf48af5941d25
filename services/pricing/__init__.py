"""Prices, estimates, which SKU, a report's tables. Nothing that was billed."""
