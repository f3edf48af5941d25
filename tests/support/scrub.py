"""What goes into a cassette: no secret, no token that opens anything, no port, no header that says nothing."""

import base64
import json
import re
from typing import Any

from services.connection.data_plane_tokens import jwt_claims
from tests.support.canned import jwt

# Far from now, so that a cassette never expires.
NEVER = 2**33
KEPT_REQUEST_HEADERS = {"accept", "range"}
KEPT_RESPONSE_HEADERS = {
    "content-range",
    "content-type",
    "docker-content-digest",
    "link",
    "www-authenticate",
    "x-ms-correlation-request-id",
}
SIGN_IN = re.compile(r"/oauth2/|/\.well-known/")
_JWT = re.compile(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]*")


class Scrubber:
    """Hooks for VCR. `hosts` are the addresses of one run and the names that stand for them."""

    def __init__(self, hosts: dict[str, str]) -> None:
        self._hosts = hosts

    def text(self, text: str) -> str:
        """`text` with names for addresses, and tokens that say what they grant and open nothing."""
        for address, name in self._hosts.items():
            text = text.replace(address, name)
        return _JWT.sub(lambda found: self._harmless(found[0]), text)

    def request(self, request: Any) -> Any:
        """A request without credentials; what is sent to sign in is left out whole."""
        request.uri = self.text(request.uri)
        request.headers = {
            name: value for name, value in request.headers.items() if name.lower() in KEPT_REQUEST_HEADERS
        }
        if SIGN_IN.search(request.uri):
            request.body = None
        return request

    def response(self, response: dict[str, Any]) -> dict[str, Any]:
        """A response with what the clients read."""
        body = response["body"]["string"]
        try:
            response["body"]["string"] = self.text(body.decode()).encode()
        except UnicodeDecodeError:
            response["body"]["string"] = body
        response["headers"] = {
            name: [self.text(value) for value in values]
            for name, values in response["headers"].items()
            if name.lower() in KEPT_RESPONSE_HEADERS
        }
        # get_manifest and download_blob of the SDK read the length.
        response["headers"]["Content-Length"] = [str(len(response["body"]["string"]))]
        return response

    def _harmless(self, token: str) -> str:
        claims = jwt_claims(token)
        kept = {name: claims[name] for name in ("access", "oid", "tid", "appid", "app_displayname") if name in claims}
        return jwt(**kept, exp=NEVER)


def secrets_in(text: str, *known: str) -> list[str]:
    """What in a cassette's text must not be there: known secrets, addresses with a port, signed tokens."""
    signed = [token for token in _JWT.findall(text) if not token.endswith(".") or _algorithm(token) != "none"]
    words = re.findall(r"client_secret=|refresh_token=|Authorization:|localhost:\d+|127\.0\.0\.1:\d+", text)
    return [*signed, *words, *(secret for secret in known if secret in text)]


def _algorithm(token: str) -> str:
    header = token.split(".")[0]
    return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["alg"])
