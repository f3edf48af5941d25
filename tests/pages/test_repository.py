import pytest

from tests.support.app_test import Open, select_rows, texts

NODE = {"registry": "casaacr01", "repository": "nodejstemplate"}


def test_the_guides_attributes_and_tag(open_view: Open) -> None:
    at = open_view("repository.py", **NODE)
    assert not at.exception
    assert "**1 tag** · **3 manifests**" in texts(at)
    row = at.dataframe[0].value.iloc[0]
    assert (row["Tag"], row["Kind"], list(row["Platforms"])) == ("v1.0.0", "index", ["linux/amd64"])
    assert f"{row['Created']:%Y-%m-%d}" == "2025-04-09"


def test_the_children_of_an_index_are_not_untagged(open_view: Open) -> None:
    at = open_view("repository.py", **NODE, show="Manifests")
    assert not at.exception
    assert list(at.dataframe[0].value["Kind"]) == [
        "index of platforms",
        "platform of the index above",
        "attestation of the image above",
    ]


@pytest.mark.parametrize("name", ["gone", "a/b.c", "x" * 255, "!bad name!", "[x](http://contoso.example)"])
def test_a_repository_that_is_not_there_is_an_error_panel(open_view: Open, name: str) -> None:
    at = open_view("repository.py", registry="casaacr01", repository=name)
    assert not at.exception
    assert "Could not read the repository" in texts(at)
    links = {one.proto.label: one.proto.query_string for one in at.get("page_link")}
    if name == "gone":  # It may have been deleted.
        assert "repository=gone" in links["Deleted images of this repository"]


def test_the_image_behind_a_tag(open_view: Open) -> None:
    at = open_view("image.py", **NODE, reference="v1.0.0")
    assert not at.exception
    lines = [code.value for code in at.code]
    assert lines[0].startswith("docker pull ") and lines[0].endswith("/nodejstemplate:v1.0.0")
    assert "/nodejstemplate@sha256:" in lines[1]
    assert list(at.dataframe[0].value["Kind"]) == ["platform", "attestation"]
    assert "**Image index**" in texts(at)


def test_a_platforms_layers_and_history(open_view: Open) -> None:
    index = open_view("image.py", **NODE, reference="v1.0.0")
    rows = index.dataframe[0].value
    at_child = list(rows["Kind"]).index("platform")
    select_rows(index, 0, at_child)
    index.run()
    assert not index.exception
    headings = [subheader.value for subheader in index.subheader]
    assert any(heading.startswith("Layers (") for heading in headings)
    assert any(heading.startswith("History (") for heading in headings)


def test_a_tag_that_is_gone_is_said(open_view: Open) -> None:
    at = open_view("image.py", **NODE, reference="v9")
    assert not at.exception
    assert "nodejstemplate has no tag v9" in texts(at)


def test_an_address_without_an_image_guesses_none(open_view: Open) -> None:
    at = open_view("image.py", **NODE)
    assert not at.exception
    assert "No image chosen" in texts(at)
    assert not at.main.button


def test_hostile_names_stay_text(open_view: Open) -> None:
    hostile = "](http://contoso.example)![x](http://contoso.example/p.png)`<b>"
    for script in ("repository.py", "image.py"):
        at = open_view(script, registry="casaacr01", repository=hostile, reference=hostile)
        assert not at.exception
        for element in (*at.title, *at.markdown, *at.caption):
            assert "](http" not in element.value
            assert "<b>" not in element.value
