"""Many independent calls at once, on one bounded pool, with a partial result that says what is missing."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from threading import Event
from typing import Generic, TypeVar

from services.connection.errors import ServiceError

Item = TypeVar("Item")
Value = TypeVar("Value")
# Done, of how many, and of what.
Progress = Callable[[int, int, str], None]

# az and acr-cli use at most 32 against one registry ("max recommended by ACR server", acr-cli purge.go).
WORKERS = 16
_pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="fanout")
# Work on whole layers holds a thread for minutes and memory for its chunk: few at a time, and no read waits for it.
HEAVY_WORKERS = 4


@dataclass(frozen=True)
class Refusal:
    """One part that could not be read, and why."""

    what: str
    error: ServiceError


@dataclass(frozen=True)
class Partial(Generic[Value]):
    """What was read, in the order that was asked for; what was refused; how many were not tried (stopped)."""

    values: tuple[Value, ...]
    refused: tuple[Refusal, ...] = ()
    untried: int = 0

    @property
    def complete(self) -> bool:
        return not self.refused and not self.untried


def parallel_map(
    work: Callable[[Item], Value],
    items: Iterable[Item],
    *,
    name: Callable[[Item], str] = str,
    done: Callable[[int, Value | None], None] | None = None,
    stop: Event | None = None,
) -> Partial[Value]:
    """`work` of every item in parallel. A ServiceError refuses its own item only; any other error is raised.

    `done(index, value)` is called in the caller's thread as items finish (value None where refused). After `stop` is
    set, items that have not begun are left untried. Must not be called from within `work`.
    """
    items = list(items)
    stop = stop or Event()

    def run(item: Item) -> tuple[Value] | None:
        return None if stop.is_set() else (work(item),)

    futures = {_pool.submit(run, item): index for index, item in enumerate(items)}
    values: dict[int, Value] = {}
    refused: dict[int, Refusal] = {}
    for future in as_completed(futures):
        index = futures[future]
        try:
            tried = future.result()
        except ServiceError as error:
            refused[index] = Refusal(name(items[index]), error)
        else:
            if tried is None:
                continue
            values[index] = tried[0]
        if done:
            done(index, values.get(index))
    return Partial(
        tuple(values[index] for index in sorted(values)),
        tuple(refused[index] for index in sorted(refused)),
        len(items) - len(values) - len(refused),
    )


def counter(progress: Progress | None, what: str, of: int) -> Callable[[int, object], None]:
    """A `done` for `parallel_map` that tells `progress` how many of the items have ended."""
    count = 0

    def done(_index: int, _value: object) -> None:
        nonlocal count
        count += 1
        if progress:
            progress(count, of, what)

    return done


def all_or_none(work: Callable[[Item], Value], items: Iterable[Item]) -> list[Value]:
    """`work` of every item, in order, four at a time, for work on whole layers. The first error is raised.

    Items that have not begun by then are left; those that have are waited for.
    """
    failed = Event()

    def run(item: Item) -> list[Value]:
        if failed.is_set():
            return []
        try:
            return [work(item)]
        except BaseException:
            failed.set()
            raise

    with ThreadPoolExecutor(HEAVY_WORKERS, thread_name_prefix="heavy") as pool:
        futures = [pool.submit(run, item) for item in items]
        for future in as_completed(futures):
            future.result()
        return [value for future in futures for value in future.result()]
