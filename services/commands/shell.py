"""A command line for a POSIX shell."""

import shlex


def shell_line(*words: str) -> str:
    """The words as one line, each quoted where it needs to be."""
    return shlex.join(words)
