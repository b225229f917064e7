"""The benchmark runs, checks verdicts and counts, and says what it left out. No timing is judged.

usage: smoke_test.py MARCH_BENCH_FASTPATH. Exit code 77: skipped.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "common"))
from smoke_parts import smoke

MAPPINGS = "10"
TINY = ["--sizes", MAPPINGS, "--families", "v4,v6", "--styles", "mesh,firewall", "--traffic",
        "uniform", "--rounds", "1", "--packets", "2000", "--live-sizes", MAPPINGS, "--live-families",
        "v4,v6", "--live-traffic", "uniform", "--live-rounds", "1", "--live-seconds", "0.2"]


def left_out(results: dict) -> dict[str, str]:
    return {gap["subject"]: gap["why"] for gap in results["not_measured"]}


def check_classification(results: dict, faults: list[str]) -> None:
    kinds = results["classification_subjects"]
    gaps = left_out(results)
    for family in ("v4", "v6"):
        for style in ("mesh", "firewall"):
            found = {r["subject"]: r for r in results["classification"]
                     if r["family"] == family and r["style"] == style}
            for name, kind in kinds.items():
                if name not in found:
                    if name not in gaps:
                        faults.append(f"{family} {style}: no result for {name}, and no reason")
                elif not kind["control"] and found[name]["verdicts_checked"] < 1000:
                    faults.append(f"{family} {style}: verdicts of {name} were not checked")
    for policy in results["policies"]:
        for key in ("compile_seconds", "compile_peak_memory_bytes", "bundle_bytes"):
            if policy[key] <= 0:
                faults.append(f"{key} is {policy[key]}")


def check_live(results: dict, faults: list[str]) -> None:
    gaps = left_out(results)
    for family in ("v4", "v6"):
        found = {r["subject"]: r for r in results["live_frames"] if r["family"] == family}
        for name in results["live_subjects"]:
            if name not in found:
                if name not in gaps:
                    faults.append(f"live {family}: no result for {name}, and no reason")
                continue
            result = found[name]
            if result["frames_received"] == 0:
                faults.append(f"live {family}: {name} saw no frames")
            denied = result.get("frames_denied_by_own_count")
            if denied is not None and denied + result["frames_routed"] != result["frames_received"]:
                faults.append(f"live {family}: the counts of {name} do not add up")
            if name == "march" and denied is None:
                faults.append(f"live {family}: march did not count")


def check_version(results: dict, faults: list[str]) -> None:
    if results["format_version"] != 2:
        faults.append(f"format_version is {results['format_version']}")


if __name__ == "__main__":
    sys.exit(smoke([sys.argv[1], *TINY], HERE / "report.py", "march",
                   [check_version, check_classification, check_live]))
