"""Many independent calls at once, on one bounded pool, with a partial result that says what is missing."""

from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from threading import Event, Lock
from typing import Generic, TypeVar

from services.connection.errors import ServiceError

Item = TypeVar("Item")
Value = TypeVar("Value")
# Done, of how many, and of what.
Progress = Callable[[int, int, str], None]

# Against one server. az and acr-cli use at most 32 ("max recommended by ACR server", acr-cli purge.go).
WORKERS = 16
# In all: three registries that answer slowly leave the fourth its workers.
ALL_WORKERS = 4 * WORKERS
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

    def all_values(self) -> tuple[Value, ...]:
        """The values, where all were read. Raises the ServiceError of the first refusal: for what needs every one."""
        if self.refused:
            raise self.refused[0].error
        return self.values


def flatten(parts: Partial[Partial[Value]]) -> Partial[Value]:
    """The values of all parts in one, with what was refused of the parts and within them."""
    return Partial(
        tuple(value for part in parts.values for value in part.values),
        parts.refused + tuple(refusal for part in parts.values for refusal in part.refused),
        parts.untried + sum(part.untried for part in parts.values),
    )


class Workers:
    """One pool of `most` threads. Calls to one server get `each` of them: a slow one holds up its own calls alone."""

    def __init__(self, most: int, each: int) -> None:
        self._each = each
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="parallel")
        self._lock = Lock()
        self._running: Counter[str] = Counter()
        self._waiting: defaultdict[str, deque[Callable[[], None]]] = defaultdict(deque)

    def submit(self, server: str, work: Callable[[], Value]) -> Future[Value]:
        """`work` as soon as fewer than `each` of its server's run; of one server, in the order of the calls."""
        future: Future[Value] = Future()

        def run() -> None:
            try:
                value = work()
            except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
                future.set_exception(error)
            else:
                future.set_result(value)
            finally:
                self._next(server)

        within = partial(copy_context().run, run)  # The span of the caller is that of its requests.
        with self._lock:
            if self._running[server] == self._each:
                self._waiting[server].append(within)
                return future
            self._running[server] += 1
        self._pool.submit(within)
        return future

    def _next(self, server: str) -> None:
        """Hands the place to the server's next call, behind the calls to other servers that wait for a thread."""
        with self._lock:
            if waiting := self._waiting[server]:
                self._pool.submit(waiting.popleft())
                return
            self._running[server] -= 1
            if not self._running[server]:
                del self._running[server], self._waiting[server]


_workers = Workers(ALL_WORKERS, WORKERS)


def parallel_map(
    work: Callable[[Item], Value],
    items: Iterable[Item],
    *,
    server: str | Callable[[Item], str] = "",
    name: Callable[[Item], str] = str,
    done: Callable[[int, Value | ServiceError], None] | None = None,
    stop: Event | None = None,
) -> Partial[Value]:
    """`work` of every item in parallel. A ServiceError refuses its own item only; any other error is raised.

    `server`: the login server that `work` asks, or which each item asks; "" is Resource Manager. At most WORKERS at
    once ask one server. `done(index, what)` is called in the caller's thread as items finish, with the value or the
    refusal. After `stop` is set, items that have not begun are left untried. So they are after any other error, also
    one of `done`: it is raised when the items under way have ended and been passed to `done`, so that nothing runs on.
    Must not be called from within `work`.
    """
    items = list(items)
    stop = stop or Event()
    failed = Event()

    def run(item: Item) -> tuple[Value] | None:
        return None if stop.is_set() or failed.is_set() else (work(item),)

    def submit(item: Item) -> Future[tuple[Value] | None]:
        return _workers.submit(server if isinstance(server, str) else server(item), lambda: run(item))

    values: dict[int, Value] = {}
    refused: dict[int, Refusal] = {}
    futures: dict[Future[tuple[Value] | None], int] = {}

    def end(future: Future[tuple[Value] | None]) -> None:
        index = futures[future]
        try:
            tried = future.result()
        except ServiceError as error:
            refused[index] = Refusal(name(items[index]), error)
            if done:
                done(index, error)
        else:
            if tried is None:
                return
            values[index] = tried[0]
            if done:
                done(index, tried[0])

    left: set[Future[tuple[Value] | None]] = set()
    try:
        for index, item in enumerate(items):
            future = submit(item)
            futures[future] = index
            left.add(future)
        for future in as_completed(futures):
            left.discard(future)
            end(future)
    except BaseException:
        failed.set()
        wait(left)
        for future in left:
            with suppress(BaseException):  # The first error is raised; the others often have the same cause.
                end(future)
        raise
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
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:  # Also one that came to the caller's thread from outside.
            failed.set()
            raise
        return [value for future in futures for value in future.result()]
