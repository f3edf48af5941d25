"""What the URL names is one registry, or none: never another one of the same name."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from services.registries.registry import Registry
from tests.support.shell_lines import registry as a_registry
from ui.navigation.selection import find, key_of


def registries(names: list[str], hashes: list[str]) -> list[Registry]:
    """Registries of these names, each in a resource group of its own, as DNL registries may share a name."""
    found = a_registry()
    return [
        replace(
            found,
            name=name,
            id=f"/subscriptions/s/resourceGroups/g{number}/providers/Microsoft.ContainerRegistry/registries/{name}",
            login_server=f"{name.lower()}-{suffix}{number}.azurecr.io" if suffix else "",
        )
        for number, (name, suffix) in enumerate(zip(names, hashes, strict=True))
    ]


@given(data=st.data())
def test_a_link_to_a_registry_leads_to_it_and_no_other(data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(["team", "Team", "TEAM", "base", "hub"]), min_size=1, max_size=5))
    hashes = data.draw(st.lists(st.sampled_from(["ab12", "cd34", ""]), min_size=len(names), max_size=len(names)))
    every = registries(names, hashes)
    for registry in every:
        key = key_of(registry, every)
        assert find(every, key) is registry
        assert find(every, key.upper()) is registry
        assert find(every, registry.id) is registry
        if [one.name.casefold() for one in every].count(registry.name.casefold()) > 1:
            assert find(every, registry.name) is None
        else:
            assert key == registry.name


def test_no_key_names_none() -> None:
    every = registries(["team", "team"], ["", "ab12"])
    assert find(every, "") is None
    assert find(every, "elsewhere") is None
