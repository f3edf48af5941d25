"""An embedded Azure on loopback, for the console's demonstrations and tests."""
