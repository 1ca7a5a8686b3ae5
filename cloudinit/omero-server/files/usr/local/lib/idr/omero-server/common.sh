#!/bin/bash
# Where OMERO.server and its parts are, and how they are called. Sourced by the steps of the omero-* roles.
# Each part stands in a folder named after its sum, so that a new one is whole before a link leads to it, and going back
# is another link. The links are what configuration, units and people name.
cd / # the caller's folder may be closed to omero-server
home=/opt/omero/server
library=/usr/local/lib/idr/omero-server
# shellcheck source=/dev/null
. /usr/local/lib/idr/omero-downloads/common.sh

ice_folder() { echo "/opt/ice-3.6.5-$(short ice)"; }
server_folder() { echo "$home/OMERO.server-$(short server)"; }
python_folder() { echo "$home/$(environment "$library/requirements.txt")"; }

export OMERODIR=$home/OMERO.server
export PATH=$home/venv/bin:/opt/ice-3.6.5/bin:$PATH

as_omero() { # the command line refuses root; HOME is where it keeps its sessions
  runuser -u omero-server -- env HOME=/var/lib/omero-server "$@"
}

sql() { # as the node's database user, over TLS that is verified
  # shellcheck source=/dev/null
  . /etc/idr/omero/database.env
  PGPASSWORD=$(cat /etc/idr/omero/database-password) PGSSLMODE=verify-ca PGSSLROOTCERT=/etc/idr/ca.crt \
    PGHOST=$DATABASE_HOST PGUSER=$DATABASE_USER PGDATABASE=idr PGCONNECT_TIMEOUT=10 psql -XqtA -v ON_ERROR_STOP=1 "$@"
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

parts_are_linked() {
  [ "$(readlink /opt/ice-3.6.5)" = "$(ice_folder)" ] && [ "$(readlink "$home/venv")" = "$(python_folder)" ] &&
    [ "$(readlink "$OMERODIR")" = "$(server_folder)" ]
}

link_parts() {
  ln -sfnT "$(ice_folder)" /opt/ice-3.6.5
  echo /opt/ice-3.6.5/lib64 > /etc/ld.so.conf.d/ice-x86_64.conf
  ldconfig
  ln -sfnT "$(python_folder)" "$home/venv"
  ln -sfnT "$(server_folder)" "$OMERODIR"
}
