"""Microsoft.Consumption/budgets. https://learn.microsoft.com/rest/api/consumption/budgets"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer, listing, public
from sandbox.billing.costs import FREE_TRIAL, RESOLD, refuse_offer
from sandbox.billing.rows import CostRow, costs, days_in_month
from sandbox.documents.errors import ArmError, Document

BUDGET_TYPE = "Microsoft.Consumption/budgets"
_BUDGETS = "{scope}/providers/Microsoft.Consumption/budgets"
_BUDGET = _BUDGETS + "/{budget}"


def routes() -> list[Route]:
    return [
        Route("GET", _BUDGETS, list_budgets, BUDGET_TYPE + "/read", "{scope}"),
        Route("GET", _BUDGET, get_budget, BUDGET_TYPE + "/read", "{scope}"),
        Route("PUT", _BUDGET, put_budget, BUDGET_TYPE + "/write", "{scope}"),
        Route("DELETE", _BUDGET, delete_budget, BUDGET_TYPE + "/delete", "{scope}"),
    ]


def list_budgets(call: Call) -> Response:
    """Those at the scope and below it."""
    refuse_offer(call, FREE_TRIAL, RESOLD)
    found = call.store.list_resources(BUDGET_TYPE, call.params["scope"])
    return listing(call, [_with_spend(call, budget) for budget in found])


def get_budget(call: Call) -> Response:
    refuse_offer(call, FREE_TRIAL, RESOLD)
    budget = call.store.get_resource(call.path)
    if budget is None:
        name = call.params["budget"]
        raise ArmError(404, "404", f"Budget with name: {name} was not found. (Request ID: {call.now()})")
    return answer(public(_with_spend(call, budget)))


def put_budget(call: Call) -> Response:
    refuse_offer(call, FREE_TRIAL, RESOLD)
    given = call.properties()
    if missing := {"category", "amount", "timeGrain", "timePeriod"} - given.keys():
        raise ArmError(400, "400", f"Invalid budget configuration: {', '.join(sorted(missing))} (Request ID: 0)")
    before = call.store.get_resource(call.path)
    sent = call.body.get("eTag") if isinstance(call.body, dict) else None
    if before is not None and sent and sent != before["eTag"]:
        message = "The eTag is not that of the latest version of the budget."
        raise ArmError(409, "409", f"{message} (Request ID: {call.now()})")
    if before is not None and _start(before["properties"]) != _start(given):
        message = "Start date of budgets cannot be updated. Please delete and create a new budget."
        raise ArmError(400, "400", f"{message} (Request ID: {call.now()})")
    tag = hashlib.sha256(json.dumps([before and before["eTag"], given], sort_keys=True).encode()).hexdigest()[:15]
    call.store.put_resource(
        {"id": call.path, "name": call.params["budget"], "type": BUDGET_TYPE, "eTag": f'"{tag}"', "properties": given}
    )
    return answer(
        public(_with_spend(call, call.store.get_resource(call.path) or {})), 200 if before is not None else 201
    )


def _start(properties: Mapping[str, Any]) -> str:
    return str(properties["timePeriod"].get("startDate", ""))[:10]


def delete_budget(call: Call) -> Response:
    call.store.delete_resource(call.path)
    return Response(status_code=200)


def _with_spend(call: Call, budget: Document) -> Document:
    """What the month has cost so far of what the filter lets through, and at that rate until its end."""
    today = call.state.clock().date()
    scope = budget["id"].partition("/providers/Microsoft.Consumption/")[0]
    rows = [
        row
        for row in costs(call.store, scope, today.replace(day=1), today)
        if _covers(budget["properties"].get("filter"), row)
    ]
    spent = sum(float(row.cost) for row in rows)
    currency = rows[-1].currency if rows else "USD"
    forecast = spent / max(today.day - 1, 1) * days_in_month(today)
    return {
        **budget,
        "properties": {
            **budget["properties"],
            "currentSpend": {"amount": round(spent, 6), "unit": currency},
            "forecastSpend": {"amount": round(forecast, 6), "unit": currency},
        },
    }


def _covers(given: Any, row: CostRow) -> bool:
    if not given:
        return True
    if "and" in given:
        return all(_covers(part, row) for part in given["and"])
    dimensions: Mapping[str, Any] = given.get("dimensions", {})
    value = {
        "ResourceId": row.resource.lower(),
        "ResourceType": row.kind,
        "ResourceGroupName": row.group.lower(),
    }.get(str(dimensions.get("name")))
    return value in {text.lower() for text in dimensions.get("values", [])}
