"""What to look at in a registry: found where it is, silent where it is not."""

import shlex
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection.errors import ServiceError
from services.connection.parallel import Refusal
from services.registries.findings import Finding, Risk, findings_of, passed_checks, unread_findings
from services.registries.registry import Mode, Registry, Usage
from tests.support.shell_lines import registry


def titles(found: Registry) -> list[str]:
    return [finding.title for finding in findings_of(found)]


def test_nothing_is_wrong() -> None:
    assert findings_of(registry()) == ()


@pytest.mark.parametrize(
    ("changes", "title", "risk", "fix"),
    [
        ({"provisioning_state": "Failed"}, "Provisioning failed", Risk.HIGH, "az acr show --name contosoacr"),
        ({"provisioning_state": ""}, "Provisioning unknown", Risk.HIGH, "az acr show --name contosoacr"),
        ({"sku": "Classic"}, "Classic SKU", Risk.HIGH, "az acr update --name contosoacr --sku Standard"),
        ({"admin_user": True}, "Admin user on", Risk.HIGH, "az acr update --name contosoacr --admin-enabled false"),
        (
            {"anonymous_pull": True},
            "Anonymous pull",
            Risk.HIGH,
            "az acr update --name contosoacr --anonymous-pull-enabled false",
        ),
        (
            {"public_access": True, "default_action": "Allow"},
            "Open to all networks",
            Risk.MEDIUM,
            "az acr update --name contosoacr --default-action Deny",
        ),
        (
            {"mode": Mode.LEGACY},
            "Legacy permissions",
            Risk.LOW,
            "az acr update --name contosoacr --role-assignment-mode rbac-abac",
        ),
        (
            {"arm_audience_tokens": True},
            "ARM tokens accepted",
            Risk.LOW,
            "az acr config authentication-as-arm update --registry contosoacr --status disabled",
        ),
        (
            {"retention_days": None},
            "No retention policy",
            Risk.LOW,
            "az acr config retention update --registry contosoacr --status enabled --days 30 --type UntaggedManifests",
        ),
    ],
)
def test_each_finding_alone(changes: dict[str, object], title: str, risk: Risk, fix: str) -> None:
    (finding,) = findings_of(registry(**changes))
    assert (finding.title, finding.risk, finding.fix) == (title, risk, fix)


@pytest.mark.parametrize(
    ("stored", "included", "title"),
    [
        (0, 100, None),
        (89, 100, None),
        (90, 100, "Nearly at included storage"),
        (100, 100, "Nearly at included storage"),
        (101, 100, "Over the included storage"),
        (100, None, None),
        (100, 0, None),
    ],
)
def test_storage(stored: int, included: int | None, title: str | None) -> None:
    found = titles(registry(usages=(Usage("Size", stored, included, "Bytes"),)))
    assert found == ([title] if title else [])


def test_unread_usage_is_no_finding() -> None:
    assert titles(registry(usages=None)) == []


def test_the_share_of_the_storage_is_said() -> None:
    (finding,) = findings_of(registry(usages=(Usage("Size", 96, 100, "Bytes"),)))
    assert "96%" in finding.reason


def test_what_is_beyond_the_included_storage_is_said_in_bytes() -> None:
    usage = Usage("Size", 601 * 2**30, 10 * 2**30, "Bytes")
    (finding,) = findings_of(registry(sku="Premium", usages=(usage,)))
    assert finding.reason == "591 GiB beyond the 10 GiB that Premium includes."


@pytest.mark.parametrize("sku", ["Basic", "Standard"])
def test_what_a_sku_cannot_change_is_no_finding(sku: str) -> None:
    assert titles(registry(sku=sku, public_access=True, default_action="Allow", retention_days=None)) == []


@pytest.mark.parametrize("changes", [{"public_access": True}, {"default_action": "Allow"}])
def test_half_open_is_closed(changes: dict[str, object]) -> None:
    assert titles(registry(**changes)) == []


registries = st.builds(
    registry,
    name=st.text(min_size=1, max_size=20),
    sku=st.sampled_from(["Basic", "Standard", "Premium", "Classic", "Newer"]),
    provisioning_state=st.sampled_from(["Succeeded", "Failed", "Creating", ""]),
    admin_user=st.booleans(),
    anonymous_pull=st.booleans(),
    public_access=st.booleans(),
    default_action=st.sampled_from(["Allow", "Deny", ""]),
    mode=st.sampled_from(Mode),
    arm_audience_tokens=st.booleans(),
    retention_days=st.none() | st.integers(0, 365),
    usages=st.none()
    | st.just(())
    | st.builds(
        lambda stored, limit: (Usage("Size", stored, limit, "Bytes"),),
        st.integers(0, 2**50),
        st.none() | st.integers(0, 2**50),
    ),
)


@given(registries)
def test_findings_are_whole_sorted_and_each_there_once(found: Registry) -> None:
    findings = findings_of(found)
    risks = [list(Risk).index(finding.risk) for finding in findings]
    assert risks == sorted(risks)
    assert len({finding.title for finding in findings}) == len(findings)
    for finding in findings:
        assert all((finding.title, finding.reason, finding.risk_text, finding.fix))
        assert found.name in shlex.split(finding.fix)


OPPOSITES = {
    "Last operation succeeded": "Provisioning",
    "SKU is not retired": "Classic SKU",
    "Admin user disabled": "Admin user on",
    "Anonymous pull disabled": "Anonymous pull",
    "Within the included storage": "included storage",
    "Networks restricted": "Open to all networks",
    "Permissions by repository": "Legacy permissions",
    "ARM tokens refused": "ARM tokens accepted",
    "Untagged manifests deleted": "No retention policy",
}


@given(registries)
def test_no_check_has_passed_that_found_something_or_was_not_made(found: Registry) -> None:
    passed = passed_checks(found)
    assert set(passed) <= OPPOSITES.keys()
    for label in passed:
        assert not any(OPPOSITES[label] in title for title in titles(found)), label
    if unread_findings(found):
        assert "Within the included storage" not in passed
    if found.network.open_to_all:
        assert "Networks restricted" not in passed


@given(registries)
def test_to_mend_a_finding_removes_it_and_adds_none(found: Registry) -> None:
    mended = replace(found, access=replace(found.access, admin_user=False, anonymous_pull=False))
    gone = {"Admin user on", "Anonymous pull"}
    assert set(titles(mended)) == set(titles(found)) - gone


@given(registries)
def test_findings_do_not_depend_on_who_or_where(found: Registry) -> None:
    elsewhere = replace(found, subscription="other", location="eastus", resource_group="other", tags=(("a", "b"),))
    assert findings_of(elsewhere) == findings_of(found)
    assert all(isinstance(finding, Finding) for finding in findings_of(found))


def test_what_is_not_read_yet_is_not_unknown_and_what_was_refused_is() -> None:
    listed = replace(registry(), usages=None, unread=())
    refused = replace(listed, unread=(Refusal("usage", ServiceError("Could not", "Refused.", "Ask.")),))
    assert unread_findings(listed) == ("Included storage",)
    assert unread_findings(listed, reading=True) == ()
    for reading in (True, False):
        assert unread_findings(refused, reading=reading) == ("Included storage",)
