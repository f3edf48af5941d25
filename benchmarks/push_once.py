"""One push in a process of its own, for `benchmarks.push`: `python -m benchmarks.push_once REGISTRY`.

Reads the sandbox's ready file, the archive's path and the repository from standard input, a line each.
"""

import json
import resource
import sys
from pathlib import Path
from threading import Event

from benchmarks.clients import console_client
from services.transfer.archives import read_archive
from services.transfer.push import apply_push, read_push_plan


def main(registry: str) -> None:
    """Prints {"sent": bytes of blobs, "grown": bytes of memory above what the idle process held at most}."""
    ready, archive, repository = sys.stdin.read().split("\n")
    client = console_client(json.loads(ready), registry)
    idle = peak()
    (image,) = read_archive(Path(archive)).images
    content = image.prepare(lambda _done, _of: None, Event())
    result = apply_push(client, content, read_push_plan(client, content, repository, "v1"))
    print(json.dumps({"sent": result.sent_bytes, "grown": peak() - idle}))


def peak() -> int:
    """The most memory that this program has held, in bytes. `ru_maxrss` would count the process that started it."""
    status = Path("/proc/self/status")
    if not status.exists():  # macOS, whose figure is in bytes and of this program alone.
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (held,) = (line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(held) * 1024


if __name__ == "__main__":
    main(sys.argv[1])
