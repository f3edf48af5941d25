"""Resource Manager's documents and errors, as they go over the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Document = dict[str, Any]


class ArmError(Exception):
    """An answer in ARM's error envelope."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})
        self.more = dict(more or {})

    @property
    def body(self) -> Document:
        """`more` are members beside code and message: target, details, additionalInfo."""
        return {"error": {"code": self.code, "message": self.message, **self.more}}
