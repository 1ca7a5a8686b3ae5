"""Cinder and Glance as far as the program and the provider use them."""

from tests.fake_cloud.http import Answer, Call, failure
from tests.fake_cloud.identity import PROJECT
from tests.fake_cloud.store import Store, Thing, matches

CREATED = "2026-01-01T00:00:00.000000"
DELETABLE = ("available", "error", "error_restoring", "error_extending", "error_managing")


class BlockStorage:
    """The Cinder of a region. `limits` are by the names of its quota set; a name without limit is not shown."""

    def __init__(self, store: Store, limits: dict[str, int]) -> None:
        self.store, self.limits = store, limits

    def answer(self, call: Call, path: str) -> Answer:
        """Answer a call; `path` follows the endpoint."""
        parts = path.removeprefix("v3").strip("/").removeprefix(PROJECT).strip("/").split("/")
        simple = {
            "": self._versions,
            "limits": self._limits,
            "os-quota-sets": self._quota_set,
            "os-availability-zone": self._zones,
        }
        if parts[0] in simple:
            return simple[parts[0]](call)
        kinds = {"volumes": "volume", "snapshots": "snapshot", "types": "volume_type"}
        if parts[0] not in kinds:
            return failure(404, f"no {path} here")
        return self._object(call, parts[0], kinds[parts[0]], parts[1:])

    def _versions(self, call: Call) -> Answer:
        links = [{"rel": "self", "href": f"{call.root}/{call.path.split('/volume')[0]}/volume/v3/"}]
        version = {"id": "v3.0", "status": "CURRENT", "version": "3.70", "min_version": "3.0", "links": links}
        return Answer(200, {"versions": [version]})

    def _object(self, call: Call, kind: str, one: str, rest: list[str]) -> Answer:
        if kind == "types" and rest == ["default"]:
            return Answer(200, {one: self.store.all("types")[0]}) if self.store.all("types") else failure(404, "none")
        if not rest or rest == ["detail"]:
            if call.method == "POST":
                return self._create(call.body[one])
            many = "volume_types" if kind == "types" else kind
            return Answer(200, {many: [thing for thing in self.store.all(kind) if matches(thing, call.query)]})
        thing = self.store.get(kind, rest[0])
        if thing is None:
            return failure(404, f"{one} {rest[0]} could not be found.")
        if rest[1:] == ["action"]:
            extend = call.body.get("os-extend")
            if extend:
                thing["size"] = extend["new_size"]
            return Answer(202)
        if rest[1:] == ["metadata"]:
            thing["metadata"] = call.body["metadata"]
            return Answer(200, {"metadata": thing["metadata"]})
        if call.method == "DELETE":
            return self._delete(kind, thing)
        if call.method == "PUT":
            thing.update(call.body[one])
        return Answer(200, {one: thing})

    def _delete(self, kind: str, thing: Thing) -> Answer:
        if thing.get("status") not in DELETABLE:
            return failure(
                400, f"Invalid volume: Volume status must be {' or '.join(DELETABLE)}, not {thing['status']}."
            )
        thing["status"] = "deleting"
        self.store.later(lambda: self.store.remove(kind, thing["id"]))
        return Answer(202)

    def _create(self, given: Thing) -> Answer:
        used = self._used()
        over = [
            name
            for name, more in (("volumes", 1), ("gigabytes", given["size"]))
            if self._is_over(name, used[name] + more)
        ]
        if over:
            return failure(413, f"VolumeLimitExceeded: Maximum number of {', '.join(over)} allowed exceeded")
        kind = self.store.all("types")[0]["name"] if self.store.all("types") else None
        volume = self.store.add(
            "volumes",
            name=given.get("name"),
            size=given["size"],
            status="creating",
            metadata=given.get("metadata") or {},
            volume_type=given.get("volume_type") or kind,
            availability_zone=given.get("availability_zone") or "nova",
            snapshot_id=given.get("snapshot_id"),
            source_volid=given.get("source_volid"),
            attachments=[],
            description=None,
            bootable="false",
            encrypted=False,
            multiattach=False,
            consistencygroup_id=None,
            replication_status=None,
            user_id=None,
            created_at=CREATED,
            **{"os-vol-tenant-attr:tenant_id": PROJECT},
        )
        answer = Answer(202, {"volume": dict(volume)})
        self.store.later(lambda: volume.update(status="available"))
        return answer

    def _used(self) -> dict[str, int]:
        volumes = self.store.all("volumes")
        used = {"volumes": len(volumes), "gigabytes": sum(volume["size"] for volume in volumes), "snapshots": 0}
        for kind in {volume["volume_type"] for volume in volumes}:
            mine = [volume["size"] for volume in volumes if volume["volume_type"] == kind]
            used |= {f"volumes_{kind}": len(mine), f"gigabytes_{kind}": sum(mine)}
        return used

    def _is_over(self, name: str, wanted: int) -> bool:
        return 0 <= self.limits.get(name, -1) < wanted

    def _limits(self, _: Call) -> Answer:
        used = self._used()
        absolute: Thing = {}
        names = {
            "volumes": ("maxTotalVolumes", "totalVolumesUsed"),
            "gigabytes": ("maxTotalVolumeGigabytes", "totalGigabytesUsed"),
        }
        for name, (limit, use) in names.items():
            if name in self.limits:
                absolute |= {limit: self.limits[name], use: used[name]}
        return Answer(200, {"limits": {"rate": [], "absolute": absolute}})

    def _quota_set(self, _: Call) -> Answer:
        used = self._used()
        quotas = {n: {"limit": limit, "in_use": used.get(n, 0), "reserved": 0} for n, limit in self.limits.items()}
        return Answer(200, {"quota_set": {"id": PROJECT, **quotas}})

    def _zones(self, _: Call) -> Answer:
        zones = [{"zoneName": z["id"], "zoneState": {"available": True}} for z in self.store.all("volume-zones")]
        return Answer(200, {"availabilityZoneInfo": zones})


class Images:
    """The Glance of a region. Like Glance it leaves hidden and community images out of a plain list."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def answer(self, call: Call, path: str) -> Answer:
        """Answer a call; `path` follows the endpoint."""
        parts = path.removeprefix("v2").strip("/").split("/")
        if parts == [""]:
            links = [{"rel": "self", "href": f"{call.root}/{call.path.removesuffix('/v2')}/v2/"}]
            return Answer(200, {"versions": [{"id": "v2.9", "status": "CURRENT", "links": links}]})
        if parts[:1] != ["images"]:
            return failure(404, f"no {path} here")
        if parts[1:]:
            image = self.store.get("images", parts[1])
            return Answer(200, image) if image else failure(404, f"no image {parts[1]}")
        images = [image for image in self.store.all("images") if self._is_listed(image, call.query)]
        return Answer(200, {"images": images, "schema": "/v2/schemas/images", "first": "/v2/images"})

    @staticmethod
    def _is_listed(image: Thing, query: dict[str, str]) -> bool:
        hidden = query.get("os_hidden", "false").lower() == "true"
        shown = image["visibility"] != "community" or query.get("visibility") in ("community", "all")
        rest = {name: value for name, value in query.items() if name not in ("os_hidden", "visibility")}
        return image["os_hidden"] == hidden and shown and matches(image, rest)
