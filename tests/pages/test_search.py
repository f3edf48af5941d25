"""The search box: nothing is read before it is used, and what could not be read is said beside what was found."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.support.app_test import Open, texts
from tests.support.own_sandbox import OwnSandbox
from ui.estate.search_box import BOX
from ui.loaders import clusters
from ui.runtime import connection


def search(at: AppTest, text: str) -> AppTest:
    at.text_input(key=BOX).set_value(text)
    at.sidebar.button[0].click()
    return at.run()


def results(at: AppTest) -> list[str]:
    return [button.label for button in at.sidebar.button if str(button.key).startswith(f"{BOX} ")]


def test_several_results_are_listed_and_none_is_opened(open_view: Open) -> None:
    at = search(open_view("roles.py"), "contosod")
    assert at.title[0].value == "Roles"
    assert sorted(results(at)) == ["contosodata", "contosodev"]
    assert [one.proto.expanded for one in at.expander if "2 results" in one.label] == [True]


def test_an_exact_name_is_opened_and_the_others_stay_listed(open_view: Open) -> None:
    at = search(open_view("roles.py"), "nodejstemplate")
    assert at.title[0].value == "nodejstemplate"
    assert at.text_input(key=BOX).value == ""


def test_nothing_is_read_before_something_is_searched_for(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("roles.py")
    own.sandbox.clear_requests()
    at.run()
    assert not [request for request in own.sandbox.requests if "managedClusters" in request.path]
    at = search(at, "aks1")
    assert at.title[0].value == "Integration checker"
    assert [request for request in own.sandbox.requests if "managedClusters" in request.path]


def test_an_image_that_is_not_there_is_said_with_the_nearest(open_view: Open) -> None:
    at = search(open_view("roles.py"), "docker pull casaacr01/nodejstemplate:v1.0.1")
    assert at.title[0].value == "Roles"
    assert any(one.label == "nodejstemplate has no tag v1\\.0\\.1\\." for one in at.expander)
    assert results(at) == ["nodejstemplate\\:v1\\.0\\.0", "nodejstemplate"]


def test_a_catalogue_that_refuses_is_said_and_not_taken_for_empty(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    at = search(open_view("roles.py"), "nodejs")
    assert any(one.label.startswith("Nothing found for nodejs") for one in at.expander)
    assert "1 registry's catalogue could not be read" in texts(at)


@pytest.mark.usefixtures("impatient")
def test_what_is_still_read_is_not_said_to_be_missing(open_view: Open, own: OwnSandbox) -> None:
    at = open_view("roles.py")
    own.break_({"path": "managedClusters$", "delay_ms": 1500})
    clusters.pulls.clear(connection.who())
    at = search(at, "aks1")
    assert at.title[0].value == "Roles"
    assert "reading clusters" in texts(at)
    assert not any("Nothing found for" in one.label for one in at.expander)
    assert clusters.pulls(connection.who()).finished.wait(30)
    assert at.run().title[0].value == "Integration checker"


def test_an_answer_is_kept_without_reading_again(open_view: Open, own: OwnSandbox) -> None:
    at = search(open_view("roles.py"), "casaacr01/nodejstemplate:v1.0.1")
    own.sandbox.clear_requests()
    assert any("has no tag" in one.label for one in at.run().expander)
    assert not list(own.sandbox.requests)


def test_a_list_of_subscriptions_that_fails_is_no_empty_estate(open_view: Open, own: OwnSandbox) -> None:
    own.break_({"path": "/subscriptions$", "status": 403})
    at = search(open_view("roles.py"), "casaacr01")
    assert "registries, clusters could not be read" in texts(at)


def test_what_is_written_as_a_query_opens_the_page_of_the_index(open_view: Open) -> None:
    at = search(open_view("roles.py"), "annotation:team=payments size:>1GiB")
    assert at.title[0].value == "Search"
    assert at.text_input(key="q").value == "annotation:team=payments size:>1GiB"
    assert at.text_input(key=BOX).value == ""


def test_a_digest_that_is_not_known_here_is_looked_for_in_the_index(open_view: Open) -> None:
    digest = f"sha256:{'0123456789abcdef' * 4}"
    at = search(open_view("roles.py"), digest)
    assert at.title[0].value == "Search"
    assert at.text_input(key="q").value == digest


def suggested(at: AppTest) -> list[str]:
    return [one.label for one in at.sidebar.button if str(one.key).startswith(("suggested ", "completes "))]


def typed(at: AppTest, text: str) -> AppTest:
    return at.text_input(key=BOX).set_value(text).run()


def test_what_is_typed_is_suggested_and_a_suggestion_opens_its_place(open_view: Open) -> None:
    at = typed(open_view("roles.py"), "nodejst")
    assert at.title[0].value == "Roles"
    assert suggested(at) == ["nodejstemplate · :small[casaacr01]"]
    assert at.text_input(key=BOX).value == "nodejst"
    at.sidebar.button(key=next(one.key for one in at.sidebar.button if one.label == suggested(at)[0])).click()
    at.run()
    assert at.title[0].value == "nodejstemplate"
    assert at.text_input(key=BOX).value == "" and not suggested(at)


def test_a_word_of_the_language_is_completed_in_the_box(open_view: Open) -> None:
    at = typed(open_view("roles.py"), "size:>1GiB lab")
    assert suggested(at) == ["`label:`"]
    at.sidebar.button(key=next(one.key for one in at.sidebar.button if one.label == "`label:`")).click().run()
    assert at.text_input(key=BOX).value == "size:>1GiB label:"


def test_a_repository_of_a_registry_that_a_person_may_not_read_is_not_suggested(
    open_view: Open, own: OwnSandbox
) -> None:
    assert suggested(typed(open_view("roles.py"), "nodejst"))
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    at = open_view("roles.py", as_session=own.session(as_reader=True))
    assert not [one for one in suggested(typed(at, "nodejst")) if "nodejstemplate" in one]
