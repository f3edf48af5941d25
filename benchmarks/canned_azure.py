"""Azure stood in for below the SDK's transport: what is measured then is the console's own, from the bytes on."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import requests
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import RequestsTransport
from requests.adapters import BaseAdapter, HTTPAdapter
from urllib3 import HTTPResponse

from services.connection.endpoints import CLOUDS
from services.connection.session import AzureSession
from services.connection.transport import BLOCK


class _Adapter(BaseAdapter):
    """Answers in place of a socket: `answer(url, method)` gives the JSON."""

    def __init__(self, answer: Callable[[str, str], bytes]) -> None:
        super().__init__()
        self._answer = answer

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        body = self._answer(str(request.url).replace("%24", "$"), str(request.method))
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        raw = HTTPResponse(BytesIO(body), headers, 200, preload_content=False)
        return HTTPAdapter().build_response(request, raw)

    def close(self) -> None:
        """Nothing is open."""


class _Credential:
    def get_token(self, *_: str, **__: Any) -> AccessToken:
        return AccessToken("token", 2**33)


def canned_session(answer: Callable[[str, str], bytes]) -> AzureSession:
    """A session at the public cloud that never leaves this process: `answer(url, method)` gives each answer's JSON."""
    http = requests.Session()
    http.trust_env = False
    http.mount("https://", _Adapter(answer))
    return AzureSession(
        _Credential(),
        CLOUDS["public"],
        RequestsTransport(session=http, session_owner=False, connection_data_block_size=BLOCK),
    )
