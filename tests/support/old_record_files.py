"""Records of deletions as files, as versions before 0.10 wrote them."""

import json
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from services.deletion.record_files import folder_of
from services.deletion.records import RecordedItem


class OldRecording:
    """The file of one deletion: its plan, then a line for each result, then the end."""

    def __init__(self, file: Path) -> None:
        self.id = file.stem
        self.file = file

    def add_result(self, name: str, outcome: str, cause: str = "") -> None:
        self.write({"name": name, "outcome": outcome, **({"cause": cause} if cause else {})})

    def end(self, *, answer: str = "", error: str = "") -> None:
        more = {name: text for name, text in (("answer", answer), ("error", error)) if text}
        self.write({"ended": datetime.now(UTC).isoformat(), **more})

    def write(self, *lines: Mapping[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as opened:
            opened.write("".join(f"{json.dumps(line)}\n" for line in lines))


def write_old_record(
    folder: Path, who: str, action: str, login_server: str, repository: str, items: Iterable[RecordedItem]
) -> OldRecording:
    """The file of a deletion that has begun."""
    own = folder_of(folder, who)
    own.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    recording = OldRecording(own / f"{now:%Y%m%dT%H%M%S%f}-{secrets.token_hex(4)}.jsonl")
    recording.write(
        {
            "action": action,
            "login_server": login_server,
            "repository": repository,
            "begun": now.isoformat(),
            "items": [[item.name, item.digest, item.tags] for item in items],
        }
    )
    return recording
