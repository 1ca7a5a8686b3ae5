#!/bin/bash
# shellcheck disable=SC2034 # for those who source it
# Where OMERO.web's Python environment is; the link is what the unit and people name.
# shellcheck source=/dev/null
. /usr/local/lib/idr/omero-downloads/common.sh
lock=/usr/local/lib/idr/omero-web/requirements.txt
link=/opt/omero/web/venv3
folder=/opt/omero/web/$(environment "$lock")
