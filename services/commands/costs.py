"""The `az` lines about costs and budgets."""

import json
from datetime import date

from services.commands.shell import shell_line


def query_costs(subscription_id: str, first: date, last: date) -> str:
    """What registries of a subscription cost by meter, from Cost Management: az has no command of its own for it."""
    body = {
        "type": "ActualCost",
        "timeframe": "Custom",
        "timePeriod": {"from": f"{first}", "to": f"{last}"},
        "dataset": {
            "granularity": "Monthly",
            "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
            "grouping": [{"type": "Dimension", "name": "ResourceId"}, {"type": "Dimension", "name": "Meter"}],
            "filter": {
                "dimensions": {
                    "name": "ResourceType",
                    "operator": "In",
                    "values": ["microsoft.containerregistry/registries"],
                }
            },
        },
    }
    url = f"/subscriptions/{subscription_id}/providers/Microsoft.CostManagement/query?api-version=2025-03-01"
    return shell_line("az", "rest", "--method", "post", "--url", url, "--body", json.dumps(body))


def list_budgets(subscription_id: str) -> str:
    """The budgets of one subscription."""
    return shell_line("az", "consumption", "budget", "list", "--subscription", subscription_id)
