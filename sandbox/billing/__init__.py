"""What registries cost: list prices, bills and budgets."""
