#!/bin/bash
# Where what was fetched is, and what is made of it. Sourced by the steps of the roles that use it. A NAME is the setting
# that names the file, as in omero.server.
fetched=/usr/local/lib/idr/omero-downloads
store=/var/cache/idr-downloads

download() { # NAME FIELD: 2 is the sum, 3 the URL
  awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$fetched/downloads"
}

short() { # NAME: the beginning of the sum, enough to tell folders apart
  local sum
  sum=$(download "$1" 2)
  echo "${sum:0:12}"
}

archive() { # NAME: the path of the verified file
  local url
  url=$(download "$1" 3)
  echo "$store/$(download "$1" 2)/${url##*/}"
}

environment() { # LOCK...: a name for what the wheel of Ice and the locked packages make together
  local key
  key=$({ short omero.icePython; cat "$@"; } | sha256sum)
  echo "venv-${key:0:12}"
}

make_environment() { # FOLDER LOCK...: a Python environment, unless it is whole already
  local lock pip=("$1/bin/pip" install -q --disable-pip-version-check --no-cache-dir --no-deps)
  [ ! -e "$1/.complete" ] || return 0
  # In its final place: a virtual environment cannot be moved.
  rm -rf "$1"
  python3 -m venv "$1"
  (
    set -a
    # shellcheck source=/dev/null
    . /etc/idr/node.env
    "${pip[@]}" "$(archive omero.icePython)"
    for lock in "${@:2}"; do
      # pip takes an empty list for a mistake.
      [ ! -s "$lock" ] || "${pip[@]}" --require-hashes -r "$lock"
    done
  )
  touch "$1/.complete"
}

switch_link() { # FOLDER LINK: make the link lead to the folder, and remember where it led before
  local before
  before=$(readlink "$2" || true)
  [ "$before" != "$1" ] || return 0
  [ -z "$before" ] || ln -sfnT "$before" "$2.before"
  ln -sfnT "$1" "$2"
}

remove_others() { # LINK PATTERN: folders of other versions; the present and the one before stay, to go back to
  local folder
  for folder in $2; do
    if [ ! -d "$folder" ] || [ -L "$folder" ]; then continue; fi
    [ "$folder" = "$(readlink "$1")" ] || [ "$folder" = "$(readlink "$1.before")" ] || rm -rf "$folder"
  done
}
