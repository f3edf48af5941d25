"""What a policy does with one repository: each manifest kept or deleted, and by which rule. Pure.

The rules choose tags, and untagged manifests that nothing refers to. An image is deleted where all its tags are chosen;
then the plan of the deletion keeps what is locked, what runs, and what belongs to something that stays.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from services.deletion.cleanup_rules import is_older
from services.deletion.plan import DeletionPlan, Keeps, Why, plan_deletion
from services.deletion.running_images import RunningImages
from services.images.evidence import Proof, evidence_in
from services.images.leftovers import find_leftovers
from services.images.manifests import Descriptor, attached_to
from services.images.repositories import ManifestRow, Tag, last_update_of
from services.images.repository_contents import RepositoryContents
from services.policies.policy import DeleteRule, KeepRule, Policy, Rule, UntaggedRule, matches
from services.policies.versions import last_of_minors

LOCKED = "Locked against"


class By(StrEnum):
    """What decided about a manifest, as it reads after a number; a rule is named instead."""

    NO_RULE = "matched by no rule"
    PART = "part of an image that stays"


@dataclass(frozen=True)
class LastPulls:
    """When each digest of a repository was pulled last, since logging began. One that was not pulled since is absent.
    A `since` of None: pulls are not known, `why` not."""

    last: Mapping[str, datetime] = field(default_factory=dict)
    since: datetime | None = None
    why: str = "Pulls are not known: the registry's logs were not read."


@dataclass(frozen=True, slots=True)
class TagDecision:
    """A tag that a rule chose to delete, or keeps, and why. `rule` is its name, "" where none matches, and where the
    tag is locked. `by_pull`: it is chosen since its image was not pulled, and would not be otherwise."""

    tag: Tag
    delete: bool
    rule: str
    reason: str
    by_pull: bool = False


@dataclass(frozen=True, slots=True)
class ManifestDecision:
    """A manifest that is deleted or stays. `rule`: the one that chose it or keeps it, "" for none. `by`: what keeps it,
    as it reads after a number; "" where it is deleted. `reason`: a sentence."""

    row: ManifestRow
    delete: bool
    rule: str
    by: str
    reason: str


@dataclass(frozen=True)
class RepositoryDecisions:
    """What a policy does with a repository: every tag but those of the referrers' tag schema, the newest first; every
    manifest, in the registry's order; and the plan that deletes them."""

    contents: RepositoryContents
    tags: tuple[TagDecision, ...]
    manifests: tuple[ManifestDecision, ...]
    plan: DeletionPlan

    @property
    def name(self) -> str:
        return self.contents.name


def decide(
    policy: Policy,
    contents: RepositoryContents,
    now: datetime,
    *,
    registry: str,
    running: RunningImages,
    pulls: LastPulls = LastPulls(),
) -> RepositoryDecisions:
    """What `policy` does with a repository of the registry of that name, at `now`. Pure.

    Nothing goes of a repository that was not read completely, nor while a cluster was not asked which images run in it,
    unless `running` says that this is accepted.
    """
    rules = policy.rules_of(contents.name)
    facts = _Facts(contents, pulls, now)
    tags = tuple(_decide_tags(facts, rules))
    chosen, staying = _chosen_images(facts, tags, rules)
    leftovers, untagged_reasons = _decide_leftovers(facts, rules)
    chosen |= leftovers
    staying |= untagged_reasons
    _spare_referrers(facts, chosen, staying)
    plan = plan_deletion(contents, tuple(chosen), registry=registry, by_name=False, running=running)
    manifests = tuple(_decide_manifests(facts, plan, chosen, staying))
    by_pull = {one.tag.digest for one in tags if one.by_pull}
    plan = replace(plan, pulled={digest: facts.last_pull(digest) for digest in plan.digests if digest in by_pull})
    return RepositoryDecisions(contents, tags, manifests, plan)


@dataclass(frozen=True)
class _Stay:
    """Why a manifest stays: as in `ManifestDecision`."""

    rule: str
    by: str
    reason: str


class _Facts:
    """What the rules ask of a repository, each worked out once."""

    def __init__(self, contents: RepositoryContents, pulls: LastPulls, now: datetime) -> None:
        self.contents, self.pulls, self.now = contents, pulls, now
        own = [tag for tag in contents.tags if not attached_to(tag.name)]
        self.tags = sorted(own, key=lambda tag: (last_update_of(tag), tag.name), reverse=True)
        self.signed: frozenset[str] | None = None
        self.newest: dict[str, frozenset[str]] = {}

    def is_signed(self, digest: str) -> bool:
        """Whether it has a signature, or may have one that was not read."""
        if self.signed is None:
            self.signed = frozenset(_signed(self.contents))
        return digest in self.signed or not self.contents.complete

    def last_pull(self, digest: str) -> datetime | None:
        """The last pull of it or of what it lists: nodes pull an index by its platforms."""
        manifest = self.contents.manifests.get(digest)
        children = [child.digest for child in manifest.children] if manifest else []
        found = [self.pulls.last[one] for one in (digest, *children) if one in self.pulls.last]
        return max(found, default=None)


def _decide_tags(facts: _Facts, rules: Sequence[Rule]) -> Iterator[TagDecision]:
    """The first rule that matches a tag decides; those that a delete rule matches are ranked among themselves."""
    keeping = {rule.name: _kept_by(facts, rule) for rule in rules if isinstance(rule, KeepRule)}
    ranks: defaultdict[str, int] = defaultdict(int)
    for tag in facts.tags:
        if not tag.locks.deletable:  # It is not among those that a rule counts, as it stays anyway.
            yield TagDecision(tag, False, "", f"{LOCKED} {tag.locks.against_deletion}.")
            continue
        for rule in rules:
            if isinstance(rule, UntaggedRule) or not matches(tag.name, rule.tags):
                continue
            if isinstance(rule, DeleteRule):
                rank = ranks[rule.name]
                delete, reason = _apply(rule, facts, tag, rank)
                ranks[rule.name] += 1
                within = rule.at_most is None or rank < rule.at_most
                by_pull = delete and rule.not_pulled_for_days is not None and within
                yield TagDecision(tag, delete, rule.name, reason, by_pull)
                break
            kept = keeping[rule.name]
            if (kept is None or tag.name in kept) and (not rule.signed or facts.is_signed(tag.digest)):
                yield TagDecision(tag, False, rule.name, _keep_reason(rule))
                break
        else:
            yield TagDecision(tag, False, "", "No rule matches it.")


def _kept_by(facts: _Facts, rule: KeepRule) -> frozenset[str] | None:
    """The tags that the rule's numbers name; None where it has none."""
    matching = [tag.name for tag in facts.tags if matches(tag.name, rule.tags)]
    kept: frozenset[str] | None = None
    if rule.newest:
        kept = frozenset(matching[: rule.newest])
    if rule.last_of_minor:
        last = last_of_minors(matching)
        kept = last if kept is None else kept & last
    return kept


def _keep_reason(rule: KeepRule) -> str:
    parts = []
    if rule.newest:
        parts.append(f"it is one of the {rule.newest:,} newest")
    if rule.last_of_minor:
        parts.append("it is the last version of its minor")
    if rule.signed:
        parts.append("it is signed, or what refers to it is not known")
    return f"Kept: {', and '.join(parts) or 'its tag matches'}."


def _apply(rule: DeleteRule, facts: _Facts, tag: Tag, rank: int) -> tuple[bool, str]:
    """Whether a delete rule chooses the tag that has so many newer ones, and why."""
    if tag.updated is None:
        return False, "Its last update is unknown."
    if rank < rule.at_least:
        return False, f"One of the {rule.at_least:,} newest that the rule matches."
    if rule.at_most is not None and rank >= rule.at_most:
        return True, f"There are {rule.at_most:,} newer ones."
    days, unpulled = rule.older_than_days, rule.not_pulled_for_days
    if days is None and unpulled is None:
        return False, f"One of the {rule.at_most or 0:,} newest that the rule matches."
    if days is not None and not is_older(tag, facts.now - timedelta(days=days)):
        return False, f"Updated within {days:,} days."
    if unpulled is not None and (kept := _pulled(facts, tag, unpulled)):
        return False, kept
    reasons = [f"not updated for {days:,} days"] if days is not None else []
    reasons += [f"not pulled for {unpulled:,} days"] if unpulled is not None else []
    return True, f"{' and '.join(reasons).capitalize()}."


def _pulled(facts: _Facts, tag: Tag, days: int) -> str:
    """Why the tag's image counts as pulled within so many days; "" where it is known that it was not."""
    before = facts.now - timedelta(days=days)
    last, since = facts.last_pull(tag.digest), facts.pulls.since
    if last is not None and last > before:
        return f"Pulled within {days:,} days."
    if since is None:
        return facts.pulls.why
    if since > before:
        return f"Not known for {days:,} days: pulls are logged since {since:%Y-%m-%d}."
    pushed = tag.created or tag.updated
    if pushed is None or pushed > before:
        return f"Pushed within {days:,} days, and so not pulled before."
    return ""


def _chosen_images(
    facts: _Facts, tags: Iterable[TagDecision], rules: Sequence[Rule]
) -> tuple[dict[str, str], dict[str, _Stay]]:
    """Digest → the rule that chose all its tags, or why it stays: a tag of it does."""
    by_digest: defaultdict[str, list[TagDecision]] = defaultdict(list)
    for one in tags:
        by_digest[one.tag.digest].append(one)
    others: dict[str, str] = {}
    known = {one.name for one in facts.contents.tags}
    for row in facts.contents.rows:
        for name in row.tags:
            if name not in known or attached_to(name):
                others[row.digest] = name
    others |= {tag.digest: tag.name for tag in facts.contents.tags if attached_to(tag.name)}
    chosen: dict[str, str] = {}
    staying: dict[str, _Stay] = {}
    for digest, found in by_digest.items():
        kept = next((one for one in found if not one.delete), None)
        if kept and not kept.tag.locks.deletable:
            staying[digest] = _Stay("", str(Keeps.LOCK), f"{kept.tag.name}: {kept.reason}")
        elif kept:
            staying[digest] = _stay(kept.rule, f"{kept.tag.name}: {kept.reason}", rules)
        elif digest in others:
            staying[digest] = _Stay("", str(Keeps.TAG), f"It has the tag {others[digest]} too.")
        else:
            chosen[digest] = found[0].rule
    return chosen, staying


def _stay(rule: str, reason: str, rules: Sequence[Rule]) -> _Stay:
    """A rule that deletes keeps nothing: it has not chosen what is too young for it."""
    keeps = any(one.name == rule and isinstance(one, KeepRule) for one in rules)
    by = f"{'kept' if keeps else 'not chosen'} by {rule}" if rule else str(By.NO_RULE)
    return _Stay(rule, by, reason)


def _decide_leftovers(facts: _Facts, rules: Sequence[Rule]) -> tuple[dict[str, str], dict[str, _Stay]]:
    """As `_chosen_images`, of manifests without a tag that nothing refers to."""
    rule = next(
        (one for one in rules if isinstance(one, UntaggedRule) or (isinstance(one, KeepRule) and one.keeps_everything)),
        None,
    )
    contents = facts.contents
    found = find_leftovers(contents.rows, contents.manifests, {tag.digest for tag in contents.tags})
    if not isinstance(rule, UntaggedRule):
        stay = _stay(rule.name if rule else "", "Untagged." if rule else "Untagged, and no rule is for it.", rules)
        return {}, dict.fromkeys((*found.certain, *found.undetermined), stay)
    older = {row.digest for row in contents.rows if is_older(row, facts.now - timedelta(days=rule.older_than_days))}
    # What is not certain is refused by the plan, which says why.
    every = (*found.certain, *found.undetermined)
    young = _stay(rule.name, f"Updated within {rule.older_than_days:,} days.", rules)
    return (
        {digest: rule.name for digest in every if digest in older},
        {digest: young for digest in every if digest not in older},
    )


def _spare_referrers(facts: _Facts, chosen: dict[str, str], staying: dict[str, _Stay]) -> None:
    """Takes out of `chosen` what refers to a manifest that is not among them: a signature with a tag of its own."""
    manifests = facts.contents.manifests
    listed = {row.digest for row in facts.contents.rows}
    subjects = {
        digest: manifest.subject
        for digest in chosen
        if (manifest := manifests.get(digest)) and manifest.subject in listed
    }
    spared = True
    while spared:
        spared = False
        for digest, subject in subjects.items():
            if digest in chosen and subject not in chosen:
                rule = chosen.pop(digest)
                staying[digest] = _Stay(rule, str(Keeps.SUBJECT), f"It belongs to {subject}, which stays.")
                spared = True


def _decide_manifests(
    facts: _Facts, plan: DeletionPlan, chosen: Mapping[str, str], staying: Mapping[str, _Stay]
) -> Iterator[ManifestDecision]:
    items = {item.digest: item for item in plan.items}
    rule_of = dict(chosen)
    for item in plan.items:  # Parents come first.
        rule_of.setdefault(item.digest, rule_of.get(item.of, ""))
    for row in facts.contents.rows:
        planned = items.get(row.digest)
        rule = rule_of.get(row.digest, "")
        if planned and not planned.blocker:
            reason = "Chosen by the rule." if planned.why is Why.CHOSEN else f"It belongs to {planned.of}."
            yield ManifestDecision(row, True, rule, "", reason)
        elif planned:
            yield ManifestDecision(row, False, rule, str(planned.kept_by), planned.blocker)
        elif stay := staying.get(row.digest):
            yield ManifestDecision(row, False, stay.rule, stay.by, stay.reason)
        else:
            yield ManifestDecision(row, False, "", str(By.PART), "Something that stays lists it, or it refers to that.")


def _signed(contents: RepositoryContents) -> Iterator[str]:
    """The digests that have a signature, or something that may be one."""
    for manifest in contents.manifests.values():
        if manifest.subject:
            as_listed = Descriptor(
                manifest.digest, manifest.media_type, None, "", manifest.artifact_type, manifest.annotations
            )
            if evidence_in(as_listed, manifest.subject).proof in (Proof.SIGNATURE, Proof.UNSTATED):
                yield manifest.subject
    for tag in contents.tags:
        if attached_to(tag.name) and not tag.name.endswith((".att", ".sbom")):
            yield attached_to(tag.name)
    for row in contents.rows:
        yield from (
            attached_to(name) for name in row.tags if attached_to(name) and not name.endswith((".att", ".sbom"))
        )
