"""The console's settings: from the environment, else from `.streamlit/secrets.toml`, else the default.

Each name is in the table of docs/settings.md; a test compares the two.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import streamlit as st
from streamlit.errors import StreamlitSecretNotFoundError

from services.connection.endpoints import CLOUDS
from services.cost_reports.webhook import host_of
from services.index.configs import CONFIGS_A_RUN, MOST_CONFIGS_A_RUN
from services.index.pace import MOST_READS_A_MINUTE, READS_A_MINUTE
from services.jobs.jobs import LONGEST_LEASE
from ui.runtime.sign_in_settings import SIGN_IN_NAMES, SignInSettings, sign_in_settings

# By default of where people sign in: a fifth of what an identity may read on Basic and Standard.
SNAPSHOT_READS = 1000

NAMES = {
    "ACR_CONSOLE_ARCHIVES": "",
    "ACR_CONSOLE_CONNECTION": "sandbox",
    "ACR_CONSOLE_CLOUD": "public",
    "ACR_CONSOLE_CA_FILE": "",
    "ACR_CONSOLE_DATA": ".console",
    "ACR_CONSOLE_DATABASE": "",
    "ACR_CONSOLE_INDEX_CONFIGS": str(CONFIGS_A_RUN),
    "ACR_CONSOLE_INDEX_READS": str(READS_A_MINUTE),
    "ACR_CONSOLE_LEASE_S": "30",
    "ACR_CONSOLE_LOG": "text",
    "ACR_CONSOLE_METRICS_PORT": "",
    "ACR_CONSOLE_METRICS_ADDRESS": "127.0.0.1",
    "ACR_CONSOLE_PRICE_SHEET": "",
    "ACR_CONSOLE_REPORT_FOLDER": "",
    "ACR_CONSOLE_REPORT_WEBHOOK": "",
    "ACR_CONSOLE_SANDBOX_DATA": ".sandbox",
    "ACR_CONSOLE_SANDBOX_SEED": "estate",
    "ACR_CONSOLE_SANDBOX_LATENCY_MS": "0",
    "ACR_CONSOLE_SANDBOX_READY_FILE": "",
    "ACR_CONSOLE_SNAPSHOT_READS": "",
    **SIGN_IN_NAMES,
}

# An estate of a size of its own: registries, repositories of each, manifests of each of these.
_LARGE_ESTATE = re.compile("estate(:[1-9][0-9]{0,4}){3}")


@dataclass(frozen=True)
class Settings:
    """`connection` is sandbox or azure; `cloud` one of `services.connection.endpoints.CLOUDS`.

    `archives` is the folder of image archives that people may push. `data` is the folder of what the console keeps,
    `database` the URL of its database, `price_sheet` the team's own
    prices, `report_folder` and `report_webhook` where the cost report of each month goes ("": to none),
    `sandbox_ready_file` that of a sandbox that runs already. `log` is text or json, and `metrics_port` None
    where there are no metrics. `index_reads` is how much of a registry may be read a minute for the index,
    `index_configs` how many configs of it in one run, `snapshot_reads` for its daily snapshot a minute; 0: none is
    taken. `lease` is how long a job whose process ended waits until another takes it over.
    `sign_in` is None where the console has no sign-in.
    """

    archives: Path | None
    connection: str
    cloud: str
    ca_file: str | None
    data: Path
    database: str = field(repr=False)  # It may hold a password.
    index_configs: int
    index_reads: int
    lease: timedelta
    log: str
    metrics_port: int | None
    metrics_address: str
    price_sheet: Path | None
    report_folder: Path | None
    report_webhook: str = field(repr=False)  # Whoever knows its path may post there.
    sandbox_data: Path
    sandbox_seed: str
    sandbox_latency_ms: float
    sandbox_ready_file: Path | None
    snapshot_reads: int
    sign_in: SignInSettings | None


def read_settings() -> Settings:
    """The settings of this process. Raises ValueError that names the setting which is wrong."""
    try:
        secrets = dict(st.secrets)
    except StreamlitSecretNotFoundError:
        secrets = {}
    return settings_from({**secrets, **os.environ})


def settings_from(values: Mapping[str, object]) -> Settings:
    """`values` by name, over the defaults."""
    found = {name: str(values.get(name) or default) for name, default in NAMES.items()}
    _one_of(found, "ACR_CONSOLE_CONNECTION", ("sandbox", "azure"))
    _one_of(found, "ACR_CONSOLE_CLOUD", tuple(CLOUDS))
    if not _LARGE_ESTATE.fullmatch(found["ACR_CONSOLE_SANDBOX_SEED"]):
        _one_of(found, "ACR_CONSOLE_SANDBOX_SEED", ("walkthrough", "estate", "empty", "estate:500:40:250"))
    _one_of(found, "ACR_CONSOLE_LOG", ("text", "json"))
    latency = _number(found, "ACR_CONSOLE_SANDBOX_LATENCY_MS", "milliseconds")
    index_reads = _number(found, "ACR_CONSOLE_INDEX_READS", "reads a minute")
    if not 1 <= index_reads <= MOST_READS_A_MINUTE:
        raise ValueError(f"ACR_CONSOLE_INDEX_READS is reads a minute, from 1 to {MOST_READS_A_MINUTE:,}")
    sign_in = sign_in_settings(found)
    # A console of one person reads whole registries when that person asks for it.
    found["ACR_CONSOLE_SNAPSHOT_READS"] = found["ACR_CONSOLE_SNAPSHOT_READS"] or str(SNAPSHOT_READS if sign_in else 0)
    snapshot_reads = _number(found, "ACR_CONSOLE_SNAPSHOT_READS", "reads a minute")
    if not (snapshot_reads == 0 or 1 <= snapshot_reads <= MOST_READS_A_MINUTE):
        raise ValueError(f"ACR_CONSOLE_SNAPSHOT_READS is reads a minute, from 1 to {MOST_READS_A_MINUTE:,}, or 0")
    index_configs = _number(found, "ACR_CONSOLE_INDEX_CONFIGS", "configs of a registry in one run")
    if not 0 <= index_configs <= MOST_CONFIGS_A_RUN:
        raise ValueError(f"ACR_CONSOLE_INDEX_CONFIGS is configs a run, from 0 to {MOST_CONFIGS_A_RUN:,}")
    lease_s = _number(found, "ACR_CONSOLE_LEASE_S", "seconds")
    if not 1 <= lease_s <= LONGEST_LEASE.total_seconds():
        raise ValueError("ACR_CONSOLE_LEASE_S is seconds, from 1 to 3600")
    return Settings(
        archives=Path(found["ACR_CONSOLE_ARCHIVES"]) if found["ACR_CONSOLE_ARCHIVES"] else None,
        connection=found["ACR_CONSOLE_CONNECTION"],
        cloud=found["ACR_CONSOLE_CLOUD"],
        ca_file=found["ACR_CONSOLE_CA_FILE"] or None,
        data=Path(found["ACR_CONSOLE_DATA"]),
        database=found["ACR_CONSOLE_DATABASE"] or f"sqlite:///{Path(found['ACR_CONSOLE_DATA']) / 'console.db'}",
        index_configs=int(index_configs),
        index_reads=int(index_reads),
        lease=timedelta(seconds=lease_s),
        log=found["ACR_CONSOLE_LOG"],
        metrics_port=_port(found, "ACR_CONSOLE_METRICS_PORT"),
        metrics_address=found["ACR_CONSOLE_METRICS_ADDRESS"],
        price_sheet=Path(found["ACR_CONSOLE_PRICE_SHEET"]) if found["ACR_CONSOLE_PRICE_SHEET"] else None,
        report_folder=Path(found["ACR_CONSOLE_REPORT_FOLDER"]) if found["ACR_CONSOLE_REPORT_FOLDER"] else None,
        report_webhook=_webhook(found, "ACR_CONSOLE_REPORT_WEBHOOK"),
        sandbox_data=Path(found["ACR_CONSOLE_SANDBOX_DATA"]),
        sandbox_seed=found["ACR_CONSOLE_SANDBOX_SEED"],
        sandbox_latency_ms=latency,
        sandbox_ready_file=_file(found, "ACR_CONSOLE_SANDBOX_READY_FILE"),
        snapshot_reads=int(snapshot_reads),
        sign_in=sign_in,
    )


def _number(found: Mapping[str, str], name: str, unit: str) -> float:
    try:
        return float(found[name])
    except ValueError as exc:
        raise ValueError(f"{name} is {unit}, a number") from exc


def _file(found: Mapping[str, str], name: str) -> Path | None:
    if found[name] and not Path(found[name]).is_file():
        raise ValueError(f"{name} is no file")
    return Path(found[name]) if found[name] else None


def _webhook(found: Mapping[str, str], name: str) -> str:
    if found[name]:
        try:
            host_of(found[name])
        except ValueError as exc:
            raise ValueError(f"{name} {exc}") from None
    return found[name]


def _port(found: Mapping[str, str], name: str) -> int | None:
    if found[name] and not (found[name].isdecimal() and 0 < int(found[name]) < 65536):
        raise ValueError(f"{name} is a port, from 1 to 65535")
    return int(found[name]) if found[name] else None


def _one_of(found: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> None:
    if found[name] not in allowed:
        raise ValueError(f"{name} is {found[name]!r}; it must be one of: {', '.join(allowed)}")
