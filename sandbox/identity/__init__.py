"""Who asks and what they may do: principals, roles, conditions, assignments, tokens."""
