"""The line that says what a page's data lacks, and the errors within it."""

import pytest
from hypothesis import given
from hypothesis import strategies as some
from streamlit.testing.v1 import AppTest

from services.connection.answers import read_entries
from services.connection.errors import ServiceError
from services.connection.parallel import Partial, Refusal
from ui.elements.errors import Part, group_causes, partial_sentence


def refusal(what: str, title: str, cause: str = "", code: str = "AuthorizationFailed") -> Refusal:
    return Refusal(what, ServiceError(title, cause or f"No permission: {title}", "Ask.", code, 403))


REGISTRIES = refusal("contoso", "Listing registries of contoso")
CLUSTERS = refusal("contoso", "Listing clusters of contoso")


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ([Part(Partial(()), "subscription")], ""),
        (
            [Part(Partial((), (REGISTRIES,)), "subscription"), Part(Partial((), (CLUSTERS,)), "subscription")],
            "Partial data: 1 subscription (contoso) could not be read",
        ),
        (
            [
                Part(Partial((), (REGISTRIES,)), "subscription"),
                Part(Partial((), tuple(refusal(name, "Reading usage") for name in ("a", "b", "c"))), "usage"),
            ],
            "Partial data: 1 subscription (contoso), 3 usages could not be read",
        ),
        (
            [Part(Partial((), untried=2), "repository", "repositories")],
            "Partial data: stopped, 2 repositories not read",
        ),
        (
            [Part(Partial((), (REGISTRIES,), untried=1), "subscription")],
            "Partial data: 1 subscription (contoso) could not be read; stopped, 1 subscription not read",
        ),
        (
            [Part(read_entries("clusters of contoso", [1, 2], {2: 2}.__getitem__), "subscription")],
            "Partial data: 1 of 2 clusters of contoso could not be understood",
        ),
    ],
)
def test_one_line_says_what_is_lacking(parts: list[Part], sentence: str) -> None:
    assert partial_sentence(parts) == sentence


def test_a_name_from_azure_is_text() -> None:
    part = Part(Partial((), (refusal("[x](http://example.org)", "Listing"),)), "subscription")
    assert "[x](" not in partial_sentence([part])


def test_a_subscription_that_refuses_all_its_lists_is_one_panel() -> None:
    ((error, others),) = group_causes([REGISTRIES, CLUSTERS])
    assert error is REGISTRIES.error
    assert others == ("Listing clusters of contoso",)


def test_the_same_words_about_others_are_one_panel() -> None:
    words = "No permission for 'registries/usages/read' over scope '/subscriptions/{0}/registries/{0}' for {0}"
    refusals = [refusal(name, f"Usage of {name}", words.format(name)) for name in ("one", "two")]
    ((error, others),) = group_causes(refusals)
    assert (error.title, others) == ("Usage of one", ("Usage of two",))


def test_other_causes_are_panels_of_their_own() -> None:
    refusals = [REGISTRIES, refusal("contoso", "Reading bills", code="Throttled"), refusal("fabrikam", "Listing")]
    assert [error.title for error, _ in group_causes(refusals)] == [one.error.title for one in refusals]


@given(some.lists(some.builds(refusal, *[some.sampled_from("abc")] * 3, some.sampled_from(["", "X", "Y"]))))
def test_no_error_is_left_out(refusals: list[Refusal]) -> None:
    shown = [title for error, others in group_causes(refusals) for title in (error.title, *others)]
    assert set(shown) == {one.error.title for one in refusals}


def _page() -> None:
    from services.connection.errors import ServiceError
    from services.connection.parallel import Partial, Refusal
    from ui.elements.errors import Part, show_partial

    error = ServiceError("Listing registries of contoso", "No permission", "Ask.", "AuthorizationFailed", 403)
    show_partial(Part(Partial((), (Refusal("contoso", error),)), "subscription"), Part(Partial(()), "usage"))
    show_partial(Part(Partial((), untried=1), "bill"))
    show_partial(Part(Partial((1,)), "bill"))


def test_the_line_is_closed_and_has_the_reason() -> None:
    at = AppTest.from_function(_page).run()
    (line,) = at.expander
    assert line.label == "Partial data: 1 subscription (contoso) could not be read"
    assert not line.proto.expanded
    assert "No permission" in [one.value for one in line.text]
    assert [one.value for one in at.info] == ["Partial data: stopped, 1 bill not read"]


def test_a_change_that_is_not_complete_is_no_partial_data() -> None:
    part = Part(Partial((), (refusal("sbom", "Copying sbom"),)), "referrer")
    assert partial_sentence([part], verb="copied") == "Incomplete: 1 referrer (sbom) could not be copied"
