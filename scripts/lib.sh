# shellcheck shell=bash
# What the scripts share: talking, checking the host, packages, building, and network namespaces
# (namespaces.sh).
# To be sourced by a script that has set -euo pipefail; everything here returns or dies.

MARCH_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
readonly MARCH_ROOT

. "$MARCH_ROOT/scripts/namespaces.sh"

# --- talking --------------------------------------------------------------------------------------

# shellcheck disable=SC2034  # used by the scripts that source this
BOLD='' RED='' GREEN='' YELLOW='' PLAIN=''
# shellcheck disable=SC2034
if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then
  BOLD=$'\e[1m' RED=$'\e[31m' GREEN=$'\e[32m' YELLOW=$'\e[33m' PLAIN=$'\e[0m'
fi

say() { printf '%s\n' "$*"; }
heading() { printf '\n%s%s%s\n' "$BOLD" "$*" "$PLAIN"; }
warn() { printf '%swarning:%s %s\n' "$YELLOW" "$PLAIN" "$*" >&2; }

# die MESSAGE [REMEDY]
die() {
  printf '%serror:%s %s\n' "$RED" "$PLAIN" "$1" >&2
  if (($# > 1)); then printf '  %s\n' "$2" >&2; fi
  exit 1
}

# Prints a command as a reader would type it, the directory $D by that name, then runs it.
run() {
  local word line="\$ ${1##*/}" odd='[^A-Za-z0-9_./:=@%+$-]'
  for word in "${@:2}"; do
    word="${word//"${D:-/dev/null}"/\$D}"
    if [[ "$word" =~ $odd ]]; then word="'$word'"; fi
    line+=" $word"
  done
  printf '%s%s%s\n' "$BOLD" "$line" "$PLAIN"
  "$@"
}

# wait_for SECONDS COMMAND...: until the command succeeds, 20 times a second; fails when it never does.
wait_for() {
  local tries=$(($1 * 20))
  shift
  until "$@" >/dev/null 2>&1; do
    ((tries-- > 0)) || return 1
    sleep 0.05
  done
}

# --- the host -------------------------------------------------------------------------------------

require_root() {
  ((EUID == 0)) && return
  die "$1 needs root: $2" "run it as root, for example: sudo $0   (or: su -c $0)"
}

require_debian() {
  local ID='' VERSION_CODENAME='' PRETTY_NAME='an unknown system'
  # shellcheck source=/dev/null
  [[ -r /etc/os-release ]] && . /etc/os-release
  [[ "$ID" == debian && "$VERSION_CODENAME" == bookworm ]] && return
  if [[ "${MARCH_ANY_DISTRO:-}" == 1 ]]; then
    warn "this is $PRETTY_NAME; MarchProxy is tested on Debian 12 (bookworm) only"
    return
  fi
  die "this is $PRETTY_NAME; MarchProxy is tested on Debian 12 (bookworm)" \
    "to try it here all the same, set MARCH_ANY_DISTRO=1"
}

require_bpf() {
  local release major minor
  release="$(uname -r)"
  IFS=.- read -r major minor _ <<<"$release"
  ((major > 5 || (major == 5 && minor >= 15))) ||
    die "the kernel is $release; marchd needs 5.15 or newer" "boot a newer kernel"
  [[ -r /sys/kernel/btf/vmlinux ]] ||
    die "this kernel was built without BPF or its type information" \
      "boot a kernel with CONFIG_BPF_SYSCALL and CONFIG_DEBUG_INFO_BTF, such as Debian's own"
  [[ "$(stat -f -c %T /sys/fs/bpf 2>/dev/null)" == bpf_fs ]] && return
  say "mounting a BPF file system at /sys/fs/bpf (it stays mounted)"
  mount -t bpf bpf /sys/fs/bpf ||
    die "cannot mount a BPF file system at /sys/fs/bpf" \
      "in a container, start it privileged; elsewhere, look at dmesg"
}

require_namespaces() {
  [[ -d /proc/sys/net/ipv6 ]] ||
    die "this kernel runs without IPv6" "boot it without ipv6.disable=1"
  local probe="march-probe-$$"
  if ip netns add "$probe" 2>/dev/null; then
    ip netns delete "$probe"
  else
    die "cannot make network namespaces" \
      "in a container, start it privileged; elsewhere, the kernel needs CONFIG_NET_NS"
  fi
}

# --- packages -------------------------------------------------------------------------------------

# shellcheck disable=SC2034
# The one list of Debian packages, in groups. PACKAGE/COMMAND: any package with that command will do.
readonly -a PACKAGES_BUILD=(
  cmake ninja-build g++ mold ccache pkg-config
  llvm-19-dev libclang-19-dev libpolly-19-dev libzstd-dev zlib1g-dev
  libcli11-dev libyaml-cpp-dev libyaml-dev libbpf-dev libelf-dev libboost1.81-dev
  libcurl4-openssl-dev libgit2-dev libssl-dev nlohmann-json3-dev catch2 python3
)
# shellcheck disable=SC2034
readonly -a PACKAGES_DEMO=(
  iproute2 ethtool iputils-ping/ping curl nginx-light/nginx python3
)
# shellcheck disable=SC2034
readonly -a PACKAGES_TEST=(
  clang-format-19 clang-tidy-19 clang-19 libclang-rt-19-dev openssl git
  iproute2 ethtool iputils-ping/ping curl nginx-light/nginx socat
  qemu-system-x86/qemu-system-x86_64 binutils
)

is_installed() {
  local package="${1%/*}"
  if [[ "$1" == */* ]] && command -v "${1#*/}" >/dev/null; then return 0; fi
  [[ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" == installed ]]
}

# install_packages PACKAGE...: those that are missing, from Debian. Nothing missing, nothing asked.
install_packages() {
  local entry
  local -a missing=()
  for entry in "$@"; do
    if ! is_installed "$entry"; then missing+=("${entry%/*}"); fi
  done
  ((${#missing[@]} > 0)) || return 0
  command -v apt-get >/dev/null || die "there is no apt-get to install: ${missing[*]}"
  ((EUID == 0)) || die "packages are missing: ${missing[*]}" \
    "install them as root: apt-get install --no-install-recommends ${missing[*]}"
  say "installing ${#missing[@]} Debian packages: ${missing[*]}"
  # A new nginx would start to serve this host at once; the policy keeps services still meanwhile.
  local policy=/usr/sbin/policy-rc.d made_policy=''
  if [[ ! -e "$policy" ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 0755 "$policy" && made_policy=yes
  fi
  local log status=0
  log="$(mktemp)"
  export DEBIAN_FRONTEND=noninteractive
  { apt-get -q update && apt-get -q -y install --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1 || status=$?
  if [[ -n "$made_policy" ]]; then rm -f "$policy"; fi
  if ((status != 0)); then tail -n 20 "$log" >&2; fi
  rm -f "$log"
  ((status == 0)) || die "apt-get could not install them" "check the network and /etc/apt/sources.list"
}

# --- building -------------------------------------------------------------------------------------

# build PRESET [TARGET...]: configures build/PRESET if need be and builds; fails if the build does.
build() {
  local preset="$1" directory="$MARCH_ROOT/build/$1"
  shift
  local -a quiet=()
  [[ -t 1 ]] || quiet=(--quiet)
  if [[ ! -f "$directory/build.ninja" ]]; then
    say "building build/$preset; the first time takes 3 to 10 minutes on two cores"
    (cd "$MARCH_ROOT" && cmake --preset "$preset" --log-level=WARNING >/dev/null) || return 1
  else
    say "building what changed in build/$preset"
  fi
  ninja -C "$directory" "${quiet[@]}" "$@"
}

# --- processes ------------------------------------------------------------------------------------

# stop PID...: politely, and after three seconds no longer.
stop() {
  local pid tries
  for pid in "$@"; do kill -TERM "$pid" 2>/dev/null || true; done
  for pid in "$@"; do
    tries=60
    while kill -0 "$pid" 2>/dev/null && ((tries-- > 0)); do sleep 0.05; done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
}
