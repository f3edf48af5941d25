"""Answers of the clusters of a sandbox, as the console keeps them."""

from datetime import UTC, datetime

from sqlalchemy import delete

from services.database.tables import cluster_answers
from services.pull_checks.matrix_reading import read_pulls
from services.running.images import ClusterImages
from tests.support.own_sandbox import OwnSandbox
from ui.runtime import connection
from ui.runtime.database import database, shared_answers


def answer_clusters(own: OwnSandbox) -> None:
    """Each cluster has just answered that it runs nothing: any may pull by a secret that nobody sees."""
    for cluster in read_pulls(own.session()).clusters.values:
        assert not shared_answers().keep(connection.own_who(), ClusterImages(cluster, datetime.now(UTC)))


def forget_answers() -> None:
    """No cluster has been asked."""
    with database().begin() as db:
        db.execute(delete(cluster_answers))
