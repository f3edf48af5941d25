"""The product: plain Python over the Azure SDKs. Imports no user interface."""
