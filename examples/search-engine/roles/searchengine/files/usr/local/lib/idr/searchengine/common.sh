#!/bin/bash
# shellcheck disable=SC2034 # for those who source it
# Where what was fetched is. Sourced by the steps.
library=/usr/local/lib/idr/searchengine
place=/opt/searchengine

download() { # NAME FIELD: 2 is the sum, 3 the URL
  awk -v name="$1" -v field="$2" '$1 == name { print $field }' "$library/downloads"
}

folder_of() { # NAME: where its archive is unpacked; the application has its packages of Python inside
  local key
  key=$({ download "$1" 2; [ "$1" = engine ] || cat "$library/requirements.txt"; } | sha256sum)
  echo "$place/$1-${key:0:12}"
}
