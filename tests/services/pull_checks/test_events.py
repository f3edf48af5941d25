"""Events as pods show them: what each means."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pull_checks.checks import ORDER
from services.pull_checks.events import PulledImage, diagnose, image_of

SERVER = "casaacr01.azurecr.io"
IMAGE = f"{SERVER}/nodejstemplate:v1.0.0"
FAILED = (
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": '
    f'failed to resolve reference "{IMAGE}": '
)
TOKEN = f"https://{SERVER}/oauth2/token?scope=repository%3Anodejstemplate%3Apull&service={SERVER}"


@pytest.mark.parametrize(
    ("event", "check", "word"),
    [
        (
            FAILED + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
            f"{TOKEN}: 401 Unauthorized",
            "C6",
            "role",
        ),
        (FAILED + "pulling from host failed with status code [manifests v1.0.0]: 401 Unauthorized", "C6", "role"),
        (
            FAILED + f"unexpected status from HEAD request to https://{SERVER}/v2/nodejstemplate/manifests/v1.0.0: "
            "403 Forbidden",
            "C9",
            "network rules",
        ),
        (
            "denied: client with IP '20.1.2.3' is not allowed access. Refer https://aka.ms/acr/firewall",
            "C9",
            "address",
        ),
        (
            FAILED + f'failed to do request: Head "https://{SERVER}/v2/nodejstemplate/manifests/v1.0.0": '
            f"dial tcp: lookup {SERVER} on 168.63.129.16:53: no such host",
            "C2",
            "resolve",
        ),
        (
            FAILED + f'failed to do request: Head "https://{SERVER}/v2/nodejstemplate/manifests/v1.0.0": '
            "dial tcp 20.62.128.10:443: i/o timeout",
            "C9",
            "does not reach the registry",
        ),
        (
            'failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://eusmanaged1.blob.core.'
            'windows.net/abc//docker/registry/v2/blobs/sha256/ab/data?se=x": dial tcp 20.60.1.1:443: i/o timeout',
            "C12",
            "layers",
        ),
        (FAILED + f"{IMAGE}: not found", "C16", "no such tag"),
        (f"Error: manifest for {IMAGE} not found: manifest unknown: manifest tagged by v1.0.0", "C16", "no such tag"),
        (
            f'failed to pull and unpack image "{IMAGE}": no match for platform in manifest: not found',
            "C15",
            "processor",
        ),
        ("exec /usr/local/bin/docker-entrypoint.sh: exec format error", "C15", "processor"),
        (FAILED + "unexpected status code 429 Too Many Requests - Server message: toomanyrequests", "C18", "throttles"),
        (FAILED + "tls: failed to verify certificate: x509: certificate signed by unknown authority", "C12", "proxy"),
        (
            "failed to acquire a token: AADSTS7000222: The provided client secret keys for app 'x' are expired.",
            "C3",
            "secret",
        ),
        (FAILED + "unexpected status: 405 Method Not Allowed", "C16", "lock"),
        ("write /var/lib/containerd/x: no space left on device", "C19", "disk"),
        (
            'Failed to apply default image tag "https://x/y": couldn\'t parse image name: invalid reference',
            "C16",
            "name",
        ),
    ],
)
def test_an_event_says_why_which_check_confirms_it_and_what_to_do(event: str, check: str, word: str) -> None:
    first = diagnose(f"Warning  Failed  2m (x4 over 3m)  kubelet  {event}\nWarning  Failed  Error: ImagePullBackOff")[0]
    assert first.checks[0] == check
    assert word in first.cause
    assert first.fix
    assert first.seen in event


def test_back_off_alone_tells_nothing() -> None:
    assert diagnose(f'Back-off pulling image "{IMAGE}"\nError: ImagePullBackOff') == ()


def test_every_check_that_is_named_is_one_there_is() -> None:
    text = " ".join(("401 Unauthorized", "403 Forbidden", "i/o timeout", "no such host", "manifest unknown", "x509: a"))
    found = diagnose(text)
    assert len(found) > 4
    assert {check for one in found for check in one.checks} <= set(ORDER)


@pytest.mark.parametrize(
    ("text", "image"),
    [
        (FAILED + f"GET {TOKEN}: 401", PulledImage(SERVER, "nodejstemplate", "v1.0.0")),
        (
            f"contoso-h4sh.azurecr.io/team/app@sha256:{'a' * 64}",
            PulledImage("contoso-h4sh.azurecr.io", "team/app", f"sha256:{'a' * 64}"),
        ),
        ('Back-off pulling image "nginx:1.29"', None),
        (f"Get https://{SERVER}/v2/app/manifests/v1: dial tcp", None),
        ("", None),
    ],
)
def test_the_image_is_found_in_it(text: str, image: PulledImage | None) -> None:
    assert image_of(text) == image


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("image localhost:5001/team/app:v1: not found", PulledImage("localhost:5001", "team/app", "v1")),
        ("image localhost:5001/team/app: 401", PulledImage("localhost:5001", "team/app", "")),
        ("mcr.example/base:1 then localhost:5001/team/app:v1", PulledImage("localhost:5001", "team/app", "v1")),
        ("mcr.example/base:1 alone", PulledImage("mcr.example", "base", "1")),
    ],
)
def test_an_image_of_a_known_registry_comes_first(text: str, image: PulledImage) -> None:
    assert image_of(text, ["LOCALHOST:5001"]) == image


@given(st.text())
def test_no_text_is_too_strange(text: str) -> None:
    for found in diagnose(text):
        assert found.seen in text
    image_of(text)


@pytest.mark.parametrize("piece", ["a.", "lookup ", "a-", "failed to resolve reference ", "blob.core.windows.net "])
def test_a_long_text_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    diagnose(piece * 200_000)
    image_of(piece * 200_000)
    assert time.perf_counter() - started < 5
