"""The `az` lines about costs and budgets."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

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


def create_budget(
    subscription_id: str, budget: str, amount: Decimal, grain: str, start: date, end: date, *, group: str = ""
) -> str:
    """A budget of all that a subscription costs, or a resource `group` of it. `grain`: monthly."""
    return shell_line(
        *("az", "consumption", "budget", "create", "--budget-name", budget, "--category", "cost"),
        *("--amount", f"{amount}", "--time-grain", grain, "--start-date", f"{start}", "--end-date", f"{end}"),
        *(("--resource-group", group) if group else ()),
        *("--subscription", subscription_id),
    )


def put_budget(scope: str, budget: str, body: Mapping[str, Any]) -> str:
    """A budget with a filter, alerts or an eTag: `az consumption budget create` has none of them. `create-with-rg` has
    alerts (az 2.91), for a resource group alone, of what was spent alone, and no filter by the type of a resource."""
    url = f"{scope}/providers/Microsoft.Consumption/budgets/{budget}?api-version=2024-08-01"
    return shell_line("az", "rest", "--method", "put", "--url", url, "--body", json.dumps(body))
