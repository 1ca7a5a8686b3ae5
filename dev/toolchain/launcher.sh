#!/bin/sh
# pulumi, as built by the idr-deployment toolchain (dev/toolchain/install wrote this file and may replace it).
builds=${IDR_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/idr-deployment}/toolchain
# shellcheck disable=SC2012  # names are hashes; the newest is wanted
build=$(ls -1dt "$builds"/*/ 2>/dev/null | head -n 1)
if [ ! -x "${build}bin/pulumi" ]; then
    echo "pulumi: nothing is built in $builds; run dev/toolchain/install of the checkout again" >&2
    exit 1
fi
# The engine finds the Python language host on PATH. Plugins come from files: nothing is to be fetched.
PATH=${build}bin:$PATH PULUMI_SKIP_UPDATE_CHECK=true PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION=true
export PATH PULUMI_SKIP_UPDATE_CHECK PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION
# The outputs are data for tools, hundreds of lines: on a terminal they would hide the messages above them.
PULUMI_OPTION_SUPPRESS_OUTPUTS=${PULUMI_OPTION_SUPPRESS_OUTPUTS:-true}
export PULUMI_OPTION_SUPPRESS_OUTPUTS
# Engine and plugins live for seconds. They look for garbage less often and take 60 MiB more memory.
GOGC=${GOGC:-400}
export GOGC
project=$PWD
while [ -n "$project" ] && [ ! -f "$project/Pulumi.yaml" ]; do project=${project%/*}; done
if [ -z "${PULUMI_BACKEND_URL:-}" ] && [ -n "$project" ] && [ "$project" != "$PWD" ]; then
    # The engine takes a relative backend from the current folder: from a sub-folder it would see, and make, another state.
    state=$(sed -n 's|^ *url: *["'\'']\{0,1\}file://\(\.[^"'\'' ]*\).*|\1|p' "$project/Pulumi.yaml")
    if [ -n "$state" ]; then
        export PULUMI_BACKEND_URL="file://$project/$state"
    fi
fi
# `make up` generated a passphrase for the stack `local`. No other stack may get it: `make wipe` deletes it.
stack=${PULUMI_STACK:-} before=
for word in "$@"; do
    case $before in
    -s | --stack | init | select | rm) stack=$word ;;
    esac
    case $word in
    --stack=*) stack=${word#--stack=} ;;
    -s?*) stack=${word#-s} ;;
    esac
    before=$word
done
if [ -z "${PULUMI_CONFIG_PASSPHRASE+set}${PULUMI_CONFIG_PASSPHRASE_FILE:+set}" ] && [ -O "$project/.local/passphrase" ]; then
    stack=${stack:-$("${build}bin/pulumi" stack --show-name 2>/dev/null)}
    if [ "${stack##*/}" = local ]; then
        export PULUMI_CONFIG_PASSPHRASE_FILE="$project/.local/passphrase"
    fi
fi
exec "${build}bin/pulumi" "$@"
