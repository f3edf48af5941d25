"""Microsoft.CostManagement/query and Microsoft.Consumption/usageDetails: what was billed, as each offer may ask.

https://learn.microsoft.com/rest/api/cost-management/query/usage and
https://learn.microsoft.com/rest/api/consumption/usage-details/list
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any, ClassVar
from urllib.parse import quote, urlencode

from starlette.responses import Response

from sandbox.arm.call import Call, Route, answer
from sandbox.billing.rows import CostRow, costs
from sandbox.documents.errors import ArmError, Document

PAGE = 1000
_QUERY = "{scope}/providers/Microsoft.CostManagement/query"
_USAGE = "{scope}/providers/Microsoft.Consumption/usageDetails"

# A subscription's offer, in its document: it decides which of the APIs answer.
CUSTOMER_AGREEMENT = "MicrosoftCustomerAgreement"
PAY_AS_YOU_GO = "WebDirect"
FREE_TRIAL = "FreeTrial"
RESOLD = "CSP"
_OFFER_IDS = {FREE_TRIAL: "MS-AZR-0044P", RESOLD: "MS-AZR-0145P"}

Wanted = Callable[[CostRow], bool]


def routes() -> list[Route]:
    return [
        Route("POST", _QUERY, query, "Microsoft.CostManagement/query/read", "{scope}"),
        Route("GET", _USAGE, usage_details, "Microsoft.Consumption/usageDetails/read", "{scope}"),
    ]


def offer_of(call: Call) -> str:
    """The offer of the scope's subscription; where its document has none, a customer agreement."""
    subscription = call.store.get_resource("/".join(call.params["scope"].split("/")[:3])) or {}
    return str(subscription.get("_sandbox", {}).get("offer", CUSTOMER_AGREEMENT))


def refuse_offer(call: Call, *offers: str) -> None:
    """Refuse offers of which Cost Management has nothing."""
    offer = offer_of(call)
    if offer in offers:
        raise ArmError(
            400,
            "400",
            "Cost Management supports only Enterprise Agreement, Web direct and Microsoft Customer Agreement offer "
            f"types. offerId: {_OFFER_IDS[offer]} is associated with offerType: None (Request ID: {call.now()})",
        )


def query(call: Call) -> Response:
    """Columns and rows. A page that is not the last has nextLink, to which the same body is sent again."""
    refuse_offer(call, RESOLD)
    if offer_of(call) == PAY_AS_YOU_GO:
        message = "Unsupported request. offer type: WebDirect for query request is not supported."
        raise ArmError(422, "422", f"{message} (Request ID: {call.now()})")
    asked = _Asked(call.body)
    columns, rows = asked.table(costs(call.store, call.params["scope"], asked.first, asked.last))
    token = call.query.get("$skiptoken", "0")
    start = int(token) if token.isdigit() else 0
    following = None
    if start + PAGE < len(rows):
        following = f"{call.url}{quote(call.path)}?" + urlencode(
            {**call.query, "$skiptoken": str(start + PAGE)}, safe="$"
        )
    return answer(
        {
            "id": f"{call.params['scope'].lstrip('/')}/providers/Microsoft.CostManagement/query/sandbox",
            "name": "sandbox",
            "type": "Microsoft.CostManagement/query",
            "location": None,
            "sku": None,
            "eTag": None,
            "properties": {"nextLink": following, "columns": columns, "rows": rows[start : start + PAGE]},
        }
    )


class _Asked:
    """The body of a query, checked. What the sandbox does not know is refused, not ignored."""

    _VALUES: ClassVar[dict[str, Callable[[CostRow], str]]] = {
        "ResourceId": lambda row: row.resource.lower(),
        "ResourceType": lambda row: row.kind,
        "ResourceGroupName": lambda row: row.group.lower(),
        "ResourceGroup": lambda row: row.group.lower(),
        "Meter": lambda row: row.meter,
    }

    def __init__(self, body: Any) -> None:
        try:
            dataset = body["dataset"]
            self.first, self.last = (_day(body["timePeriod"][end]) for end in ("from", "to"))
            self.granularity = dataset.get("granularity", "None")
            self.aggregation = [(entry["name"], entry["function"]) for entry in dataset["aggregation"].values()]
            self.grouping = [entry["name"] for entry in dataset.get("grouping", [])]
            self.wanted = self._filter(dataset.get("filter"))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _bad(f"Invalid query definition: {error}.") from error
        if body.get("type") not in ("ActualCost", "Usage") or body.get("timeframe") != "Custom":
            raise _bad("Invalid query definition: type or timeframe.")
        # https://learn.microsoft.com/azure/cost-management-billing/automate/get-small-usage-datasets-on-demand
        span = (self.last - self.first).days + 1
        longest = {"Daily": 31, "Monthly": 366, "None": 366}.get(self.granularity)
        if longest is None or span > longest or span < 1:
            raise _bad(f"Invalid query definition: a time period of {span} days at granularity {self.granularity}.")
        if not 1 <= len(self.aggregation) <= 2 or len(self.grouping) > 2:
            raise _bad("Invalid query definition: at most 2 aggregations and 2 groupings.")
        if any(function != "Sum" for _, function in self.aggregation):
            raise _bad("Invalid query definition: only Sum.")
        if unknown := {name for name, _ in self.aggregation} - {"Cost", "PreTaxCost", "UsageQuantity"}:
            raise _bad(f"Invalid query definition: {unknown} can't be added up.")
        if unknown := set(self.grouping) - self._VALUES.keys():
            raise _bad(f"Invalid query definition: there is no {unknown} to group by.")

    def _filter(self, given: Any) -> Wanted:
        if given is None:
            return lambda _row: True
        ((kind, inner),) = given.items()
        if kind in ("and", "or"):
            parts = [self._filter(part) for part in inner]
            return lambda row: (all if kind == "and" else any)(part(row) for part in parts)
        if kind != "dimensions" or inner["operator"] != "In":
            raise ValueError(f"filter {kind}")
        value = self._VALUES[inner["name"]]
        allowed = {text.lower() for text in inner["values"]}
        return lambda row: value(row).lower() in allowed

    def table(self, rows: list[CostRow]) -> tuple[list[Document], list[list[Any]]]:
        when = {"Daily": ("UsageDate", "Number"), "Monthly": ("BillingMonth", "Datetime")}.get(self.granularity)
        columns = [{"name": name, "type": "Number"} for name, _ in self.aggregation]
        columns += [{"name": when[0], "type": when[1]}] if when else []
        columns += [{"name": name, "type": "String"} for name in [*self.grouping, "Currency"]]
        sums: defaultdict[tuple[Any, ...], list[Decimal]] = defaultdict(lambda: [Decimal(0)] * len(self.aggregation))
        for row in filter(self.wanted, rows):
            at: dict[str, list[object]] = {
                "Daily": [int(f"{row.day:%Y%m%d}")],
                "Monthly": [f"{row.day:%Y-%m}-01T00:00:00"],
            }
            key = (*at.get(self.granularity, []), *(self._VALUES[name](row) for name in self.grouping), row.currency)
            amounts = [row.quantity if name == "UsageQuantity" else row.cost for name, _ in self.aggregation]
            sums[key] = [total + amount for total, amount in zip(sums[key], amounts, strict=True)]
        return columns, [list(map(float, amounts)) + list(key) for key, amounts in sorted(sums.items())]


def _day(text: str) -> date:
    return date.fromisoformat(text[:10])


def _bad(message: str) -> ArmError:
    return ArmError(400, "BadRequest", message)


_TERM = re.compile(r"\s*properties/(\w+)\s+(eq|ge|le|gt|lt)\s+'([^']*)'\s*")


def usage_details(call: Call) -> Response:
    """Rows of all resources, legacy or modern by the offer. Without dates: this month, if the offer knows one."""
    refuse_offer(call, RESOLD)
    offer = offer_of(call)
    first, last, wanted = _usage_filter(call)
    if first is None or last is None:
        if offer == PAY_AS_YOU_GO:
            message = (
                f"Billing Period is not supported in ({call.query['api-version']}) API Version for Subscription Scope "
                "With Web Direct Offer. Please provide the UsageStart and UsageEnd dates in the $filter key as "
                f"parameters. (Request ID: {call.now()})"
            )
            raise ArmError(400, "400", message)
        last = call.state.clock().date()
        first = last.replace(day=1)
    rows = [row for row in costs(call.store, call.params["scope"], first, last) if wanted(row)]
    token = call.query.get("$skiptoken", "0")
    start = int(token) if token.isdigit() else 0
    top = call.query.get("$top", "")
    size = min(PAGE, int(top)) if top.isdigit() and int(top) else PAGE
    detailed = "meterdetails" in call.query.get("$expand", "").lower()
    form = _modern if offer == CUSTOMER_AGREEMENT else _legacy
    body: Document = {"value": [form(row, start + n, detailed) for n, row in enumerate(rows[start : start + size])]}
    if start + size < len(rows):
        query = {**call.query, "$skiptoken": str(start + size)}
        body["nextLink"] = f"{call.url}{quote(call.path)}?{urlencode(query, safe='$')}"
    return answer(body)


def _usage_filter(call: Call) -> tuple[date | None, date | None, Wanted]:
    """First and last day, and the rest. There is no or, ne, not: https://learn.microsoft.com/rest/api/consumption."""
    text = call.query.get("$filter", "")
    first = last = None
    tests: list[Wanted] = []
    for part in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text else []:
        term = _TERM.fullmatch(part)
        if term is None:
            raise _bad(f"The filter '{text}' is not supported.")
        field, operator, value = term[1].lower(), term[2], term[3]
        try:
            # az asks for usageEnd twice: a row's start and end are of the same day.
            if field in ("usagestart", "usageend") and operator == "ge":
                first = _day(value)
            elif field in ("usagestart", "usageend") and operator == "le":
                last = _day(value)
            else:
                tests.append(_equals(field, operator, value.lower()))
        except (KeyError, ValueError) as error:
            raise _bad(f"The filter '{text}' is not supported.") from error
    return first, last, lambda row: all(test(row) for test in tests)


def _equals(field: str, operator: str, value: str) -> Wanted:
    values: dict[str, Callable[[CostRow], str]] = {
        "resourceid": lambda row: row.resource,
        "resourcegroup": lambda row: row.group,
        "resourcename": lambda row: row.resource.rpartition("/")[2],
    }
    if operator != "eq":
        raise ValueError(operator)
    of = values[field]
    return lambda row: of(row).lower() == value


def _row(row: CostRow, number: int, kind: str, properties: Document) -> Document:
    subscription = row.resource.split("/")[2]
    name = f"sandbox-{row.day:%Y%m%d}-{number}"
    return {
        "id": f"/subscriptions/{subscription}/providers/Microsoft.Billing/billingPeriods/{row.day:%Y%m}"
        f"/providers/Microsoft.Consumption/usageDetails/{name}",
        "name": name,
        "type": "Microsoft.Consumption/usageDetails",
        "kind": kind,
        "tags": None,
        "properties": {
            "date": f"{row.day}T00:00:00.0000000Z",
            "quantity": float(row.quantity),
            "meterId": f"sandbox-{row.meter}".replace(" ", "-").lower(),
            "consumedService": "/".join(row.resource.split("/")[6:7]),
            "resourceGroup": row.group,
            "chargeType": "Usage",
            "frequency": "UsageBased",
            "product": f"{_category(row)} - {row.meter}",
            **properties,
        },
    }


def _category(row: CostRow) -> str:
    return "Container Registry" if "containerregistry" in row.kind else "Virtual Machines"


def _legacy(row: CostRow, number: int, detailed: bool) -> Document:
    details = {"meterName": row.meter, "meterCategory": _category(row), "unitOfMeasure": "1"} if detailed else None
    return _row(
        row,
        number,
        "legacy",
        {
            "subscriptionId": row.resource.split("/")[2],
            "resourceId": row.resource,
            "resourceName": row.resource.rpartition("/")[2],
            "cost": float(row.cost),
            "billingCurrency": row.currency,
            "effectivePrice": float(row.cost / row.quantity),
            "unitPrice": float(row.cost / row.quantity),
            "offerId": "MS-AZR-0003P",
            "meterDetails": details,
        },
    )


def _modern(row: CostRow, number: int, _detailed: bool) -> Document:
    return _row(
        row,
        number,
        "modern",
        {
            "subscriptionGuid": row.resource.split("/")[2],
            "instanceName": row.resource,
            "costInBillingCurrency": float(row.cost),
            "costInPricingCurrency": float(row.cost),
            "billingCurrencyCode": row.currency,
            "exchangeRate": "1",
            "meterName": row.meter,
            "meterCategory": _category(row),
            "unitOfMeasure": "1",
        },
    )
