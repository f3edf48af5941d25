"""Last pulls as a policy's rules take them, and compared again before a run."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.policies.policy import DeleteRule, KeepRule, Policy
from services.policies.pulls import newly_pulled, rules_by_pull, waits_for_pulls
from services.pulls.pulls import ImagePull, RegistryPulls

NOW = datetime(2026, 11, 28, tzinfo=UTC)
pulls = st.builds(
    ImagePull, st.just("app"), st.just(""), st.sampled_from(["sha256:1", "sha256:2", "sha256:3"]),
    st.integers(0, 500).map(lambda days: NOW - timedelta(days=days)), st.just(""), st.just(""), st.just(0),
)  # fmt: skip


def test_pulls_are_asked_for_where_a_rule_deletes_by_them() -> None:
    idle = DeleteRule("idle", not_pulled_for_days=90)
    assert rules_by_pull(Policy("p", (KeepRule("keep"), idle, DeleteRule("old", older_than_days=9)))) == ("idle",)
    assert not waits_for_pulls(Policy("p", (DeleteRule("old", older_than_days=9),)))


@given(st.lists(pulls), pulls)
def test_a_pull_since_is_seen_whatever_was_pulled_before(before: list[ImagePull], new: ImagePull) -> None:
    known = RegistryPulls(tuple(before), NOW, "", True)
    now = RegistryPulls((*before, new), NOW, "", True)
    latest = known.last_by_digest("app", {}).get(new.digest)
    found = newly_pulled(known, now, {"app": [("sha256:1", ()), ("sha256:2", ()), ("sha256:3", ())]})
    assert found == ((f"app@{new.digest}",) if latest is None or new.at > latest else ())
    assert newly_pulled(known, known, {"app": [(new.digest, ())]}) == ()
    assert newly_pulled(known, now, {"other": [(new.digest, ())]}) == ()


def test_a_pull_that_is_logged_by_tag_alone_is_seen() -> None:
    before = RegistryPulls((ImagePull("app", "v1", "", NOW - timedelta(days=9), "", "", 0),), NOW, "", True)
    now = RegistryPulls((ImagePull("app", "v1", "", NOW, "", "", 0),), NOW, "", True)
    deleted = {"app": [("sha256:1", ("v1", "latest")), ("sha256:2", ("v2",))]}
    assert newly_pulled(before, now, deleted) == ("app@sha256:1",)
    assert newly_pulled(now, now, deleted) == ()
