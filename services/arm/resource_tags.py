"""Tags of an Azure resource as they are typed: one `name=value` per line.

Limits: https://learn.microsoft.com/azure/azure-resource-manager/management/tag-resources#limitations
"""

from collections import Counter
from collections.abc import Iterator

from services.connection.errors import ServiceError

MOST_TAGS, LONGEST_NAME, LONGEST_VALUE = 50, 512, 256
_NOT_IN_A_NAME = "<>%&\\?/"

Tags = tuple[tuple[str, str], ...]


def parse_tags(text: str) -> Tags:
    """The tags of some lines, as typed; empty lines are skipped. Raises ServiceError (InvalidTags) for a line that is
    not `name=value`, and for tags that Azure would refuse."""
    found: list[tuple[str, str]] = []
    for line in filter(str.strip, text.splitlines()):
        name, sign, value = (part.strip() for part in line.partition("="))
        if not sign or not name:
            raise _invalid(f"'{line.strip()}' is not a tag: write name=value.")
        found.append((name, value))
    if broken := " ".join(broken_tag_rules(tuple(found))):
        raise _invalid(broken)
    return tuple(found)


def _invalid(cause: str) -> ServiceError:
    return ServiceError("These tags can't be set", cause, "Correct the tags: one name=value per line.", "InvalidTags")


def broken_tag_rules(tags: Tags) -> Iterator[str]:
    """Why Azure would refuse these tags, a sentence for each reason."""
    if len(tags) > MOST_TAGS:
        yield f"A resource has at most {MOST_TAGS} tags: these are {len(tags)}."
    for name, value in tags:
        if not name:
            yield f"The tag with the value {value or '(none)'} has no name."
        if found := [sign for sign in _NOT_IN_A_NAME if sign in name]:
            yield f"The name of the tag {name} can't contain {' '.join(found)}."
        if len(name) > LONGEST_NAME:
            yield f"The name of a tag has at most {LONGEST_NAME} characters: {name[:20]}… has {len(name)}."
        if len(value) > LONGEST_VALUE:
            yield f"The value of a tag has at most {LONGEST_VALUE} characters: that of {name[:20]} has {len(value)}."
    # Azure keeps the case of names, but compares them without it.
    again = Counter(name.casefold() for name, _ in tags)
    yield from (
        f"The tag {name} is there {times} times: names are compared without case."
        for name, times in again.items()
        if times > 1
    )
