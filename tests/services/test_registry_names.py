"""What a registry, a resource group and a tag may be named, as the form says it while one types."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.arm_groups import _NAME as AZURE_GROUP
from sandbox.registry_rules import NAME as AZURE_REGISTRY
from sandbox.registry_rules import reserved
from services.registry_names import broken_rules, doubts
from services.resource_groups import broken_group_rules
from services.resource_tags import broken_tag_rules, read_tags

NAMES = st.text(max_size=100) | st.from_regex(r"[a-zA-Z0-9]{1,60}", fullmatch=True)


@given(NAMES)
@example("casaacr01")
@example("CasaACR01")
@example("a" * 5)
@example("a" * 50)
@example("a" * 51)
@example("größe")
@example("٣٣٣٣٣")
@example("acr01\n")
@example("")
def test_a_name_without_a_broken_rule_is_one_that_azure_takes(name: str) -> None:
    assert bool(list(broken_rules(name))) is not bool(AZURE_REGISTRY.fullmatch(name))


@given(st.from_regex(r"[a-z]{0,6}(microsoft|windows|login|xbox|acr)[a-z0-9]{5,10}", fullmatch=True))
def test_a_reserved_word_is_doubted_before_azure_refuses_it(name: str) -> None:
    assert any("reserves" in doubt for doubt in doubts(name)) is (reserved(name) is not None)


def test_each_broken_rule_is_a_sentence_of_its_own() -> None:
    assert list(broken_rules("a-b")) == [
        "Too short: a registry's name has at least 5 characters, this one has 3.",
        "No dashes: Azure itself puts one before the hash of a login server.",
    ]
    assert list(broken_rules("contoso acr_01.")) == ["Letters (a to z) and digits only, not a space . _."]
    assert list(doubts("casaacr01")) == []
    assert "lower-case" in " ".join(doubts("CasaAcr01"))


@given(st.text(max_size=100) | st.from_regex(r"[\w\-.()]{1,95}", fullmatch=True))
@example("casacloud_rg1")
@example("dotted.")
@example("a" * 90)
@example("größe-rg")
@example("a\n")
def test_a_group_s_name_without_a_broken_rule_is_one_that_azure_takes(name: str) -> None:
    assert bool(list(broken_group_rules(name))) is not bool(AZURE_GROUP.fullmatch(name))


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        ("team=platform", (("team", "platform"),)),
        (" team = platform \n\ncostCenter=1100", (("team", "platform"), ("costCenter", "1100"))),
        ("note=a=b, c", (("note", "a=b, c"),)),
        ("bare", (("bare", ""),)),
    ],
)
def test_tags_are_read_a_line_each(text: str, tags: object) -> None:
    assert read_tags(text) == tags
    assert list(broken_tag_rules(read_tags(text))) == []


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("=platform", "has no name"),
        ("a<b=1", "must be without <"),
        (f"{'a' * 513}=1", "at most 512"),
        (f"a={'b' * 257}", "at most 256"),
        ("team=1\nTeam=2", "is there 2 times"),
        ("\n".join(f"t{number}=1" for number in range(51)), "at most 50 tags"),
    ],
)
def test_what_azure_refuses_of_tags_is_said(text: str, says: str) -> None:
    assert re.search(says, " ".join(broken_tag_rules(read_tags(text))))
