"""The first start: the database server's files, the schemas, Keystone's keys and administrator."""

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from dev.cloud import layout
from dev.cloud.layout import DATABASES, State, write_private
from dev.cloud.process import run
from dev.cloud.render import socket

Report = Callable[[str], None]

# Templates: Nova inserts the values of its configuration, so the tables have no passwords and can be cached.
_CELL0 = "{scheme}://{username}:{password}@{hostname}/nova_cell0?{query}"
_CELL1 = "{scheme}://{username}:{password}@{hostname}/nova?{query}"
_BUS = "{scheme}://{username}:{password}@{hostname}:{port}/"


def database_files(state: State) -> None:
    """Create MariaDB's own files. The user root logs in over the socket without a password."""
    if state.done("mariadb").exists():
        return
    shutil.rmtree(state.root / "mysql", ignore_errors=True)
    run(
        state,
        [
            *("mariadb-install-db", "--no-defaults", f"--datadir={state.root}/mysql", "--user=root"),
            *("--auth-root-authentication-method=socket", "--auth-root-socket-user=root", "--skip-test-db"),
        ],
        log="mariadb-install",
    )
    state.done("mariadb").touch()


def schemas(state: State, report: Report) -> None:
    """Create the services' tables, or load a copy that the same release created before."""
    if state.done("schemas").exists():
        return
    password = state.secrets()["database"]
    lines = [f"drop database if exists {name}; create database {name};" for name in DATABASES]
    lines.append(f"create or replace user openstack@localhost identified by '{password}';")
    lines.append("grant all on *.* to openstack@localhost;")
    sql = state.root / "run" / "databases.sql"
    write_private(sql, "\n".join(lines))
    client = ["mariadb", "--no-defaults", f"--socket={socket()}"]
    run(state, client, log="schemas", input_file=sql)
    sql.unlink()
    kept = layout.environment() / "schemas.sql"
    if kept.exists():
        report("loading the cached tables of an earlier start")
        run(state, client, log="schemas", input_file=kept)
    else:
        report("creating the tables (once per release: they are cached)")
        _migrate(state)
        new = kept.with_suffix(".new")
        options = [f"--socket={socket()}", f"--result-file={new}", "--databases", *DATABASES]
        run(state, ["mariadb-dump", "--no-defaults", *options], log="schemas")
        new.replace(kept)
    state.done("schemas").touch()


def map_hosts(state: State) -> None:
    """Add the computes that have reported to the API's database."""
    run(
        state,
        ["nova-manage", "--config-file", f"{state.root}/etc/nova.conf", "cell_v2", "discover_hosts"],
        log="schemas",
    )


def _migrate(state: State) -> None:
    def config(*names: str) -> list[str]:
        return [argument for name in names for argument in ("--config-file", f"{state.root}/etc/{name}.conf")]

    nova = ["nova-manage", *config("nova")]
    chains: list[list[Sequence[str]]] = [
        [
            [*nova, "api_db", "sync"],
            [*nova, "cell_v2", "map_cell0", "--database_connection", _CELL0],
            [
                *nova,
                "cell_v2",
                "create_cell",
                "--name=cell1",
                f"--database_connection={_CELL1}",
                f"--transport-url={_BUS}",
            ],
            [*nova, "db", "sync"],
        ],
        [["neutron-db-manage", *config("neutron"), "upgrade", "heads"]],
        [
            ["keystone-manage", *config("keystone"), "db_sync"],
            ["glance-manage", *config("glance-api"), "db_sync"],
            ["placement-manage", *config("placement"), "db", "sync"],
            ["cinder-manage", *config("cinder"), "db", "sync"],
        ],
    ]

    def chain(commands: list[Sequence[str]]) -> None:
        for command in commands:
            run(state, command, log=f"schemas-{Path(command[0]).name}")

    with ThreadPoolExecutor() as pool:
        list(pool.map(chain, chains))


def identity(state: State) -> None:
    """Create Keystone's keys and its administrator."""
    if state.done("identity").exists():
        return
    manage = ["keystone-manage", "--config-file", f"{state.root}/etc/keystone.conf"]
    state.folder("keystone")
    for keys in ("fernet_setup", "credential_setup"):
        run(state, [*manage, keys, "--keystone-user", "root", "--keystone-group", "root"], log="identity")
    url = layout.URLS["keystone"]
    run(
        state,
        [
            *(*manage, "bootstrap", "--bootstrap-region-id", "RegionOne"),
            *("--bootstrap-public-url", url, "--bootstrap-internal-url", url, "--bootstrap-admin-url", url),
        ],
        log="identity",
        # Not as an argument: every user of the machine can read command lines.
        env={"OS_BOOTSTRAP_PASSWORD": state.secrets()["admin"]},
    )
    state.done("identity").touch()
