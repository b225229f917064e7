#!/usr/bin/env python3
"""Boots Debian's 6.1 cloud kernel in qemu, and holds it to the cases that march-kernel-cases made.

    guest_test.py --programs build/release/bin --cases DIRECTORY --kernels DIRECTORY [--seconds N]

guest.sh is what happens there: march-kernel-check loads every case, and every example once more
where constants are hidden; a marchd gets a bundle, one that needs a newer kernel, and one that
needs just this one. The processor is emulated, so nothing but qemu is needed, root neither. The
kernel is downloaded from Debian once and kept in the directory of --kernels. Ends with 77 where
there is no qemu or no kernel to be had.
"""

import argparse
import collections
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77
PACKAGE = "linux-image-cloud-amd64"
RELEASE = "6.1."
QEMU = "qemu-system-x86_64"
MEGABYTES = 1536
TOOLS = ("sh", "mount", "sleep", "cat")
OURS = ("march-kernel-check", "marchd", "marchctl")
CONFIGURATION = """apiVersion: march/v1
kind: Runtime
interfaces: [{ name: lo, xdp: generic }]
trusted_keys: [/gateway/key.pub]
control: { socket: /run/march.sock }
state: /run/march
"""
# What the kernel says when something is wrong with it.
DISTRESS = re.compile(r"^\[ *\d+\.\d+\].*(panic|BUG|WARNING|Oops|Call Trace)")


class Skip(Exception):
    """Why the test cannot run here."""


def run(*command, **options):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          **options)


# --- the kernel -----------------------------------------------------------------------------------

def download(directory):
    """The package of the kernel, downloaded into a directory; None if apt does not have it."""
    listed = run("apt-cache", "depends", PACKAGE).stdout.decode()
    names = re.findall(rf"Depends: (linux-image-{re.escape(RELEASE)}\S+)", listed)
    if not names or run("apt-get", "-q", "download", names[0], cwd=directory).returncode != 0:
        return None
    return next(pathlib.Path(directory).glob("*.deb"), None)


def find_kernel(directory):
    """Debian's kernel in `directory`, where it is put if it is not there."""
    kept = sorted(directory.glob(f"vmlinuz-{RELEASE}*"))
    if kept:
        return kept[-1]
    if not all(shutil.which(tool) for tool in ("apt-get", "apt-cache", "dpkg-deb")):
        raise Skip("there is no apt-get to download a kernel with")
    with tempfile.TemporaryDirectory() as scratch:
        package = download(scratch)
        if package is None:
            # The list of packages may be missing, or older than the archive.
            run("apt-get", "-q", "update")
            package = download(scratch)
        if package is None:
            raise Skip(f"apt-get cannot download Debian's Linux {RELEASE}x ({PACKAGE})")
        if run("dpkg-deb", "--extract", str(package), scratch).returncode != 0:
            raise Skip(f"{package.name} cannot be unpacked")
        kernel = next(pathlib.Path(scratch, "boot").glob("vmlinuz-*"))
        directory.mkdir(parents=True, exist_ok=True)
        # Renamed when it is whole.
        part = directory / f"part-{kernel.name}"
        shutil.copyfile(kernel, part)
        return part.rename(directory / kernel.name)


# --- what the guest has for files -----------------------------------------------------------------

class Archive:
    """A file system, as the kernel unpacks it into memory (cpio, "newc")."""

    def __init__(self):
        self.parts = []
        self.known = {""}

    def add(self, path, mode, content=b"", device=(0, 0)):
        self.known.add(path)
        name = path.encode() + b"\0"
        numbers = (len(self.parts) + 1, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % number for number in numbers) + name
        self.parts.append(header + bytes(-len(header) % 4) + content + bytes(-len(content) % 4))

    def directory(self, path):
        if path not in self.known:
            self.directory(path.rpartition("/")[0])
            self.add(path, 0o40755)

    def file(self, path, content, mode=0o100644):
        self.directory(path.rpartition("/")[0])
        self.add(path, mode, content)

    def program(self, source, path):
        """A program without its symbols, and the libraries that it needs."""
        with tempfile.NamedTemporaryFile() as stripped:
            run("strip", "-o", stripped.name, str(source))
            self.file(path, pathlib.Path(stripped.name).read_bytes() or source.read_bytes(), 0o100755)
        for library in re.findall(r"/(\S+) \(0x", run("ldd", str(source)).stdout.decode()):
            if library not in self.known:
                self.file(library, pathlib.Path("/", library).read_bytes(), 0o100755)

    def write(self, path):
        self.add("TRAILER!!!", 0)
        path.write_bytes(b"".join(self.parts))


def pack(programs, cases, path):
    archive = Archive()
    for name in ("dev", "proc", "sys", "run"):
        archive.directory(name)
    archive.add("dev/console", 0o20600, device=(5, 1))
    archive.add("dev/null", 0o20666, device=(1, 3))
    archive.file("init", (HERE / "guest.sh").read_bytes(), 0o100755)
    for tool in TOOLS:
        archive.program(pathlib.Path(shutil.which(tool)), f"bin/{tool}")
    for name in OURS:
        archive.program(programs / name, f"bin/{name}")
    for file in sorted(cases.rglob("*.*")):
        archive.file(file.relative_to(cases).as_posix(), file.read_bytes())
    archive.file("gateway/marchd.yaml", CONFIGURATION.encode())
    archive.write(path)


# --- the guest ------------------------------------------------------------------------------------

Step = collections.namedtuple("Step", "lines code")


def boot(kernel, files, seconds):
    """What the guest printed until it powered off, panicked or had to be killed."""
    command = [QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
               "-no-reboot", "-machine", "pc", "-accel", "tcg", "-cpu", "qemu64", "-smp", "2",
               "-m", str(MEGABYTES), "-kernel", str(kernel), "-initrd", str(files),
               "-append", "console=ttyS0 quiet panic=-1"]
    lines = []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as guest:
        timer = threading.Timer(seconds, guest.kill)
        timer.start()
        try:
            for line in guest.stdout:
                lines.append(line.rstrip())
                print(lines[-1], flush=True)
        finally:
            timer.cancel()
            guest.kill()
    return lines


def steps_of(lines):
    """What each step that came to its end said, by its name."""
    steps, name, said = {}, None, []
    for line in lines:
        words = line.split(" ")
        if name is None and words[0] == "begin":
            name, said = words[1], []
        elif words[0] == "end" and words[1:2] == [name]:
            steps[name] = Step(said, int(words[2]))
            name = None
        else:
            said.append(line)
    return steps


# --- what must have come of it --------------------------------------------------------------------

class Judge:
    """Collects what is wrong."""

    def __init__(self, lines):
        self.steps = steps_of(lines)
        self.faults = [line for line in lines if DISTRESS.match(line)]

    def require(self, holds, fault):
        if not holds:
            self.faults.append(fault)

    def step(self, name, code=0):
        """What a step said, which must have ended with `code`."""
        step = self.steps.get(name, Step([], "never"))
        self.require(step.code == code, f"{name}: ended with {step.code} instead of {code}")
        return step.lines

    def cases(self, name, frames, words):
        """The step must have one line with each of `words` for each case, of `frames` by name."""
        missing = {(word, case) for word in words for case in frames}
        for line in self.step(name):
            word, case, *figures = line.split(" ")
            if word == "failed":
                self.faults.append(f"{name}: {line}")
            if (word, case) not in missing:
                continue
            missing.remove((word, case))
            verified, native, _, sent = map(int, figures)
            self.require(verified > 0, f"{name}: {case}: no instructions were verified")
            self.require(native > 0, f"{name}: {case}: not compiled to machine code")
            self.require(sent == frames[case], f"{name}: {case}: {sent} frames instead of {frames[case]}")
        self.faults += [f"{name}: nothing said of {case} ({word})" for word, case in sorted(missing)]

    def says(self, name, text, code=0):
        said = " ".join(self.step(name, code))
        self.require(text in said, f"{name}: does not say {text!r}: {said}")


def frames_in(directory):
    """How many frames each case has, by its name."""
    return {file.relative_to(directory).as_posix().removesuffix(".frames"):
            file.read_text().count("\n") for file in directory.rglob("*.frames")}


def judge(lines, frames):
    """What is wrong with what the guest said."""
    judged = Judge(lines)
    judged.says("kernel", RELEASE)
    judged.require(len(frames) > 0 and min(frames.values()) > 0, "there is a case without frames")
    judged.cases("cases", frames, ["ok"])
    examples = {name.removeprefix("examples/"): count for name, count in frames.items()
                if name.startswith("examples/")}
    judged.cases("hardened", examples, ["ok", "hardened"])
    for name in ("setting", "killed", "marchd"):
        judged.step(name)
    judged.says("first", "applied: generation 1, serial 1")
    judged.says("newer", "error[M0706]: the bundle asks for Linux 6.12 (a feature of Linux 6.12), "
                         f"this is {RELEASE}", code=1)
    kept = "".join(judged.step("kept"))
    status = json.loads(kept) if kept.startswith("{") and kept.endswith("}") else {}
    seen = [status.get(key) for key in ("enforcement", "generation", "serial", "highest_serial")]
    judged.require(seen == ["enforcing", 1, 1, 1], f"kept: after the refusal it has {seen}")
    judged.says("large", "applied: generation 2, serial 3")
    return judged.faults


def oversights(lines, frames):
    """What the judge would not have noticed, had the guest said it instead of `lines`."""
    needed = re.compile(r"ok |hardened |end |applied:|error\[")
    found = [f"nobody would miss {line!r}" for at, line in enumerate(lines)
             if needed.match(line) and not judge(lines[:at] + lines[at + 1:], frames)]
    for at, line in enumerate(lines):
        if line.startswith("ok "):
            words = line.split(" ")
            for place in (2, 3, 5):
                changed = " ".join(words[:place] + ["0"] + words[place + 1:])
                if not judge(lines[:at] + [changed] + lines[at + 1:], frames):
                    found.append(f"nobody would mind {changed!r}")
            break
    if not judge(lines + ["[    9.999999] Kernel panic - not syncing"], frames):
        found.append("nobody would mind a panic")
    return found


def main():
    parser = argparse.ArgumentParser()
    for name in ("programs", "cases", "kernels"):
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True)
    parser.add_argument("--seconds", type=float, default=240, help="that the guest may take")
    arguments = parser.parse_args()
    if platform.machine() != "x86_64":
        raise Skip("the programs are not for the guest's processor")
    if shutil.which(QEMU) is None:
        raise Skip(f"there is no {QEMU}")
    kernel = find_kernel(arguments.kernels)
    with tempfile.TemporaryDirectory() as scratch:
        files = pathlib.Path(scratch, "files.cpio")
        pack(arguments.programs, arguments.cases, files)
        lines = boot(kernel, files, arguments.seconds)
    frames = frames_in(arguments.cases / "cases")
    faults = judge(lines, frames) or oversights(lines, frames)
    for fault in faults:
        print(f"FAILED: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Skip as why:
        print(f"SKIPPED: {why}", file=sys.stderr)
        sys.exit(SKIPPED)
