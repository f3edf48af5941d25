"""A registry's data plane: sign-in, the distribution API and ACR's own."""
