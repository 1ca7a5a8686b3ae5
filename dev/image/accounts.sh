#!/bin/bash
# Set the range of user and group ids in the guest to one that no account of the machine has: `accounts.sh ROOT`.
# Guests on the local cloud are containers without user namespaces. A process of the guest's user 1000 would also belong
# to the machine's first user, who could open that process's files through /proc and become root in the guest.
# No one uses 61000 to 61183: below are people's accounts, above are those of systemd and of other containers.
set -euo pipefail
sed -i -E 's/^([UG]ID_MIN)\s.*/\1 61000/; s/^([UG]ID_MAX)\s.*/\1 61183/' "$1/etc/login.defs"
# Without these lines, the ids of system accounts would count down from there as well.
printf '%s\n' 'SYS_UID_MAX 999' 'SYS_GID_MAX 999' >> "$1/etc/login.defs"
