"""The Azure regions the sandbox knows: name, display name, geography, paired region, availability zones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Location:
    name: str
    display_name: str
    geography: str
    pair: str
    zones: bool = True


LOCATIONS = {
    location.name: location
    for location in (
        Location("eastus", "East US", "US", "westus"),
        Location("eastus2", "East US 2", "US", "centralus"),
        Location("centralus", "Central US", "US", "eastus2"),
        Location("westus", "West US", "US", "eastus", zones=False),
        Location("westus2", "West US 2", "US", "westcentralus"),
        Location("westus3", "West US 3", "US", "eastus"),
        Location("westcentralus", "West Central US", "US", "westus2", zones=False),
        Location("southcentralus", "South Central US", "US", "northcentralus"),
        Location("northcentralus", "North Central US", "US", "southcentralus", zones=False),
        Location("canadacentral", "Canada Central", "Canada", "canadaeast"),
        Location("brazilsouth", "Brazil South", "Brazil", "southcentralus"),
        Location("northeurope", "North Europe", "Europe", "westeurope"),
        Location("westeurope", "West Europe", "Europe", "northeurope"),
        Location("uksouth", "UK South", "UK", "ukwest"),
        Location("francecentral", "France Central", "France", "francesouth"),
        Location("germanywestcentral", "Germany West Central", "Germany", "germanynorth"),
        Location("switzerlandnorth", "Switzerland North", "Switzerland", "switzerlandwest"),
        Location("swedencentral", "Sweden Central", "Sweden", "swedensouth"),
        Location("eastasia", "East Asia", "Asia Pacific", "southeastasia"),
        Location("southeastasia", "Southeast Asia", "Asia Pacific", "eastasia"),
        Location("japaneast", "Japan East", "Japan", "japanwest"),
        Location("australiaeast", "Australia East", "Australia", "australiasoutheast"),
        Location("centralindia", "Central India", "India", "southindia"),
    )
}


def normalize(location: str) -> str:
    """ARM takes display names too: "East US 2" is eastus2."""
    return location.replace(" ", "").lower()
