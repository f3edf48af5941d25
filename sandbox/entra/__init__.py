"""Microsoft Entra: sign-in and the directory."""
