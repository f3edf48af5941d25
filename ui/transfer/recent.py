"""How long after its end a copy or a push is shown to who reloads the page or opens another tab."""

from datetime import timedelta

RECENT = timedelta(minutes=10)
