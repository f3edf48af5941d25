"""Resource Manager in general: subscriptions, groups, providers, tags, pages of a list, resources by id."""
