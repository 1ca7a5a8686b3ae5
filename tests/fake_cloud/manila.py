"""Manila as far as the program and the provider use it, by the microversion that each request names."""

from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address

from tests.fake_cloud.http import Answer, Call, failure
from tests.fake_cloud.identity import PROJECT
from tests.fake_cloud.store import Store, Thing, matches

OLDEST, NEWEST = (2, 0), (2, 80)
HEADER = "X-Openstack-Manila-Api-Version"
SERVER = "10.254.0.3"
"""The address of the shares."""
DELETABLE = ("available", "error", "inactive")
Act = Callable[[Thing, Thing], Answer]


class SharedFileSystems:
    """The Manila of a region, whose shares need no share networks. It shows no quota for a name without limit."""

    def __init__(self, store: Store, limits: dict[str, int]) -> None:
        self.store, self.limits = store, limits

    def answer(self, call: Call, path: str) -> Answer:
        """Answer a call; `path` follows the endpoint."""
        parts = path.removeprefix("v2").strip("/").split("/")
        if parts == [""]:
            return self._version(call)
        version = asked_version(call)
        if not OLDEST <= version <= NEWEST:
            return failure(406, f"Version {version} is not supported by the API.")
        match parts[0]:
            case "limits":
                return self._limits()
            case "types":
                return self._types(parts[1:])
            case "share-access-rules" if version >= (2, 45):
                return self._rules(call, parts[1:])
            case "shares":
                return self._shares(call, parts[1:], version)
        return failure(404, f"no {path} here")

    def _version(self, call: Call) -> Answer:
        address = f"{call.root}/{call.path.removesuffix('v2').strip('/')}/v2/"
        span = {"version": "{}.{}".format(*NEWEST), "min_version": "{}.{}".format(*OLDEST)}
        one = {"id": "v2.0", "status": "CURRENT", "updated": "2015-08-27T11:33:21Z", **span}
        return Answer(200, {"versions": [{**one, "links": [{"rel": "self", "href": address}]}]})

    def _limits(self) -> Answer:
        used = self._used()
        names = {"shares": ("maxTotalShares", "totalSharesUsed")}
        names["gigabytes"] = ("maxTotalShareGigabytes", "totalShareGigabytesUsed")
        absolute = {limit: self.limits[name] for name, (limit, _) in names.items() if name in self.limits}
        absolute |= {use: used[name] for name, (_, use) in names.items() if name in self.limits}
        return Answer(200, {"limits": {"rate": [], "absolute": absolute}})

    def _types(self, rest: list[str]) -> Answer:
        types = self.store.all("share_types")
        if rest == ["default"]:
            return Answer(200, {"share_type": types[0], "volume_type": types[0]}) if types else failure(404, "none")
        return Answer(200, {"share_types": types, "volume_types": types})

    def _used(self) -> dict[str, int]:
        shares = self.store.all("shares")
        return {"shares": len(shares), "gigabytes": sum(share["size"] for share in shares)}

    # -- shares -------------------------------------------------------------------------------------------------------
    def _shares(self, call: Call, rest: list[str], version: tuple[int, int]) -> Answer:
        if not rest or rest == ["detail"]:
            if call.method == "POST":
                return self._create(call.body["share"])
            shares = [share for share in self.store.all("shares") if matches(share, call.query)]
            return Answer(200, {"shares": [shown(share, version) for share in shares]})
        share = self.store.get("shares", rest[0])
        if share is None:
            return failure(404, f"Share {rest[0]} could not be found.")
        match rest[1:]:
            case ["export_locations"] if version >= (2, 9):
                return Answer(200, {"export_locations": share["locations"]})
            case ["metadata"]:
                share["metadata"] = {**({} if call.method == "PUT" else share["metadata"]), **call.body["metadata"]}
                return Answer(200, {"metadata": share["metadata"]})
            case ["action"]:
                return self._act(share, call.body, "" if version >= (2, 7) else "os-")
            case []:
                return self._share(call, share, version)
        return failure(404, f"no {'/'.join(rest)} here")

    def _share(self, call: Call, share: Thing, version: tuple[int, int]) -> Answer:
        if call.method == "DELETE":
            if share["status"] not in DELETABLE:
                return failure(403, f"Invalid share: Share status must be one of {DELETABLE}.")
            share["status"] = "deleting"
            self.store.later(lambda: self._end(share))
            return Answer(202)
        if call.method == "PUT":
            names = {"display_name": "name", "display_description": "description", "is_public": "is_public"}
            share.update({names[key]: value for key, value in call.body["share"].items()})
        return Answer(200, {"share": shown(share, version)})

    def _end(self, share: Thing) -> None:
        self.store.remove("shares", share["id"])
        for rule in self.store.all("share_rules", share_id=share["id"]):
            self.store.remove("share_rules", rule["id"])

    def _create(self, given: Thing) -> Answer:
        if given.get("share_proto", "").upper() not in ("NFS", "CIFS"):
            return failure(400, f"Invalid share protocol provided: {given.get('share_proto')}.")
        types = [one["name"] for one in self.store.all("share_types")]
        kind = given.get("share_type") or next(iter(types), None)
        if kind not in types:
            return failure(404, "Share type not found.") if kind else failure(400, "There is no default share type.")
        if given["size"] < 1:
            return failure(400, "Share size must be an integer and greater than 0.")
        for name, more in (("shares", 1), ("gigabytes", given["size"])):
            if 0 <= self.limits.get(name, -1) < self._used()[name] + more:
                return failure(413, f"Maximum number of {name} allowed exceeded.")
        asked = {key: given.get(key) for key in ("name", "description", "share_network_id", "snapshot_id")}
        share = self.store.add(
            "shares",
            **asked,
            size=given["size"],
            share_proto=given["share_proto"].upper(),
            share_type_name=kind,
            metadata=given.get("metadata") or {},
            is_public=given.get("is_public") or False,
            availability_zone=given.get("availability_zone") or "nova",
            status="creating",
            project_id=PROJECT,
            locations=[],
            **dict.fromkeys(("host", "share_server_id", "replication_type")),
            has_replicas=False,
            created_at="2026-01-01T00:00:00.000000",
        )
        answer = Answer(200, {"share": shown(share, (2, 14))})
        self.store.later(lambda: share.update(status="available", host="one@nfs#pool", locations=locations(share)))
        return answer

    # -- actions ------------------------------------------------------------------------------------------------------
    def _act(self, share: Thing, body: Thing, prefix: str) -> Answer:
        acts: dict[str, Act] = {
            "allow_access": self._allow,
            "deny_access": self._deny,
            "access_list": lambda one, _: Answer(200, {"access_list": self._rules_of(one)}),
            "extend": self._extend,
            "shrink": self._shrink,
        }
        ((name, given),) = body.items()
        act = acts.get(name.removeprefix(prefix)) if name.startswith(prefix) else None
        return act(share, given or {}) if act else failure(400, f"There is no such action: {name}")

    def _rules_of(self, share: Thing) -> list[Thing]:
        return self.store.all("share_rules", share_id=share["id"])

    def _allow(self, share: Thing, given: Thing) -> Answer:
        address = str(given.get("access_to"))
        if given.get("access_type") != "ip" or not is_address(address):
            return failure(400, f"Invalid access type or address: {given}")
        if given.get("access_level") not in ("rw", "ro", None):
            return failure(400, f"Invalid share access level: {given['access_level']}.")
        if any(rule["access_to"] == address for rule in self._rules_of(share)):
            return failure(400, f"Share access ip:{address} exists.")
        if share["status"] != "available":
            return failure(400, "New access rules cannot be applied while the share is in an invalid state.")
        about = {key: given.get(key) for key in ("access_type", "access_to", "access_level")}
        rule = self.store.add("share_rules", share_id=share["id"], state="queued_to_apply", access_key=None, **about)
        answer = Answer(200, {"access": dict(rule)})
        self.store.later(lambda: rule.update(state="active"))
        return answer

    def _deny(self, share: Thing, given: Thing) -> Answer:
        rule = self.store.get("share_rules", str(given.get("access_id")))
        if rule is None or rule["share_id"] != share["id"]:
            return failure(404, f"Share access rule {given.get('access_id')} could not be found.")
        rule["state"] = "queued_to_deny"
        self.store.later(lambda: self.store.remove("share_rules", rule["id"]))
        return Answer(202)

    def _rules(self, call: Call, rest: list[str]) -> Answer:
        if rest:
            rule = self.store.get("share_rules", rest[0])
            return Answer(200, {"access": rule}) if rule else failure(404, f"Share access rule {rest[0]} not found.")
        share = self.store.get("shares", call.query.get("share_id", ""))
        if share is None:
            return failure(400, f"Share {call.query.get('share_id')} not found, or no share_id.")
        # As in Manila, the rules in a list do not name their share.
        return Answer(200, {"access_list": [without(rule, "share_id") for rule in self._rules_of(share)]})

    def _extend(self, share: Thing, given: Thing) -> Answer:
        size = int(given["new_size"])
        if share["status"] != "available" or size <= share["size"]:
            return failure(400, f"New size for extend must be greater than current size: {share['size']}, {size}")
        if 0 <= self.limits.get("gigabytes", -1) < self._used()["gigabytes"] + size - share["size"]:
            return failure(413, "Requested share exceeds allowed gigabytes quota.")
        return self._resize(share, size, "extending")

    def _shrink(self, share: Thing, given: Thing) -> Answer:
        size = int(given["new_size"])
        if share["status"] != "available" or not 0 < size < share["size"]:
            return failure(400, f"New size for shrink must be less than current size: {share['size']}, {size}")
        return self._resize(share, size, "shrinking")

    def _resize(self, share: Thing, size: int, status: str) -> Answer:
        share["status"] = status
        self.store.later(lambda: share.update(status="available", size=size))
        return Answer(202)


def asked_version(call: Call) -> tuple[int, int]:
    """Return the microversion of a request; the oldest one if it names none."""
    major, _, minor = call.headers.get(HEADER, "{}.{}".format(*OLDEST)).partition(".")
    return int(major), int(minor)


def shown(share: Thing, version: tuple[int, int]) -> Thing:
    """Return a share as an answer of that microversion shows it."""
    fields = without(share, "locations", "share_type_name")
    if version >= (2, 6):
        return {**fields, "share_type": "the id of the type", "share_type_name": share["share_type_name"]}
    paths = [one["path"] for one in share["locations"]]
    return {**fields, "share_type": share["share_type_name"], "export_locations": paths}


def locations(share: Thing) -> list[Thing]:
    """Return the export locations of a share: the cloud prefers the second."""
    path = f"/shares/share-{share['id']}"
    both = ((f"[fd00::3]:{path}", False), (f"{SERVER}:{path}", True))
    return [{"id": f"{number}", "path": path, "preferred": best} for number, (path, best) in enumerate(both)]


def is_address(text: str) -> bool:
    """Return whether Manila accepts the text: an address, or a network."""
    try:
        IPv4Address(text.partition("/")[0])
    except AddressValueError:
        return False
    return True


def without(thing: Thing, *keys: str) -> Thing:
    """Return a copy without some of its fields."""
    return {key: value for key, value in thing.items() if key not in keys}
