"""The tabs of a registry's page: findings, images, access, network, cost, settings."""
