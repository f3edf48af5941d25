"""The `az`, `docker`, `skopeo`, `kubectl` lines shown beside actions. Plain values in, text out; reads nothing."""
