"""One step a module, in the order of their `down_revision`."""
