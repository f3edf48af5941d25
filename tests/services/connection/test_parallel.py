"""Many calls at once: the result does not depend on timing, and says what is missing."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from functools import partial
from threading import Barrier, Event, Lock, get_ident
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connection import parallel
from services.connection.errors import ServiceError
from services.connection.parallel import (
    ALL_WORKERS,
    HEAVY_WORKERS,
    WORKERS,
    Partial,
    Refusal,
    Workers,
    all_or_none,
    parallel_map,
)


def refusal(what: object) -> ServiceError:
    return ServiceError(f"Could not read {what}", "c", "r")


@given(st.data())
def test_the_result_does_not_depend_on_which_finishes_first(data: st.DataObject) -> None:
    outcomes = data.draw(st.lists(st.booleans(), max_size=8))
    finishes = data.draw(st.permutations(range(len(outcomes))))
    turns = [Event() for _ in outcomes]
    finished: list[int] = []

    def work(item: int) -> str:
        assert turns[item].wait(30)
        if not outcomes[item]:
            raise refusal(item)
        return f"value {item}"

    def done(index: int, value: str | ServiceError) -> None:
        assert (value == f"value {index}") == outcomes[index] != isinstance(value, ServiceError)
        finished.append(index)
        if len(finished) < len(finishes):
            turns[finishes[len(finished)]].set()

    if finishes:
        turns[finishes[0]].set()
    found = parallel_map(work, range(len(outcomes)), name=lambda item: f"item {item}", done=done)
    assert finished == list(finishes)
    assert found.values == tuple(f"value {item}" for item, fine in enumerate(outcomes) if fine)
    assert [refused.what for refused in found.refused] == [f"item {i}" for i, fine in enumerate(outcomes) if not fine]
    assert [refused.error.title[-1] for refused in found.refused] == [r.what[-1] for r in found.refused]
    assert found.untried == 0
    assert found.complete == all(outcomes)


def test_nothing_to_do_is_complete() -> None:
    assert parallel_map(str, []) == Partial(())
    assert parallel_map(str, []).complete


def test_as_many_at_once_as_there_are_workers_and_no_more() -> None:
    together, lock = Barrier(WORKERS), Lock()
    running = most = 0

    def work(item: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        together.wait(30)  # Passes only where that many run at once.
        with lock:
            running -= 1
        return item

    assert parallel_map(work, range(3 * WORKERS)).values == tuple(range(3 * WORKERS))
    assert most == WORKERS


def test_a_server_that_does_not_answer_holds_up_its_own_calls_alone() -> None:
    answers, events = Event(), list[str]()

    def wait(item: int) -> int:
        assert answers.wait(30)
        events.append("slow")
        return item

    def read(item: int) -> int:
        events.append("quick")
        return item

    with ThreadPoolExecutor(2) as callers:
        slow = [callers.submit(parallel_map, wait, range(ALL_WORKERS), server="slow.azurecr.io") for _ in range(2)]
        try:
            assert parallel_map(read, range(ALL_WORKERS), server="quick.azurecr.io").complete
            assert parallel_map(read, range(ALL_WORKERS)).complete  # Resource Manager's
        finally:
            answers.set()
        assert all(one.result().complete for one in slow)
    assert events == ["quick"] * 2 * ALL_WORKERS + ["slow"] * 2 * ALL_WORKERS


def test_a_fan_out_over_servers_waits_for_none_of_another() -> None:
    answers, events = Event(), list[str]()

    def read(server: str) -> str:
        if server == "slow":
            assert answers.wait(30)
        events.append(server)
        if events.count("quick") == 4 * WORKERS:
            answers.set()
        return server

    servers = ["slow"] * 2 * WORKERS + ["quick"] * 4 * WORKERS
    assert parallel_map(read, servers, server=str).values == tuple(servers)
    assert events == ["quick"] * 4 * WORKERS + ["slow"] * 2 * WORKERS


@given(st.lists(st.sampled_from("abc"), max_size=30), st.integers(1, 4), st.integers(1, 4))
def test_no_server_is_asked_more_at_once_than_it_may_be(servers: list[str], each: int, most: int) -> None:
    workers, lock = Workers(most, each), Lock()
    running: dict[str, int] = {}
    begun: list[tuple[str, int]] = []

    def work(server: str, number: int) -> int:
        with lock:
            running[server] = running.get(server, 0) + 1
            begun.append((server, number))
            assert running[server] <= each
            assert sum(running.values()) <= most
        with lock:
            running[server] -= 1
        if number % 3 == 0:
            raise refusal(number)
        return number

    futures = [workers.submit(server, partial(work, server, number)) for number, server in enumerate(servers)]
    for number, future in enumerate(futures):
        assert (future.exception(30) is None) == (number % 3 != 0)
    assert sorted(begun) == sorted((server, number) for number, server in enumerate(servers))
    if each == 1:  # Of one server, in the order of the calls.
        assert all(
            [n for s, n in begun if s == server] == sorted(n for s, n in begun if s == server) for server in "abc"
        )


def test_another_error_is_raised() -> None:
    def work(item: int) -> int:
        if item == 3:
            raise ZeroDivisionError
        return item

    with pytest.raises(ZeroDivisionError):
        parallel_map(work, range(5))


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit])
@given(data=st.data())
def test_after_an_error_nothing_begins_and_what_was_under_way_has_ended(
    error: type[BaseException], data: st.DataObject
) -> None:
    """Of `work` in a thread, or of `done` in the caller's; what the others did is reported all the same."""
    items = list(range(data.draw(st.integers(1, 3 * WORKERS))))
    in_work = data.draw(st.none() | st.sampled_from(items), "fails in work")
    in_done = data.draw(st.none() | st.sampled_from(items), "fails in done")
    lock, begun, ended, reported = Lock(), list[int](), list[int](), list[int]()

    def work(item: int) -> int:
        with lock:
            begun.append(item)
        try:
            if item == in_work:
                raise error
            if item % 5 == 0:
                raise refusal(item)
            return item
        finally:
            with lock:
                ended.append(item)

    def done(index: int, _what: object) -> None:
        reported.append(index)
        if index == in_done:
            raise error

    def call() -> None:
        parallel_map(work, items, server="errors.azurecr.io", done=done)

    fails = in_work is not None or in_done is not None
    if fails:
        with pytest.raises(error):
            call()
    else:
        call()
    seen = sorted(begun)
    assert sorted(ended) == seen
    # Of one server calls run in order: whatever was queued before these would have run before them.
    parallel_map(str, range(2 * WORKERS), server="errors.azurecr.io")
    assert sorted(begun) == seen
    assert sorted(reported) == [item for item in seen if item != in_work]
    assert fails or seen == items


def test_after_an_error_of_done_no_more_begins_than_was_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = list[int](), Event()

    def work(item: int) -> int:
        begun.append(item)
        assert item < WORKERS or go_on.wait(30)
        return item

    def done(_index: int, _what: object) -> None:
        raise OSError("No space left on device")

    def wait_for(futures: set[Future[object]]) -> None:
        go_on.set()
        wait(futures)

    monkeypatch.setattr(parallel, "wait", wait_for)
    with pytest.raises(OSError, match="No space"):
        parallel_map(work, range(50 * WORKERS), done=done)
    assert len(begun) <= 2 * WORKERS


def test_after_stop_nothing_begins_and_the_result_says_how_many_are_missing() -> None:
    stop, together = Event(), Barrier(WORKERS)
    begun: list[int] = []

    def work(item: int) -> int:
        begun.append(item)
        together.wait(30)
        stop.set()
        return item

    told: list[int] = []
    found = parallel_map(work, range(50), done=lambda index, _: told.append(index), stop=stop)
    assert sorted(begun) == list(range(WORKERS))
    assert found.values == tuple(range(WORKERS))
    assert found.untried == 50 - WORKERS
    assert not found.complete
    assert sorted(told) == list(range(WORKERS))


def test_stopped_before_it_begins() -> None:
    stop = Event()
    stop.set()
    assert parallel_map(str, range(4), stop=stop) == Partial((), (), 4)


def test_callers_share_the_pool() -> None:
    with ThreadPoolExecutor(4) as callers:
        found = list(callers.map(lambda n: parallel_map(lambda item: item * n, range(20)).values, range(4)))
    assert found == [tuple(item * n for item in range(20)) for n in range(4)]


def test_done_is_called_in_the_callers_thread() -> None:
    seen: set[int] = set()
    parallel_map(str, range(8), done=lambda *_: seen.add(get_ident()))
    assert seen == {get_ident()}


def test_a_partial_result_with_a_refusal_is_not_complete() -> None:
    assert not Partial((1,), (Refusal("x", refusal("x")),)).complete
    assert not Partial((1,), (), 1).complete
    assert Partial((1,)).complete


def test_work_that_gives_none_was_tried() -> None:
    of_none = parallel_map(lambda _: None, range(3))
    assert of_none == Partial((None, None, None))
    assert of_none.complete


def test_all_or_none_keeps_the_order_and_raises_the_error_of_one() -> None:
    assert all_or_none(lambda number: number * 2, range(20)) == [number * 2 for number in range(20)]
    begun: list[int] = []

    def fails_at_once(number: int) -> int:
        begun.append(number)
        raise ServiceError("No", "Because.", "Ask.")

    with pytest.raises(ServiceError, match="Because"):
        all_or_none(fails_at_once, range(1000))
    assert len(begun) <= HEAVY_WORKERS


def test_all_or_none_begins_nothing_after_an_interruption_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = list[int](), Event()

    class Pool(ThreadPoolExecutor):
        def __exit__(self, *error: Any) -> bool | None:
            go_on.set()
            return super().__exit__(*error)

    def work(number: int) -> int:
        begun.append(number)
        assert go_on.wait(30)
        return number

    def interrupted(_futures: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(parallel, "ThreadPoolExecutor", Pool)
    monkeypatch.setattr(parallel, "as_completed", interrupted)
    with pytest.raises(KeyboardInterrupt):
        all_or_none(work, range(1000))
    assert len(begun) <= HEAVY_WORKERS
