"""Who may do what: roles, assignments, conditions, the decision. Nothing is written."""
