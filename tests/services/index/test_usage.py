"""runs: and pulled: find what is known to run and what was pulled; not: leaves out what is not known."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest
from sqlalchemy import Engine, Select

from services.index.conditions import Form, images_statement
from services.index.index_jobs import targets_of
from services.index.query import Term, parse
from services.index.reading import index_registry
from services.index.scope import read_scope
from services.index.search import Results, search
from services.index.store import IndexStore
from services.index.usage import FindUsed, Used, nothing_known
from tests.support.documents import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, digest_of
from tests.support.own_sandbox import APP, REGISTRY, OwnSandbox

NOW = datetime.now(UTC)


def find(own: OwnSandbox, database: Engine, query: str, find_used: FindUsed = nothing_known) -> Results:
    store, targets = IndexStore(database, "sandbox/tenant"), targets_of([own.registry()])
    client = own.session().registry(targets[0].login_server)
    assert index_registry(store, client, targets[0]).complete
    scope = read_scope(store, targets, {targets[0].id: [APP]})
    return search(store, parse(query), scope, lambda _, names: names, NOW, find_used=find_used)


def digests(found: Results) -> set[str]:
    return {one.digest for one in found.images}


def always(used: Used) -> FindUsed:
    return lambda _: used


def test_what_runs_by_digest_by_tag_and_by_the_index_that_lists_it(own: OwnSandbox, database: Engine) -> None:
    index = own.push_index("many", numbers=range(1, 3))
    platforms = {own.push(number=number)[0] for number in (1, 2)}
    by_tag, _ = own.push("by-tag", number=7)
    idle, _ = own.push("idle", number=8)
    place = own.registry().id, APP
    child = sorted(platforms)[0]

    def used(term: Term) -> Used:
        assert (term.field, term.value) == ("runs", "aks-payments")
        return Used({place: {child}}, {place: {"by-tag"}})

    found = digests(find(own, database, "runs:aks-payments", used))
    assert found == {child, index, by_tag}
    others = digests(find(own, database, "not:runs:aks-payments", used))
    assert idle in others and not others & found
    assert digests(find(own, database, "runs:aks-payments tag:by-tag", used)) == {by_tag}


def test_an_index_that_runs_or_was_pulled_has_its_platforms_and_a_platform_not_its_siblings(
    own: OwnSandbox, database: Engine
) -> None:
    index = own.push_index("many", numbers=range(1, 3))
    one, other = (own.push(number=number)[0] for number in (1, 2))
    place = own.registry().id, APP
    by_digest, by_tag, platform = Used({place: {index}}), Used({}, {place: {"many"}}), Used({place: {one}})
    for used in (by_digest, by_tag):
        for field in ("runs:aks-payments", "pulled:90d"):
            assert digests(find(own, database, field, always(used))) == {index, one, other}
            assert not digests(find(own, database, f"not:{field}", always(used))) & {index, one, other}
    assert digests(find(own, database, "runs:aks-payments", always(platform))) == {index, one}
    assert other in digests(find(own, database, "not:runs:aks-payments", always(platform)))


def test_what_came_by_another_name_is_found_by_its_digest(own: OwnSandbox, database: Engine) -> None:
    digest, other = own.push("v1")[0], own.push("v2", number=2)[0]
    used = always(Used(anywhere=frozenset({digest, "sha256:" + "0" * 64})))
    assert digests(find(own, database, "runs:aks-payments", used)) == {digest}
    found = digests(find(own, database, "not:runs:aks-payments", used))
    assert other in found and digest not in found


def test_not_pulled_leaves_out_registries_of_which_it_is_not_known(own: OwnSandbox, database: Engine) -> None:
    digest, _ = own.push("v1")
    other, _ = own.push("v2", number=2)
    place = own.registry().id, APP
    spans = []

    def known(term: Term) -> Used:
        spans.append(timedelta(hours=term.number))
        return Used({place: {digest}})

    def unsure(_: Term) -> Used:
        return Used({place: {digest}}, unknown=("Pulls are logged since yesterday.",), unknown_of=frozenset({place[0]}))

    assert other in digests(find(own, database, "not:pulled:90d", known))
    assert digest not in digests(find(own, database, "not:pulled:90d", known))
    assert spans[0] == timedelta(days=90)
    found = find(own, database, "not:pulled:90d", unsure)
    assert not found.images and found.unknown == ("Pulls are logged since yesterday.",)
    assert digests(find(own, database, "pulled:90d", unsure)) == {digest}


def test_where_nothing_is_known_nothing_is_found_and_that_is_said(own: OwnSandbox, database: Engine) -> None:
    own.push("v1")
    for query in ("runs:aks-payments", "not:runs:aks-payments", "not:pulled:1d"):
        found = find(own, database, query)
        assert not found.images and found.unknown


def test_other_conditions_may_be_refused(own: OwnSandbox, database: Engine) -> None:
    titled = own.send_image("a", title="one")
    other = own.send_image("b", title="two")
    title = '"org.opencontainers.image.title=one"'
    found = digests(find(own, database, f"size:>0b not:annotation:{title}"))
    assert other in found and titled not in found
    assert not digests(find(own, database, "size:>0b not:repository:*"))


def test_an_index_has_the_layers_of_its_platforms_and_one_that_was_not_read_may_have_them(
    own: OwnSandbox, database: Engine
) -> None:
    def send_index(*listed: str) -> str:
        entries = [{"mediaType": OCI_MANIFEST, "digest": one, "size": 1} for one in listed]
        raw = json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}).encode()
        own.sandbox.store.add_manifest(REGISTRY, APP, raw, OCI_INDEX, own.sandbox.state.stamp())
        return "sha256:" + sha256(raw).hexdigest()

    having, lacking = own.send_image("a"), own.push("b")[0]
    with_it, without, unread = send_index(having, lacking), send_index(lacking), send_index(lacking, digest_of(9))
    layer = "sha256:" + sha256(b"the layer").hexdigest()
    found = digests(find(own, database, f"age:<1y not:layer:{layer}"))
    assert {lacking, without} <= found
    assert not found & {having, with_it, unread}


def test_many_terms_about_usage_are_one_condition(
    own: OwnSandbox, database: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, other = own.push("v1")[0], own.push("v2", number=2)[0]
    place = own.registry().id, APP
    forms = []

    def seen(form: Form) -> Select[Any]:
        forms.append(form)
        return images_statement(form)

    monkeypatch.setattr("services.index.search.images_statement", seen)
    spans = [f"pulled:{days}d" for days in range(1, 8)]

    def used(term: Term) -> Used:
        return Used({place: {digest, other} if term.number > 24 else {digest}})

    assert digests(find(own, database, " ".join(spans), used)) == {digest}
    assert forms and all(form.conditions == ("numbers",) for form in forms)


def test_an_image_with_more_annotations_than_are_kept_may_have_any(own: OwnSandbox, database: Engine) -> None:
    other = own.send_image("few")
    many = {f"name{number:03}": "x" for number in range(150)}
    body = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": {}, "layers": [], "annotations": many}
    raw = json.dumps(body | {"config": {"mediaType": OCI_CONFIG, "digest": digest_of(5), "size": 1}}).encode()
    own.sandbox.store.add_manifest(REGISTRY, APP, raw, OCI_MANIFEST, own.sandbox.state.stamp())
    found = digests(find(own, database, "age:<1y not:annotation:name149=x"))
    assert other in found and "sha256:" + sha256(raw).hexdigest() not in found
