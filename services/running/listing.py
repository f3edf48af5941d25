"""The script that lists a cluster's images in the cluster, and what it prints: a JSON array a line, the last one says
how many they are. Without that line an answer was cut, and is worth nothing."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.connection.answers import parse_json
from services.connection.errors import ServiceError
from services.connection.names import is_digest
from services.running.images import RunningImage

# Azure cuts what a command prints at 512 kB, without saying so. This is below either meaning of kB.
MOST_BYTES = 500_000
# What makes pods, and pods themselves: by these names a cluster's own roles let them be listed or not.
_KINDS = (
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "replicationcontrollers",
    "jobs.batch",
    "cronjobs.batch",
)
# Namespace, owner's kind and name, reference, digest and number. The reference is the one that was asked for, from the
# spec: a status may name another tag of the same image. A ReplicaSet without pods stands for itself: a rollback.
_JQ = """
def controller: [.metadata.ownerReferences[]? | select(.controller)][0];
def owner:
  controller as $by | (.metadata.labels["pod-template-hash"] // "") as $hash
  | if $by == null then [.kind, .metadata.name]
    elif $by.kind == "ReplicaSet" and $hash != "" then ["Deployment", ($by.name | rtrimstr("-" + $hash))]
    else [$by.kind, $by.name] end;
def containers: [(.initContainers, .containers, .ephemeralContainers)[]?];
def mounted: [.volumes[]?.image.reference?];
def references: [containers[].image, mounted[]] | map(select(. != null and . != "")) | unique[];
def statuses: [(.initContainerStatuses, .containerStatuses, .ephemeralContainerStatuses)[]?];
def pod:
  (if .status.phase == "Succeeded" or .status.phase == "Failed" then 0 else 1 end) as $runs
  | (.status | [statuses[] | {key: .name, value: ((.imageID // "") | split("@")[1] // "")}] | from_entries) as $pulled
  | [.metadata.namespace, owner[]]
    + (.spec | (containers[] | [.image, ($pulled[.name] // "")]), (mounted[] | select(. != null) | [., ""])) + [$runs];
def replicas:
  if .kind == "DaemonSet" then .status.desiredNumberScheduled // 0
  elif .kind == "Job" then .status.active // 0
  elif .kind == "CronJob" then 0
  else .spec.replicas // 1 end;
def template:
  replicas as $number
  | [.metadata.namespace]
    + (if .kind == "ReplicaSet" and $number > 0 then owner else [.kind, .metadata.name] end)
    + ((.spec.jobTemplate // .).spec.template.spec | references | [., ""]) + [$number];
[.items[] | select($only == null or ([.metadata.namespace] | inside($only)))
 | if .kind == "Pod" then pod else template end]
| group_by(.[:5])[] | .[0][:5] + [map(.[5]) | add]
"""
# Where it is too much: the bytes of each namespace, to ask for some of them at a time.
_SIZES = '["namespaces", (group_by(.[0]) | map([.[0][0], (map(tojson | utf8bytelength + 1) | add)]))]'


@dataclass(frozen=True)
class Listing:
    """What the script printed: the images, or where they are more than an answer holds, the bytes of each namespace."""

    images: tuple[RunningImage, ...] = ()
    sizes: Mapping[str, int] | None = None


def listing_script(namespaces: Sequence[str] | None = None) -> str:
    """The script that lists the images of these namespaces, or of all. It reads alone, and prints no more than
    `MOST_BYTES`; where a kind can't be listed, it ends before the last line."""
    only = json.dumps(list(namespaces)) if namespaces is not None else "null"
    return f"""# acr-console: running images in {only}
cd "$(mktemp -d)" || exit 1
for kind in {" ".join(_KINDS)}; do
  kubectl get "$kind" --all-namespaces --output json > list.json || exit 1
  jq -c --argjson only {shlex.quote(only)} '{_JQ.strip()}' list.json >> rows || exit 1
done
if [ "$(wc -c < rows)" -le {MOST_BYTES} ]
then cat rows && printf '["end",%d]\\n' "$(wc -l < rows)"
else jq -c -s '{_SIZES}' rows
fi
"""


def render_images(images: Iterable[RunningImage]) -> str:
    """The answer that has these images, as the script prints it."""
    rows = [[one.namespace, one.kind, one.name, one.reference, one.digest, one.replicas] for one in images]
    lines = [json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in (*rows, ["end", len(rows)])]
    return "".join(f"{line}\n" for line in lines)


def parse_listing(logs: str, title: str) -> Listing:
    """The listing that a command printed; lines that are no JSON arrays, such as warnings, are passed over.

    Raises ServiceError under `title`: CutAnswer where the end is missing or counts other lines than are there,
    NotUnderstood where one is not as the script prints it. A reference may be any text.
    """
    images: list[RunningImage] = []
    # Not by splitlines: a name may hold what that takes for the end of a line.
    for line in logs.split("\n"):
        if not line.startswith("["):
            continue
        try:
            row = parse_json(line.encode())
        except (ValueError, RecursionError):
            continue  # Of a line that was cut, or of a warning: the number at the end tells.
        match row:
            case ["end", int(number)] if number == len(images):
                return Listing(tuple(images))
            case ["namespaces", [*entries]] if not images:
                return Listing(sizes=dict(_size(entry, title) for entry in entries))
            case [str(namespace), str(kind), str(name), str(reference), str(digest), int(replicas)]:
                pulled = digest if is_digest(digest) else ""
                images.append(RunningImage(namespace, kind, name, reference, pulled, replicas))
            case ["end", _]:
                break
            case _:
                raise _not_understood(title, line)
    printed = logs.strip()[-500:]
    said = f"The answer has no end after {len(images):,} images." if images else printed or "It printed nothing."
    remedy = (
        "Azure cuts an answer at 512 kB, and the script ends where it may not list a kind: it needs get and list on "
        "pods, Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs in all namespaces."
    )
    raise ServiceError(title, said, remedy, "CutAnswer")


def _size(entry: object, title: str) -> tuple[str, int]:
    match entry:
        case [str(namespace), int(size)]:
            return namespace, size
    raise _not_understood(title, str(entry))


def _not_understood(title: str, line: str) -> ServiceError:
    return ServiceError(title, f"A line is not as the script prints it: {line[:200]}", "Ask again.", "NotUnderstood")
