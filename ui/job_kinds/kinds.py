"""All kinds of jobs, for who continues one or shows one."""

from ui.deletion import deletions
from ui.jobs.kinds import by_action
from ui.pricing.sku_change import SKU_CHANGE
from ui.transfer.copy import COPY
from ui.transfer.push_runs import PUSH

KINDS = by_action(
    deletions.REMOVE_TAGS,
    deletions.DELETE_MANIFESTS,
    deletions.DELETE_REPOSITORY,
    SKU_CHANGE,
    COPY,
    PUSH,
)
