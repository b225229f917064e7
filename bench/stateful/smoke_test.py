"""The benchmark runs, checks verdicts and counts, and says what it left out. No timing is judged.

usage: smoke_test.py MARCH_BENCH_STATEFUL. Exit code 77: skipped.
"""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

FAMILIES = ("v4", "v6")
TINY = ["--families", ",".join(FAMILIES), "--source-bits", "6", "--mappings", "4", "--blocked",
        "200", "--flows", "500", "--rounds", "1", "--packets", "20000", "--new", "5000",
        "--live-flows", "500", "--live-rounds", "1", "--live-frames", "20000", "--live-new", "5000"]


def skip(why: str) -> None:
    print(f"SKIPPED: {why}")
    sys.exit(77)


def check_cost(results: dict, faults: list[str]) -> None:
    for family in FAMILIES:
        for traffic in results["traffic"]:
            found = {r["subject"] for r in results["program_cost"]
                     if r["family"] == family and r["traffic"] == traffic}
            for name in ("floor", "stateless"):
                if name not in found:
                    faults.append(f"{family} {traffic}: no result for {name}")
    measured = {r["subject"] for r in results["program_cost"]}
    for name in results["cost_subjects"]:
        if name not in measured:
            faults.append(f"{name} was not measured")


def check_live(results: dict, faults: list[str]) -> None:
    gaps = {gap["subject"] for gap in results["not_measured"]}
    for family in FAMILIES:
        found = [r for r in results["live_frames"] if r["family"] == family]
        for name in results["live_subjects"]:
            own = [r for r in found if r["subject"] == name]
            if not own and name not in gaps:
                faults.append(f"live {family}: no result for {name}, and no reason")
            for result in own:
                where = f"live {family} {result['traffic']}: {name}"
                share = result["frames_forwarded"] / result["frames_received"]
                stops = name != "forward" and result["traffic"] in ("denied", "blocked", "over-limit")
                if share > 0.5 if stops else share < 1:
                    faults.append(f"{where} lets a share of {share} pass")


def namespaces_and_files() -> set[str]:
    names = {str(path) for path in pathlib.Path(tempfile.gettempdir()).glob("march-bench.*")}
    return names | {str(path) for path in pathlib.Path("/run/netns").glob("*")}


def main(program: str) -> int:
    if os.geteuid() != 0:
        skip("it loads BPF programs and makes network namespaces: run it as root")
    before = namespaces_and_files()
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "results.json"
        run = subprocess.run([program, *TINY, "--json", str(path)], capture_output=True, text=True,
                             check=False)
        print(run.stdout)
        if run.returncode != 0:
            print(f"exit code {run.returncode}: {run.stderr}")
            return 1
        results = json.loads(path.read_text(encoding="utf-8"))
        report = subprocess.run([sys.executable, str(pathlib.Path(__file__).parent / "report.py"),
                                 str(path)], capture_output=True, text=True, check=False)
    faults: list[str] = []
    check_cost(results, faults)
    check_live(results, faults)
    if report.returncode != 0 or "| nft-conntrack |" not in report.stdout + str(results["not_measured"]):
        faults.append(f"the report: {report.stderr or report.stdout}")
    if namespaces_and_files() - before:
        faults.append(f"left behind: {namespaces_and_files() - before}")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
