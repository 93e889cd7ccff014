#!/usr/bin/env bash
# Runs a command of the README on what a new Debian 12 machine has: a minimal system made by
# debootstrap, with a clean clone of HEAD in the home of a user who may use sudo. Needs root and the
# package debootstrap; takes as long as the installation and the build do.
#
# usage: tests/e2e/fresh_machine.sh [COMMAND [ARGUMENT...]]
#   without COMMAND: the first of the README
#   MINKE_FRESH_ROOT=DIR keeps the system in DIR and uses it again, with all that was installed
set -euo pipefail
((EUID == 0)) || { echo "fresh_machine.sh: needs root" >&2; exit 1; }
command -v debootstrap >/dev/null ||
  { echo "fresh_machine.sh: needs debootstrap: apt-get install debootstrap" >&2; exit 1; }
repository=$(git -C "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")" rev-parse --show-toplevel)
(($#)) || set -- ./run "Maria has 3 apples. Then she picks 4 more. How many apples are there?"

user=sailor
if [[ ${MINKE_FRESH_ROOT-} ]]; then
  machine=$(realpath -m "$MINKE_FRESH_ROOT")
else
  machine=$(mktemp -d /var/tmp/minke-fresh.XXXXXX)
  chmod 755 "$machine"
  # The mounts below belong to a namespace that has ended by then, so that nothing is removed
  # through them.
  trap 'rm -rf "$machine"' EXIT
fi

if [[ ! -e $machine/etc/debian_version ]]; then
  debootstrap --variant=minbase --include=sudo,ca-certificates bookworm "$machine" >&2
  chroot "$machine" useradd --create-home --shell /bin/bash "$user"
  echo "$user ALL=(ALL) NOPASSWD: ALL" >"$machine/etc/sudoers.d/$user"
fi
cp /etc/resolv.conf "$machine/etc/resolv.conf"
# Authorities that this machine trusts beyond Debian's, as behind a company's proxy.
if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
  cp /usr/local/share/ca-certificates/*.crt "$machine/usr/local/share/ca-certificates/"
  chroot "$machine" update-ca-certificates >/dev/null 2>&1
fi
home=/home/$user
rm -rf "$machine$home/minke"
git clone --quiet --no-hardlinks "$repository" "$machine$home/minke"
chroot "$machine" chown -R "$user:$user" "$home"

# shellcheck disable=SC2016  # the variables are the inner shell's
unshare --mount --pid --fork --kill-child bash -c '
  machine=$1 user=$2
  shift 2
  mount -t proc proc "$machine/proc"
  mount --rbind /sys "$machine/sys"
  mount -t tmpfs tmpfs "$machine/dev/shm" 2>/dev/null || true
  mkdir -p "$machine/dev/pts"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$machine/dev/pts"
  ln -sf pts/ptmx "$machine/dev/ptmx"
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM="${TERM-dumb}" LANG=C.UTF-8 \
    HOME="/home/$user" chroot --userspec="$user:$user" "$machine" \
    bash -c "cd ~/minke && exec \"\$@\"" bash "$@"
' bash "$machine" "$user" "$@"
