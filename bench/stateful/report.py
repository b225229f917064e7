#!/usr/bin/python3
"""Tables in Markdown from the results of march-bench-stateful.

usage: report.py RESULTS.json...              prints them, one run after the other
       report.py RESULTS.json... --into FILE  puts them between the marks in FILE
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from report_parts import command_and_machine, count, gaps, main, spread, subjects, table


def place(result: dict) -> str:
    text = f"{result['family']} {result['traffic']}"
    if result["connections"] is not None:
        text += f", {count(result['connections'])} connections"
    return text + (", zipf" if result.get("popularity") == "zipf" else "")


def grouped(results: list[dict]) -> dict[str, list[dict]]:
    groups: dict[str, list[dict]] = {}
    for result in results:
        groups.setdefault(place(result), []).append(result)
    return groups


def cost(results: dict) -> str:
    rows = []
    for where, found in grouped(results["program_cost"]).items():
        for result in found:
            over = "" if result["subject"] == "floor" else spread(result["ns_over_floor"], 0)
            more = ""
            if result["subject"] not in results["controls"] + ["stateless"]:
                more = spread(result["ns_over_stateless"], 0)
            rows.append([where, result["subject"], spread(result["ns_per_packet"], 0), over, more])
    return table(["traffic", "subject", "ns, all told", "over the floor", "over stateless"], rows)


def programs(results: dict) -> str:
    rows = [[it["subject"], count(it["instructions"]), count(it["native_bytes"]),
             f"{it['state_bytes'] / 1e6:.1f}"] for it in results["programs"]]
    return table(["program", "BPF instructions", "machine code [bytes]", "state [MB]"], rows)


def live(results: dict) -> str:
    text = ""
    for where, found in grouped(results["live_frames"]).items():
        rows = []
        for result in found:
            to_tracker = result.get("frames_per_second_to_nft_conntrack")
            is_forward = result["subject"] == "forward"
            rows.append([result["subject"], spread(result["gateway_ns_per_frame"], 0),
                         "" if is_forward else spread(result["ns_over_forward"], 0),
                         f"{result['frames_per_second_of_one_cpu'] / 1e6:.3f}",
                         "" if to_tracker is None else f"×{to_tracker:.2f}",
                         f"{result['frames_forwarded'] / result['frames_received']:.1%}"])
        text += f"\n{where}:\n\n" + table(
            ["subject", "ns a frame", "over forward", "Mfps of one CPU", "to nft-conntrack",
             "forwarded"], rows)
    return text


def render(results: dict) -> str:
    parts = command_and_machine(results)
    tracking = results.get("connection_tracking")
    if tracking:
        parts.append(f"The kernel's connection tracking: {count(tracking['buckets'])} buckets, room "
                     f"for {count(tracking['most'])} connections.\n")
    parts += ["### Traffic\n", subjects(results["traffic"])]
    if results["program_cost"]:
        parts += ["### The program alone, in nanoseconds a packet\n",
                  subjects(results["cost_subjects"]), cost(results), "### What it takes\n",
                  programs(results)]
    if results["live_frames"]:
        parts += ["### Live frames\n", subjects(results["live_subjects"]), live(results)]
    parts += ["### Not measured in this run\n", gaps(results)]
    return "\n".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:], __doc__, "bench/stateful/report.py", 1, render)
