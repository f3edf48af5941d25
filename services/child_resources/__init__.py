"""A registry's child resources in ARM: webhooks, replications, tokens, scope maps."""
