"""What was pulled, pushed and deleted, by whom and when: from the logs and metrics of a registry."""
