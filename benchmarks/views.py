"""The console's views, each on what the estate has most of: title, URL path and query."""

from typing import NamedTuple


class View(NamedTuple):
    title: str
    page: str
    query: str = ""


INVENTORY = View("inventory", "inventory")
REGISTRY = View("registry", "registry", "registry=contosohub")
REPOSITORIES = View("repositories", "repositories", "registry=contosohub")
TAGS = View("repository, tags", "repository", "registry=contosoci&repository=ci%2Frunner")
MANIFESTS = View("repository, manifests", "repository", "registry=contosoci&repository=ci%2Frunner&show=Manifests")
IMAGE = View("image", "image", "registry=contosohub&repository=api%2Forders&reference=latest")
STORAGE = View("storage", "storage", "registry=contosohub")
MATRIX = View("pull matrix", "matrix")
VIEWS = (INVENTORY, REGISTRY, REPOSITORIES, TAGS, MANIFESTS, IMAGE, STORAGE)
