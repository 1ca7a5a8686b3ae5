#!/bin/bash
# Gives the guest's accounts numbers that no account of the machine has: `accounts.sh ROOT`.
# Guests on the local cloud are containers without user namespaces: a process of the guest's account 1000 would be one of
# the machine's first user, who could open that account's files through /proc and become root in the guest.
# 61000 to 61183 are nobody's: below them are people's, above them systemd's and those of other containers.
set -euo pipefail
sed -i -E 's/^([UG]ID_MIN)\s.*/\1 61000/; s/^([UG]ID_MAX)\s.*/\1 61183/' "$1/etc/login.defs"
# Without them, system accounts would be numbered downwards from there as well.
printf '%s\n' 'SYS_UID_MAX 999' 'SYS_GID_MAX 999' >> "$1/etc/login.defs"
