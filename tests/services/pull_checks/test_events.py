"""Events as pods show them: what each means."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pull_checks.checks import ORDER, Check, CheckState
from services.pull_checks.event_causes import CAUSES
from services.pull_checks.events import PulledImage, diagnose, image_of, is_about
from tests.support.cases import case

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
        (
            "failed to acquire a token: AADSTS7000222: The provided client secret keys for app 'x' are expired.",
            "C3",
            "secret",
        ),
        (FAILED + "unexpected status: 405 Method Not Allowed", "C16", "lock"),
    ],
)
def test_an_event_says_why_which_check_confirms_it_and_what_to_do(event: str, check: str, word: str) -> None:
    first = diagnose(f"Warning  Failed  2m (x4 over 3m)  kubelet  {event}\nWarning  Failed  Error: ImagePullBackOff")[0]
    assert first.checks[0] == check
    assert word in first.cause
    assert first.fix
    assert first.seen in event


@pytest.mark.parametrize(
    ("event", "word"),
    [
        (FAILED + "tls: failed to verify certificate: x509: certificate signed by unknown authority", "proxy"),
        ("write /var/lib/containerd/x: no space left on device", "disk is full"),
        ("The node had condition: [DiskPressure].", "disk is full"),
        ('Failed to apply default image tag "https://x/y": couldn\'t parse image name: invalid reference', "name"),
        ('Container image "contoso.azurecr.io/app:v1" is not present with pull policy of Never', "policy is Never"),
        (
            "429 Too Many Requests - Server message: toomanyrequests: You have reached your pull rate limit.",
            "Docker Hub",
        ),
        ('failed to do request: Head "https://localhost:8578/v2/app/manifests/v1": context canceled', "streaming"),
    ],
)
def test_what_no_check_shows_says_what_to_look_at(event: str, word: str) -> None:
    (found,) = diagnose(event)
    assert (found.checks, bool(found.confirm), bool(found.fix)) == ((), True, True)
    assert word in found.cause


# By the name of the case: words of the cause, the first check that shows it, and a word of what to do.
CASES = {
    "net/http: TLS handshake timeout": ("connection to the registry is cut", "C12", "443"),
    "EOF": ("connection to the registry is cut: a firewall or a proxy", "C12", "443"),
    "no route": ("does not reach the registry", "C9", "443"),
    "503": ("registry itself failed", "C1", "status.azure.com"),
    "extract, not permitted": ("can't unpack a layer. Why is not known", "", "another node"),
    "extract, Windows": ("another operating system than the node's Windows, or for another build", "C15", "base image"),
    "disk": ("disk is full", "", "DiskPressure"),
    "schema 1": ("schema 1 format", "", "Build the image again"),
    "pull QPS": ("The kubelet's own limit of pulls a second (registryPullQPS): not the registry's", "", "Wait"),
    "cancelled": ("given up before it was complete. Why is not known", "C17", "replica"),
    "no basic auth": ("no role lets it pull", "C6", "Assign the role"),
    "insufficient_scope": ("No role lets", "C6", "repository's name"),
    "blob 404": ("A layer of the image is missing", "", "Push the image again"),
    "html": ("A proxy or a sign-in page answers", "", "curl"),
    "helm chart": ("no container image (a Helm chart", "", "push it again"),
    "streaming": ("Artifact streaming fails", "", "az acr artifact-streaming update"),
}


def test_each_case_is_expected() -> None:
    assert [event["name"] for event in case("events/events")] == list(CASES)


@pytest.mark.parametrize("event", case("events/events"), ids=lambda event: event["name"])
def test_an_event_has_its_one_cause_and_no_other(event: dict[str, str]) -> None:
    (found,) = diagnose(f"Warning  Failed  2m (x4 over 3m)  kubelet  {event['text']}\n  Error: ErrImagePull\n")
    cause, check, word = CASES[event["name"]]
    assert cause in found.cause
    assert (found.checks[0] if found.checks else "") == check
    assert word in found.fix + found.confirm
    assert found.checks or found.confirm


def test_all_events_at_once_have_each_its_cause() -> None:
    found = diagnose("\n".join(event["text"] for event in case("events/events")))
    assert {one.cause for one in found} == {
        one.cause for event in case("events/events") for one in diagnose(event["text"])
    }


@pytest.mark.parametrize(
    "name", ["quarantine", "schema1-tools", "overlaybd-fail", "exec-format-error", "pull-qps-exceeded"]
)
def test_the_name_of_an_image_shows_no_cause(name: str) -> None:
    assert diagnose(f'Failed to pull image "contoso.azurecr.io/{name}/not-found:eof"\nError: ErrImagePull') == ()


PASSED = Check("C6", "Image pull permission", CheckState.PASSED, "AcrPull.")


def test_only_a_check_that_ran_and_failed_confirms() -> None:
    (found,) = diagnose("401 Unauthorized")
    assert found.checks == ("C6", "C3", "C5", "C8")
    assert found.not_run(()) == found.checks
    assert found.confirmed_by(()) == ()
    others = [replace(PASSED, state=state) for state in (CheckState.UNKNOWN, CheckState.WARNING)]
    failed, elsewhere = replace(PASSED, state=CheckState.FAILED), replace(PASSED, id="C9", state=CheckState.FAILED)
    assert found.confirmed_by((PASSED, *others, elsewhere)) == ()
    assert found.confirmed_by((failed,)) == (failed,)
    assert found.not_run((PASSED, elsewhere)) == ("C3", "C5", "C8")


def test_checks_count_only_for_the_image_that_they_are_about() -> None:
    named = PulledImage(SERVER, "team/app", "v1")
    for checked in (named, replace(named, login_server=SERVER.upper()), replace(named, reference="")):
        assert is_about(named, checked)
        assert is_about(None, checked)
    assert is_about(named, PulledImage(SERVER, "", ""))
    for change in ({"login_server": "contoso.azurecr.io"}, {"repository": "team/other"}, {"reference": "v2"}):
        assert not is_about(named, replace(named, **change))


def test_back_off_alone_tells_nothing() -> None:
    assert diagnose(f'Back-off pulling image "{IMAGE}"\nError: ImagePullBackOff') == ()


def test_every_check_that_is_named_is_one_there_is() -> None:
    assert {check for one in CAUSES for check in one.checks} <= set(ORDER)


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
        ('Pulling image "localhost:41234/team/app:v1"', PulledImage("localhost:41234", "team/app", "v1")),
        ("Tolerations: node.kubernetes.io/not-ready:NoExecute op=Exists for 300s", None),
        (
            "node.kubernetes.io/unreachable:NoExecute\n  Image:  contoso.azurecr.io/app",
            PulledImage("contoso.azurecr.io", "app", "latest"),
        ),
        *((one["text"], PulledImage(**one["should"])) for one in case("events/image_of")),
    ],
)
def test_the_image_is_found_in_it(text: str, image: PulledImage | None) -> None:
    assert image_of(text) == image


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("image localhost:5001/team/app:v1: not found", PulledImage("localhost:5001", "team/app", "v1")),
        ("image localhost:5001/team/app: 401", PulledImage("localhost:5001", "team/app", "latest")),
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


@pytest.mark.parametrize(
    "piece",
    [
        "a.",
        "lookup ",
        "a-",
        "failed to resolve reference ",
        "blob.core.windows.net ",
        "image a.b/",
        "/blobs/sha256:",
        "failed to extract layer ",
    ],
)
def test_a_long_text_takes_no_time(piece: str) -> None:
    started = time.perf_counter()
    diagnose(piece * 200_000)
    image_of(piece * 200_000)
    assert time.perf_counter() - started < 5
