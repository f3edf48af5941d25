"""The settings of a console that people sign in to. Without all of them it does not start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from cryptography.fernet import MultiFernet

from services.sign_in.store import sealing_keys

SIGN_IN_NAMES = {
    "ACR_CONSOLE_SIGN_IN": "none",
    "ACR_CONSOLE_PUBLIC_URL": "",
    "ACR_CONSOLE_TENANT_ID": "",
    "ACR_CONSOLE_CLIENT_ID": "",
    "ACR_CONSOLE_CLIENT_SECRET": "",
    "ACR_CONSOLE_KEYS": "",
    "ACR_CONSOLE_IDLE_MINUTES": "60",
    "ACR_CONSOLE_LONGEST_MINUTES": "720",
    "ACR_CONSOLE_CHECK_S": "15",
    "ACR_CONSOLE_OWN_IDENTITY": "none",
}
_MODES = ("entra", "entra-shared")
_LOCAL_NAMES = ("localhost", "127.0.0.1")


@dataclass(frozen=True)
class SignInSettings:
    """`public_url` is the origin that browsers open, without a trailing slash. `tenant_id`, `client_id` and
    `client_secret` are of the application in Entra, each "" where the sandbox or a federated identity has it.

    `check` is how often an open page's sign-in is looked up. `shared`: Azure is asked as the console's own identity,
    and app roles say what each person may do. `own_identity`: the console also asks as itself, for schedules alone.
    """

    public_url: str
    tenant_id: str
    client_id: str
    client_secret: str = field(repr=False)
    keys: MultiFernet = field(repr=False)
    idle: timedelta
    longest: timedelta
    check: timedelta
    shared: bool = False
    own_identity: bool = False

    @property
    def redirect_uri(self) -> str:
        """Where Entra sends people back to; to be registered there."""
        return f"{self.public_url}/auth/callback"

    @property
    def host(self) -> str:
        """The host name of `public_url`, without its port."""
        return urlsplit(self.public_url).hostname or ""


def sign_in_settings(found: Mapping[str, str]) -> SignInSettings | None:
    """Of all settings by name, those of the sign-in; None where it is `none`. Raises ValueError by name."""
    chosen = found["ACR_CONSOLE_SIGN_IN"]
    if chosen == "none":
        return None
    if chosen not in _MODES:
        raise ValueError(f"ACR_CONSOLE_SIGN_IN is {chosen!r}; it must be one of: none, {', '.join(_MODES)}")
    needed = ["ACR_CONSOLE_PUBLIC_URL", "ACR_CONSOLE_KEYS", "ACR_CONSOLE_DATABASE"]
    if found["ACR_CONSOLE_CONNECTION"] == "azure":
        needed += ["ACR_CONSOLE_TENANT_ID", "ACR_CONSOLE_CLIENT_ID"]
    if missing := [name for name in needed if not found[name]]:
        raise ValueError(f"ACR_CONSOLE_SIGN_IN={chosen} needs {' and '.join(missing)}: see docs/hosting.md")
    return SignInSettings(
        public_url=_origin(found["ACR_CONSOLE_PUBLIC_URL"]),
        tenant_id=found["ACR_CONSOLE_TENANT_ID"],
        client_id=found["ACR_CONSOLE_CLIENT_ID"],
        client_secret=found["ACR_CONSOLE_CLIENT_SECRET"],
        keys=_keys(found["ACR_CONSOLE_KEYS"]),
        idle=timedelta(minutes=_positive(found, "ACR_CONSOLE_IDLE_MINUTES")),
        longest=timedelta(minutes=_positive(found, "ACR_CONSOLE_LONGEST_MINUTES")),
        check=timedelta(seconds=_positive(found, "ACR_CONSOLE_CHECK_S")),
        shared=chosen == "entra-shared",
        own_identity=_own_identity(found),
    )


def _own_identity(found: Mapping[str, str]) -> bool:
    chosen = found["ACR_CONSOLE_OWN_IDENTITY"]
    if chosen not in ("none", "host"):
        raise ValueError(f"ACR_CONSOLE_OWN_IDENTITY is {chosen!r}; it must be one of: none, host")
    return chosen == "host"


def _origin(text: str) -> str:
    """A browser keeps cookies for https alone, and for this machine."""
    wrong = "ACR_CONSOLE_PUBLIC_URL is the console's address without a path: https://HOST, or http://localhost:PORT"
    try:
        parts = urlsplit(text.rstrip("/"))
        _ = parts.port
    except ValueError as error:
        raise ValueError(wrong) from error
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL_NAMES)
    if not secure or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError(wrong)
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _keys(text: str) -> MultiFernet:
    try:
        return sealing_keys(text)
    except ValueError as error:
        raise ValueError(
            "ACR_CONSOLE_KEYS is one or more Fernet keys with commas between: see docs/hosting.md"
        ) from error


def _positive(found: Mapping[str, str], name: str) -> float:
    try:
        number = float(found[name])
    except ValueError:
        number = 0
    if not 0 < number < 1_000_000:
        raise ValueError(f"{name} is a number above 0")
    return number
