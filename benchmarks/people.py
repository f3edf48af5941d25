"""What a team costs: people who signed in, each with a tab that goes from page to page, at two replicas of the console.

`python -m benchmarks.people [PEOPLE [MINUTES]]` measures fewer people, or less long.
"""

import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography.fernet import Fernet
from streamlit.proto.Alert_pb2 import Alert
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from benchmarks import processes
from benchmarks.browser_tab import BrowserTab
from benchmarks.gate import sign_in
from benchmarks.results import Row, exactly, table, under
from benchmarks.views import MATRIX, VIEWS, View
from sandbox.identity.principals import PRINCIPALS, principal
from sandbox.seeds.company import ENGINEERS
from sandbox.seeds.resources import guid
from sandbox.server import Sandbox
from tests.support.postgres import postgres

PEOPLE, MINUTES = 50, 5.0
# A part of them comes first: what the process takes on when it is used at all is there by then.
FIRST = 0.2
# A page is read for so many seconds.
READING_S = (5, 15)
PAGES = (*VIEWS, MATRIX, View("overview", ""), View("costs", "costs"), View("SKUs", "skus"))
# What is red on a page though nothing failed.
FINDINGS = ("Over budget",)
MIB = 1024 * 1024


@dataclass
class Seen:
    """What people met. `errors` by what they say."""

    pages: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, took_s: float, errors: Sequence[str]) -> None:
        with self.lock:
            self.pages += 1
            self.slowest_s = max(self.slowest_s, took_s)
            self.errors.update(errors)


def measure(people: int = PEOPLE, minutes: float = MINUTES) -> list[Row]:
    accounts = [guid("user", f"engineer {number}") for number in range(people)]
    first = max(2, round(people * FIRST))
    seen, ended = Seen(), threading.Event()
    with _two_replicas(accounts) as consoles, ThreadPoolExecutor(people) as pool:

        def come(number: int) -> Callable[[], None]:
            return lambda: _browse(consoles[number % 2].address, accounts[number], random.Random(number), seen, ended)

        def grown() -> int:
            return sum(console.resident_bytes() for console in consoles)

        try:
            browsing = [pool.submit(come(number)) for number in range(first)]
            ended.wait(minutes * 60 / 2)
            of_few = grown()
            browsing += [pool.submit(come(number)) for number in range(first, people)]
            ended.wait(minutes * 60)
            of_all = grown()
        finally:
            ended.set()
        for one in browsing:
            one.result()
    print(
        f"{seen.pages} pages, the slowest in {seen.slowest_s:.1f} s; both processes {of_few / MIB:.0f} MiB with "
        f"{first} people, {of_all / MIB:.0f} with {people}; errors: {dict(seen.errors) or 'none'}",
        file=sys.stderr,
    )
    what = f"{people} signed-in people at two replicas, {minutes:g} minutes of browsing"
    return [
        exactly(f"{what}: errors", seen.errors.total(), 0),
        under("… memory of each further person, MiB", (of_all - of_few) / (people - first) / MIB, 8),
    ]


def _browse(address: str, account: str, chance: random.Random, seen: Seen, ended: threading.Event) -> None:
    """A person who signs in and goes from page to page, until `ended`."""
    try:
        cookie = sign_in(address, account)
        with BrowserTab(address, cookie) as tab:
            while not ended.is_set():
                for view in chance.sample(PAGES, len(PAGES)):
                    took, messages = tab.run(view.page, view.query)
                    seen.add(took, [f"{view.title}: {error}" for error in errors_of(messages)])
                    if ended.wait(chance.uniform(*READING_S)):
                        return
    except Exception as error:  # noqa: BLE001 - It is what is counted.
        seen.add(0, [repr(error)])


def errors_of(messages: Sequence[ForwardMsg]) -> list[str]:
    """The errors that a run shows: tracebacks, and panels that something failed; what is wrong in Azure is none."""
    elements = [message.delta.new_element for message in messages if message.delta.HasField("new_element")]
    return [one.exception.message for one in elements if one.HasField("exception")] + [
        one.alert.body
        for one in elements
        if one.HasField("alert") and one.alert.format == Alert.ERROR and not one.alert.body.startswith(FINDINGS)
    ]


@contextmanager
def _two_replicas(accounts: Sequence[str]) -> Iterator[list[processes.Console]]:
    with TemporaryDirectory() as folder, postgres() as database, ExitStack() as stack:
        data = Path(folder) / "sandbox"
        _employ(data, accounts)
        ports = [processes.free_port() for _ in range(2)]
        redirects = [f"http://localhost:{port}/auth/callback" for port in ports]
        stack.enter_context(
            processes.sandbox(seed="estate", data=data, redirects=redirects, ready=Path(folder) / "ready")
        )
        team = {
            "ACR_CONSOLE_SANDBOX_READY_FILE": f"{folder}/ready",
            "ACR_CONSOLE_SIGN_IN": "entra",
            "ACR_CONSOLE_PUBLIC_URL": "{address}",
            "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
            "ACR_CONSOLE_DATABASE": database,
            "STREAMLIT_SERVER_COOKIE_SECRET": "the same in both replicas",
        }
        yield [stack.enter_context(processes.console("app.py", "estate", port, **team)) for port in ports]


def _employ(data: Path, accounts: Sequence[str]) -> None:
    """Adds these people to a new sandbox, as platform engineers: they see all of the estate."""
    with Sandbox.start(data, "estate") as sandbox:
        for number, account in enumerate(accounts):
            sandbox.store.put_resource(
                principal(account, f"Engineer {number}", "user", upn=f"engineer-{number}@contoso.example")
            )
        group = next(one for one in sandbox.store.list_resources(PRINCIPALS) if one["objectId"] == ENGINEERS)
        sandbox.store.put_resource({**group, "members": [*group["members"], *accounts]})


if __name__ == "__main__":
    given = [float(word) for word in sys.argv[1:]]
    rows = measure(int(given[0]) if given else PEOPLE, given[1] if len(given) > 1 else MINUTES)
    print(table(rows))
