# shellcheck shell=bash
# What ./run and ./test share: installing packages, one line a step, building. Sourced, never run.
# All that is said here goes to standard error; standard output belongs to the program itself.
set -euo pipefail

minke_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
minke_logs=$minke_root/build/logs

say() { printf '%s\n' "$*" >&2; }
die() { say "minke: $*"; exit 1; }
usage_error() { say "minke: $*"; exit 2; }

interrupted() {
  trap - INT TERM
  say ""
  say "Interrupted. The same command continues where this one stopped."
  exit 130
}
trap interrupted INT TERM

# Each need is package=probe. The probe is a header below /usr/include (or /usr/local/include), a
# file by absolute path, which may be a pattern, or the name of a tool. Looking for files costs no
# process, so that it can be done at every start.
# shellcheck disable=SC2034,SC2191  # used by those who source this; the = is meant
minke_build_needs=(
  g++=g++ cmake=cmake ninja-build=ninja pkg-config=pkg-config ccache=ccache
  libfmt-dev=fmt/core.h libsimdjson-dev=simdjson.h
  nlohmann-json3-dev=nlohmann/json.hpp libcli11-dev=CLI/CLI.hpp libpcre2-dev=pcre2.h
  libutf8proc-dev=utf8proc.h libedit-dev=histedit.h libtomlplusplus-dev=toml++/toml.h
  libxxhash-dev=xxhash.h libboost-dev=boost/beast.hpp libsqlite3-dev=sqlite3.h
  prometheus-cpp-dev=prometheus/registry.h libssl-dev=openssl/sha.h libgtest-dev=gtest/gtest.h
)

present() {
  case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *.h | *.hpp) [[ -e /usr/include/$1 || -e /usr/local/include/$1 ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

as_root() {
  if ((EUID == 0)); then "$@"; else sudo "$@"; fi
}

# Downloading may be interrupted at any time. Unpacking and configuring may not: a half-configured
# package would have to be mended by hand.
apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -y --no-install-recommends
             -o DPkg::Lock::Timeout=600)
  as_root dpkg --configure -a
  as_root "${apt[@]}" update || echo "Package lists could not be renewed; trying with those here."
  as_root "${apt[@]}" install --download-only "$@"
  (trap '' INT TERM && as_root "${apt[@]}" install "$@")
}

# need_packages NEED...: installs the packages whose probes fail. Asks apt only if there are any.
need_packages() {
  local need missing=()
  for need; do
    present "${need#*=}" || missing+=("${need%%=*}")
  done
  ((${#missing[@]})) || return 0
  local by_hand="apt-get install --no-install-recommends ${missing[*]}"
  command -v apt-get >/dev/null ||
    die "packages: this machine has no apt-get; install what Debian calls: ${missing[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "packages: no sudo here; run as root: $by_hand"
    # The password, if one is needed, is asked before the step's line is written.
    sudo -n true 2>/dev/null || { [[ -t 0 ]] && sudo -v; } ||
      die "packages: sudo needs a password and there is no terminal; run as root: $by_hand"
  fi
  step "Installing packages: ${missing[*]}" apt apt_install "${missing[@]}"
  hash -r
  for need; do
    present "${need#*=}" || die "packages: ${need%%=*} is installed, but ${need#*=} is not found"
  done
}

# Copies standard input to the log; shows ninja's [done/all] behind the step's title.
follow() {
  local title=$1 log=$2 line progress=
  while IFS= read -r line; do
    printf '%s\n' "$line" >>"$log"
    if [[ $line =~ ^\[[0-9]+/[0-9]+\] ]]; then
      progress=${BASH_REMATCH[0]}
      printf '\r%s... %s' "$title" "$progress" >&2
    fi
  done
  if [[ $progress ]]; then printf '\r%s...\033[K\n' "$title" >&2; else say ""; fi
}

# step TITLE LOG COMMAND...: one line for the reader, the command's output in build/logs/LOG.log.
# If the command fails, the log is shown without ninja's progress lines, and the script ends.
step() {
  local title=$1 log=$minke_logs/$2.log status
  shift 2
  mkdir -p "$minke_logs"
  : >"$log"
  set +e
  if [[ -t 2 ]]; then
    printf '%s...' "$title" >&2
    (set -e; "$@") </dev/null 2>&1 | follow "$title" "$log"
    status=${PIPESTATUS[0]}
  else
    say "$title..."
    (set -e; "$@") </dev/null >"$log" 2>&1
    status=$?
  fi
  set -e
  ((status)) || return 0
  grep -vE '^\[[0-9]+/[0-9]+\] ' "$log" >&2 || true
  die "$title: exit code $status; the log above is $log"
}

# At most one job a core and, because a compiler may need it, one for each GiB of free memory.
build_jobs() {
  local cores free
  cores=$(nproc)
  free=$(awk '/^MemAvailable/ {print int($2 / 1048576)}' /proc/meminfo)
  ((free < 1)) && free=1
  echo $((cores < free ? cores : free))
}

# compile PRESET TARGET...: configures build/PRESET where needed and builds the targets.
compile() {
  local preset=$1 dir=$minke_root/build/$1
  shift
  cd "$minke_root"
  # A checkout that was moved still carries the old place in its cache, which CMake refuses.
  if ! grep -qsxF "CMAKE_HOME_DIRECTORY:INTERNAL=$minke_root" "$dir/CMakeCache.txt"; then
    rm -rf "$dir/CMakeCache.txt" "$dir/CMakeFiles"
  fi
  [[ -e $dir/build.ninja ]] || cmake --preset "$preset"
  ninja -C "$dir" -j "$(build_jobs)" "$@"
}

# The oldest version of Node that the page can be built with, as web/package.json says: "20.19".
node_wanted() { sed -n 's/^ *"node": ">=\([0-9.]*\)".*/\1/p' "$minke_root/web/package.json"; }

# Whether there is a Node that is new enough. Debian 12's own, 18, is not.
node_is_new() {
  local found wanted
  command -v node >/dev/null || return 1
  found=$(node --version) wanted=$(node_wanted)
  [[ $wanted && $(printf '%s\n' "$wanted" "${found#v}" | sort -V | head -n 1) == "$wanted" ]]
}

# build TITLE PRESET TARGET...: compile as a step, one at a time in a build folder.
build() {
  local title=$1 preset=$2
  shift 2
  mkdir -p "$minke_root/build/$preset"
  exec {minke_lock}>"$minke_root/build/$preset/.lock"
  flock -n "$minke_lock" || { say "Waiting for another build..."; flock "$minke_lock"; }
  step "$title" "build-$preset" compile "$preset" "$@"
  exec {minke_lock}>&-
}
