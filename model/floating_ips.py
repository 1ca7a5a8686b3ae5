"""Floating IPs that the project of a stack already has."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from pydantic import Field

from model.field_types import MachineAddress, Section


class FloatingIps(Section):
    """Floating IPs that the project already has, to use instead of new ones (IDR/deployment#54)."""

    public: MachineAddress | None = Field(None, description="The public address, of the live release's proxy")
    bastion: MachineAddress | None = Field(None, description="The bastion's address")

    def addresses(self) -> tuple[IPv4Address, ...]:
        """Return the addresses that are set."""
        return tuple(address for address in (self.bastion, self.public) if address)

    def problems(self) -> Iterator[str]:
        """Yield that both are the same address."""
        if self.public and self.public == self.bastion:
            yield f"public and bastion are both {self.public}: an address leads to one machine"
