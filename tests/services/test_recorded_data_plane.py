"""Recorded answers of a registry's data plane: its catalogue, its manifests, its tokens."""

import hashlib
import json
import re
from io import BytesIO
from threading import Event
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

import pytest

from services.access.decisions import Verdict
from services.access.token_grants import ask_granted
from services.connection.changes import remove
from services.connection.data_plane_tokens import Need, need_of
from services.connection.errors import ServiceError, as_service_error, says_gone
from services.deletion.repository import RepositoryDeletionPlan, apply_repository_deletion
from services.images.manifest_reading import read_manifest
from services.images.repositories import (
    get_manifest_row,
    get_repository,
    get_tag,
    manifest_rows,
    repository_names,
    tag_page,
)
from services.images.tagging import UntagItem, UntagPlan, apply_untag
from services.registries.registry import Mode
from services.transfer.archive_files import Part, RandomAccess
from services.transfer.archive_images import Blob, Content, RawManifest
from services.transfer.blob_uploads import send_blob
from services.transfer.push import PushPlan, apply_push
from tests.support import documents
from tests.support.canned import Answer, CannedRegistry, Clock, connected
from tests.support.documents import OCI_MANIFEST
from tests.support.recordings import (
    RECORDINGS,
    Area,
    Recording,
    check_refusal,
    refusals,
    sent,
    time,
)


def check_locks(found: Any, attributes: dict[str, bool]) -> None:
    assert found.delete == attributes["deleteEnabled"]
    assert found.write == attributes["writeEnabled"]
    assert found.list == attributes["listEnabled"]
    assert found.read == attributes["readEnabled"]


def replay_catalog(recording: Recording) -> None:
    client = recording.registry(Answer(200, {"repositories": []}))
    first, *rest = repository_names(client)
    assert first == recording.body["repositories"]
    link = recording.headers.get("Link")
    assert bool(rest) == bool(link)
    if link:
        query = urlsplit(link.partition(">")[0]).query
        assert sent(client).calls()[1].query == dict(parse_qsl(query, keep_blank_values=True))
        assert sent(client).calls()[1].query["last"] == recording.body["repositories"][-1]


def replay_repository(recording: Recording) -> None:
    found = get_repository(recording.registry(), recording.part("/acr/v1/([^/]+)$"))
    assert found.name == recording.body["imageName"]
    assert (found.created, found.updated) == (
        time(recording.body["createdTime"]),
        time(recording.body["lastUpdateTime"]),
    )
    assert found.manifest_count == recording.body["manifestCount"]
    assert found.tag_count == recording.body["tagCount"]
    check_locks(found.locks, recording.body["changeableAttributes"])


def check_tag(found: Any, entry: dict[str, Any]) -> None:
    assert (found.name, found.digest) == (entry["name"], entry["digest"])
    assert (found.created, found.updated) == (time(entry["createdTime"]), time(entry["lastUpdateTime"]))
    check_locks(found.locks, entry["changeableAttributes"])


def replay_tags(recording: Recording) -> None:
    page = tag_page(recording.registry(), recording.part("/acr/v1/(.+)/_tags$"), size=100)
    entries = recording.body["tags"] or []
    assert len(page.tags) == len(entries)
    for found, entry in zip(page.tags, entries, strict=True):
        check_tag(found, entry)
    assert page.next is None


def replay_tag(recording: Recording) -> None:
    found = get_tag(recording.registry(), recording.part("/acr/v1/(.+)/_tags"), recording.part("/_tags/(.+)$"))
    check_tag(found, recording.body["tag"])


def check_manifest(found: Any, entry: dict[str, Any]) -> None:
    assert (found.digest, found.size) == (entry["digest"], entry["imageSize"])
    assert (found.created, found.updated) == (time(entry["createdTime"]), time(entry["lastUpdateTime"]))
    assert (found.os, found.architecture) == (entry.get("os", ""), entry.get("architecture", ""))
    assert found.media_type == entry["mediaType"]
    assert found.config_media_type == entry.get("configMediaType", "")
    assert found.tags == tuple(entry.get("tags", ()))
    check_locks(found.locks, entry["changeableAttributes"])


def replay_manifests(recording: Recording) -> None:
    repository = recording.part("/acr/v1/(.+)/_manifests")
    end = Answer(200, {"manifests": []})
    client = recording.registry(end)
    rows = manifest_rows(client, repository).values
    assert len(rows) == len(recording.body["manifests"])
    for found, entry in zip(rows, recording.body["manifests"], strict=True):
        check_manifest(found, entry)
    if "Link" in recording.headers:
        assert sent(client).calls()[1].query["last"] == rows[-1].digest


def replay_manifest_row(recording: Recording) -> None:
    repository, digest = recording.part("/acr/v1/(.+)/_manifests"), recording.part("/_manifests/(.+)$")
    check_manifest(get_manifest_row(recording.registry(), repository, digest), recording.body["manifest"])


def replay_manifest(recording: Recording) -> None:
    repository, reference = recording.part("/v2/(.+)/manifests"), recording.part("/manifests/(.+)$")
    manifest = read_manifest(recording.registry(), repository, reference)
    assert manifest.digest == recording.headers["Docker-Content-Digest"]
    assert manifest.digest == "sha256:" + hashlib.sha256(recording.response["raw_body"].encode()).hexdigest()
    assert manifest.media_type == recording.headers["Content-Type"]
    assert manifest.size == int(recording.headers["Content-Length"])
    assert manifest.config
    assert manifest.config.media_type == recording.body["config"]["mediaType"]
    assert [layer.digest for layer in manifest.layers] == [layer["digest"] for layer in recording.body["layers"]]
    assert manifest.layer_bytes == sum(layer["size"] for layer in recording.body["layers"])


def replay_token(recording: Recording) -> None:
    (member,) = recording.body
    canned = CannedRegistry(Clock(), recording.host)
    canned.on("POST", f"https://{recording.host}{recording.path}", recording.answer)
    if member == "refresh_token":
        other = {"access_token": "held"}
        canned.on("POST", f"https://{recording.host}/oauth2/token", Answer(200, other))
    token = connected(canned).tokens.for_need(Need("", frozenset({"*"})))
    if member == "access_token":
        assert token == recording.body[member]
    else:
        assert canned.sent[-1].form["refresh_token"] == recording.body[member]
    # The recorded tokens are blanked: the sign-in counts, and what they grant can't be told.
    signed_in, catalogue, *_ = ask_granted(connected(canned), Mode.LEGACY)
    assert (signed_in.verdict, catalogue.verdict) == (Verdict.YES, Verdict.UNKNOWN)
    assert recording.body[member] not in repr((signed_in, catalogue))


GONE = Answer(404, {"errors": [{"code": "TAG_UNKNOWN", "message": "M"}]})


def replay_repository_deletion(recording: Recording) -> None:
    name = recording.part("/acr/v1/([^/]+)$")
    client = recording.registry(method="DELETE")
    url = f"https://{recording.host}{recording.path}"
    sent(client).on("GET", f"{url}/_manifests", Answer(200, {"manifests": None}))
    sent(client).on("GET", f"{url}/_tags", Answer(200, {"tags": None}))
    sent(client).on("GET", url, GONE)
    deleted = apply_repository_deletion(client, RepositoryDeletionPlan(name, (), (), 0))
    assert deleted.reported
    assert list(deleted.manifests) == recording.body["manifestsDeleted"]
    assert list(deleted.tags) == (recording.body["tagsDeleted"] or [])


def replay_untag(recording: Recording) -> None:
    repository, tag = recording.part("/acr/v1/(.+)/_tags"), recording.part("/_tags/(.+)$")
    digest = recording.headers["x-ms-int-docker-content-digest"]
    client = recording.registry(method="DELETE")
    there = {"tag": documents.tag(tag, digest)}
    sent(client).on("GET", f"https://{recording.host}{recording.path}", Answer(200, there), GONE)
    result = apply_untag(client, UntagPlan("r", repository, (UntagItem(tag, digest),), ()))
    assert [(done.tag, done.digest, done.outcome) for done in result.values] == [(tag, digest, "deleted")]


def replay_manifest_deletion(recording: Recording) -> None:
    # The recorder has put a word in the place of the digest.
    client = recording.registry(method="DELETE")
    sent(client).on("GET", f"https://{recording.host}/acr/v1/r/_manifests/d", GONE)
    deleted = remove(
        "T",
        lambda: client.send("DELETE", recording.path),
        lambda: get_manifest_row(client, "r", "d"),
        says_gone,
    )
    assert deleted == "deleted"


def replay_upload(recording: Recording) -> None:
    """The whole of a recorded upload, whichever of its answers `recording` is: begun, one chunk taken, ended."""
    begun, chunk, done = (
        Recording(f"real/acr-data/v2_blob_upload_{name}.json") for name in ("start_202", "patch_202", "complete_201")
    )
    assert recording.file in (begun.file, chunk.file, done.file)
    repository, digest = begun.part("/v2/(.+)/blobs"), done.headers["Docker-Content-Digest"]
    data = b"x" * (int(chunk.headers["Range"].partition("-")[2]) + 1)
    client = begun.registry(method="POST")
    sent(client).on("HEAD", f"https://{begun.host}/v2/{repository}/blobs/{quote(digest, safe='')}", Answer(404))
    for one in (chunk, done):
        sent(client).on(one.method, f"https://{one.host}{one.path}", one.answer)
    blob = Blob(digest, len(data), Part(RandomAccess(BytesIO(data), owned=False), 0, len(data)))
    result = send_blob(client, repository, blob, sent=lambda _bytes: None, stop=Event(), halted=lambda: False)
    assert (result.how, result.sent) == ("sent", len(data))
    written = {call.method: call for call in sent(client).calls()}
    assert written["PATCH"].query == chunk.query
    assert written["PUT"].query == done.query


def replay_manifest_push(recording: Recording) -> None:
    # The recorder has put a word in the place of the digest in the path.
    raw, digest = json.dumps(recording.request).encode(), recording.headers["Docker-Content-Digest"]
    repository = recording.part("/v2/(.+)/manifests")
    canned = CannedRegistry(Clock(), recording.host)
    at = f"https://{recording.host}/v2/{repository}/manifests"
    tagged = Answer(200, {"tag": documents.tag("v1", digest)})
    for reference in (quote(digest, safe=""), "v1"):
        canned.on("PUT", f"{at}/{reference}", recording.answer)
    canned.on(
        "GET",
        f"{at}/{quote(digest, safe='')}",
        Answer(200, raw, {"Docker-Content-Digest": digest, "Content-Type": OCI_MANIFEST}),
    )
    canned.on("GET", f"https://{recording.host}/acr/v1/{repository}/_tags/v1", GONE, tagged)
    content = Content((), (RawManifest(digest, OCI_MANIFEST, raw),))
    pushed = apply_push(connected(canned), content, PushPlan(repository, "v1", digest, None, True, ()))
    assert (pushed.digest, pushed.tag.digest) == (digest, digest)
    assert [json.loads(call.body) for call in canned.calls() if call.method == "PUT"] == [recording.request] * 2


AREA = Area(
    "data plane",
    read={
        "real/acr-data/catalog_page?.json": replay_catalog,
        "real/acr-data/catalog_unpaged_*.json": replay_catalog,
        "real/acr-data/repository_get.json": replay_repository,
        "real/acr-data/repository_patch_lock.json": replay_repository,
        "real/acr-data/tags_list_*.json": replay_tags,
        "real/acr-data/tag_get.json": replay_tag,
        "real/acr-data/repository_delete_202*.json": replay_repository_deletion,
        "real/acr-data/tag_delete_202.json": replay_untag,
        "real/acr-data/v2_manifest_delete_202.json": replay_manifest_deletion,
        "real/acr-data/manifests_*.json": replay_manifests,
        "real/acr-data/manifest_get_*.json": replay_manifest_row,
        "real/acr-data/v2_manifest_get_*.json": replay_manifest,
        "real/acr-data/oauth2_exchange_200.json": replay_token,
        "real/acr-data/oauth2_token_refresh_grant_200.json": replay_token,
        "real/acr-data/v2_blob_upload_*_20?.json": replay_upload,
        "real/acr-data/v2_manifest_put_201.json": replay_manifest_push,
    },
    not_read={
        "real/acr-data/oauth2_token_anonymous_200.json": "the console always signs in",
    },
)


@pytest.mark.parametrize("file", AREA.read_files)
def test_an_answer_is_read(file: str) -> None:
    AREA.replay(file)


def test_every_answer_is_read_or_has_a_reason_why_not() -> None:
    AREA.check_complete()


@pytest.mark.parametrize("file", refusals("data plane"))
def test_refusals_of_a_registry(file: str) -> None:
    recording = RECORDINGS[file]
    client = recording.registry()
    with pytest.raises(ServiceError) as raised, as_service_error("Could not read"):
        client.raw(recording.path)
    check_refusal(raised.value, recording)


CHALLENGES = [file for file in refusals("data plane") if RECORDINGS[file].status == 401]


@pytest.mark.parametrize("file", CHALLENGES)
def test_the_scope_that_a_registry_asks_for_is_the_one_foreseen(file: str) -> None:
    recording = RECORDINGS[file]
    challenge = re.search('scope="([^"]*)"', recording.headers["WWW-Authenticate"])
    need = need_of(recording.method, recording.path)
    if not challenge:
        assert need is None
        return
    assert need is not None
    details = recording.body["errors"][0]["detail"]
    assert {detail["Action"] for detail in details} == need.actions
    assert {detail["Name"] for detail in details} == {need.repository or "catalog"}
    if challenge[1] != "fake_scope":  # A recorder's own.
        assert challenge[1] == need.scope


@pytest.mark.parametrize("file", CHALLENGES)
def test_a_challenge_is_answered_with_a_token_for_what_it_names(file: str) -> None:
    recording = RECORDINGS[file]
    header = recording.headers["WWW-Authenticate"]
    client = recording.registry(Answer(200, {}))
    canned = sent(client)
    canned.on("POST", f"https://{recording.host}/oauth2/token", Answer(200, {"access_token": "fresh"}))
    scope = re.search('scope="([^"]*)"', header)
    if not scope or need_of("GET", recording.path) is None:
        with pytest.raises(ServiceError), as_service_error("Could not read"):
            client.raw(recording.path)
        return
    assert client.raw(recording.path).status_code == 200
    form = next(request.form for request in reversed(canned.sent) if request.path == "/oauth2/token")
    assert form["scope"] == scope[1]
    assert f'service="{form["service"]}"' in header
    assert canned.calls()[-1].headers["Authorization"] == "Bearer fresh"
