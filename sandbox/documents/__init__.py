"""Azure's own forms and rules for resources that several planes share."""
