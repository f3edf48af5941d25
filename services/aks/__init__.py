"""Clusters, who pulls for them, attach, detach, the test pull in the cluster."""
