"""The benchmark runs, checks verdicts and counts, and says what it left out. No timing is judged.

usage: smoke_test.py MARCH_BENCH_STATEFUL. Exit code 77: skipped.
"""

import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(HERE.parent / "common"))
from smoke_parts import smoke

FAMILIES = ("v4", "v6")
TINY = ["--families", ",".join(FAMILIES), "--source-bits", "6", "--mappings", "4", "--blocked",
        "200", "--flows", "500", "--rounds", "1", "--packets", "20000", "--new", "5000",
        "--live-flows", "500", "--live-rounds", "1", "--live-frames", "20000", "--live-new", "5000"]


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


if __name__ == "__main__":
    sys.exit(smoke([sys.argv[1], *TINY], HERE / "report.py", "nft-conntrack",
                   [check_cost, check_live]))
