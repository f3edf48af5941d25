"""Choosing prices, SKU comparison, a report's table and its files."""
