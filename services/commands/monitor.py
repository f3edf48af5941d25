"""The `az` lines of Azure Monitor: where a registry's logs go, and what is in them."""

import json
from collections.abc import Sequence

from services.commands.shell import shell_line


def create_diagnostic_setting(setting: str, resource_id: str, workspace_id: str, categories: Sequence[str]) -> str:
    """Sends these categories of a resource's logs to a Log Analytics workspace."""
    logs = json.dumps([{"category": category, "enabled": True} for category in categories], separators=(",", ":"))
    words = ("az", "monitor", "diagnostic-settings", "create", "--name", setting, "--resource", resource_id)
    return shell_line(*words, "--workspace", workspace_id, "--logs", logs)
