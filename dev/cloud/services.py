"""The services and their command lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from dev.cloud import layout
from dev.cloud.layout import Choice, Kind, State
from dev.cloud.render import socket


@dataclass(frozen=True)
class Service:
    """One process of the cloud (with its children)."""

    name: str
    argv: Sequence[str]
    port: int | None = None
    """The port on which it listens when it is ready."""
    env: dict[str, str] = field(default_factory=dict)


def _config(state: State, *names: str) -> list[str]:
    return [argument for name in names for argument in ("--config-file", f"{state.root}/etc/{name}.conf")]


def _wsgi(name: str, script: str, processes: int, env: dict[str, str]) -> Service:
    """Return a WSGI script under uWSGI (by its Python module: a wheel, no system package)."""
    port = layout.PORTS[name]
    options = [
        *("--http-socket", f"{layout.ADDRESS}:{port}", "--wsgi-file", f"{layout.environment()}/venv/bin/{script}"),
        *("--processes", str(processes), "--threads", "2", "--master", "--need-app", "--die-on-term"),
        *("--buffer-size", "65535", "--http-chunked-input", "--disable-logging"),
        # Clients keep connections open, and a process serves one at a time: without this some would wait needlessly.
        *("--add-header", "Connection: close"),
    ]
    return Service(name, ["uwsgi", *options], port, env)


def base(state: State) -> list[Service]:
    """Return database, message bus and cache."""
    rabbit = state.root / "rabbit"
    return [
        Service(
            "mariadb",
            [
                *("/usr/sbin/mariadbd", "--no-defaults", f"--datadir={state.root}/mysql", "--user=root"),
                *("--skip-networking", f"--socket={socket()}", "--character-set-server=utf8mb3"),
                # A killed process loses nothing. A crashed machine may lose a second: it is a test cloud.
                *("--innodb-flush-log-at-trx-commit=2", "--innodb-doublewrite=0", "--max-connections=500"),
            ],
        ),
        Service(
            "rabbitmq",
            ["/usr/lib/rabbitmq/bin/rabbitmq-server"],
            None,
            {
                "ERL_EPMD_ADDRESS": "127.0.0.1",
                "RABBITMQ_NODENAME": "rabbit@localhost",
                "RABBITMQ_MNESIA_BASE": str(rabbit),
                "RABBITMQ_LOG_BASE": str(state.log),
                "RABBITMQ_CONF_ENV_FILE": "/dev/null",
                "RABBITMQ_CONFIG_FILE": f"{state.root}/etc/rabbitmq.conf",
                "RABBITMQ_ENABLED_PLUGINS_FILE": f"{rabbit}/plugins",
                # +sbwt none: otherwise Erlang's idle schedulers use a whole core.
                "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none",
            },
        ),
        Service("memcached", ["memcached", "-u", "root", "-l", "127.0.0.1", "-m", "64"], None),
    ]


def keystone(state: State) -> Service:
    """Return Keystone, the first API, since all others use it."""
    config = f"{state.root}/etc/keystone.conf"
    service = _wsgi("keystone", "keystone-wsgi-public", 2, {})
    return Service(service.name, [*service.argv, "--pyargv", f"--config-file {config}"], service.port)


def apis(state: State) -> list[Service]:
    """Return the other APIs, and the services behind them."""
    nova, cinder = _config(state, "nova"), _config(state, "cinder")
    return [
        _wsgi("placement", "placement-api", 1, {"OS_PLACEMENT_CONFIG_DIR": f"{state.root}/etc"}),
        Service("neutron", ["neutron-server", *_config(state, "neutron")], layout.PORTS["neutron"]),
        Service("nova", ["nova-api", *nova], layout.PORTS["nova"]),
        Service("glance", ["glance-api", *_config(state, "glance-api")], layout.PORTS["glance"]),
        Service("cinder", ["cinder-api", *cinder], layout.PORTS["cinder"]),
        Service("cinder-scheduler", ["cinder-scheduler", *cinder]),
        Service("cinder-volume", ["cinder-volume", *cinder]),
    ]


def conductors(state: State) -> list[Service]:
    """Return Nova's internal services. They log in when they start, and end if that fails."""
    nova = _config(state, "nova")
    return [Service(name, [name, *nova]) for name in ("nova-conductor", "nova-scheduler")]


def agents(state: State) -> list[Service]:
    """Return Neutron's agents."""
    config = _config(state, "neutron", "neutron-agents")
    return [Service(name, [f"neutron-{name}-agent", *config]) for name in ("linuxbridge", "l3", "dhcp", "metadata")]


def hypervisor(state: State, choice: Choice) -> list[Service]:
    """Return libvirt, if there are real guests."""
    if choice.kind is Kind.NONE:
        return []
    return [
        Service("virtlogd", ["virtlogd"]),
        Service("libvirtd", ["libvirtd", "-f", f"{state.root}/etc/libvirtd.conf"]),
    ]


def computes(state: State, choice: Choice) -> list[Service]:
    """Return one compute for each host, real or fake."""
    return [Service(f"nova-compute-{host}", ["nova-compute", *_config(state, "nova", host)]) for host in choice.hosts]
