#!/bin/bash
# Where OMERO.server and its parts are, and how they are called. Sourced by the steps of the omero-* roles.
cd / # the caller's folder may be closed to omero-server
home=/opt/omero/server
library=/usr/local/lib/idr/omero-server
# shellcheck source=/dev/null
. /usr/local/lib/idr/omero-downloads/common.sh

jars() { # where each jar goes in OMERO.server's folder, its sum, and the verified file
  local setting path
  awk '!/^#/' "$library/jars" | while read -r setting path; do
    echo "$path $(download "$setting" 2) $(archive "$setting")"
  done | sort
}

# Each part is in a folder named after its sum, so that a new one is whole before a link leads to it, and going back
# is another link. The links are what configuration, units and people name. OMERO.server with other jars is another part.
ice_folder() { echo "/opt/ice-3.6.5-$(short omero.ice)"; }
server_folder() {
  local added
  added=$(jars | cut -d' ' -f1,2)
  echo "$home/OMERO.server-$(short omero.server)${added:+-$(sha256sum <<< "$added" | cut -c -12)}"
}
locks=("$library/requirements.txt" "$library/addons.txt")
python_folder() { echo "$home/$(environment "${locks[@]}")"; }

export OMERODIR=$home/OMERO.server
export PATH=$home/venv/bin:/opt/ice-3.6.5/bin:$PATH

as_omero() { # the command line refuses root; HOME is where it keeps its sessions
  if [ "$(id -u)" = 0 ]; then set -- runuser -u omero-server -- env HOME=/var/lib/omero-server "$@"; fi
  "$@"
}

omero_client() { # a client of this node's server, whose certificate is verified
  as_omero env ICE_CONFIG="$library/ice.config" timeout 60 omero -q "$@"
}

has_public_user() { # whether everybody is let in as the user public; where users log in, its password is empty
  grep -q . /etc/idr/omero/public-password
}

blitz_state() { # what IceGrid says of Blitz, as "active (pid = 7, enabled)" or "inactive (disabled)"
  timeout 8 icegridadmin --Ice.Config="$OMERODIR/etc/internal.cfg" -e "server state Blitz-0"
}

connection() { # to the stack's database and nobody else, by TLS, and never waiting for a dead one; without the password
  # shellcheck source=/dev/null
  . /etc/idr/omero/database.env
  echo "host=$DATABASE_HOST dbname=idr user=$DATABASE_USER sslmode=verify-full sslrootcert=/etc/idr/ca.crt connect_timeout=10" \
    "tcp_user_timeout=30000 keepalives_idle=30 keepalives_interval=10 keepalives_count=3"
}

sql() { # as the node's database user
  # Not as root: a script made by OMERO's command line could have psql start a program (\!).
  PGPASSWORD=$(cat /etc/idr/omero/database-password) as_omero psql -XqtA -v ON_ERROR_STOP=1 -d "$(connection)" "$@"
}

wanted_schema() { # of the version that is to run: VERSION__PATCH PROFILE
  # It complains of preferences that are not there before the first start.
  OMERODIR=$(server_folder) as_omero "$(python_folder)/bin/python" "$library/wanted_schema.py" 2> /dev/null ||
    { echo "OMERO's command line cannot read the defaults in $(server_folder)" >&2; return 1; }
}

schema() { # the database's, as VERSION__PATCH; empty when OMERO has never been in it
  local table
  table=$(sql -c "select to_regclass('public.dbpatch')") || return 1
  [ -n "$table" ] || return 0
  sql -c "select currentversion || '__' || currentpatch from dbpatch order by id desc limit 1"
}
