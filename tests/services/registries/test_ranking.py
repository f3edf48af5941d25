"""Which findings say something of one registry, and which nearly all have."""

from hypothesis import given
from hypothesis import strategies as st

from services.registries.findings import Finding, Risk
from services.registries.ranking import rank_findings, titles_by_risk, widespread

findings = st.builds(
    lambda title, risk: Finding(f"{title} {risk}", risk, "", "", ""), st.sampled_from("abc"), st.sampled_from(Risk)
)
found = st.dictionaries(
    st.integers(0, 20).map(str),
    st.lists(findings, unique_by=lambda one: one.title, max_size=5).map(
        lambda some: tuple(sorted(some, key=lambda one: list(Risk).index(one.risk)))
    ),
    max_size=8,
)


def low(title: str) -> Finding:
    return Finding(title, Risk.LOW, "", "", "")


def test_what_more_than_half_have_is_widespread_and_only_of_low_risk() -> None:
    admin = Finding("Admin user on", Risk.HIGH, "", "", "")
    each = [(admin, low("Legacy")), (admin, low("Legacy"), low("Retention")), (admin,)]
    assert widespread(each) == ("Legacy",)
    assert widespread(each[:2]) == ()
    ranked = rank_findings({str(number): some for number, some in enumerate(each)})
    assert [(one.worst.title if one.worst else "", one.more) for one in ranked.values()] == [
        ("Admin user on", 0),
        ("Admin user on", 1),
        ("Admin user on", 0),
    ]
    assert [(one.title, number) for one, number in titles_by_risk(each)] == [
        ("Admin user on", 3),
        ("Retention", 1),
        ("Legacy", 2),
    ]


@given(found)
def test_no_finding_of_a_higher_risk_is_lost(found: dict[str, tuple[Finding, ...]]) -> None:
    everywhere = set(widespread(found.values()))
    for key, one in rank_findings(found).items():
        assert set(found[key]) - set(one.findings) == {each for each in found[key] if each.title in everywhere}
        assert all(each.risk is Risk.LOW for each in set(found[key]) - set(one.findings))
        if one.worst:
            assert one.rank == min(list(Risk).index(each.risk) for each in one.findings)
            assert one.more == len(one.findings) - 1
        else:
            assert one.rank == len(Risk)


@given(found)
def test_each_title_is_counted_once(found: dict[str, tuple[Finding, ...]]) -> None:
    counted = {one.title: number for one, number in titles_by_risk(found.values())}
    titles = [one.title for some in found.values() for one in some]
    assert counted == {title: titles.count(title) for title in titles}
