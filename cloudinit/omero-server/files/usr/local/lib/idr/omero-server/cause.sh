#!/bin/bash
# Why OMERO.server does not run: the journal has only the command line's dots, the cause is in OMERO's own logs.
# Sourced by `activate` and `health`, after common.sh. Read as OMERO's user: root would follow a link in its folder.

cause() { # SECONDS: from OMERO's logs since that moment of the epoch, the root cause first; nothing where there is none
  local log=$OMERODIR/var/log/Blitz-0.log found
  found=$(since "$1" "$log" | tail -n 5000)
  # A chain of Java exceptions ends with its root.
  grep -h '^Caused by: ' <<< "$found" | tac | awk '!seen[$0]++' | head -n 4 | cut -c -500 | grep . ||
    grep -E '^[^ ]+ [^ ]+ +(ERROR|FATAL) ' <<< "$found" | tail -n 4 | cut -c -500 | grep . ||
    recent "$1" "$OMERODIR/var/log/master.err"
}

since() { # SECONDS FILE: the lines of a log of logback from a moment on; its lines begin with the local time
  as_omero test -r "$2" || return 0
  # shellcheck disable=SC2016  # awk's own
  as_omero awk -v from="$(date -d "@$1" '+%F %T')" '
    /^[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9] / { new = substr($0, 1, 19) >= from }
    new' "$2"
}

recent() { # SECONDS FILE: the end of a file without times, if something was written to it since
  as_omero test -s "$2" && [ "$(as_omero stat -L -c %Y "$2")" -ge "$1" ] || return 0
  as_omero tail -n 4 "$2" | cut -c -500
}

said_by_unit() { # what the unit has logged; dots and the dialogue of the command line left out
  journalctl -q -n 40 -u omero-server --no-pager -o cat | grep -vE '^[. ]*$|Waiting on startup' | tail -n 8 || true
}
