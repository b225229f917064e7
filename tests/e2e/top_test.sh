#!/usr/bin/env bash
# marchctl top on a terminal: it draws what fits, follows a resize, and leaves the terminal as it was,
# whether it is told to quit, ended by a signal, or stopped for a while. Then as text, under live
# frames.
here=$(dirname "$0")
. "$here/gateway.sh"
. "$here/two_policies.sh"

gateway_up
write_policy "$WORK/one.yaml" allow deny 0
start_marchd
"$MARCHCTL" apply "$WORK/one.yaml" --target "unix:$WORK/control.sock" --key "$WORK/key" >/dev/null
start_feed
sleep 0.5

python3 - "$MARCHCTL" "unix:$WORK/control.sock" <<'PYTHON' || fail "top does not behave on a terminal"
import fcntl, os, pty, re, select, signal, struct, sys, termios, time

PROGRAM, TARGET = sys.argv[1:]
# Where each screen begins, and what is not that.
HOME, INSIDE = rb"\x1b\[H", rb"(?s:(?!\x1b\[H).)"
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"


class Terminal:
    def __init__(self, rows, columns):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.execv(PROGRAM, [PROGRAM, "top", "--target", TARGET, "--interval", "0.3"])
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.master)[3]
        self.text = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, until, seconds=60):
        """Until a part of the text matches; what was read is the text."""
        end = time.monotonic() + seconds
        while not re.search(until, self.text):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                sys.exit(f"{until} did not come, but {self.text[-400:]}")
            try:
                self.text += os.read(self.master, 65536)
            except OSError:
                sys.exit(f"it ended before {until} came: {self.text[-400:]}")

    def screen(self):
        """The last one that is whole."""
        return self.text.split(b"\x1b[H")[-2].split(b"\x1b[J")[0].split(b"\r\n")

    def is_echoing(self):
        return bool(termios.tcgetattr(self.master)[3] & termios.ECHO)

    def end(self):
        """Its status, and whether the terminal is as before."""
        text = b""
        try:
            while select.select([self.master], [], [], 15)[0]:
                piece = os.read(self.master, 65536)
                if not piece:
                    break
                text += piece
                if LEAVE in text:
                    break
        except OSError:
            pass
        left = LEAVE in text and ENTER not in text.split(LEAVE)[-1]
        status = os.waitpid(self.pid, 0)[1]
        same = termios.tcgetattr(self.master)[3] == self.before
        os.close(self.master)
        return status, left and same


def check(what, holds):
    if not holds:
        sys.exit(f"not so: {what}")
    print(f"ok: {what}")


top = Terminal(30, 100)
check("the terminal echoes before", top.is_echoing())
top.read(HOME + INSIDE + b"*MAPPING" + INSIDE + b"*" + HOME)
screen = [re.sub(rb"\x1b\[[0-9]*K", b"", line).decode().rstrip("\r") for line in top.screen()]
check("it is on the second screen", top.text.startswith(ENTER) or ENTER in top.text)
check("the terminal does not echo meanwhile", not top.is_echoing())
check("the screen is full and no fuller", 25 <= len(screen) <= 30 and all(len(line) <= 100 for line in screen))
check("there is every section", all(any(line.startswith(name) for line in screen)
                                     for name in ("allow ", "MAPPING", "SERVICE", "DROPPED FOR", "TALKER")))
top.resize(8, 30)
for _ in range(10):
    # What was drawn before may still be on its way.
    top.text = b""
    top.read(HOME + INSIDE + b"+" + HOME + INSIDE + b"+" + HOME)
    screen = [re.sub(rb"\x1b\[[0-9]*K", b"", line).decode().rstrip("\r") for line in top.screen()]
    fits = len(screen) <= 8 and all(len(line) <= 30 for line in screen)
    if fits:
        break
check("after a resize, it fits again", fits)
os.write(top.master, b"x")
os.write(top.master, b"q")
status, restored = top.end()
check("q quits", os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0)
check("and leaves the terminal as it was", restored)

for name, send in (("SIGTERM", lambda t: os.kill(t.pid, signal.SIGTERM)),
                   ("SIGHUP", lambda t: os.kill(t.pid, signal.SIGHUP)),
                   ("control-C", lambda t: os.write(t.master, b"\x03"))):
    top = Terminal(24, 80)
    top.read(rb"MAPPING")
    send(top)
    status, restored = top.end()
    check(f"{name} ends it", os.WIFSIGNALED(status))
    check("and the terminal is as it was", restored)

top = Terminal(24, 80)
top.read(rb"MAPPING")
# The kernel stops no group that nobody could continue, such as that of this session's leader; so
# what would come before a stop and after it comes at once.
top.text = b""
os.write(top.master, b"\x1a")
top.read(re.escape(LEAVE) + rb"(.|\n)*" + re.escape(ENTER) + rb"(.|\n)*MAPPING")
check("control-Z leaves the second screen, and it goes on there afterwards", not top.is_echoing())
os.write(top.master, b"q")
status, restored = top.end()
check("and quits", os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0 and restored)
PYTHON

# As text: the rates are those of the counters.
"$MARCHCTL" top --target "unix:$WORK/control.sock" --interval 2 >"$WORK/top"
stop_feed
expect "sections of the text" "$(grep -c -E '^(MAPPING|SERVICE|DROPPED FOR|TALKER) ' "$WORK/top")" 4
expect "mappings with a rate" "$(grep -c -E '^flow[0-9]+ +(allow|deny) +[0-9.]+k ' "$WORK/top")" 64
grep -q -E '^d[0-9]+ +0 +0 +[0-9.]+k ' "$WORK/top" || fail "no service is spoken to"
expect "reasons of drops" "$(sed -n '/^DROPPED/,/^$/p' "$WORK/top" | awk 'NR > 1 && NF { print $1 }')" mapping
