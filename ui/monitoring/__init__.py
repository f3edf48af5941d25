"""What whoever operates the console looks at: probes, logs, metrics."""
