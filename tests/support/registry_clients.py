"""Clients of a registry of a running sandbox: plain requests with the challenge flow, the SDK's, and small images."""

import base64
import hashlib
import json

import requests
from azure.containerregistry import ContainerRegistryClient

from sandbox.storage.manifest import MEDIA_TYPES, OCI_INDEX, OCI_MANIFEST
from tests.support.azure_clients import credential, token

CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def sdk(ready, name="casaacr01", who="client"):
    return ContainerRegistryClient(
        f"https://{ready['registries'][name]}",
        credential(ready, who),
        audience=ready["registry_audience"],
        connection_verify=ready["ca_file"],
    )


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def claims_of(jwt):
    payload = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def scope_of(answer):
    """The scope that a 401 asks for; None when it names none."""
    parts = dict(part.split("=", 1) for part in answer.headers["WWW-Authenticate"][7:].replace('",', '"\n').split("\n"))
    return parts.get("scope", "").strip('"') or None


class Registry:
    """One registry by plain requests: a call that is challenged is repeated once with a token for that scope."""

    def __init__(self, ready, name, who="client"):
        self.ready, self.server = ready, ready["registries"][name]
        self._who, self._refresh = who, None
        self._session = requests.Session()
        self._session.trust_env = False  # REQUESTS_CA_BUNDLE would go before `verify`
        self._session.verify = ready["ca_file"]
        self._session.headers["Accept"] = ", ".join((*sorted(MEDIA_TYPES), "*/*"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._session.close()

    def send(self, method, path, **more):
        """One request as it is, without any sign-in."""
        return self._session.request(method, f"https://{self.server}{path}", timeout=10, **more)

    def __call__(self, method, path, headers=None, **more):
        answer = self.send(method, path, headers=headers, **more)
        if answer.status_code != 401:
            return answer
        authorized = {**(headers or {}), "Authorization": f"Bearer {self.access_token(scope_of(answer))}"}
        return self.send(method, path, headers=authorized, **more)

    def exchange(self, aad=None):
        given = aad or token(self.ready, self._who, f"{self.ready['registry_audience']}/.default")
        form = {"grant_type": "access_token", "service": self.server, "access_token": given}
        return self.send("POST", "/oauth2/exchange", data=form)

    def access_token(self, *scopes):
        if self._refresh is None:
            answer = self.exchange()
            answer.raise_for_status()
            self._refresh = answer.json()["refresh_token"]
        form = {"grant_type": "refresh_token", "service": self.server, "refresh_token": self._refresh}
        answer = self.send("POST", "/oauth2/token", data={**form, "scope": [scope for scope in scopes if scope]})
        answer.raise_for_status()
        return answer.json()["access_token"]

    def push_blob(self, repository, data):
        started = self("POST", f"/v2/{repository}/blobs/uploads/")
        assert started.status_code == 202, started.text
        done = self("PUT", started.headers["Location"], params={"digest": digest_of(data)}, data=data)
        assert done.status_code == 201, done.text
        return digest_of(data)

    def put_manifest(self, repository, reference, document, media_type=OCI_MANIFEST):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        path = f"/v2/{repository}/manifests/{reference or digest_of(body)}"
        return self("PUT", path, headers={"Content-Type": media_type}, data=body)

    def push_image(self, repository, tag=None, text="one", subject=None, architecture="amd64"):
        """A little image of one layer; returns its digest."""
        config = json.dumps({"architecture": architecture, "os": "linux", "text": text}).encode()
        layer = f"layer of {text}".encode()
        document = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": CONFIG, "digest": self.push_blob(repository, config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": self.push_blob(repository, layer), "size": len(layer)}],
        }
        if subject:
            document["subject"] = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
            document["artifactType"] = "application/vnd.example.signature"
        answer = self.put_manifest(repository, tag, document)
        assert answer.status_code == 201, answer.text
        return answer.headers["Docker-Content-Digest"]

    def push_index(self, repository, tag, children):
        descriptors = [
            {"mediaType": OCI_MANIFEST, "digest": child, "size": 1, "platform": {"os": "linux", "architecture": name}}
            for name, child in children.items()
        ]
        document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": descriptors}
        answer = self.put_manifest(repository, tag, document, OCI_INDEX)
        assert answer.status_code == 201, answer.text
        return answer.headers["Docker-Content-Digest"]
