#!/usr/bin/python3
"""Tables in Markdown from the results of march-bench-fastpath.

usage: report.py RESULTS.json...              prints them, one run after the other
       report.py RESULTS.json... --into FILE  puts them between the marks in FILE
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from report_parts import command_and_machine, count, gaps, main, spread, subjects, table


def key_of(result: dict) -> tuple:
    return result["family"], result["style"], result["mappings"]


def compiling(results: dict) -> str:
    rows = []
    for policy in results["policies"]:
        ours = next(s for s in policy["subjects"] if s["subject"] == "march")
        rows.append([f"{policy['family']} {policy['style']} {count(policy['mappings'])}",
                     f"{policy['compile_seconds']:.2f}",
                     f"{policy['compile_peak_memory_bytes'] / 1e6:.0f}",
                     f"{ours['load_seconds']:.3f}", f"{ours['table_bytes'] / 1e6:.2f}",
                     count(ours["bpf_instructions"])])
    return table(["policy", "compile [s]", "peak memory [MB]", "load [s]", "tables [MB]",
                  "BPF instructions"], rows)


def classification(results: dict) -> str:
    subjects = [name for name in results["classification_subjects"]
                if any(r["subject"] == name for r in results["classification"])]
    order = ["march"] + [name for name in subjects if name != "march"]
    groups: dict[tuple, dict] = {}
    for result in results["classification"]:
        groups.setdefault((*key_of(result), result["traffic"]), {})[result["subject"]] = result
    rows = []
    for (family, style, mappings, traffic), of in groups.items():
        row = [f"{family} {style} {count(mappings)}, {traffic}"]
        for name in order:
            if name not in of:
                row.append("—")
                continue
            ratio = of[name].get("ratio_to_march")
            times = f", ×{ratio:.2f}" if ratio is not None and name != "march" else ""
            row.append(spread(of[name]["ns_per_packet"], 0) + times)
        rows.append(row)
    return table(["policy, traffic"] + order, rows)


def loading(results: dict) -> str:
    rows = []
    for policy in results["policies"]:
        for subject in policy["subjects"]:
            if results["classification_subjects"][subject["subject"]]["control"]:
                continue
            rows.append([f"{policy['family']} {policy['style']} {count(policy['mappings'])}",
                         subject["subject"], f"{subject['load_seconds']:.3f}",
                         f"{subject['table_bytes'] / 1e6:.2f}", subject.get("note", "")])
    return table(["policy", "subject", "load [s]", "tables [MB]", "note"], rows)


def live(results: dict) -> str:
    groups: dict[tuple, list] = {}
    for result in results["live_frames"]:
        groups.setdefault((*key_of(result), result["traffic"]), []).append(result)
    text = ""
    for (family, style, mappings, traffic), found in groups.items():
        share = next(r for r in found if r["subject"] == "march")["expected_allowed_share"]
        text += (f"\n{family} {style}, {count(mappings)} mappings, {traffic} traffic "
                 f"({share:.0%} allowed):\n\n")
        rows = [[r["subject"], spread(r["gateway_ns_per_frame"], 0), f"×{r['ratio_to_march']:.2f}",
                 f"{r['frames_per_second_of_one_cpu'] / 1e6:.3f}",
                 f"{r['frames_per_wall_second']['median'] / 1e6:.3f}",
                 f"{r['frames_lost_before_the_gateway'] / r['frames_sent']:.1%}",
                 count(r["frames_received"]), f"{r['load_seconds']:.2f}"] for r in found]
        text += table(["subject", "ns a frame", "to march", "Mfps of one CPU", "Mfps by the clock",
                       "lost before", "frames judged", "load [s]"], rows)
    return text


def render(results: dict) -> str:
    parts = command_and_machine(results)
    if results["policies"]:
        parts += ["### From the policy's files to the kernel\n", compiling(results),
                  "### Judging a packet, in nanoseconds\n", subjects(results["classification_subjects"]),
                  classification(results), "### Tables of those who judge\n", loading(results)]
    if results["live_frames"]:
        parts += ["### Live frames\n", subjects(results["live_subjects"]), live(results)]
    parts += ["### Not measured in this run\n", gaps(results)]
    return "\n".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:], __doc__, "bench/fastpath/report.py", 2, render)
