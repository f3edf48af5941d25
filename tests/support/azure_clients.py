"""Clients of a running sandbox, made from its ready file's values alone: the SDKs' and plain requests."""

import requests
from azure.identity import ClientSecretCredential

SUBSCRIPTION = "b63a40da-5629-452a-9350-e48460eae13f"
REGISTRY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/resource-group-4"
    "/providers/Microsoft.ContainerRegistry/registries/casaacr01"
)


def credential(ready, who="client"):
    """The console's identity, or with who="reader_client" the Reader's."""
    return ClientSecretCredential(
        ready["tenant_id"],
        ready[f"{who}_id"],
        ready[f"{who}_secret"],
        authority=ready["authority"],
        disable_instance_discovery=True,
        connection_verify=ready["ca_file"],
    )


def client(kind, ready, *args, who="client"):
    """A management SDK client; args are its own, as the subscription."""
    return kind(
        credential(ready, who),
        *args,
        base_url=ready["resource_manager"],
        credential_scopes=[ready["resource_manager_scope"]],
        connection_verify=ready["ca_file"],
    )


def token(ready, who="client", scope=None):
    """A bearer token by a plain request."""
    answer = requests.post(
        f"{ready['authority']}/{ready['tenant_id']}/oauth2/v2.0/token",
        {
            "grant_type": "client_credentials",
            "client_id": ready[f"{who}_id"],
            "client_secret": ready[f"{who}_secret"],
            "scope": scope or ready["resource_manager_scope"],
        },
        verify=ready["ca_file"],
        timeout=10,
    )
    answer.raise_for_status()
    return answer.json()["access_token"]


class Arm:
    """Resource Manager by plain requests: paths in, responses out; no waiting, no retries."""

    def __init__(self, ready, who="client", scope=None):
        self._url = ready["resource_manager"]
        self._session = requests.Session()
        # REQUESTS_CA_BUNDLE, where it is set, goes before the session's own `verify`.
        self._session.trust_env = False
        self._session.verify = ready["ca_file"]
        self._session.headers["Authorization"] = f"Bearer {token(ready, who, scope)}"

    def __call__(self, method, path, body=None, **query):
        url = path if path.startswith("https://") else self._url + path
        given = {"api-version": "2025-11-01", **{name.replace("dollar_", "$"): text for name, text in query.items()}}
        return self._session.request(method, url, params=None if "?" in url else given, json=body, timeout=10)

    @property
    def headers(self):
        """What goes with each request."""
        return self._session.headers

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.close()

    def poll(self, answer):
        """Follow a long-running operation to its end; the states it went through."""
        states = []
        while True:
            url = answer.headers.get("Azure-AsyncOperation") or answer.headers["Location"]
            polled = self("GET", url)
            states.append(polled.json()["status"] if polled.content else polled.status_code)
            if states[-1] in ("Succeeded", "Failed", 200):
                return states
