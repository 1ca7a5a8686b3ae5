#!/bin/bash
# Takes from the root file system what starts it as a virtual machine: `boot.sh INIT ROOT OUT` writes OUT/vmlinuz and
# OUT/initrd and leaves the modules, which udev needs, in ROOT. (A container starts without either.)
# The initrd is our own because udev's, in Debian's, costs an emulated processor half a minute.
set -euo pipefail
init=$1 root=$2 out=$3

versions=("$root"/lib/modules/*)
version=${versions[0]##*/}
mv "$root/boot/vmlinuz-$version" "$out/vmlinuz"
rm -f "$root"/boot/*

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{bin,dev,proc,sys,root,modules}
cp "$root/bin/busybox" "$work/bin/"
ln -s busybox "$work/bin/sh"
install -m 0755 "$init" "$work/init"

# Disks, the network and randomness; the CD-ROM of the config drive, which cloud-init wants before udev has run.
# ext4 is part of Debian's cloud kernel. What another module needs comes first; that is the order to load them in.
for module in virtio_pci virtio_blk virtio_net virtio_rng ata_piix sr_mod isofs; do
  chroot "$root" modprobe -S "$version" --show-depends "$module"
done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' > "$work/order"
while read -r path; do
  cp "$root$path" "$work/modules/"
  echo "${path##*/}" >> "$work/modules/order"
done < "$work/order"
rm "$work/order"

(cd "$work" && find . | ./bin/busybox cpio -o -H newc 2> "$out/cpio.log") | gzip -n > "$out/initrd"
rm "$out/cpio.log"
