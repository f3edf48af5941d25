"""What people type is terms, or a fault with its place and what is allowed there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.index.query import EXAMPLES, LONGEST_PROPERTY, QueryError, Term, parse
from services.index.rows import LONGEST_VALUE

DIGEST = "sha256:" + "3fa9c1d4" * 8


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("api latest", (Term("", "api"), Term("", "latest"))),
        ('"two words" x', (Term("", "two words"), Term("", "x"))),
        ("registry:contosohub", (Term("registry", "contosohub"),)),
        ("Tag:v1.*", (Term("tag", "v1.*"),)),
        ("digest:3FA9C1D", (Term("digest", "sha256:3fa9c1d"),)),
        (DIGEST, (Term("", DIGEST),)),
        ('annotation:team="card payments"', None),
        ('annotation:"team=card payments"', (Term("annotation", "card payments", name="team"),)),
        ("label:rev=9cf6*", (Term("label", "9cf6*", name="rev"),)),
        ("label:maintainer", (Term("label", "*", name="maintainer"),)),
        ("label:team=", (Term("label", "", name="team"),)),
        ("annotation:url=a=b", (Term("annotation", "a=b", name="url"),)),
        ("base:docker.io/library/alpine:3.20", (Term("base", "docker.io/library/alpine:3.20"),)),
        ("rebuild:Yes", (Term("rebuild", "yes"),)),
        ("rebuild:maybe", None),
        ("not:rebuild:yes", None),
        ("size:>1GiB", (Term("size", ">1GiB", 1024**3),)),
        ("size:<1.5mb", (Term("size", "<1.5mb", 1024**2 * 3 // 2, above=False),)),
        ("age:>1y", (Term("age", ">1y", 365 * 24),)),
        ("age:<=2d", (Term("age", "<=2d", 48, above=False),)),
        ("contoso.azurecr.io/api/orders:v1",
         (Term("registry", "contoso.azurecr.io"), Term("repository", "api/orders"), Term("tag", "v1"))),
        (f"contoso.azurecr.io/api@{DIGEST}",
         (Term("registry", "contoso.azurecr.io"), Term("repository", "api"), Term("digest", DIGEST))),
        ("api/orders:v1", (Term("repository", "api/orders"), Term("tag", "v1"))),
        (f"api@{DIGEST}", (Term("repository", "api"), Term("digest", DIGEST))),
        ("", ()),
        ("   ", ()),
    ],
)  # fmt: skip
def test_terms(text: str, terms: tuple[Term, ...] | None) -> None:
    if terms is None:
        with pytest.raises(QueryError):
            parse(text)
    else:
        assert parse(text).terms == terms


def test_an_annotation_that_the_index_has_not_cannot_be_refused() -> None:
    assert LONGEST_PROPERTY == LONGEST_VALUE


@pytest.mark.parametrize(
    ("text", "instead"),
    [
        ("api sise:>1GiB untagged", "api size:>1GiB untagged"),
        ('anotation:"team=card payments"', 'annotation:"team=card payments"'),
        ("zzzz:1", ""),
        ("size:big", ""),
    ],
)
def test_the_nearest_field_is_offered(text: str, instead: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)
    assert refused.value.instead == instead


def test_every_example_is_a_query() -> None:
    for field, example in EXAMPLES.items():
        (term,) = parse(example).terms
        assert term.negated if field == "not" else term.field == field
    assert parse("untagged age:>90d").untagged


@pytest.mark.parametrize(
    ("text", "at", "allowed"),
    [
        ("tga:v1", 0, "Fields are registry, repository, tag"),
        ("api anotation:team=x", 4, "annotation"),
        ("api tag:", 8, "tag:v1"),
        ("size:big", 5, "size:>1GiB"),
        ("x age:>1", 6, "age:>1y"),
        ("annotation:=payments", 11, "annotation:team=payments"),
        ("label:rev=*9cf", 6, "at the end alone"),
        ("annotation:org.*=x", 11, "its whole name"),
        ("env:*", 4, "first characters"),
        ("base:*/alpine", 5, "at the end alone"),
        ("not:annotation:team=pay*", 4, "the whole value"),
        ("digest:abc", 7, "digest:sha256:3fa9c1d"),
        ("sha256:abc", 0, "7 hexadecimal"),
        ("tag:*-rc", 4, "tag:v1"),
        ('api "open', 4, 'Close it with "'),
        ("not:tag:v1", 4, "registry, repository, annotation"),
        ("not:pulled:>90d", 11, "pulled:90d"),
        ("x not:runs:", 11, "runs:aks-payments"),
        (f"x not:annotation:a={'b' * 400}", 6, "At most 400 characters."),
        ("pulled:3000y", 7, "That is more than 100 years."),
        ("x age:>101y", 6, "That is more than 100 years."),
        ("size:>9999999tb", 5, "That is more than 8 million TiB."),
        (f"size:{'9' * 400}", 5, "That is more than"),
        ("api\0", 3, "Leave it out."),
        ("api \ud800", 4, "Leave it out."),
        ("env:PATH=/bin", 4, "env:JAVA_OPTS"),
        ("x " * 20, 24, "At most 12"),
        ("x" * 501, 500, "At most 500"),
    ],
)
def test_a_typo_is_said_with_its_place_and_what_is_allowed(text: str, at: int, allowed: str) -> None:
    with pytest.raises(QueryError) as refused:
        parse(text)
    assert refused.value.at == at
    assert allowed in str(refused.value)


@given(st.text(max_size=80) | st.text(alphabet='": @/*<>1Gab', max_size=40))
def test_any_text_is_a_query_or_a_typo_within_it(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert 0 <= error.at <= len(text)
        assert error.why and error.allowed
