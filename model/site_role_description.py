"""The additional fields of `role.yaml` of a site's own role."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field
from pydantic.alias_generators import to_snake

from model.field_types import EachOnce, Section, Shape
from model.flow_fields import Port, Ports, Reason, Transport, port_problems
from model.role_description import Line, Number, RoleDescription, RoleFacts, RoleName, Tier, WordName

LocationPath = Annotated[
    str, Shape("(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+/", "a path as in /about/: plain letters, no dot first, a slash last")
]
MetricsPath = Annotated[str, Shape("(/[A-Za-z0-9_-][A-Za-z0-9._-]*)+", "a path as in /metrics")]
Kind = Annotated[str, Shape("[a-z][a-z0-9]{0,29}", "lower-case letters and digits, a letter first, at most 30")]


class RoleFlow(Section):
    """A flow of a site's role. The role itself is the other end."""

    source: Line | None = Field(None, alias="from", description="Who calls the role")
    target: Line | None = Field(None, alias="to", description="Whom the role calls")
    ports: Ports = Field(description='Numbers, or ranges as in "14060-14079"; at most 100 in all')
    transport: Transport = Field("tcp", description="The protocol of the ports")
    why: Reason = Field(description="What it is for; shown wherever the flow is")

    def problems(self) -> Iterator[str]:
        """Yield that both ends or none are named, and problems of the ports."""
        if (self.source is None) == (self.target is None):
            yield "name either `from` (who calls the role) or `to` (whom it calls)"
        yield from port_problems(self.ports)


class Location(Section):
    """Addresses of the public site that a site's role answers."""

    path: LocationPath = Field(description="What the addresses begin with")
    port: Port = Field(description="Where the role answers")
    tls: bool = Field(True, description="Whether it does so by TLS, with a certificate of the stack")


class Metrics(Section):
    """The metrics endpoint of a site's role, for Prometheus."""

    port: Port = Field(description="Where the role answers")
    path: MetricsPath = Field("/metrics", description="The address of the metrics there")
    tls: bool = Field(True, description="Whether it does so by TLS, with a certificate of the stack")


class SiteRoleDescription(RoleDescription):
    """A role of a site's own. It declares itself what the program has in tables for its own roles."""

    node: RoleFacts = Field(description="What stack files and the plan need of it")
    inventory_group: Kind | None = Field(
        None, description="Its Ansible group is this with `-hosts`; absent: its name without dashes"
    )
    beside: Annotated[tuple[RoleName, ...], EachOnce] = Field(
        (), description="Roles of which its node must have one, because it uses what is there"
    )
    flows: tuple[RoleFlow, ...] = Field((), description="Whom it calls, and who calls it")
    locations: tuple[Location, ...] = Field((), description="What the proxy answers with it")
    answers_first: tuple[Location, ...] = Field(
        (),
        description="Cached answers of OMERO.web that the role is asked for first",
    )
    metrics: Metrics | None = Field(None, description="Where the management node reads its metrics")
    passwords: Annotated[tuple[WordName, ...], EachOnce] = Field(
        (), description="The names of its passwords, which each release has of its own"
    )

    def listens(self) -> tuple[int, ...]:
        """Return the TCP ports on which its services listen."""
        called = [port for flow in self.flows if flow.source and flow.transport == "tcp" for port in flow.ports]
        asked = [location.port for location in (*self.locations, *self.answers_first)]
        asked += [self.metrics.port] if self.metrics else []
        return tuple(sorted({*called, *asked}))

    def problems(self) -> Iterator[str]:
        """Yield fields that only the program's roles can have, and ports with and without TLS."""
        yield from super().problems()
        if self.node.per_release not in (Number.ANY, Number.AT_MOST_ONE):
            yield f"node.perRelease: must be '{Number.AT_MOST_ONE}' or '{Number.ANY}': a release is whole without it"
        if self.node.tier != Tier.SERVICE:
            yield f"node.tier: must be '{Tier.SERVICE}': the diagram does not know other places of a site's own role"
        for name in ("applies", "appliesWith", "interruption", "versions"):
            if getattr(self.node, to_snake(name)):
                yield f"node.{name}: only the program's roles have it"
        asked = [(one.port, one.tls) for one in (*self.locations, *self.answers_first)]
        asked += [(self.metrics.port, self.metrics.tls)] if self.metrics else []
        for port in sorted(port for port, tls in set(asked) if tls and (port, False) in asked):
            yield f"port {port}: cannot answer both with and without TLS: set `tls` to the same everywhere"
