"""Changes that take more than one request: run as jobs of the database, continued by any process, shown on any page."""
