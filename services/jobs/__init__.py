"""Long changes as rows of the database: planned, leased, taken over when their process ends, and logged."""
