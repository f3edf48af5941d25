"""Prices chosen, SKU comparison, a report's table and its files."""
