"""Resource Manager: its calls, operations and resources."""
