"""The database's cluster on a new volume, by PostgreSQL's real programs, on a machine of its own."""

import subprocess

import pytest

from model.role_description import FOLDER

PREPARE = FOLDER / "database" / "scripts" / "prepare"
FOLDERS = FOLDER / "common" / "scripts" / "folders"
DATA, CONFIG = "/var/lib/postgresql/15/main", "/etc/postgresql/15/main"
BIN = "/usr/lib/postgresql/15/bin"

pytestmark = pytest.mark.needs("pg_createcluster", f"{BIN}/initdb")

# The files of this machine are below; all changes are above, and disappear when the test ends.
SETUP = f"""
mount -t tmpfs tmpfs /mnt && cd /mnt && mkdir upper work root
mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
mount --rbind /proc root/proc && mount --rbind /dev root/dev && mount -t tmpfs tmpfs root/run
mkdir -p root/etc/idr root/usr/local/lib/idr/common root/etc/postgresql root/var/lib/postgresql
rm -rf root/etc/postgresql/* root/var/lib/postgresql/*
echo POSTGRESQL=15 > root/etc/idr/node.env
cp {FOLDERS} root/usr/local/lib/idr/common/folders && cp {PREPARE} root/prepare
exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 chroot root bash -ec
"""
# Writes what initdb writes first; then it is killed with all its processes.
KILLED = f"""
mv {BIN}/initdb {BIN}/initdb.real
cat > {BIN}/initdb << 'END'
#!/bin/bash
while [ "$1" != -D ]; do shift; done
mkdir -p "$2" && echo 15 > "$2/PG_VERSION"
kill -KILL 0
END
chmod 755 {BIN}/initdb
setsid --wait /prepare > /run/first 2>&1 || echo "the first run ended with $?"
mv {BIN}/initdb.real {BIN}/initdb
"""
QUERY = "select datcollate, pg_encoding_to_char(encoding) from pg_database"
SHOW = f"""
find /var/lib/postgresql/15 -mindepth 1 -maxdepth 1
find {CONFIG} -name 'p*.conf' -printf '%f %u\\n' | sort
{BIN}/pg_controldata {DATA} | grep -i 'checksum version'
runuser -u postgres -- {BIN}/postgres --single -D {DATA} -c config_file=/dev/null -c hba_file=/dev/null \\
  -c ident_file=/dev/null postgres <<< '{QUERY}' 2> /dev/null | grep -o '"[CU][^"]*"' | sort -u
"""
CREATED = [
    DATA,
    *(f"{name}.conf root" for name in ("pg_ctl", "pg_hba", "pg_ident", "postgresql")),
    "Data page checksum version:           1",
    *('"C.UTF-8"', '"UTF8"'),
]


def output_of(script: str) -> list[str]:
    """Return the lines that a script prints on the machine; it must succeed."""
    enter = ["unshare", "--mount", "--propagation", "private", "bash", "-ec", f'{SETUP.rstrip()} "$0"', script]
    done = subprocess.run(enter, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def test_a_new_volume_gets_a_cluster_and_keeps_it() -> None:
    number = f"stat -c %i {DATA}/PG_VERSION"
    *shown, before, after = output_of(f"/prepare > /run/first\n{SHOW}\n{number}\n/prepare > /run/second\n{number}")
    assert sorted(shown) == sorted(CREATED)
    assert before == after


def test_a_run_that_was_killed_while_it_created_the_cluster_does_not_hinder_the_next() -> None:
    ended, *shown = output_of(f"{KILLED}\n/prepare > /run/second\n{SHOW}")
    assert ended.startswith("the first run ended with ")
    assert sorted(shown) == sorted(CREATED)
