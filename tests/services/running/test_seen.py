"""Where images were seen to run, and by whom: a cluster that was not asked is not counted as one that answered."""

from datetime import UTC, datetime, timedelta

from services.running.seen import SeenRunning, seen_running
from ui.running.seen import seen_note, seen_words

AT = datetime(2026, 6, 1, tzinfo=UTC)


def test_nothing_is_seen_where_no_cluster_answered_and_no_app_runs_any() -> None:
    assert seen_running([], [], AT) is None


def test_the_first_answer_and_the_time_of_the_apps_are_said() -> None:
    seen = seen_running([], [AT, AT - timedelta(hours=1)], AT)
    assert seen is not None
    assert (seen.asked, seen.since, seen.apps_at) == (2, AT - timedelta(hours=1), AT)
    assert "2 clusters that answered" in seen_words(seen)
    assert seen_note(seen).startswith("2 clusters answered")


def test_of_clusters_that_were_not_asked_no_number_is_said() -> None:
    seen = SeenRunning({}, {}, apps_at=AT)
    assert "0 cluster" not in seen_words(seen) + seen_note(seen)
    assert "not asked" in seen_words(seen)
    assert "not asked" in seen_note(seen)
    assert "Container Apps read" in seen_note(seen)
