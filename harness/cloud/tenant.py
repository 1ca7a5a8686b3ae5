"""Creates empty projects on the local cloud, with a copy of the program, so that tests in them affect nothing else."""

import json
import secrets
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openstack
import yaml

from harness import steps
from harness.cloud import leftovers
from harness.cloud.service import Service
from harness.project import Project, copy_program
from harness.stacks import ROOT
from harness.steps import Step
from model.outputs.ssh import ssh_config
from model.outputs.topology import Topology
from model.secrets import Secrets

CLOUDS = ROOT / ".local" / "cloud" / "clouds.yaml"
NAME = "idr-test"
LOCAL = "local"
LARGE = {"instances": 40, "cores": 80, "ram": 100_000}
"""A quota for the nodes of `ebi`: more than Nova's default."""
RULE_REMOVAL_SECONDS = 15
"""Neutron's agent removes a rule after the API has answered, and then closes all connections of the rule's protocol to
that port's machine (neutron.agent.linux.ip_conntrack). Data that a machine is sending at that moment is lost. Nothing
shows that it is done; the agent checks for changes every two seconds.
"""


@dataclass(frozen=True)
class Tenant(Project):
    """A separate project in the local OpenStack, and a copy of the program with its own state and stack."""

    auth: dict[str, str]
    stack: str = LOCAL

    @property
    def file(self) -> Path:
        """The stack file."""
        return self.folder / f"Pulumi.{self.stack}.yaml"

    def cloud(self) -> "openstack.connection.Connection":
        """Return a connection to the cloud's API as this project's user."""
        return openstack.connect(load_yaml_config=False, load_envvars=False, auth=self.auth, region_name="RegionOne")

    def up(self) -> subprocess.CompletedProcess[str]:
        """Run `pulumi up` without questions."""
        return self.pulumi("up", "--stack", self.stack, "--yes", "--skip-preview")

    def apply(self) -> tuple[Step, ...]:
        """Run `pulumi up`, which must succeed, and return its steps."""
        done = self.pulumi("up", "--stack", self.stack, "--yes", "--skip-preview", "--json")
        assert done.returncode == 0, _messages(done.stdout) + done.stderr
        taken = steps.of_update(done.stdout)
        if any(step.kind == "SecGroupRule" and step.op in {"delete", "delete-replaced"} for step in taken):
            time.sleep(RULE_REMOVAL_SECONDS)
        return taken

    def foreseen(self) -> tuple[Step, ...]:
        """Return the steps that `pulumi preview` shows."""
        return steps.of_preview(self.preview(self.stack))

    def service(self) -> Service:
        """Return the deployed service, with the ssh key that `pulumi up` itself uses."""
        outputs = json.loads(self.pulumi("stack", "output", "--json", "--stack", self.stack).stdout)
        key = self.folder / "deploy_key"
        key.touch(0o600)
        key.write_text(self.secrets().deploy_keys()[0].private)
        config = self.folder / "ssh_config"
        config.write_text(ssh_config(Topology.model_validate(outputs["topology"]), identity=str(key)))
        return Service(outputs, config)

    def secrets(self) -> Secrets:
        """Return the secrets of the stack."""
        numbers = self.settings("rotations") or {}
        previous = Secrets(self.stack, self.secret("previousStackSecret"), numbers)
        return Secrets(
            self.stack, self.secret("stackSecret"), numbers, previous=previous if previous.stack_secret else None
        )

    def secret(self, key: str) -> str:
        """Return a secret of the stack file under `idr:<key>`; empty if it is not set."""
        return self.pulumi("config", "get", f"idr:{key}", "--stack", self.stack).stdout.strip()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Deploy the stack for the block, and destroy it afterwards, also when the deployment fails."""
        try:
            self.apply()
            yield
        finally:
            self.take_down()

    def take_down(self) -> None:
        """Delete everything that the stack has created, also data volumes."""
        self.pulumi("state", "unprotect", "--all", "--yes", "--stack", self.stack)
        done = self.pulumi("destroy", "--stack", self.stack, "--yes", "--skip-preview")
        assert done.returncode == 0, done.stdout + done.stderr

    def configure(self, **changes: Any) -> None:
        """Set keys of the stack file, such as `idr_image="x"` for `idr:image`; None removes one."""
        document = yaml.safe_load(self.file.read_text())
        config = document["config"] | {key.replace("_", ":", 1): value for key, value in changes.items()}
        document["config"] = {key: value for key, value in config.items() if value is not None}
        self.file.write_text(yaml.safe_dump(document, sort_keys=False))

    def settings(self, key: str) -> Any:
        """Return the value of `idr:<key>` in the stack file; None if it is not set."""
        return yaml.safe_load(self.file.read_text())["config"].get(f"idr:{key}")

    def renew(self, *names: str) -> None:
        """Renew passwords, certificates or keys by these names, like an operator."""
        numbers = self.settings("rotations") or {}
        self.configure(idr_rotations={**numbers, **{name: numbers.get(name, 1) + 1 for name in names}})

    def set_secret(self, key: str, value: str) -> None:
        """Set a secret of the stack, on standard input."""
        done = self.pulumi("config", "set", "--stack", self.stack, "--secret", key, text_input=value)
        assert done.returncode == 0, done.stderr

    def servers(self) -> dict[str, str]:
        """Return the servers' ids by name, without deleted ones, which Nova lists until Placement has removed them."""
        servers = self.cloud().compute.servers()
        return {server.name: server.id for server in servers if server.status != "DELETED"}

    def listing(self) -> dict[str, list[str]]:
        """Return the names of all objects in the project, by kind, without the default security group."""
        cloud = self.cloud()
        project = cloud.current_project_id
        network = cloud.network
        return {
            "servers": list(self.servers()),
            "volumes": [volume.name for volume in cloud.block_storage.volumes()],
            "snapshots": [snapshot.name for snapshot in cloud.block_storage.snapshots()],
            "networks": [item.name for item in network.networks(project_id=project)],
            "ports": [item.name for item in network.ports(project_id=project)],
            "routers": [item.name for item in network.routers(project_id=project)],
            "floating IPs": [item.floating_ip_address for item in network.ips(project_id=project)],
            "security groups": [g.name for g in network.security_groups(project_id=project) if g.name != "default"],
        }


def _messages(events: str) -> str:
    """Return the engine's messages for the operator in the output of `pulumi up --json`."""
    diagnostics = (json.loads(line).get("diagnosticEvent") for line in events.splitlines())
    return "".join(event["message"] for event in diagnostics if event and event["severity"] != "debug")


def make(folder: Path, name: str = NAME, stack: str = LOCAL) -> Tenant:
    """Return the tenant of the project `name`, emptied, with the program in `folder` and a new stack.

    The stack has the settings of the stack `local`, also the distribution `demo`, which the program permits only for
    `local`: the copy of the program permits it for `stack` instead.
    """
    auth = _account(name)
    copy_program(folder)
    tenant = Tenant(folder, auth, stack)
    if stack != LOCAL:
        (folder / f"Pulumi.{LOCAL}.yaml").rename(tenant.file)
        reading, line = folder / "model" / "reading.py", f'DEMO_STACK = "{LOCAL}"'
        text = reading.read_text()
        assert line in text
        reading.write_text(text.replace(line, f'DEMO_STACK = "{stack}"'))
    assert tenant.pulumi("stack", "init", stack).returncode == 0
    tenant.configure(
        openstack_authUrl=auth["auth_url"],
        openstack_userName=auth["username"],
        openstack_tenantName=auth["project_name"],
        openstack_userDomainId=auth["user_domain_id"],
        openstack_projectDomainId=auth["project_domain_id"],
    )
    tenant.set_secret("openstack:password", auth["password"])
    tenant.set_secret("idr:stackSecret", secrets.token_hex(32))
    empty(tenant)
    default_quotas(name)
    return tenant


def empty(tenant: Tenant) -> None:
    """Delete everything in a tenant's project, also data volumes."""
    leftovers.clear(tenant.cloud(), _admin())


def quota(name: str = NAME, **limits: int) -> None:
    """Set compute quotas of a tenant's project."""
    _admin().set_compute_quotas(name, **limits)


def network_quota(**limits: int) -> None:
    """Set network quotas of the tenant's project."""
    cloud = _admin()
    cloud.set_network_quotas(NAME, **limits)


def default_quotas(name: str = NAME) -> None:
    """Reset the quotas of a tenant's project to those of a new project."""
    cloud = _admin()
    cloud.delete_compute_quotas(name)
    cloud.delete_network_quotas(name)


def _admin() -> "openstack.connection.Connection":
    auth = yaml.safe_load(CLOUDS.read_text())["clouds"]["idr-local-admin"]["auth"]
    return openstack.connect(load_yaml_config=False, load_envvars=False, auth=auth, region_name="RegionOne")


def _account(name: str) -> dict[str, str]:
    """Create a project and a member of it, or set a new password for the member; return its credentials."""
    cloud = _admin()
    password = secrets.token_urlsafe(24)
    project = cloud.get_project(name) or cloud.create_project(name, domain_id="default")
    if cloud.get_user(name):
        user = cloud.update_user(name, password=password)
        # Keystone revokes the tokens of the previous password, and with them all of the same second.
        time.sleep(1)
    else:
        user = cloud.create_user(name, password=password, domain_id="default")
    cloud.grant_role("member", user=user.id, project=project.id)
    url = yaml.safe_load(CLOUDS.read_text())["clouds"]["idr-local-admin"]["auth"]["auth_url"]
    return {
        "auth_url": url,
        "username": name,
        "password": password,
        "project_name": name,
        "user_domain_id": "default",
        "project_domain_id": "default",
    }
