"""What it costs that people sign in: the first load of a page with the gate before it, and without."""

import requests
from cryptography.fernet import Fernet

from benchmarks import processes
from benchmarks.browser_tab import BrowserTab
from benchmarks.results import Row, at_most
from benchmarks.rounds import by_turns, median_ratio, seconds
from sandbox.seeds.company import ADMIN

# It reads the same of Azure for everyone: what differs is the gate.
PAGE, ROUNDS = "roles", 40
COOKIE = "__Host-acr-console="


def measure() -> list[Row]:
    team = {
        "ACR_CONSOLE_SIGN_IN": "entra",
        "ACR_CONSOLE_PUBLIC_URL": "{address}",
        "ACR_CONSOLE_KEYS": Fernet.generate_key().decode(),
        "ACR_CONSOLE_DATABASE": "sqlite:///{folder}/team.db",
    }
    with processes.console("app.py", "estate", **team) as gated, processes.console("app.py", "estate") as plain:
        cookie = sign_in(gated.address, ADMIN)
        for _ in range(5):  # All that is read of Azure is kept by then.
            _load(gated.address, cookie)
            _load(plain.address)
        pairs = by_turns(
            lambda: seconds(lambda: _load(gated.address, cookie)), lambda: seconds(lambda: _load(plain.address)), ROUNDS
        )
    return [at_most("First load of a page when signed in: time, × without the gate", median_ratio(pairs), 1.2)]


def _load(address: str, cookie: str = "") -> None:
    """The document, and a new session that runs the page."""
    headers = {"Cookie": cookie, "Accept": "text/html"}
    requests.get(f"{address}/{PAGE}", headers=headers, allow_redirects=False, timeout=60).raise_for_status()
    with BrowserTab(address, cookie) as tab:
        tab.run(PAGE)


def sign_in(address: str, account: str) -> str:
    """The cookie of one of the sandbox's people. It is for https or localhost alone: no library keeps it for http."""
    begun = requests.get(f"{address}/auth/login", allow_redirects=False, timeout=60)
    chosen = requests.post(begun.headers["Location"], {"account": account}, allow_redirects=False, timeout=60)
    flow = begun.headers["Set-Cookie"].partition(";")[0]
    back = requests.get(chosen.headers["Location"], headers={"Cookie": flow}, allow_redirects=False, timeout=60)
    cookies = back.raw.headers.getlist("Set-Cookie")
    return str(next(one for one in cookies if one.startswith(COOKIE)).partition(";")[0])
