"""What the smoke tests of the benchmarks share: a run of the smallest size, and what it leaves."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import typing

Check = typing.Callable[[dict, list[str]], None]

SKIPPED = 77


def namespaces_and_files() -> set[str]:
    names = {str(path) for path in pathlib.Path(tempfile.gettempdir()).glob("march-bench.*")}
    return names | {str(path) for path in pathlib.Path("/run/netns").glob("*")}


def smoke(command: list[str], report: pathlib.Path, row: str, checks: list[Check]) -> int:
    """Runs a benchmark and holds its results to `checks`, which add the faults they find. `report`
    must render them, with a table that has this row."""
    if os.geteuid() != 0:
        print("SKIPPED: it loads BPF programs and makes network namespaces: run it as root")
        return SKIPPED
    before = namespaces_and_files()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "results.json"
        run = subprocess.run([*command, "--json", str(path)], capture_output=True, text=True,
                             check=False)
        print(run.stdout)
        if run.returncode != 0:
            print(f"exit code {run.returncode}: {run.stderr}")
            return 1
        results = json.loads(path.read_text(encoding="utf-8"))
        rendered = subprocess.run([sys.executable, str(report), str(path)], capture_output=True,
                                  text=True, check=False)
    faults: list[str] = []
    for check in checks:
        check(results, faults)
    if rendered.returncode != 0 or f"| {row} |" not in rendered.stdout:
        faults.append(f"the report: {rendered.stderr or rendered.stdout}")
    if namespaces_and_files() - before:
        faults.append(f"left behind: {namespaces_and_files() - before}")
    for fault in faults:
        print(fault)
    return 1 if faults else 0
