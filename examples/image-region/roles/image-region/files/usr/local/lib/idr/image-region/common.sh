#!/bin/bash
# shellcheck disable=SC2034 # for those who source it
# Where the archive is. Sourced by the steps.
library=/usr/local/lib/idr/image-region
place=/opt/image-region
sum=$(awk '$1 == "service" { print $2 }' "$library/downloads")
url=$(awk '$1 == "service" { print $3 }' "$library/downloads")
folder=$place/service-${sum:0:12}
