"""Keystone as far as a client needs it to log in: tokens for every method, and the catalog."""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.fake_cloud.http import Answer, Call, failure
from tests.fake_cloud.store import new_id

PROJECT = "11111111111111111111111111111111"
USER = "22222222222222222222222222222222"
DEFAULT_SERVICES = {
    "identity": "identity/v3",
    "compute": "compute/v2.1",
    "network": "network",
    "volumev3": f"volume/v3/{PROJECT}",
    "image": "image",
}
"""Service types of the catalog, and the path of each below its region and interface."""
WITH_MANILA = {**DEFAULT_SERVICES, "sharev2": "share/v2"}
"""The services of a cloud with Manila, which many clouds do not have."""


@dataclass
class Identity:
    """Who may log in, and the catalog. `logins` keeps the body of every login, in order.

    `secrets` are the passwords, tokens and secrets that are accepted.
    """

    regions: tuple[str, ...]
    services: dict[str, str]
    secrets: frozenset[str]
    logins: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)

    def answer(self, call: Call) -> Answer:
        """Answer a call below `identity/`."""
        if call.path in ("", "v3"):
            version = {
                "id": "v3.14",
                "status": "stable",
                "links": [{"rel": "self", "href": f"{call.root}/identity/v3/"}],
            }
            return Answer(200, {"version": version} if call.path else {"versions": {"values": [version]}})
        if call.path == "v3/auth/tokens":
            return self._issue(call) if call.method == "POST" else self._show(call)
        return failure(404, f"no {call.path} here")

    def _issue(self, call: Call) -> Answer:
        request: dict[str, Any] = call.body["auth"]
        self.logins.append(request)
        identity = request["identity"]
        (method,) = identity["methods"]
        if not self._accepts(method, identity[method]):
            return failure(401, "The request you have made requires authentication.")
        token = new_id()
        self.tokens[token] = request
        return Answer(201, self._token(call, request), {"X-Subject-Token": token})

    def _show(self, call: Call) -> Answer:
        token = call.headers.get("X-Subject-Token", "")
        if token not in self.tokens and token not in self.secrets:
            return failure(401, "The request you have made requires authentication.")
        return Answer(200, self._token(call, self.tokens.get(token, {"scope": "project"})), {"X-Subject-Token": token})

    def _accepts(self, method: str, given: dict[str, Any]) -> bool:
        secret = given["user"].get("password") if method == "password" else given.get("secret", given.get("id"))
        return secret in self.secrets or (method == "token" and secret in self.tokens)

    def _token(self, call: Call, request: dict[str, Any]) -> dict[str, Any]:
        scoped = "scope" in request or "application_credential" in json.dumps(request)
        project = {"project": {"id": PROJECT, "name": "idr", "domain": {"id": "default", "name": "Default"}}}
        return {
            "token": {
                "methods": ["password"],
                "user": {"id": USER, "name": "nina", "domain": {"id": "default", "name": "Default"}},
                "roles": [{"id": "r", "name": "member"}],
                "issued_at": "2026-01-01T00:00:00.000000Z",
                "expires_at": "2099-01-01T00:00:00.000000Z",
                **(project if scoped else {}),
                "catalog": self._catalog(call.root) if scoped else [],
            }
        }

    def _catalog(self, root: str) -> list[dict[str, Any]]:
        return [
            {
                "id": new_id(),
                "type": service,
                "name": service,
                "endpoints": [
                    {
                        "id": new_id(),
                        "interface": interface,
                        "region": region,
                        "region_id": region,
                        "url": f"{root}/{path}" if service == "identity" else f"{root}/{region}/{interface}/{path}",
                    }
                    for region in self.regions
                    for interface in ("public", "internal", "admin")
                ],
            }
            for service, path in self.services.items()
        ]
