"""Tags of an Azure resource, as a person types them: one `name=value` a line.

Limits: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
"""

from collections import Counter
from collections.abc import Iterator

MOST, LONGEST_NAME, LONGEST_VALUE = 50, 512, 256
_NOT_IN_A_NAME = "<>%&\\?/"

Tags = tuple[tuple[str, str], ...]


def read_tags(text: str) -> Tags:
    """The tags of some lines, as typed; a line without `=` is a tag without a value. Empty lines are none."""
    parts = (line.partition("=") for line in text.splitlines() if line.strip())
    return tuple((name.strip(), value.strip()) for name, _, value in parts)


def broken_tag_rules(tags: Tags) -> Iterator[str]:
    """What Azure would refuse, a sentence for each."""
    if len(tags) > MOST:
        yield f"A resource has at most {MOST} tags: these are {len(tags)}."
    for name, value in tags:
        if not name:
            yield f"The tag with the value {value or '(none)'} has no name."
        if found := [sign for sign in _NOT_IN_A_NAME if sign in name]:
            yield f"The name of the tag {name} must be without {' '.join(found)}."
        if len(name) > LONGEST_NAME:
            yield f"The name of a tag has at most {LONGEST_NAME} characters: {name[:20]}… has {len(name)}."
        if len(value) > LONGEST_VALUE:
            yield f"The value of a tag has at most {LONGEST_VALUE} characters: that of {name[:20]} has {len(value)}."
    # Azure keeps the case of names and tells them apart without it.
    again = Counter(name.casefold() for name, _ in tags)
    yield from (f"The tag {name} is there {times} times." for name, times in again.items() if times > 1)
