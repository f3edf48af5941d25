"""Prices, estimates, the choice of a SKU, a report's tables. Bills are in costs."""
