#!/bin/sh
# First process of a builder's private mount and pid namespaces: prepares the mounts, registers the emulators, becomes buildkitd.
# Arguments: ROOT SIZE [EMULATOR...] -- PROGRAM [ARGUMENT...]
#   SIZE      size of a memory file system for ROOT, as mount(8) writes it, or "-" for none
#   EMULATOR  a line for binfmt_misc's "register" file
set -eu
root=$1
size=$2
shift 2
[ "$size" = - ] || mount -t tmpfs -o "size=$size" builder "$root"
# The state of runc is as private as the processes it describes.
mkdir -p /run/runc
mount -t tmpfs runc /run/runc
binfmt=/proc/sys/fs/binfmt_misc
[ "$1" = -- ] || [ -e $binfmt/register ] || mount -t binfmt_misc binfmt_misc $binfmt
while [ "$1" != -- ]; do
  # From Linux 6.7 on a registration lives as long as binfmt_misc is mounted somewhere: that of a builder that ended may be gone.
  name=${1#:}
  [ -e "$binfmt/${name%%:*}" ] || printf '%s' "$1" > $binfmt/register
  shift
done
shift
exec "$@"
