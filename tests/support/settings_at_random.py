"""Settings as hypothesis draws them, those that a SKU has, and a registry that has them as ARM writes it."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from services.registries.registry import Mode
from services.registries.skus import Sku
from services.registry_lifecycle.settings import Settings, sort_ip_rules

_addresses = st.ip_addresses(v=4).map(str)
_ranges = st.builds(
    lambda number, bits: f"{'.'.join(str(number << (32 - bits) >> shift & 255) for shift in (24, 16, 8, 0))}/{bits}",
    st.integers(0, 255),
    st.integers(8, 31),
)
_names = st.text(st.characters(codec="ascii", exclude_characters="<>%&\\?/=", min_codepoint=33), min_size=1, max_size=8)
_tags = st.dictionaries(_names, st.text(max_size=5), max_size=3).filter(
    lambda tags: len({name.casefold() for name in tags}) == len(tags)
)


def settings(sku: Sku) -> st.SearchStrategy[Settings]:
    """Those that a registry of this SKU may have."""
    premium = sku is Sku.PREMIUM
    rules = st.lists(st.one_of(_addresses, _ranges), max_size=4).map(lambda drawn: sort_ip_rules(tuple(drawn)))
    return st.builds(
        Settings,
        public_access=st.booleans() if premium else st.just(True),
        default_action=st.sampled_from(("Allow", "Deny")) if premium else st.just("Allow"),
        ip_rules=rules if premium else st.just(()),
        trusted_services=st.booleans(),
        data_endpoints=st.booleans() if premium else st.just(False),
        admin_user=st.booleans(),
        anonymous_pull=st.booleans() if sku is not Sku.BASIC else st.just(False),
        arm_audience_tokens=st.booleans(),
        mode=st.sampled_from(Mode),
        retention_days=st.one_of(st.none(), st.integers(0, 365)) if premium else st.none(),
        tags=_tags.map(lambda tags: tuple(sorted(tags.items()))),
        soft_delete_days=st.one_of(st.just(0), st.integers(0, 90)),
    ).map(lambda drawn: replace(drawn, retention_days=None) if drawn.soft_delete_days else drawn)


def properties_of(settings: Settings) -> dict[str, Any]:
    """The settings as ARM writes them, less the tags."""
    retention = settings.retention_days
    return {
        "publicNetworkAccess": "Enabled" if settings.public_access else "Disabled",
        "networkRuleSet": {
            "defaultAction": settings.default_action,
            "ipRules": [{"action": "Allow", "value": rule} for rule in settings.ip_rules],
        },
        "networkRuleBypassOptions": "AzureServices" if settings.trusted_services else "None",
        "dataEndpointEnabled": settings.data_endpoints,
        "dataEndpointHostNames": ["contosoacr.eastus.data.azurecr.io"] if settings.data_endpoints else [],
        "adminUserEnabled": settings.admin_user,
        "anonymousPullEnabled": settings.anonymous_pull,
        "roleAssignmentMode": f"{'Abac' if settings.mode is Mode.ABAC else 'LegacyRegistry'}"
        f"{'RepositoryPermissions' if settings.mode is Mode.ABAC else 'Permissions'}",
        "policies": {
            "retentionPolicy": {"status": "disabled"}
            if retention is None
            else {"status": "enabled", "days": retention},
            "azureADAuthenticationAsArmPolicy": {"status": "enabled" if settings.arm_audience_tokens else "disabled"},
            "softDeletePolicy": {"status": "enabled", "retentionDays": settings.soft_delete_days}
            if settings.soft_delete_days
            else {"status": "disabled"},
        },
    }
