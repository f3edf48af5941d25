"""How many HTTP requests a hundred calls of the SDK cost, through the console's client and without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import requests
from azure.containerregistry import ContainerRegistryClient

from benchmarks import processes
from benchmarks.clients import console_client, sdk_client
from benchmarks.results import Row, exactly

REGISTRY, REPOSITORIES = "bench", 20
NAME = "HTTP requests for 100 SDK calls on one registry"


def measure() -> list[Row]:
    with processes.sandbox(f"{REGISTRY}:{REPOSITORIES}:5") as ready:
        ours, plain = console_client(ready, REGISTRY).sdk, sdk_client(ready, REGISTRY)
        names = list(ours.list_repository_names())
        held = _counted_twice(ours, names)
        without = _counted_twice(plain, names)
    return [exactly(f"{NAME}, tokens held", held, 100), exactly(f"{NAME}, the SDK as it comes", without, 400)]


def _counted_twice(client: ContainerRegistryClient, names: list[str]) -> int:
    """What the second hundred costs: the first fetches whatever can be held."""
    _hundred_calls(client, names)
    with _counted() as sent:
        _hundred_calls(client, names)
    return len(sent)


def _hundred_calls(client: ContainerRegistryClient, names: list[str]) -> None:
    for name in names:
        client.get_repository_properties(name)
        manifests = list(client.list_manifest_properties(name))
        client.get_manifest_properties(name, manifests[0].digest)
        tags = list(client.list_tag_properties(name))
        client.get_tag_properties(name, tags[0].name)


@contextmanager
def _counted() -> Iterator[list[str]]:
    """Every URL that `requests`, which all clients here send through, sends meanwhile."""
    sent: list[str] = []
    send = requests.Session.send

    def counting(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        sent.append(str(request.url))
        return send(session, request, **options)

    with patch.object(requests.Session, "send", counting):
        yield sent
