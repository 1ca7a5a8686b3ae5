#!/bin/bash
# Turn a new Debian root into the guest: `customize.sh ROOT OVERLAY WHEELHOUSE ICE WEB_LOCK DEMO_LOCK DEMO`.
# The hook of mmdebstrap (`customize` in rootfs.py) calls this script with the pseudo file systems mounted in ROOT.
set -euo pipefail
root=$1 overlay=$2 wheelhouse=$3 ice=$4 web_lock=$5 demo_lock=$6 demo=$7

cp -r --no-preserve=ownership "$overlay/." "$root/"

"$(dirname "$0")/accounts.sh" "$root"

# --- Service users, with the home folders that the roles' configuration expects.
for user in omero-server omero-web; do
  chroot "$root" useradd --system --create-home --home-dir "/var/lib/$user" --shell /usr/sbin/nologin "$user"
done

# --- Python environments: pip uses local wheels only and checks hashes, except of zeroc-ice, which the build compiled.
mkdir -p "$root/mnt/wheels" "$root/opt/omero"
cp "$wheelhouse"/*.whl "$ice"/*.whl "$root/mnt/wheels/"
cp "$web_lock" "$root/mnt/wheels/web.lock"
cp "$demo_lock" "$root/mnt/wheels/server.lock"
for tier in web server; do
  venv=/opt/omero/$tier/venv3
  chroot "$root" python3 -m venv "$venv"
  pip=("$venv/bin/pip" --disable-pip-version-check --no-cache-dir -q install --no-index --no-deps
    --find-links /mnt/wheels)
  chroot "$root" "${pip[@]}" zeroc-ice
  chroot "$root" "${pip[@]}" --require-hashes -r "/mnt/wheels/$tier.lock"
  chroot "$root" "$venv/bin/pip" check
done
rm -rf "$root/mnt/wheels"

# --- OMERO.web's directory: settings (etc/grid/config.xml) and run-time files (var) belong to its user.
chroot "$root" install -d -g omero-web -m 0750 /opt/omero/web/OMERO.web{,/etc}
chroot "$root" install -d -o omero-web -g omero-web -m 0750 /opt/omero/web/OMERO.web{/etc/grid,/var,/var/log}

# --- The demo server, importable by the server's environment.
site=$(chroot "$root" /opt/omero/server/venv3/bin/python -c 'import site; print(site.getsitepackages()[0])')
mkdir -p "$root/opt/omero/demo-image-server"
cp -r --no-preserve=ownership "$demo/demo_image_server" "$root/opt/omero/demo-image-server/"
echo /opt/omero/demo-image-server > "$root$site/demo-image-server.pth"
install -m 0755 "$demo/demo-image-server" "$root/usr/local/bin/demo-image-server"
install -m 0644 "$demo/omero-demo-image-server.service" "$root/etc/systemd/system/"
chroot "$root" /opt/omero/server/venv3/bin/python -m compileall -q /opt/omero/demo-image-server

# Hard links: the two environments share most packages. (Byte code differs, because it has its source's path.)
find "$root/opt/omero" -path '*/site-packages/numpy/*' -type d -name tests -prune -exec rm -rf {} +
hardlink --quiet --ignore-time "$root/opt/omero/web" "$root/opt/omero/server"

# The package created a cluster, but the role creates one on the data volume. (A createcluster.conf that only forbids
# the package's cluster would also drop Debian's other defaults: conf.d and TLS.)
chroot "$root" pg_dropcluster 15 main

# --- Services: a role's configuration enables what the role needs. No other starts at boot.
off() { systemctl --quiet --root="$root" disable "$@"; }
off haproxy.service nginx.service postgresql.service redis-server.service prometheus-node-exporter.service chrony.service \
  nfs-client.target rpcbind.service rpcbind.socket unattended-upgrades.service nftables.service \
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer
find "$root/lib/systemd/system" -name 'prometheus-node-exporter-*.timer' -printf '%f\n' |
  xargs -r systemctl --quiet --root="$root" disable
systemctl --quiet --root="$root" enable systemd-networkd.service ssh.service
# Work that the build has already done, and consoles that nobody uses.
systemctl --quiet --root="$root" mask systemd-hwdb-update.service systemd-journal-catalog-update.service \
  ldconfig.service systemd-pstore.service modprobe@drm.service nfs-blkmap.service

# --- The image must have nothing of this build: no identity, keys, sources or caches.
rm -f "$root"/etc/ssh/ssh_host_* "$root/etc/hostname" "$root/etc/resolv.conf" "$root/var/lib/dbus/machine-id"
rm -f "$root/etc/apt/sources.list" "$root"/etc/apt/sources.list.d/* "$root/etc/apt/apt.conf.d/99mmdebstrap"
: > "$root/etc/machine-id"
# Without a name server a look-up fails at once. cloud-init or the role's configuration adds name servers.
: > "$root/etc/resolv.conf"
: > "$root/etc/apt/sources.list"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/*.bin "$root"/var/cache/debconf/*-old "$root"/var/log/*.log
(cd "$root" && rm -rf usr/share/locale/* usr/share/man/* usr/share/info/* root/.cache)
