#!/bin/bash
# shellcheck disable=SC2154 # home is set in common.sh
# The links that lead to the parts in use. Sourced by `activate`, after common.sh.

parts_are_linked() {
  [ "$(readlink /opt/ice-3.6.5)" = "$(ice_folder)" ] && [ "$(readlink "$home/venv")" = "$(python_folder)" ] &&
    [ "$(readlink "$OMERODIR")" = "$(server_folder)" ]
}

link_parts() {
  switch_link "$(ice_folder)" /opt/ice-3.6.5
  echo /opt/ice-3.6.5/lib64 > /etc/ld.so.conf.d/ice-x86_64.conf
  ldconfig
  switch_link "$(python_folder)" "$home/venv"
  switch_link "$(server_folder)" "$OMERODIR"
}

remove_old_parts() {
  remove_others /opt/ice-3.6.5 '/opt/ice-3.6.5-*'
  remove_others "$home/venv" "$home/venv-*"
  remove_others "$OMERODIR" "$home/OMERO.server-*"
}
