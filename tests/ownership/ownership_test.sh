#!/usr/bin/env bash
# Changes of a policy in a real git repository, checked as CI does; and policies read out of git.
set -euo pipefail
marchctl=$MARCH_BIN/marchctl
command -v git >/dev/null || { echo "SKIPPED: no git" >&2; exit 77; }
directory=$(mktemp -d)
outside=$(mktemp -d)
trap 'rm -rf "$directory" "$outside"' EXIT
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null HOME=$directory
export GIT_AUTHOR_NAME=test GIT_AUTHOR_EMAIL=test@example.com
export GIT_COMMITTER_NAME=test GIT_COMMITTER_EMAIL=test@example.com

# expect CODE TEXT COMMAND...: ends with the code, and its output has the text.
expect() {
  local code=0 output
  output=$("${@:3}" 2>&1) || code=$?
  if ((code != $1)) || [[ $output != *"$2"* ]]; then
    printf 'FAILED: %s\nended with %s, not %s, or without "%s":\n%s\n' "${*:3}" "$code" "$1" "$2" "${output:0:3000}"
    exit 1
  fi
}

# change FILE OLD NEW, and check it as WHO; then undo it. The rest is for expect.
change() {
  local file=$1 old=$2 new=$3 who=$4
  grep -qF "$old" "$file" || { echo "FAILED: no $old in $file"; exit 1; }
  python3 - "$file" "$old" "$new" <<'PYTHON'
import sys
path, old, new = sys.argv[1:]
text = open(path, encoding="utf-8").read()
open(path, "w", encoding="utf-8").write(text.replace(old, new, 1))
PYTHON
  expect "$5" "$6" "$marchctl" validate policy --changed-by "$who" --base git:main
  git checkout -q -- policy
}

cp -r examples/multi-cluster "$directory/policy"
cp examples/multi-cluster/*.yaml "$outside"
cd "$directory"
git init -q -b main .
git add policy
git commit -q -m "the policy"

echo "the same policy is nobody's change"
expect 0 "every change since git:main is for eve@example.com to make" \
  "$marchctl" validate policy --changed-by eve@example.com --base git:main

echo "a cluster says what may reach it"
change policy/backbone.yaml "  scrape:" "  rome-feeds-berlin: { to: [berlin-queue] }
  scrape:" berlin@example.com 0 "every change since git:main is for berlin@example.com to make"
change policy/backbone.yaml "  scrape:" "  rome-feeds-berlin: { to: [berlin-queue] }
  scrape:" paris@example.com 5 "error[M0903]: the mapping \"rome-feeds-berlin\" is added by paris@example.com"
change policy/backbone.yaml "  scrape:" "  rome-feeds-paris: { to: [berlin-queue] }
  scrape:" paris@example.com 5 "changes from deny by default to allow by \"rome-feeds-paris\", which is not for paris@example.com to say"

echo "a service that moves takes verdicts with it"
change policy/berlin.yaml 10.100.0.0/20 10.101.0.0/20 berlin@example.com 5 "error[M0904]: the verdict on "

echo "only administrators change the owners, or who changes them"
change policy/ownership.yaml "[berlin@example.com]" "[berlin@example.com, eve@example.com]" berlin@example.com 5 \
  "policy/ownership.yaml:7:3: error[M0903]: the owner \"team-berlin\" is changed by berlin@example.com"
change policy/ownership.yaml "[berlin@example.com]" "[berlin@example.com, eve@example.com]" eve@example.com 5 "error[M0902]: "
change policy/ownership.yaml "[berlin@example.com]" "[berlin@example.com, eve@example.com]" Platform@Example.COM 0 "valid"

echo "as data, too"
expect 64 "requires --base" "$marchctl" validate policy --changed-by eve@example.com
expect 64 "requires --changed-by or --signed-by" "$marchctl" validate policy --base git:main
expect 64 "must not be empty" "$marchctl" validate policy --changed-by eve@example.com --base ""
expect 64 "must not be empty" "$marchctl" validate policy --changed-by "" --base git:main
expect 64 "excludes" "$marchctl" validate policy --changed-by a@b --signed-by SHA256:x --base git:main
rm policy/paris.yaml policy/backbone.yaml
expect 5 '"ruleId": "M0903"' "$marchctl" validate policy --changed-by berlin@example.com --base git:main -o sarif
git checkout -q -- policy

echo "policies out of git"
sed -i 's/ports: \[5671\]/ports: [5672]/' policy/backbone.yaml
git commit -q -a -m "another port"
expect 0 "verdict  allow" "$marchctl" explain git:main~1:policy "tcp 10.100.0.1:1 > 10.101.16.1:5671"
expect 0 "verdict  deny" "$marchctl" explain git:main:policy "tcp 10.100.0.1:1 > 10.101.16.1:5671"
expect 0 "git:HEAD: valid" "$marchctl" validate git:HEAD
expect 0 "valid" "$marchctl" validate git:HEAD:policy/berlin.yaml
cmp <("$marchctl" compile git:HEAD:policy --until bundle --dump) <("$marchctl" compile policy --until bundle --dump)
(
  cd policy
  expect 0 "valid, 9 services" "$marchctl" validate git:HEAD
  expect 0 "valid, 9 services" "$marchctl" validate git:HEAD:./
  expect 0 "valid, 9 services" "$marchctl" validate git:HEAD:../policy
  expect 0 "valid, 9 services" "$marchctl" validate git:HEAD:policy
)
expect 1 "there is no git revision nowhere here" "$marchctl" validate git:nowhere
expect 1 "there is no policy at git:HEAD:nowhere" "$marchctl" validate git:HEAD:nowhere
expect 1 "there is no policy at git:HEAD:../x" "$marchctl" validate git:HEAD:../x
expect 1 "lies outside of the git repository" "$marchctl" validate "$outside" --changed-by a@b --base git:HEAD
expect 1 "there is no policy at git:HEAD:/etc/passwd" "$marchctl" validate git:HEAD:/etc/passwd
(cd / && expect 1 "is not inside a git repository" "$marchctl" validate git:HEAD)

echo "links are followed, inside the repository"
mkdir shared && git mv policy/berlin.yaml shared/
ln -s ../shared/berlin.yaml policy/berlin.yaml
ln -s policy linked
git add . && git commit -q -m "links"
expect 0 "valid, 9 services" "$marchctl" validate git:HEAD:policy
expect 0 "valid, 9 services" "$marchctl" validate git:HEAD:linked
ln -s ../../etc/passwd policy/outside.yaml
ln -s loop.yaml policy/loop.yaml
git add . && git commit -q -m "links that lead nowhere"
expect 1 "git:HEAD:policy/outside.yaml leads nowhere" "$marchctl" validate git:HEAD:policy
expect 1 "policy/loop.yaml" "$marchctl" validate policy
expect 1 "there is no policy at git:HEAD:policy/outside.yaml" "$marchctl" validate git:HEAD:policy/outside.yaml
expect 1 "there is no policy at git:HEAD:policy/loop.yaml" "$marchctl" validate git:HEAD:policy/loop.yaml
git reset -q --hard HEAD~1

echo "a link does not choose what it is compared with"
mkdir -p other
sed 's/berlin@example.com/eve@example.com/' policy/ownership.yaml >other/ownership.yaml
printf 'apiVersion: march/v1\nkind: Policy\nmappings: { all: {} }\n' >other/all.yaml
git add other && git commit -q -m "another policy, of somebody else's"
rm -r policy && ln -s other policy
expect 5 "error[M0902]: " "$marchctl" validate policy --changed-by eve@example.com --base git:main
git checkout -q -- policy 2>/dev/null || { rm policy; git checkout -q -- policy; }

echo "directories that only look like repositories are none"
git clone -q --bare . elsewhere
cp -r elsewhere/{HEAD,config,objects,refs,packed-refs} policy/
printf '[core]\n\tbare = false\n\tworktree = ./\n' >policy/config
(cd policy && expect 1 "is bare, or only looks like one" \
  "$marchctl" validate . --changed-by eve@example.com --base git:main)
rm -r elsewhere policy/{HEAD,config,objects,refs,packed-refs}

echo "a revision that could mean two things means none"
git tag main
expect 1 "could mean several things" "$marchctl" validate git:main
expect 0 "valid" "$marchctl" validate git:refs/heads/main:policy
git tag -d main >/dev/null
abbreviated=$(git rev-parse --short=12 HEAD)
git tag "$abbreviated" HEAD~1
expect 1 "could mean several things" "$marchctl" validate "git:$abbreviated"
expect 0 "valid" "$marchctl" validate "git:$(git rev-parse HEAD):policy"

echo "what never ends is not begun"
mkdir endless && cp policy/*.yaml endless/
ln -s . endless/a && ln -s . endless/b
expect 1 "look for a symbolic link that leads back" timeout 20 "$marchctl" validate endless
rm endless/a endless/b && mkfifo endless/z.yaml
expect 1 "endless/z.yaml is a pipe, a socket or a device" timeout 20 "$marchctl" validate endless
echo "ok"
