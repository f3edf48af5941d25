"""The console's one database: SQLite beside the process by default, or PostgreSQL for several processes."""
