#!/bin/sh
# The first process in the guest of guest_test.py, which reads what it prints: a line "begin STEP"
# and a line "end STEP CODE" around what each step says.
export PATH=/bin NO_COLOR=1
setting=/proc/sys/net/core/bpf_jit_harden
target=unix:/run/march.sock

step() {
  name=$1
  shift
  echo "begin $name"
  "$@" 2>&1
  echo "end $name $?"
}

# wait_until COMMAND...: 10 seconds at most.
wait_until() {
  tries=100
  until "$@"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || return 1
    sleep 0.1
  done
}

setting_is() { [ "$(cat $setting)" = "$1" ]; }

# Who has set it is killed, and yet it must not stay.
kill_hardened() {
  march-kernel-check --hardened /cases/examples >/dev/null &
  wait_until setting_is 2 || return 1
  kill -9 $!
  wait_until setting_is 0
}

start_marchd() {
  marchd --config /gateway/marchd.yaml >/dev/null 2>&1 &
  wait_until [ -S /run/march.sock ]
}

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t bpf bpf /sys/fs/bpf
step kernel cat /proc/sys/kernel/osrelease
step cases march-kernel-check /cases
step hardened march-kernel-check --hardened /cases/examples
step setting setting_is 0
step killed kill_hardened
step marchd start_marchd
step first marchctl apply /gateway/first.march --target $target
step newer marchctl apply /gateway/newer.march --target $target
step kept marchctl status --target $target -o json
step large marchctl apply /gateway/large.march --target $target

# Powers off; if this process just ended, the kernel would panic.
echo o >/proc/sysrq-trigger
sleep 60
