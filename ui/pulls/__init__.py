"""When images were pulled, and what else happened in a registry: columns, tables, and logging turned on."""
