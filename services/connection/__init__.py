"""What every request to Azure shares: session, clients, errors, names, parallel calls. Knows no resource kind."""
