"""Tags as they are typed, and what Azure would refuse of them."""

import pytest

from services.arm.resource_tags import LONGEST_NAME, LONGEST_VALUE, MOST_TAGS, Tags, broken_tag_rules, parse_tags
from services.connection.errors import ServiceError


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        ("team=platform", (("team", "platform"),)),
        (" team = platform \n\ncostCenter=1100", (("team", "platform"), ("costCenter", "1100"))),
        ("note=a=b, c", (("note", "a=b, c"),)),
        ("bare=", (("bare", ""),)),
        ("b = 2 \n\n a=x=y\nc=", (("b", "2"), ("a", "x=y"), ("c", ""))),
        (f"{'a' * LONGEST_NAME}={'b' * LONGEST_VALUE}", (("a" * LONGEST_NAME, "b" * LONGEST_VALUE),)),
    ],
)
def test_tags_are_read_line_by_line_as_they_are_typed(text: str, tags: Tags) -> None:
    assert parse_tags(text) == tags
    assert list(broken_tag_rules(tags)) == []


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("environment", "'environment' is not a tag: write name=value."),
        ("a=1\n bare \nb=2", "'bare' is not a tag: write name=value."),
        ("=x", "'=x' is not a tag: write name=value."),
        ("a?=1", "The name of the tag a? can't contain ?."),
        ("a<b=1", "The name of the tag a<b can't contain <."),
        ("a" * 513 + "=1", f"The name of a tag has at most 512 characters: {'a' * 20}… has 513."),
        ("a=" + "1" * 257, "The value of a tag has at most 256 characters: that of a has 257."),
        ("Team=1\nteam=2", "The tag team is there 2 times: names are compared without case."),
        ("\n".join(f"t{number}=" for number in range(MOST_TAGS + 1)), "A resource has at most 50 tags: these are 51."),
        (
            "a?=1\nb=1\nB=2",
            "The name of the tag a? can't contain ?. The tag b is there 2 times: names are compared without case.",
        ),
    ],
)
def test_what_azure_would_refuse_is_refused_with_each_reason(text: str, cause: str) -> None:
    with pytest.raises(ServiceError) as raised:
        parse_tags(text)
    assert (raised.value.code, raised.value.cause) == ("InvalidTags", cause)


def test_a_tag_without_a_name_breaks_a_rule() -> None:
    assert list(broken_tag_rules((("", "x"),))) == ["The tag with the value x has no name."]
