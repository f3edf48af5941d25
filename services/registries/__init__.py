"""A registry as ARM describes it, its SKU's limits, findings, how to sign in. Reading only."""
