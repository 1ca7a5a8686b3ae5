#!/bin/bash
# shellcheck disable=SC2034 # for those who source it
# Where the static site is; nginx follows the link. Sourced by the steps.
# shellcheck source=/dev/null
. /usr/local/lib/idr/omero-downloads/common.sh
link=/srv/idr-pages/current
folder=/srv/idr-pages/$(short site.pages)
