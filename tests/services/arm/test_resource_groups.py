from services.arm.resource_groups import ResourceGroup, usual_location


def test_the_usual_location_is_where_most_groups_are() -> None:
    places = {"a": "eastus", "b": "westeurope", "c": "eastus"}
    assert usual_location([ResourceGroup(name, place, "Succeeded") for name, place in places.items()]) == "eastus"
    assert usual_location([]) == ""
