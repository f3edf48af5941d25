"""What looks like a secret in texts of others (variables, labels, commands) and is hidden where they are shown."""
