"""ACR Tasks: tasks and their timers, runs and their logs, and `acr purge`, which is all that a run here can do."""
