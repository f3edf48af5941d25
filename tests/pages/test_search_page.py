"""The page Search: registries are indexed by a job, and what is found is opened by its name."""

import json
import re
from hashlib import sha256
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from services.connection.errors import ServiceError
from services.images.base_image import DIGEST, NAME
from services.images.repositories import get_tag
from services.index.query import parse
from services.registries.reading import list_registries
from tests.support.app_test import REFUSED, Open, button, confirm_button, texts, wait_for_job
from tests.support.documents import OCI_CONFIG, OCI_MANIFEST
from tests.support.own_sandbox import REGISTRY, OwnSandbox
from ui.elements import write_permission
from ui.index.indexing import INDEX_REGISTRIES
from ui.loaders import clusters
from ui.loaders import index as loader
from ui.loaders import registries as registry_loaders
from ui.loaders.index_changes import being_read
from ui.loaders.pulls import estate_pulls
from ui.runtime import connection
from ui.runtime.background import Reading

IMAGE = "nodejstemplate"


def indexed(open_view: Open) -> None:
    at = open_view("search.py")
    at = button(at, "Index registries").click().run()
    wait_for_job(at, INDEX_REGISTRIES.action)
    at.run()
    assert not at.exception


def tables(at: AppTest) -> list[list[str]]:
    return [list(one.value.columns) for one in at.dataframe]


def test_before_anything_is_indexed_it_says_so(open_view: Open) -> None:
    at = open_view("search.py", q="latest")
    assert "No registry is indexed" in texts(at)
    assert "Nothing found" not in texts(at)


def test_a_digest_leads_to_its_image(open_view: Open, own: OwnSandbox) -> None:
    indexed(open_view)
    digest = get_tag(own.client, IMAGE, "v1.0.0").digest
    at = open_view("search.py", q=digest)
    found = at.dataframe[0].value
    assert found["Registry"].tolist() == [REGISTRY]
    assert found["Tags"].tolist() == ["v1.0.0"]
    assert "Read" in texts(at)


def test_tags_and_repositories_by_words(open_view: Open) -> None:
    indexed(open_view)
    at = open_view("search.py", q="nodejs")
    assert tables(at)[0][:2] == ["Repository", "Registry"]
    at = open_view("search.py", q="v1.0.0 nodejs")
    assert at.dataframe[0].value["Tag"].tolist() == [f"{IMAGE}:v1.0.0"]


def test_nothing_found_says_where_it_was_looked_for_and_since_when(open_view: Open) -> None:
    indexed(open_view)
    said = texts(open_view("search.py", q="no-such-thing"))
    assert "Nothing found" in said
    assert "compared since" in said
    (counted,) = set(re.findall(r"\d+ registries: [^.\n]*not indexed", said))  # In the job's end too.
    assert "indexed in part" in counted
    assert "Not read: " in said and "team/risk/rules" in said
    assert "contososecure: not indexed" in said


def test_a_base_that_nobody_names_is_not_said_to_have_no_image(open_view: Open) -> None:
    indexed(open_view)
    said = texts(open_view("search.py", q="base:docker.io/library/no-such-base"))
    assert "Nothing found" in said and "0 images name a base" in said


def test_a_typo_is_shown_at_its_place(open_view: Open) -> None:
    at = open_view("search.py", q="api tga:v1")
    assert "There is no field tga" in texts(at).replace("\\", "")
    assert "api tga:v1\n    ^" in [one.value for one in at.code]
    at = open_view("search.py", q="api sise:>1GiB")
    at = at.button(key="offer api size:>1GiB").click().run()
    assert not at.exception and "api size:>1GiB" in at.query_params["q"]


def test_the_nearest_name_is_offered_for_a_word_that_nothing_has(open_view: Open) -> None:
    indexed(open_view)
    at = open_view("search.py", q="nodejstemplaet")
    assert "Nothing found" in texts(at)
    at = button(at, f"Search {IMAGE}").click().run()
    assert IMAGE in at.query_params["q"] and "1 result" in texts(at)
    # The word alone: it is a part of another condition too.
    at = open_view("search.py", q="tag:nodejstemplaet nodejstemplaet")
    assert at.button(key=f"offer tag:nodejstemplaet {IMAGE}")


def test_an_example_runs_at_a_click(open_view: Open) -> None:
    indexed(open_view)
    at = open_view("search.py").button(key="example age:>90d").click().run()
    assert not at.exception and "age:>90d" in at.query_params["q"] and "result" in texts(at)


def test_a_refused_catalogue_is_said_and_what_was_indexed_of_it_is_not_shown(open_view: Open, own: OwnSandbox) -> None:
    indexed(open_view)
    own.break_({"path": "/acr/v1/_catalog", "status": 403})
    registry_loaders.inventory.clear(connection.who())
    at = open_view("search.py", q="nodejs")
    assert any("registry's catalogue" in one.label for one in at.expander)
    assert not [columns for columns in tables(at) if columns[0] == "Repository"]


def test_another_person_finds_only_what_they_see(open_view: Open, own: OwnSandbox) -> None:
    indexed(open_view)
    reader = own.session(as_reader=True)
    seen = {one.name for one in list_registries(reader).values}
    at = open_view("search.py", as_session=reader, q="size:>0b")
    assert {name for one in at.dataframe if "Image" in one.value for name in one.value["Registry"]} <= seen


def test_a_read_only_console_indexes_nothing(open_view: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_permission, "current", lambda: REFUSED)
    assert button(open_view("search.py"), "Index registries").disabled


def test_the_images_built_on_an_image_are_one_click_from_it(open_view: Open) -> None:
    at = open_view("image.py", registry=REGISTRY, repository=IMAGE, reference="v1.0.0")
    (menu,) = [one for one in at.get("menu_button") if "Find images built on it" in str(one.proto)]
    assert menu


def finished(reading: Reading[Any]) -> bool:
    return reading.finished.wait(30)


def compared(who: str) -> bool:
    return all(map(finished, being_read(who)))


def add_tag(at: AppTest, tag: str) -> None:
    """Adds a tag to the image that the page shows."""
    button(at, "Add tag").click().run()
    next(field for field in at.text_input if field.label == "Tag").set_value(tag)
    button(at, "Add tag").click().run()
    button(at, "Add tag").click()
    confirm_button(at, "Add tag").click().run()
    assert not at.exception


@pytest.mark.usefixtures("own")
def test_what_the_console_has_changed_is_found_at_once(open_view: Open) -> None:
    indexed(open_view)
    assert "Nothing found" in texts(open_view("search.py", q="tag:just-now"))
    add_tag(open_view("image.py", registry=REGISTRY, repository=IMAGE, reference="v1.0.0"), "just-now")
    assert compared(connection.who())
    at = open_view("search.py", q="tag:just-now")
    assert at.dataframe[0].value["Tag"].tolist() == [f"{IMAGE}:just-now"]
    assert "Index" not in at.dataframe[0].value.columns and "has changed" not in texts(at)


@pytest.mark.usefixtures("own")
def test_a_change_that_could_not_be_read_again_is_said_and_marked(
    open_view: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise ServiceError("Could not read it", "Denied.", "Ask.", "DENIED")

    indexed(open_view)
    monkeypatch.setattr("ui.loaders.index_changes._read", refuse)
    add_tag(open_view("image.py", registry=REGISTRY, repository=IMAGE, reference="v1.0.0"), "just-now")
    assert compared(connection.who())
    at = open_view("search.py", q=f"repository:{IMAGE} tag:v1.0.0")
    assert at.dataframe[0].value["Index"].tolist() == ["Changed since"]
    assert f"has changed {IMAGE} in {REGISTRY} since" in texts(at)
    assert f"has changed {IMAGE} in {REGISTRY} since" in texts(open_view("search.py", q=f"repository:{IMAGE} tag:v9"))


def test_what_was_pulled_is_read_of_all_registries_at_once(open_view: Open, own: OwnSandbox) -> None:
    indexed(open_view)
    digest = get_tag(own.client, IMAGE, "v1.0.0").digest
    own.push_index("both", repository=IMAGE)
    own.send_logs(own.make_workspace())
    own.log("Push", 40, "elsewhere")
    own.log("Pull", 2, IMAGE, digest, "v1.0.0")
    own.log("Pull", 3, IMAGE, own.push(number=2, repository=IMAGE)[0])  # Of the index that platform alone.
    indexed(open_view)
    at = open_view("search.py", q="pulled:3000y")
    assert not at.exception and "That is more than 100 years" in texts(at)
    open_view("search.py", q="pulled:30d")
    assert finished(estate_pulls(connection.who()))
    at = open_view("search.py", q="pulled:30d")
    assert not at.exception
    found = at.dataframe[0].value
    assert "v1.0.0" in " ".join(found["Tags"])
    both = found[found["Tags"].str.contains("both")]
    assert len(both) == 2 and (both["Last pull"] > 0).all()
    (reading,) = loader.readings_of(connection.who(), parse("pulled:30d"))
    assert reading.of == len(registry_loaders.inventory(connection.who()).value.registries.values)


def test_what_runs_in_clusters_that_were_not_asked_is_unknown(open_view: Open) -> None:
    indexed(open_view)
    open_view("search.py", q="not:runs:*")
    assert finished(clusters.pulls(connection.who()))
    at = open_view("search.py", q="not:runs:*")
    assert not at.exception
    assert "No cluster that you see is named" in texts(at) or "(not asked)" in texts(at)
    assert "Nothing found in what is known" in texts(at)


def test_an_image_whose_base_has_moved_is_to_be_rebuilt(open_view: Open, own: OwnSandbox) -> None:
    base = f"{own.client.login_server}/base/node:20"
    old = own.push("20", repository="base/node")[0]
    stale = json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": OCI_CONFIG, "digest": old, "size": 2},
            "layers": [],
            "annotations": {NAME: base, DIGEST: old},
        }
    )
    own.sandbox.store.add_manifest(REGISTRY, IMAGE, stale.encode(), OCI_MANIFEST, own.sandbox.state.stamp())
    digest = f"sha256:{sha256(stale.encode()).hexdigest()}"

    def badge() -> str:
        at = open_view("image.py", registry=REGISTRY, repository=IMAGE, reference=digest)
        assert not at.exception
        return next(one for one in ("Rebuild needed", "Rebuild: unknown", "On its base's latest") if one in texts(at))

    assert badge() == "Rebuild: unknown"
    indexed(open_view)
    assert badge() == "On its base's latest"
    own.push("20", repository="base/node", number=2)
    indexed(open_view)
    assert badge() == "Rebuild needed"
    at = open_view("search.py", q="rebuild:yes")
    assert not at.exception
    assert [one.split("@")[0] for one in at.dataframe[0].value["Image"]] == [IMAGE]
    assert "Unknown whether to rebuild some images" in texts(at) or any("Unknown:" in one.label for one in at.expander)
