"""Nova as far as the program and the provider use it. Like Nova it accepts a request first and works afterwards."""

from collections.abc import Callable
from typing import Any

from tests.fake_cloud.http import Answer, Call, failure
from tests.fake_cloud.identity import PROJECT, USER
from tests.fake_cloud.store import Store, Thing, matches, new_id

MICROVERSION = "2.90"
LIMITS = {
    "instances": ("maxTotalInstances", "totalInstancesUsed"),
    "cores": ("maxTotalCores", "totalCoresUsed"),
    "ram": ("maxTotalRAMSize", "totalRAMUsed"),
    "server groups": ("maxServerGroups", "totalServerGroupsUsed"),
}
"""By what `limits` calls them: Nova's names of limit and use."""
ATTACHING = ("ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "RESIZED")
"""States of a server that takes a volume."""


class Compute:
    """The Nova of a region. Limits and use are shown only for names in `limits`."""

    def __init__(self, store: Store, limits: dict[str, int]) -> None:
        self.store, self.limits = store, limits

    def answer(self, call: Call, path: str) -> Answer:
        """Answer a call; `path` follows the endpoint."""
        parts = path.removeprefix("v2.1").strip("/").split("/")
        simple: dict[str, Callable[[Call], Answer]] = {
            "": self._version,
            "limits": self._limits,
            "os-availability-zone": self._zones,
            "extensions": lambda _: Answer(200, {"extensions": []}),
        }
        if parts[0] in simple:
            return simple[parts[0]](call)
        if parts[0] == "servers":
            return self._servers(call, parts[1:])
        kinds = {"flavors": "flavor", "os-keypairs": "keypair", "os-server-groups": "server_group"}
        if parts[0] in kinds:
            return self._collection(call, parts[0], kinds[parts[0]], parts[1:])
        return failure(404, f"no {path} here")

    def _version(self, call: Call) -> Answer:
        address = f"{call.root}/{call.path.removesuffix('v2.1').strip('/')}/v2.1/"
        version = {"id": "v2.1", "status": "CURRENT", "version": MICROVERSION, "min_version": "2.1"}
        return Answer(200, {"version": {**version, "links": [{"rel": "self", "href": address}]}})

    def _zones(self, _: Call) -> Answer:
        zones = [{"zoneName": z["id"], "zoneState": {"available": z["available"]}} for z in self.store.all("zones")]
        return Answer(200, {"availabilityZoneInfo": zones})

    def _collection(self, call: Call, kind: str, one: str, rest: list[str]) -> Answer:
        many = kind.removeprefix("os-").replace("-", "_")
        if call.method == "POST":
            given = call.body[one]
            if kind == "os-server-groups":
                policies = {"policies": given.get("policies", [given.get("policy")]), "members": []}
                given = {**given, **policies, "project_id": PROJECT, "user_id": USER, "metadata": {}}
                if 0 <= self.limits.get("server groups", -1) <= len(self.store.all(kind)):
                    return failure(403, "Quota exceeded, too many server groups.")
            return Answer(200, {one: self.store.add(kind, **given)})
        if not rest or rest == ["detail"]:
            shown = self.store.all(kind)
            return Answer(200, {many: [{one: thing} for thing in shown] if one == "keypair" else shown})
        thing = self.store.get(kind, rest[0])
        if thing is None:
            return failure(404, f"{one} {rest[0]} could not be found.")
        if call.method == "DELETE":
            self.store.remove(kind, thing["id"])
            return Answer(204)
        return Answer(200, {"extra_specs": {}} if rest[1:] == ["os-extra_specs"] else {one: thing})

    def _limits(self, _: Call) -> Answer:
        flavors = [self._flavor(server) for server in self.store.all("servers")]
        used = {
            "instances": len(flavors),
            "cores": sum(flavor["vcpus"] for flavor in flavors),
            "ram": sum(flavor["ram"] for flavor in flavors),
            "server groups": len(self.store.all("os-server-groups")),
        }
        absolute: Thing = {}
        for name, (limit, use) in LIMITS.items():
            if name in self.limits:
                absolute |= {limit: self.limits[name], use: used[name]}
        if "server group members" in self.limits:
            absolute["maxServerGroupMembers"] = self.limits["server group members"]
        return Answer(200, {"limits": {"rate": [], "absolute": absolute}})

    # -- servers ------------------------------------------------------------------------------------------------------
    def _servers(self, call: Call, rest: list[str]) -> Answer:
        if not rest or rest == ["detail"]:
            if call.method == "POST":
                return self._create(call.body["server"])
            servers = [self._shown(server) for server in self.store.all("servers") if matches(server, call.query)]
            return Answer(200, {"servers": servers})
        server = self.store.get("servers", rest[0])
        if server is None:
            return failure(404, f"Instance {rest[0]} could not be found.")
        return self._server(call, server, rest[1:])

    def _server(self, call: Call, server: Thing, rest: list[str]) -> Answer:
        part = rest[0] if rest else ""
        if part == "os-volume_attachments":
            return self._attachments(call, server, rest[1:])
        if part == "os-interface":
            ports = self.store.all("ports", device_id=server["id"])
            shown = [{"port_id": p["id"], "net_id": p["network_id"], "fixed_ips": p["fixed_ips"]} for p in ports]
            return Answer(200, {"interfaceAttachments": shown})
        if part == "metadata":
            return self._metadata(call, server, rest[1:])
        if part == "action":
            return self._act(server, call.body)
        if call.method == "DELETE":
            return self._delete(server)
        if call.method == "PUT":
            server.update(call.body["server"])
        return Answer(200, {"server": self._shown(server)})

    def _create(self, given: Thing) -> Answer:
        flavor = self.store.get("flavors", str(given.get("flavorRef")))
        if flavor is None:
            return failure(400, "Flavor could not be found.")
        if refused := self._over(flavor):
            return refused
        if not flavor["disk"] and not given.get("block_device_mapping_v2"):
            return failure(403, "Only volume-backed servers are allowed for flavors with zero disk.")
        ports = [(one["port"], self.store.get("ports", one["port"])) for one in given.get("networks", [])]
        for port_id, port in ports:
            if port is None:
                return failure(400, f"Port id {port_id} could not be found.")
            if port["device_id"]:
                return failure(409, f"Port {port_id} is still in use.")
        zone = given.get("availability_zone")
        server = self.store.add(
            "servers",
            name=given["name"],
            status="BUILD",
            flavor_id=flavor["id"],
            image={"id": given["imageRef"]} if given.get("imageRef") else "",
            metadata=given.get("metadata", {}),
            key_name=given.get("key_name"),
            config_drive="True",
            tenant_id=PROJECT,
            user_id=USER,
            tags=[],
            attached=[],
            **{
                "OS-EXT-AZ:availability_zone": zone or "nova",
                "OS-EXT-STS:power_state": 1,
                "OS-EXT-STS:vm_state": "building",
            },
        )
        for _, port in ports:
            if port:
                port.update(device_id=server["id"], device_owner=f"compute:{zone or 'nova'}")
        self.store.later(lambda: server.update({"status": "ACTIVE", "OS-EXT-STS:vm_state": "active"}))
        return Answer(202, {"server": {"id": server["id"], "links": [], "adminPass": "none"}})

    def _over(self, flavor: Thing) -> Answer | None:
        flavors = [self._flavor(server) for server in self.store.all("servers")]
        asked = {"instances": (1, len(flavors))}
        for name, key in (("cores", "vcpus"), ("ram", "ram")):
            asked[name] = (flavor[key], sum(known[key] for known in flavors))
        over = [name for name, (more, used) in asked.items() if 0 <= self.limits.get(name, -1) < used + more]
        return failure(403, f"Quota exceeded for {', '.join(over)}") if over else None

    def _delete(self, server: Thing) -> Answer:
        server["OS-EXT-STS:task_state"] = "deleting"
        self.store.later(lambda: self._end(server))
        return Answer(204)

    def _end(self, server: Thing) -> None:
        self.store.remove("servers", server["id"])
        for port in self.store.all("ports", device_id=server["id"]):
            port.update(device_id="", device_owner="")
        for attachment in server["attached"]:
            self._free(attachment)

    def _act(self, server: Thing, body: Thing) -> Answer:
        if resize := body.get("resize"):
            server.update(flavor_id=resize["flavorRef"], status="VERIFY_RESIZE")
        if "os-start" in body and server["status"] != "SHUTOFF":
            return failure(409, f"Cannot 'start' instance {server['id']} while it is in vm_state active")
        if "confirmResize" in body or "os-start" in body:
            server["status"] = "ACTIVE"
        if "os-stop" in body:
            server["status"] = "SHUTOFF"
        return Answer(202)

    def _metadata(self, call: Call, server: Thing, rest: list[str]) -> Answer:
        if call.method == "DELETE":
            server["metadata"].pop(rest[0], None)
            return Answer(204)
        if call.method in ("POST", "PUT"):
            server["metadata"].update(call.body["metadata"])
        return Answer(200, {"metadata": server["metadata"]})

    def _attachments(self, call: Call, server: Thing, rest: list[str]) -> Answer:
        if call.method == "POST":
            return self._attach(server, call.body["volumeAttachment"]["volumeId"])
        if not rest:
            return Answer(200, {"volumeAttachments": server["attached"]})
        attachment = next((known for known in server["attached"] if known["volumeId"] == rest[0]), None)
        if attachment is None:
            return failure(404, f"volume {rest[0]} is not attached.")
        if call.method == "DELETE":
            self._volume(attachment)["status"] = "detaching"
            self.store.later(lambda: self._detach(server, attachment))
            return Answer(202)
        return Answer(200, {"volumeAttachment": attachment})

    def _attach(self, server: Thing, volume_id: str) -> Answer:
        volume = self.store.get("volumes", volume_id)
        if volume is None:
            return failure(404, f"Volume {volume_id} could not be found.")
        if any(known["volumeId"] == volume_id for known in server["attached"]):
            return failure(400, f"Invalid volume: volume {volume_id} is already attached to instances: {server['id']}")
        if volume["status"] != "available":
            return failure(400, f"Invalid volume: volume '{volume_id}' status must be 'available', not in-use.")
        if server["status"] not in ATTACHING:
            state = server["OS-EXT-STS:vm_state"]
            message = f"Cannot 'attach_volume' instance {server['id']} while it is in vm_state {state}"
            return failure(409, message)
        device = f"/dev/vd{'bcdefgh'[len(server['attached'])]}"
        record = {"id": volume_id, "volumeId": volume_id, "serverId": server["id"], "device": device}
        server["attached"].append(record)
        attachment = {"server_id": server["id"], "device": device, "attachment_id": new_id()}
        volume.update(status="attaching", attachments=[attachment])
        self.store.later(lambda: volume.update(status="in-use"))
        return Answer(200, {"volumeAttachment": record})

    def _detach(self, server: Thing, attachment: Thing) -> None:
        if attachment in server["attached"]:
            server["attached"].remove(attachment)
            self._free(attachment)

    def _free(self, attachment: Thing) -> None:
        self._volume(attachment).update(status="available", attachments=[])

    def _volume(self, attachment: Thing) -> Thing:
        return self.store.get("volumes", attachment["volumeId"]) or {}

    def _flavor(self, server: Thing) -> Thing:
        return self.store.get("flavors", server["flavor_id"]) or {"vcpus": 0, "ram": 0, "disk": 0, "name": "gone"}

    def _shown(self, server: Thing) -> dict[str, Any]:
        flavor = self._flavor(server)
        embedded = {key: flavor[key] for key in ("vcpus", "ram", "disk")} | {"original_name": flavor["name"]}
        addresses: dict[str, list[Thing]] = {}
        for port in self.store.all("ports", device_id=server["id"]):
            network = self.store.get("networks", port["network_id"]) or {"name": "gone"}
            for fixed in port["fixed_ips"]:
                address = {"addr": fixed["ip_address"], "version": 4, "OS-EXT-IPS:type": "fixed"}
                address["OS-EXT-IPS-MAC:mac_addr"] = port["mac_address"]
                addresses.setdefault(network["name"], []).append(address)
        volumes = [{"id": known["volumeId"], "delete_on_termination": False} for known in server["attached"]]
        hidden = ("flavor_id", "attached")
        shown = {key: value for key, value in server.items() if key not in hidden}
        return {
            **shown,
            "flavor": {**embedded, "id": server["flavor_id"], "extra_specs": {}},
            "addresses": addresses,
            "os-extended-volumes:volumes_attached": volumes,
            "security_groups": [],
            "links": [],
            "created": "2026-01-01T00:00:00Z",
            "updated": "2026-01-01T00:00:00Z",
        }
