"""An embedded Azure on loopback: to try the console, to test it, to measure it."""
