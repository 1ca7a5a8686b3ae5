#!/bin/bash
# Write the kernel and the initrd that boot the root file system in a virtual machine: `boot.sh INIT ROOT OUT` moves the
# kernel to OUT/vmlinuz and writes OUT/initrd. The modules stay in ROOT, because udev needs them. (A container starts
# without kernel and initrd.)
# Debian's initrd runs udev, which takes half a minute on an emulated processor. So this one has an init of its own.
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

# Disks, network and random numbers, and the CD-ROM of the config drive: cloud-init reads it before udev has run.
# Debian's cloud kernel has ext4 built in. modprobe lists dependencies first, which is the order to load modules in.
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
