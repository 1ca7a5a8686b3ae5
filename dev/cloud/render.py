"""Render the services' configuration files from the templates in `etc/`."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from dev.cloud import layout
from dev.cloud.layout import Choice, Kind, State, write_private

_TEMPLATES = (
    *("keystone.conf", "glance-api.conf", "placement.conf", "nova.conf", "neutron.conf", "neutron-agents.conf"),
    *("dnsmasq.conf", "cinder.conf", "shares", "rabbitmq.conf", "libvirtd.conf", "qemu.conf"),
)


def socket() -> str:
    """Return MariaDB's socket: /run is a file system of the cloud's own."""
    return "/run/mysqld/mysqld.sock"


def _templates() -> Environment:
    return Environment(  # noqa: S701  these are not HTML
        loader=FileSystemLoader(layout.HERE / "etc"), undefined=StrictUndefined, keep_trailing_newline=True
    )


def configuration(state: State, choice: Choice, venv: Path) -> dict[Path, str]:
    """Return every configuration file of this cloud with its text; pure except for `state`'s passwords."""
    secrets = state.secrets()

    def db(name: str) -> str:
        return f"mysql+pymysql://openstack:{secrets['database']}@localhost/{name}?unix_socket={socket()}"

    common = {
        "state": state.root,
        "disks": state.root / "disks",
        "run": state.root / "run",
        "venv": venv,
        "address": layout.ADDRESS,
        "physical_mtu": layout.PHYSICAL_MTU,
        "url": layout.URLS,
        "secrets": secrets,
        "db": db,
        "bus": f"rabbit://openstack:{secrets['bus']}@127.0.0.1:5672/",
        "kind": choice.kind,
        "default_zone": "fake" if choice.kind is Kind.NONE else "nova",
    }
    environment = _templates()
    # A configuration file and its template differ only in the suffix.
    files = {state.root / "etc" / name: environment.get_template(f"{name}.j2").render(common) for name in _TEMPLATES}
    files[state.root / "clouds.yaml"] = environment.get_template("clouds.yaml.j2").render(common)
    for host in choice.hosts:
        template = "nova-local.conf.j2" if host == "local" else "nova-fake.conf.j2"
        files[state.root / "etc" / f"{host}.conf"] = environment.get_template(template).render(common, host=host)
    return files


def host_configuration(state: State, kind: str, host: str) -> dict[str, str]:
    """Return the configuration of a host that joins a running cloud, by the program's name."""
    values = {"host": host, "disks": state.root / "disks", "run": state.root / "run", "address": layout.ADDRESS}
    return {name: _templates().get_template(f"{name}-{kind}.conf.j2").render(values) for name in ("nova", "neutron")}


def write(state: State, choice: Choice, venv: Path) -> None:
    """Write the files, readable only by root."""
    for path, text in configuration(state, choice, venv).items():
        write_private(path, text)
