"""Neutron as far as the program and the provider use it."""

from ipaddress import IPv4Network

from tests.fake_cloud import network_rules
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
    """The Neutron of a region. `limits` are by the names of Neutron's quotas; a name without limit is not shown."""

    def __init__(self, store: Store, limits: dict[str, int]) -> None:
        self.store, self.limits = store, limits

    def answer(self, call: Call, path: str) -> Answer:
        """Answer a call; `path` follows the endpoint."""
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
        if call.method == "PUT" and (refused := self._update(kind, thing, call.body[KINDS[kind]])):
            return refused
        return Answer(200, {KINDS[kind]: self._shown(kind, thing)})

    def _update(self, kind: str, thing: Thing, given: Thing) -> Answer | None:
        if kind == "floatingips" and "port_id" in given and (refused := self._associate(thing, given["port_id"])):
            return refused
        thing.update(given)
        return None

    def _associate(self, address: Thing, port_id: str | None) -> Answer | None:
        """Associate a floating address with a port; None ends the association."""
        if port_id is None:
            address.update(port_id=None, fixed_ip_address=None, router_id=None, status="DOWN")
            return None
        if refused := network_rules.association(self.store, address, port_id):
            return refused
        port = self.store.get("ports", port_id) or {}
        router = network_rules.router_of(self.store, port) or {}
        fixed = port["fixed_ips"][0]["ip_address"]
        address.update(port_id=port_id, fixed_ip_address=fixed, router_id=router["id"], status="ACTIVE")
        return None

    def _list(self, call: Call, kind: str) -> Answer:
        shown = [self._shown(kind, thing) for thing in self.store.all(kind) if matches(thing, call.query)]
        return Answer(200, {kind.replace("-", "_"): shown})

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
        if refused := network_rules.creation(self.store, kind, given):
            return refused
        if kind == "ports" and (refused := self._port(given)):
            return refused
        if kind == "floatingips":
            taken = {one["floating_ip_address"] for one in self.store.all(kind)}
            given["floating_ip_address"] = next(a for n in range(10, 250) if (a := f"192.0.2.{n}") not in taken)
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
        known = self.store.get("ports", body["port_id"]) if "port_id" in body else None
        subnet = self.store.get("subnets", known["fixed_ips"][0]["subnet_id"] if known else body["subnet_id"])
        if subnet is None:
            return failure(404, f"Subnet {body.get('subnet_id')} could not be found.")
        if action == "add_router_interface":
            if refused := network_rules.interface(self.store, subnet):
                return refused
            port = self._router_port(router, subnet)
        else:
            if refused := network_rules.interface_removal(self.store, router, subnet):
                return refused
            port = network_rules.router_port(self.store, subnet) or {}
            self.store.remove("ports", port["id"])
        return Answer(200, {"id": router["id"], "subnet_id": subnet["id"], "port_id": port["id"], "tenant_id": PROJECT})

    def _router_port(self, router: Thing, subnet: Thing) -> Thing:
        fixed = [{"subnet_id": subnet["id"], "ip_address": subnet["gateway_ip"]}]
        mine = {
            "device_id": router["id"],
            "device_owner": network_rules.ROUTER_PORT,
            "network_id": subnet["network_id"],
        }
        rest = {"project_id": PROJECT, "security_groups": [], "fixed_ips": fixed, "name": "", "tags": []}
        return self.store.add("ports", **{**DEFAULTS["ports"], **rest, **mine})

    def _delete(self, kind: str, thing: Thing) -> Answer:
        if refused := network_rules.deletion(self.store, kind, thing):
            return refused
        self.store.remove(kind, thing["id"])
        self._update_those_that_name(kind, thing)
        return Answer(204)

    def _update_those_that_name(self, kind: str, thing: Thing) -> None:
        """Change the other objects as Neutron does after a deletion."""
        match kind:
            case "security-groups":
                # The rules of other groups that name this group are deleted as well.
                for key in ("security_group_id", "remote_group_id"):
                    self._remove_all("security-group-rules", **{key: thing["id"]})
            case "networks":
                self._remove_all("subnets", network_id=thing["id"])
            case "subnets":
                if network := self.store.get("networks", thing["network_id"]):
                    network["subnets"].remove(thing["id"])
            case "ports":
                for address in self.store.all("floatingips", port_id=thing["id"]):
                    self._associate(address, None)

    def _remove_all(self, kind: str, **values: str) -> None:
        for one in self.store.all(kind, **values):
            self.store.remove(kind, one["id"])

    def _over(self, kind: str) -> Answer | None:
        limit = self.limits.get(KINDS[kind], -1)
        if limit < 0 or len(self._mine(kind)) < limit:
            return None
        return failure(409, f"Quota exceeded for resources: ['{KINDS[kind]}'].")

    def _mine(self, kind: str) -> list[Thing]:
        return self.store.all(kind, project_id=PROJECT)

    def _quotas(self, detailed: bool) -> Answer:
        used = {name: len(self._mine(kind)) for kind, name in KINDS.items()}
        quotas = {name: {"limit": limit, "used": used[name], "reserved": 0} for name, limit in self.limits.items()}
        return Answer(200, {"quota": quotas if detailed else self.limits})


def _self(call: Call, version: str) -> dict[str, str]:
    return {"rel": "self", "href": f"{call.root}/{call.path.removesuffix('/v2.0')}/{version}"}
