#!/usr/bin/env python3
"""Seeds the faults of faults.py, one at a time, and asks what the proof of `marchctl compile --prove`
makes of them.

    tests/faults/run.py [--build build/release] [--check | --only NAME... | --sample N [--seed S]]
                        [--policies NAME...] [--jobs N] [--json FILE [--resume] [--seconds N]]

Nothing is changed in the tree: what a fault is in is compiled from a copy against the libraries of
the build, and linked into march-prove-all (prove_all.cc), which proves the policies of policies.cc.
Without a fault all of them must be proved. A fault is *caught* by what first finds it:

    order, treatments, format, classes,
    cells, kernel                           the proof, see prove_all.cc
    refused                                 the compiler or the loader, which make an error of it
    crash, time-out                         no bundle, for the same reason

The last two kinds count only if every policy that does not end so is proved: then there is no
bundle that does not do what its policy says. `survived` has, for whoever wants to know why, in how
many policies the tables or the program came out otherwise.

--check only looks at the list. A run of them all takes a while: with --seconds, no fault is begun
after that time, and with --resume, those that the FILE has of the same compiler are not run again.
Ends with 1 if the list is wrong or a fault survived that should not,
with 77 where the proof cannot run.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import pathlib
import random
import select
import shlex
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from faults import FAULTS, OUTSIDE, PROGRAM  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
RUNNER = "march-prove-all"
SKIPPED = 77
SECONDS = 20  # that one policy may take
SECONDS_LATER = 4  # and those behind one that took longer
PROOF = ("order", "treatments", "format", "classes", "cells", "kernel")

# Who uses what is in a header; beside them the program, which has it as text.
USERS = {
    "compiler/classify/lines.h": [f"compiler/classify/{name}.cc"
                                  for name in ("find4", "find6", "leaves", "tables")],
    "compiler/classify/sweep.h": ["compiler/classify/leaves.cc", "compiler/classify/views.cc"],
    "bundle/abi/verdict.h":
        ["compiler/classify/leaves.cc", "compiler/classify/tables.cc", "compiler/emit/bpf_source.cc",
         "compiler/prove/cells.cc", "compiler/prove/leaf_reader.cc", "compiler/prove/plain_policy.cc",
         "compiler/classify/treatments.cc", "compiler/prove/prove.cc", "compiler/prove/treatments.cc",
         "compiler/prove/witness.cc"],
    "bpf-templates/common/walk.h": [],
    "bpf-templates/common/bits.h": [],
    "bpf-templates/common/leaf.h": [],
    "bpf-templates/common/packet.h": [],
    "bpf-templates/xdp/program.h": [],
    "bundle/abi/pair_hash.h": [],
    "bundle/abi/counters.h": [],
}
WRITING = threading.Lock()
EMBEDDED = "generated/bpf-templates/embedded.cc"

Fault = collections.namedtuple("Fault", "name file program_only find replace breaks outside")


def all_faults():
    faults = []
    for outside, files in ((False, FAULTS), (True, OUTSIDE)):
        for key, entries in files.items():
            file = key.removeprefix(PROGRAM)
            for name, find, replace, breaks in entries:
                faults.append(Fault(name, file, key != file, find, replace, breaks, outside))
    return faults


def change_of(fault):
    return hashlib.sha256(f"{fault.find}\0{fault.replace}".encode()).hexdigest()[:16]


def mistakes_of(faults):
    mistakes = []
    for name, count in collections.Counter(fault.name for fault in faults).items():
        if count > 1:
            mistakes.append(f"{name}: {count} faults have this name")
    for fault in faults:
        path = ROOT / fault.file
        count = path.read_text(encoding="utf-8").count(fault.find) if path.is_file() else 0
        if count != 1:
            mistakes.append(f"{fault.name}: its text occurs {count} times in {fault.file}, not once")
        if fault.find == fault.replace:
            mistakes.append(f"{fault.name}: changes nothing")
        if fault.file.endswith(".h") and fault.file not in USERS:
            mistakes.append(f"{fault.name}: run.py does not know who uses {fault.file}")
    if len(faults) < 110:
        mistakes.append(f"only {len(faults)} faults")
    return mistakes


class Build:
    """How the build compiles its sources, and links the runner."""

    def __init__(self, directory):
        self.directory = directory
        text = (directory / "compile_commands.json").read_text(encoding="utf-8")
        self.commands = {entry["file"]: shlex.split(entry["command"]) for entry in json.loads(text)}
        listed = subprocess.run(["ninja", "-C", str(directory), "-t", "commands", f"bin/{RUNNER}"],
                                capture_output=True, text=True, check=True).stdout.splitlines()
        link = listed[-1].removeprefix(": && ").removesuffix(" && :")
        self.link = shlex.split(link)

    def compile(self, source, text, overlay, output):
        """`text` in the place of `source`, with the headers in `overlay` before those of the tree."""
        path = overlay / pathlib.Path(source).name
        if source != EMBEDDED:
            path = overlay / source
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        original = str((self.directory if source == EMBEDDED else ROOT) / source)
        words = self.commands[original]
        while "ccache" in words[0]:
            words = words[1:]
        words = [word for word in words if word not in ("-O2", "-Werror", "-D_FORTIFY_SOURCE=2")]
        words[words.index("-o") + 1] = str(output)
        words = [str(path) if word == original else word for word in words]
        words[1:1] = [f"-I{overlay}", "-O1", "-w"]
        return run(words, self.directory)

    def link_runner(self, objects, output):
        words = list(self.link)
        words[words.index("-o") + 1] = str(output)
        # Before the libraries, so that their versions of these are never asked for.
        words[words.index("-o"):words.index("-o")] = [str(path) for path in objects] + ["-s"]
        return run(words, self.directory)


def run(words, directory):
    """What went wrong, or ""."""
    result = subprocess.run(words, cwd=directory, capture_output=True, text=True)
    return "" if result.returncode == 0 else (result.stderr + result.stdout)[-2000:] or "failed"


def phases_for(fault):
    """Tables first, which is quick; but not where they cannot come out otherwise."""
    same_tables = fault.program_only or fault.file.startswith(("bpf-templates/", "compiler/emit/"))
    return ("--kernel",) if same_tables else ("--tables", "--kernel")


def prove(runner, arguments, phases=("--tables", "--kernel"), known=None):
    """(outcome, policy, tables, program, why) of each policy, until the proof finds something.

    Where the program is made of nothing but the tables, and they came out as `known`, it does too.
    """
    results = []
    for phase in phases:
        names = list(arguments)
        if phase == "--kernel" and known is not None:
            same = {name for _, name, tables, _, _ in results if tables == known[name][0]}
            names = [name for name in names if name not in same]
        if not names:
            break
        while True:
            late = any(outcome == "time-out" for outcome, *_ in results)
            done, ended = prove_some(runner, [phase, *names], SECONDS_LATER if late else SECONDS)
            results += done
            if not ended:
                break
            # It died in one policy: on with those behind it.
            names = names[names.index(done[-1][1]) + 1:] if done else []
            if not names:
                break
        if results and results[-1][0] in PROOF:
            break
    return results


def prove_some(runner, arguments, seconds):
    """Results, and whether the last is one of a runner that died of it."""
    process = subprocess.Popen([str(runner), *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=False)
    results, begun, rest = [], None, b""
    try:
        while True:
            ready, _, _ = select.select([process.stdout], [], [], seconds)
            if not ready:
                results.append(("time-out", begun, "-", "-", f"longer than {seconds} s"))
                return results, True
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                words = line.decode("utf-8", "replace").split(" ", 5)
                if words[0] == "begin":
                    begun = words[1]
                else:
                    outcome, name, tables, program, _, why = words
                    results.append((outcome, name, tables, program, why))
                    begun = None
        status = process.wait()
        if begun is not None:
            results.append(("crash", begun, "-", "-", f"ended with {status}"))
            return results, True
        return results, False
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def build_with(build, fault, directory):
    """The runner with the fault; (path, complaint)."""
    overlay = directory / "overlay"
    original = (ROOT / fault.file).read_text(encoding="utf-8")
    mutated = original.replace(fault.find, fault.replace)
    texts = {}
    if fault.file.endswith(".h"):
        if not fault.program_only:
            (overlay / fault.file).parent.mkdir(parents=True, exist_ok=True)
            (overlay / fault.file).write_text(mutated, encoding="utf-8")
            for source in USERS[fault.file]:
                texts[source] = (ROOT / source).read_text(encoding="utf-8")
        embedded = (build.directory / EMBEDDED).read_text(encoding="utf-8")
        if original in embedded:
            texts[EMBEDDED] = embedded.replace(original, mutated)
        elif not texts:
            return None, "the build is older than the tree: build it"
    else:
        texts[fault.file] = mutated
    objects = []
    for number, (source, text) in enumerate(texts.items()):
        objects.append(directory / f"{number}.o")
        complaint = build.compile(source, text, overlay, objects[-1])
        if complaint:
            return None, complaint
    runner = directory / RUNNER
    complaint = build.link_runner(objects, runner)
    return (None, complaint) if complaint else (runner, "")


def judge(results):
    """What caught it, where, and why."""
    for outcome, name, _, _, why in results:
        if outcome in PROOF:
            return outcome, name, why
    for outcome in ("crash", "time-out", "refused"):
        for found, name, _, _, why in results:
            if found == outcome:
                return outcome, name, why
    return "survived", "", ""


def try_fault(build, fault, names, baseline):
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="march-fault-") as directory:
        runner, complaint = build_with(build, fault, pathlib.Path(directory))
        if runner is None:
            outcome, where, why, differ = "does not compile", "", complaint, 0
        else:
            known = baseline if fault.file.startswith("compiler/") else None
            results = prove(runner, names, phases_for(fault), known)
            outcome, where, why = judge(results)
            differ = len({name for _, name, tables, program, _ in results
                          if (tables != "-" and tables != baseline[name][0]) or
                          (program != "-" and program != baseline[name][1])})
    return {"fault": fault.name, "change": change_of(fault), "file": fault.file, "breaks": fault.breaks,
            "outside": fault.outside, "outcome": outcome, "policy": where, "why": why,
            "policies_changed": differ, "seconds": round(time.monotonic() - start, 1)}


def choose(faults, options):
    if options.only:
        missing = set(options.only) - {fault.name for fault in faults}
        if missing:
            sys.exit(f"run.py: there is no fault {', '.join(sorted(missing))}")
        return [fault for fault in faults if fault.name in options.only]
    if options.sample:
        inside = [fault for fault in faults if not fault.outside]
        return random.Random(options.seed).sample(inside, min(options.sample, len(inside)))
    return faults


def summary(results):
    """The table by file and outcome, and whether all is as it should be."""
    inside = [r for r in results if not r["outside"]]
    kinds = [*PROOF, "refused", "crash", "time-out", "survived", "does not compile"]
    kinds = [kind for kind in kinds if any(r["outcome"] == kind for r in results)]
    lines = ["| file | faults | " + " | ".join(kinds) + " |", "|---|" + "---|" * (len(kinds) + 1)]
    files = list(dict.fromkeys(r["file"] for r in inside))
    for file in [*files, "all"]:
        of_file = [r for r in inside if file in (r["file"], "all")]
        counts = [sum(r["outcome"] == kind for r in of_file) for kind in kinds]
        lines.append(f"| {file} | {len(of_file)} | " + " | ".join(str(c or "") for c in counts) + " |")
    survived = [r["fault"] for r in inside if r["outcome"] in ("survived", "does not compile")]
    unexpected = [r["fault"] for r in results if r["outside"] and r["outcome"] != "survived"]
    lines.append("")
    lines.append(f"{len(inside) - len(survived)} of {len(inside)} caught")
    if survived:
        lines.append("not caught: " + ", ".join(survived))
    if unexpected:
        lines.append("caught although outside of the proof: " + ", ".join(unexpected))
    return "\n".join(lines), not survived and not unexpected


def report_of(options, runner, names):
    """The report so far, of the same runner, or an empty one."""
    digest = hashlib.sha256(runner.read_bytes()).hexdigest()
    if options.resume and options.json.is_file():
        report = json.loads(options.json.read_text(encoding="utf-8"))
        if report["runner"] == digest and report["policies"] in (names, len(names)):
            return report
    return {"format_version": 1, "runner": digest, "policies": names, "baseline": None,
            "faults": {}}


def write_report(options, report):
    if not options.json:
        return
    with WRITING:
        half = options.json.with_name(options.json.name + ".new")
        half.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
        half.replace(options.json)


def prove_unharmed(runner, names, report):
    """Whether everything is proved without a fault; how it came out goes into the report."""
    unharmed = prove(runner, names)
    wrong = [r for r in unharmed if r[0] != "proved"]
    for outcome, name, _, _, why in wrong:
        print(f"without a fault: {outcome} {name} {why}")
    if wrong or len(unharmed) != 2 * len(names):
        print("without a fault, not everything is proved: nothing can be said of the faults")
        return False
    report["baseline"] = {name: (tables, program) for _, name, tables, program, _ in unharmed}
    return True


def main():
    parser = argparse.ArgumentParser(description="Whether the proof finds faults of the compiler.")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--check", action="store_true", help="only look at the list of faults")
    parser.add_argument("--only", nargs="+", metavar="NAME")
    parser.add_argument("--policies", nargs="+", metavar="NAME", help="prove no others")
    parser.add_argument("--sample", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seconds", type=float)
    options = parser.parse_args()
    if options.resume and not options.json:
        parser.error("--resume needs --json")

    faults = all_faults()
    mistakes = mistakes_of(faults)
    for mistake in mistakes:
        print(mistake)
    if options.check or mistakes:
        print(f"{len(faults)} faults, {len(mistakes)} mistakes in the list")
        return 1 if mistakes else 0
    if os.geteuid() != 0:
        print("SKIPPED: the kernel's part of the proof needs root", file=sys.stderr)
        return SKIPPED

    build = Build(options.build.resolve())
    runner = build.directory / "bin" / RUNNER
    if not runner.is_file():
        sys.exit(f"run.py: there is no {runner}; build it: cmake --build --preset release --target {RUNNER}")
    names = subprocess.run([str(runner), "--list"], capture_output=True, text=True,
                           check=True).stdout.split()
    if options.policies:
        names = [name for name in names if name in options.policies]
    chosen = choose(faults, options)
    known = report_of(options, runner, names)
    if known["baseline"] is None and not prove_unharmed(runner, names, known):
        return 1
    left = [f for f in chosen if known["faults"].get(f.name, {}).get("change") != change_of(f)]
    for fault in left:
        known["faults"].pop(fault.name, None)
    end = time.monotonic() + (options.seconds or float("inf"))

    def attempt(fault):
        if time.monotonic() > end:
            return
        result = try_fault(build, fault, names, known["baseline"])
        known["faults"][fault.name] = result
        write_report(options, known)
        changed = result["policies_changed"]
        print(f"{result['outcome']:10} {fault.name:32} {result['seconds']:5} s  "
              f"{result['policy'] or f'{changed} policies came out otherwise'}: "
              f"{result['why'][:150]}", flush=True)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(attempt, left))
    results = [known["faults"][f.name] for f in chosen if f.name in known["faults"]]
    if len(results) < len(chosen):
        print(f"{len(chosen) - len(results)} faults are left")
        return 1
    table, good = summary(results)
    print("\n" + table)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
