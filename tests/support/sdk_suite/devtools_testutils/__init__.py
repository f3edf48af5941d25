"""Stands in for the unpublished package of that name: tests run live, at what the environment names."""

import functools
import hashlib
import os
from collections.abc import Callable
from typing import Any


class FakeTokenCredential:
    """Never asked: everything is live."""


class AzureRecordedTestCase:
    is_live = True

    def get_resource_name(self, prefix: str) -> str:
        """A name that no other test uses."""
        test = os.environ["PYTEST_CURRENT_TEST"].partition(" ")[0]
        return prefix + hashlib.sha256(test.encode()).hexdigest()[:12]

    def sleep(self, _seconds: float) -> None:
        """Azure may take a moment to show a change; the sandbox shows it at once."""


class PowerShellPreparer:
    """Hands each test the settings it names: CONTAINERREGISTRY_ENDPOINT for containerregistry_endpoint."""

    def __init__(self, _directory: str, **settings: str) -> None:
        self._settings = {name: os.environ.get(name.upper(), fallback) for name, fallback in settings.items()}

    def __call__(self, test: Callable[..., Any]) -> Callable[..., Any]:
        code = test.__code__
        everything = bool(code.co_flags & 0x08)  # **kwargs
        mine = {name: value for name, value in self._settings.items() if everything or name in code.co_varnames}

        def wrapped(case: Any) -> Any:
            return test(case, **mine)

        async def wrapped_async(case: Any) -> Any:
            return await test(case, **mine)

        # Not functools.wraps: pytest would see the settings as fixtures.
        chosen = wrapped_async if code.co_flags & 0x80 else wrapped
        chosen.__name__, chosen.__doc__ = test.__name__, test.__doc__
        chosen.__dict__.update(test.__dict__)
        return chosen


def recorded_by_proxy(test: Callable[..., Any]) -> Callable[..., Any]:
    return test


def is_live() -> bool:
    return True


def test_proxy() -> None:
    """Becomes a fixture of their conftest in sdk_live.py."""


def _nothing(*_: object, **__: object) -> None:
    pass


add_general_regex_sanitizer = add_body_key_sanitizer = add_uri_regex_sanitizer = functools.partial(_nothing)
