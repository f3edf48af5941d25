"""ACR Tasks of a registry: those that exist, their runs and logs, and those that carry out a policy by a timer."""
