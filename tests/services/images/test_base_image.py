import pytest

from services.images.base_image import DIGEST, NAME, base_image_of

A = f"sha256:{'a' * 64}"


@pytest.mark.parametrize(
    ("name", "digest", "parts"),
    [
        ("contosohub.azurecr.io/base/node:20", A, ("contosohub.azurecr.io", "base/node", A)),
        ("contosohub.azurecr.io/base/node:20", "", ("contosohub.azurecr.io", "base/node", "20")),
        (f"contosohub.azurecr.io/base/node@{A}", "", ("contosohub.azurecr.io", "base/node", A)),
        ("localhost:5000/node", "", ("localhost:5000", "node", "")),
        ("library/node:20", "", ("", "library/node", "20")),
        ("node", "not a digest", ("", "node", "")),
        ("", A, ("", "", A)),
    ],
)
def test_the_parts_of_a_base_image(name: str, digest: str, parts: tuple[str, str, str]) -> None:
    found = base_image_of([(NAME, name), (DIGEST, digest)])
    assert found
    assert (found.name, found.digest) == (name, digest)
    assert (found.server, found.repository, found.reference) == parts


def test_annotations_come_before_labels_and_none_is_none() -> None:
    assert base_image_of((), [("a", "b")]) is None
    found = base_image_of([(NAME, "node:20")], [(NAME, "node:18")])
    assert found
    assert found.reference == "20"
