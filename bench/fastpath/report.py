#!/usr/bin/python3
"""Tables in Markdown from the results of march-bench-fastpath.

usage: report.py RESULTS.json...              prints them, one run after the other
       report.py RESULTS.json... --into FILE  puts them between the marks in FILE
"""

import json
import pathlib
import shlex
import sys

BEGIN = "<!-- results: begin (bench/fastpath/report.py; not by hand) -->"
END = "<!-- results: end -->"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |"]
    lines.append("|" + "|".join(" --- " if i == 0 else " ---: " for i in range(len(head))) + "|")
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def spread(values: dict, digits: int) -> str:
    return f"{values['median']:.{digits}f} ({values['min']:.{digits}f}..{values['max']:.{digits}f})"


def count(number: int) -> str:
    return f"{number:,}"


def machine(results: dict) -> str:
    it = results["machine"]
    caches = ", ".join(f"{cache['name']} {cache['bytes'] // 1024} KiB" for cache in it["caches"])
    return (f"{it['cpu']} (family {it['cpu_family']}, model {it['cpu_model']}), {it['cpus']} CPUs"
            f"{', a virtual machine' if it['virtual_machine'] else ''}; {caches}; "
            f"{it['memory_bytes'] >> 30} GiB; Linux {it['kernel']}, BPF JIT "
            f"{'on' if it['bpf_jit_enabled'] != '0' else 'off'}, CPU governor {it['cpu_governor']}.\n")


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


def subjects(kinds: dict) -> str:
    return "".join(f"- `{name}`: {kind['what']}.\n" for name, kind in kinds.items())


def gaps(results: dict) -> str:
    if not results["not_measured"]:
        return "Nothing that was asked for was left out.\n"
    return "".join(f"- {gap['subject']}, {gap['where']}: {gap['why']}\n"
                   for gap in results["not_measured"])


def render(results: dict) -> str:
    if results["format_version"] != 2:
        sys.exit(f"report: format_version is {results['format_version']}, not 2")
    parts = [f"Command: `{shlex.join(results['command'])}`\n", "Machine: " + machine(results)]
    if results["policies"]:
        parts += ["### From the policy's files to the kernel\n", compiling(results),
                  "### Judging a packet, in nanoseconds\n", subjects(results["classification_subjects"]),
                  classification(results), "### Tables of those who judge\n", loading(results)]
    if results["live_frames"]:
        parts += ["### Live frames\n", subjects(results["live_subjects"]), live(results)]
    parts += ["### Not measured in this run\n", gaps(results)]
    return "\n".join(parts)


def main(arguments: list[str]) -> None:
    into = arguments[-1] if len(arguments) > 2 and arguments[-2] == "--into" else None
    runs = arguments[:-2] if into else arguments
    if not runs or any(run.startswith("-") for run in runs):
        sys.exit(__doc__)
    texts = [render(json.loads(pathlib.Path(run).read_text(encoding="utf-8"))) for run in runs]
    if len(texts) > 1:
        texts = [f"## Run {number + 1}\n\n{text}" for number, text in enumerate(texts)]
    text = "\n".join(texts)
    if into is None:
        print(text)
        return
    path = pathlib.Path(into)
    page = path.read_text(encoding="utf-8")
    if page.count(BEGIN) != 1 or page.count(END) != 1:
        sys.exit(f"report: {path} does not have the marks\n{BEGIN}\n{END}")
    head, rest = page.split(BEGIN)
    path.write_text(head + BEGIN + "\n\n" + text + "\n" + END + rest.split(END)[1],
                    encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
