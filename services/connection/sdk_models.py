"""The models of the SDKs: readied for threads, and their open enums read as text.

The generated models work out what their fields are when the first of a class is made, and two threads that do so at
once may get fields that are bare dicts (`_utils/model_base.py`, Model.__new__, of each azure-mgmt package).
"""

from importlib import import_module
from typing import Any


def prepare_models(client: type) -> None:
    """Has the models of a client's package work out their fields: 20 ms the first time. Call it in one thread alone."""
    package = client.__module__.rpartition(".")[0]
    if not package.startswith("azure.mgmt."):
        return
    models: dict[str, Any] = vars(import_module(f"{package}.models"))
    for model in models.values():
        if hasattr(model, "_calculated"):
            model.__new__(model)


def sdk_text(value: Any) -> str:
    """A string of the SDK, "" for None. Its enums are open: known values are members, new ones plain strings."""
    return str(getattr(value, "value", value) or "")
