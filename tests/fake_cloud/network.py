"""Neutron as far as the program and the provider use it."""

from ipaddress import IPv4Network

from tests.fake_cloud.http import Answer, Call, failure
from tests.fake_cloud.identity import PROJECT
from tests.fake_cloud.store import Store, Thing, matches, new_id

KINDS = {
    "networks": "network",
    "subnets": "subnet",
    "routers": "router",
    "ports": "port",
    "security-groups": "security_group",
    "security-group-rules": "security_group_rule",
    "floatingips": "floatingip",
}
"""Path of each collection, and the key of one object and of its quota; a list's key is the path with underscores."""
DEFAULTS: dict[str, Thing] = {
    "networks": {
        "status": "ACTIVE",
        "admin_state_up": True,
        "shared": False,
        "router:external": False,
        "port_security_enabled": True,
        "subnets": [],
    },
    "subnets": {"ip_version": 4, "enable_dhcp": True, "dns_nameservers": [], "host_routes": [], "gateway_ip": None},
    "routers": {"status": "ACTIVE", "admin_state_up": True, "external_gateway_info": None, "routes": []},
    "ports": {"status": "ACTIVE", "admin_state_up": True, "device_id": "", "device_owner": "", "fixed_ips": []},
    "security-groups": {"stateful": True, "description": ""},
    "security-group-rules": dict.fromkeys(
        ("remote_group_id", "remote_ip_prefix", "protocol", "port_range_min", "port_range_max")
    ),
    "floatingips": {"status": "DOWN", "port_id": None, "fixed_ip_address": None, "router_id": None},
}


class Network:
    """A region's Neutron. `limits` are by the names of Neutron's quotas; a name without limit is not told."""

    def __init__(self, store: Store, limits: dict[str, int]) -> None:
        self.store, self.limits = store, limits

    def answer(self, call: Call, path: str) -> Answer:
        """The answer to a call; `path` is what follows the endpoint."""
        parts = path.split("/")
        if path in ("", "v2.0"):
            return Answer(200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [_self(call, "v2.0")]}]})
        if parts[1] == "extensions":
            return Answer(200, {"extensions": []})
        if parts[1] == "quotas":
            return self._quotas(parts[-1] in ("details", "details.json"))
        if parts[1] not in KINDS:
            return failure(404, f"no {path} here")
        return self._object(call, parts[1], parts[2:])

    def _object(self, call: Call, kind: str, rest: list[str]) -> Answer:
        if not rest:
            return self._create(call, kind) if call.method == "POST" else self._list(call, kind)
        thing = self.store.get(kind, rest[0])
        if thing is None:
            return failure(404, f"{kind} {rest[0]} could not be found.")
        if rest[1:] == ["tags"]:
            thing["tags"] = call.body["tags"]
            return Answer(200, {"tags": thing["tags"]})
        if rest[1:] and kind == "routers":
            return self._interface(thing, rest[1], call.body)
        if call.method == "DELETE":
            return self._delete(kind, thing)
        if call.method == "PUT":
            thing.update(call.body[KINDS[kind]])
        return Answer(200, {KINDS[kind]: self._shown(kind, thing)})

    def _list(self, call: Call, kind: str) -> Answer:
        found = [self._shown(kind, thing) for thing in self.store.all(kind) if matches(thing, call.query)]
        return Answer(200, {kind.replace("-", "_"): found})

    def _shown(self, kind: str, thing: Thing) -> Thing:
        if kind == "security-groups":
            return {
                **thing,
                "security_group_rules": self.store.all("security-group-rules", security_group_id=thing["id"]),
            }
        return thing

    def _create(self, call: Call, kind: str) -> Answer:
        if refused := self._over(kind):
            return refused
        given: Thing = {"project_id": PROJECT, "tenant_id": PROJECT, "tags": [], **call.body[KINDS[kind]]}
        if kind == "ports" and (refused := self._port(given)):
            return refused
        if kind == "floatingips":
            number = len(self.store.all(kind)) + 10
            given["floating_ip_address"] = f"192.0.2.{number}"
        thing = self.store.add(kind, **{**DEFAULTS[kind], **given})
        if kind == "subnets":
            network = self.store.get("networks", thing["network_id"])
            if network:
                network["subnets"].append(thing["id"])
        if kind == "security-groups":
            for ethertype in ("IPv4", "IPv6"):
                self.store.add(
                    "security-group-rules",
                    **DEFAULTS["security-group-rules"],
                    project_id=PROJECT,
                    security_group_id=thing["id"],
                    direction="egress",
                    ethertype=ethertype,
                )
        return Answer(201, {KINDS[kind]: self._shown(kind, thing)})

    def _port(self, given: Thing) -> Answer | None:
        network = self.store.get("networks", given["network_id"])
        if network is None:
            return failure(404, f"Network {given['network_id']} could not be found.")
        groups = given.get("security_groups")
        if groups and not network["port_security_enabled"]:
            return failure(
                400, "Port security must be enabled and port must have an IP address in order to use security groups."
            )
        given.setdefault("security_groups", [])
        given["mac_address"] = "fa:16:3e:" + ":".join(new_id()[i : i + 2] for i in (0, 2, 4))
        given.setdefault("fixed_ips", [])
        for number, fixed in enumerate(given["fixed_ips"] or [{"subnet_id": s} for s in network["subnets"][:1]]):
            subnet = self.store.get("subnets", fixed["subnet_id"])
            if subnet and "ip_address" not in fixed:
                taken = len(self.store.all("ports", network_id=network["id"]))
                fixed["ip_address"] = str(IPv4Network(subnet["cidr"])[200 + taken + number])
            given["fixed_ips"] = [*given["fixed_ips"][:number], fixed, *given["fixed_ips"][number + 1 :]]
        return None

    def _interface(self, router: Thing, action: str, body: Thing) -> Answer:
        subnet = self.store.get("subnets", body["subnet_id"]) or {}
        mine = {"device_id": router["id"], "device_owner": "network:router_interface"}
        if action == "add_router_interface":
            fixed = [{"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}]
            values = {"network_id": subnet["network_id"], "fixed_ips": fixed, "name": "", "tags": [], **mine}
            port = self.store.add(
                "ports", **{**DEFAULTS["ports"], "project_id": PROJECT, "security_groups": [], **values}
            )
        else:
            port = next(p for p in self.store.all("ports", **mine) if p["fixed_ips"][0]["subnet_id"] == subnet["id"])
            self.store.remove("ports", port["id"])
        return Answer(200, {"id": router["id"], "subnet_id": subnet["id"], "port_id": port["id"], "tenant_id": PROJECT})

    def _delete(self, kind: str, thing: Thing) -> Answer:
        self.store.remove(kind, thing["id"])
        if kind == "security-groups":
            for rule in self.store.all("security-group-rules", security_group_id=thing["id"]):
                self.store.remove("security-group-rules", rule["id"])
        return Answer(204)

    def _over(self, kind: str) -> Answer | None:
        limit = self.limits.get(KINDS[kind], -1)
        if limit < 0 or len(self._mine(kind)) < limit:
            return None
        return failure(409, f"Quota exceeded for resources: ['{KINDS[kind]}'].")

    def _mine(self, kind: str) -> list[Thing]:
        return self.store.all(kind, project_id=PROJECT)

    def _quotas(self, detailed: bool) -> Answer:
        used = {name: len(self._mine(kind)) for kind, name in KINDS.items()}
        told = {name: {"limit": limit, "used": used[name], "reserved": 0} for name, limit in self.limits.items()}
        return Answer(200, {"quota": told if detailed else self.limits})


def _self(call: Call, version: str) -> dict[str, str]:
    return {"rel": "self", "href": f"{call.root}/{call.path.removesuffix('/v2.0')}/{version}"}
