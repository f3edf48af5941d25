"""The cost report of each month that has ended: read, and delivered to a folder and to a webhook."""
