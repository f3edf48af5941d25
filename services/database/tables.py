"""The tables as they are now: jobs, the log, sign-ins, requests, what processes share, retention policies, schedules,
what clusters answered, and what registries stored day by day.

A change here needs a migration in `services/database/migrations/versions`; a test holds the two equal.
"""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator[datetime]):
    """A time with its zone, in UTC; SQLite keeps none."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:  # noqa: ARG002
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("login", Text, nullable=False, server_default=""),  # The name of `who`, where people sign in.
    Column("action", Text, nullable=False),
    Column("login_server", Text, nullable=False),
    Column("repository", Text, nullable=False),
    # What is needed to plan it again, besides its items.
    Column("details", JSON, nullable=False),
    Column("begun", UtcTime, nullable=False),
    Column("runner", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lease_until", UtcTime, nullable=False),
    Column("stop_requested", Boolean, nullable=False),
    Column("ended", UtcTime),
    Column("answer", Text, nullable=False),
    Column("error", Text, nullable=False),
    # Of records that were files before: lines that could not be read.
    Column("damaged_lines", Integer, nullable=False),
    # It has ended, and not all of it is done, though no item says so.
    Column("incomplete", Boolean, nullable=False, server_default=false()),
    Index("jobs_of", "who", "begun"),
)

job_items = Table(
    "job_items",
    metadata,
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("outcome", Text),
    Column("cause", Text, nullable=False),
    Column("at", UtcTime),
)

audit = Table(
    "audit",
    metadata,
    # SQLite counts up an INTEGER alone.
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("who", Text, nullable=False),
    # JSON as it was hashed: what is kept is what is vouched for.
    Column("entry", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("hash", Text, nullable=False),
    UniqueConstraint("previous", name="audit_is_one_chain"),
)

accounts = Table(
    "accounts",
    metadata,
    Column("account", Text, primary_key=True),  # Tenant and object id, as `Identity.key`.
    Column("name", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("tokens", LargeBinary, nullable=False),  # MSAL's cache, sealed.
    # Counts the writes of `tokens`: a process that was slower writes nothing over them.
    Column("version", Integer, nullable=False),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    Column("id", Text, primary_key=True),
    # Who reads the table has no cookie.
    Column("cookie_hash", Text, nullable=False, unique=True),
    Column("account", Text, ForeignKey("accounts.account", ondelete="CASCADE"), nullable=False),
    Column("begun", UtcTime, nullable=False),
    Column("seen", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False),
    # Sealed with the sign-in's id and account: who writes to the table gives nobody a role.
    Column("roles", LargeBinary),
    Index("sign_ins_of", "account"),
)

requests = Table(
    "requests",
    metadata,
    Column("id", Text, primary_key=True),
    Column("who", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("asked", UtcTime, nullable=False),
    Column("scope", Text, nullable=False),  # A registry's resource id in lower case.
    Column("assignment", Text, nullable=False),
    Column("condition", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("query", JSON, nullable=False),
    Column("closed", UtcTime),
    Column("closed_by", Text),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),  # Why it was declined.
    Index("requests_for", "scope", "assignment"),
)

contents = Table(
    "contents",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("size", Integer, nullable=False),
    Column("raw", LargeBinary, nullable=False),
    Column("used", UtcTime, nullable=False),
    Index("contents_by_use", "used", "size"),
)

# Of what a deletion deletes: `contents` keeps the bytes as long.
kept_manifests = Table(
    "kept_manifests",
    metadata,
    Column("job", Text, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("kept", UtcTime, nullable=False),
    Index("kept_manifests_by_digest", "digest"),
    Index("kept_manifests_by_age", "kept"),
)

list_prices = Table(
    "list_prices",
    metadata,
    Column("source", Text, primary_key=True),  # The host of the API.
    Column("currency", Text, primary_key=True),
    Column("region", Text, primary_key=True),
    Column("read", UtcTime, nullable=False),
    # JSON, with the digits of each price as they came.
    Column("rows", Text, nullable=False),
)

policies = Table(
    "policies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Integer, nullable=False),  # The newest.
    Column("deleted", UtcTime),
)

policy_versions = Table(
    "policy_versions",
    metadata,
    Column("policy", Text, ForeignKey("policies.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    # As it was written, with its comments.
    Column("text", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("saved", UtcTime, nullable=False),
)

cluster_answers = Table(
    "cluster_answers",
    metadata,
    Column("azure", Text, primary_key=True),  # The cloud and tenant.
    Column("cluster", Text, primary_key=True),  # Its resource id in lower case.
    Column("error_of", Text, primary_key=True),  # Who could not ask it; "" for what it answered.
    Column("at", UtcTime, nullable=False),
    Column("address", Text, nullable=False),  # Of its API server: one created again has another.
    Column("login", Text, nullable=False),  # The name of who asked, where people sign in.
    Column("error", Text, nullable=False),  # JSON.
    Column("size", Integer, nullable=False),
    # JSON, compressed.
    Column("images", LargeBinary, nullable=False),
)

schedules = Table(
    "schedules",
    metadata,
    Column("policy", Text, ForeignKey("policies.id", ondelete="CASCADE"), primary_key=True),
    Column("runs_as", Text, nullable=False),  # The cloud and identity of the console that runs it.
    Column("registries", JSON, nullable=False),  # Their resource ids.
    Column("weekday", Integer),  # From 0, Monday; NULL for every day.
    Column("hour", Integer, nullable=False),
    Column("proposals", Integer, nullable=False),
    Column("asks_clusters", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("who", Text, nullable=False),
    Column("login", Text, nullable=False),
    Column("saved", UtcTime, nullable=False),
)

scheduled_runs = Table(
    "scheduled_runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("policy", Text, ForeignKey("policies.id", ondelete="CASCADE"), nullable=False),
    Column("runs_as", Text, nullable=False),
    Column("registry", Text, nullable=False),
    Column("due", UtcTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("lease_until", UtcTime, nullable=False),
    Column("version", Integer),  # Of the policy, once it is planned.
    Column("planned", UtcTime),
    Column("figures", JSON),
    Column("error", Text, nullable=False),
    Column("jobs", Integer, nullable=False),  # So many it begins; 0 until it is decided.
    Column("decided", UtcTime),
    Column("decided_by", Text, nullable=False),
    Column("decided_login", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested", Boolean, nullable=False, server_default=false()),  # By a person: it only proposes.
    # Whether the approval deletes all that was proposed, but for what is gone.
    Column("approved_all", Boolean, nullable=False, server_default=false()),
    # Two processes that both find a time due plan it once.
    UniqueConstraint("policy", "due", "registry", name="scheduled_once"),
)

scheduled_parts = Table(
    "scheduled_parts",
    metadata,
    Column("run", Text, ForeignKey("scheduled_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("repository", Text, primary_key=True),
    Column("freed", BigInteger, nullable=False),
    Column("deleted", JSON, nullable=False),  # Digest and tags of each manifest.
)

scheduled_jobs = Table(
    "scheduled_jobs",
    metadata,
    # A repository's deletion begins once in a run, whichever process begins it.
    Column("run", Text, ForeignKey("scheduled_runs.id", ondelete="CASCADE"), primary_key=True),
    Column("repository", Text, primary_key=True),
    Column("job", Text, nullable=False),
)

# What registries and their repositories stored, day by day; the repository "" is the registry as a whole.
snapshots = Table(
    "snapshots",
    metadata,
    Column("registry", Text, primary_key=True),  # Its resource id in lower case, and when it was created.
    Column("day", Date, primary_key=True),
    Column("repository", Text, primary_key=True),
    Column("unique_bytes", BigInteger, nullable=False),
    Column("shared_bytes", BigInteger, nullable=False),
    Column("untagged_bytes", BigInteger, nullable=False),
    Column("tags", Integer, nullable=False),
    Column("manifests", Integer, nullable=False),
    Column("pulls", BigInteger),  # In the 30 days before; None unknown.
    Column("cost", Text),  # Of a month, by list prices: a decimal number; None unknown.
    Column("currency", Text),
)

# What the worker reads each day for the snapshots, as whom: a row a registry, and with the registry "" their list.
snapshot_reads = Table(
    "snapshot_reads",
    metadata,
    Column("runs_as", Text, primary_key=True),
    Column("registry", Text, primary_key=True),  # As in `snapshots`.
    Column("resource", Text, nullable=False),  # Its resource id.
    Column("day", Date),  # The last that was read completely.
    Column("begun", Date),  # The last that was begun, so many times without a result.
    Column("attempt", Integer, nullable=False),
    Column("lease_until", UtcTime),  # None: nobody reads it.
    Column("tried", UtcTime),  # When the last one failed.
    Column("error", Text, nullable=False),  # Why; "" where it did not.
)

# The cost report of each month, by where it goes: delivered once.
cost_reports = Table(
    "cost_reports",
    metadata,
    Column("runs_as", Text, primary_key=True),  # The cloud and identity of the console that makes it.
    Column("target", Text, primary_key=True),
    Column("month", Date, primary_key=True),  # Its first day.
    Column("attempt", Integer, nullable=False),  # So many begun without a result.
    Column("leases", Integer, nullable=False),  # So many were given: the last one's number is its holder's.
    Column("failures", Integer, nullable=False),  # So often what may pass was not read.
    Column("lease_until", UtcTime),  # None: nobody makes it.
    Column("tried", UtcTime),  # When it failed last.
    Column("again", UtcTime),  # Not before that.
    Column("error", Text, nullable=False),  # Why; "" where it did not.
    Column("versions", JSON, nullable=False),  # SHA-256 of the files that were about to be written.
    Column("done", UtcTime),  # When it was delivered.
    Column("place", Text, nullable=False),  # As which file, or to which host; never a webhook's address.
    Column("lacks", Text, nullable=False),  # What could not be read for it.
)
