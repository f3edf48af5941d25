"""All kinds of jobs, for who continues one or shows one."""

from ui.aks.attach_many import ATTACH_MANY
from ui.child_resources.replications import ADD_REPLICA, DELETE_REPLICA
from ui.deletion import deletions
from ui.deletion.put_back import PUT_BACK
from ui.deletion.restore import RESTORE
from ui.index.indexing import INDEX_REGISTRIES
from ui.jobs.kinds import by_action
from ui.pricing.sku_change import SKU_CHANGE
from ui.registry_lifecycle.creation_runs import CREATION
from ui.registry_lifecycle.removal import REMOVAL
from ui.registry_lifecycle.settings_change import SETTINGS_CHANGE
from ui.running.asking import ASK_CLUSTERS
from ui.transfer.copy import COPY
from ui.transfer.promote import PROMOTE
from ui.transfer.push_runs import PUSH

KINDS = by_action(
    deletions.REMOVE_TAGS,
    deletions.DELETE_MANIFESTS,
    deletions.DELETE_REPOSITORY,
    RESTORE,
    PUT_BACK,
    SKU_CHANGE,
    COPY,
    PROMOTE,
    PUSH,
    ADD_REPLICA,
    DELETE_REPLICA,
    SETTINGS_CHANGE,
    CREATION,
    REMOVAL,
    ATTACH_MANY,
    ASK_CLUSTERS,
    INDEX_REGISTRIES,
)
