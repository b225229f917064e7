"""What reports of benchmarks share: pieces of Markdown, and putting them into a page."""

import json
import pathlib
import shlex
import sys
from collections.abc import Callable


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


def subjects(kinds: dict) -> str:
    return "".join(f"- `{name}`: {kind['what']}.\n" for name, kind in kinds.items())


def gaps(results: dict) -> str:
    if not results["not_measured"]:
        return "Nothing that was asked for was left out.\n"
    return "".join(f"- {gap['subject']}, {gap['where']}: {gap['why']}\n"
                   for gap in results["not_measured"])


def command_and_machine(results: dict) -> list[str]:
    return [f"Command: `{shlex.join(results['command'])}`\n", "Machine: " + machine(results)]


def marks(report: str) -> tuple[str, str]:
    """Between which a page has what `report` (a path in the tree) wrote."""
    return f"<!-- results: begin ({report}; not by hand) -->", "<!-- results: end -->"


def into_page(path: pathlib.Path, report: str, text: str) -> None:
    begin, end = marks(report)
    page = path.read_text(encoding="utf-8")
    head, is_there, rest = page.partition(begin)
    _, is_closed, tail = rest.partition(end)
    if not is_there or not is_closed or begin in rest:
        sys.exit(f"report: {path} does not have the marks\n{begin}\n{end}")
    path.write_text(head + begin + "\n\n" + text + "\n" + end + tail, encoding="utf-8")


def main(arguments: list[str], usage: str, report: str, format_version: int,
         render: Callable[[dict], str]) -> None:
    into = arguments[-1] if len(arguments) > 2 and arguments[-2] == "--into" else None
    runs = arguments[:-2] if into else arguments
    if not runs or any(run.startswith("-") for run in runs):
        sys.exit(usage)
    texts = []
    for run in runs:
        results = json.loads(pathlib.Path(run).read_text(encoding="utf-8"))
        if results["format_version"] != format_version:
            sys.exit(f"report: format_version is {results['format_version']}, not {format_version}")
        texts.append(render(results))
    if len(texts) > 1:
        texts = [f"## Run {number + 1}\n\n{text}" for number, text in enumerate(texts)]
    text = "\n".join(texts)
    if into is None:
        print(text)
    else:
        into_page(pathlib.Path(into), report, text)
