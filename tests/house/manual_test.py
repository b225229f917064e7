"""Every verb has its page, and the page names exactly the flags that the program has.

Compares `marchctl VERB --help` with man/marchctl-VERB.1: the flags in SYNOPSIS and those in OPTIONS,
and the positional arguments in SYNOPSIS. First proves that it notices a difference.
"""

import pathlib
import re
import subprocess
import sys

FLAG = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*)")
HELP_FLAGS = {"-h", "--help"}  # on every page's behalf, marchctl(1) has them


def help_of(program: str, *words: str) -> str:
    return subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True,
                          timeout=20).stdout


def section(help_text: str, title: str) -> list[str]:
    """The entries of a section of --help: its lines that are indented by exactly two blanks."""
    match = re.search(rf"^{title}:\n((?:  .*\n)*)", help_text, re.MULTILINE)
    lines = match.group(1).splitlines() if match else []
    return [line.strip() for line in lines if re.match(r"  \S", line)]


def verbs_in(help_text: str) -> list[str]:
    return [entry.split()[0] for entry in section(help_text, "Subcommands")]


def flags_in(help_text: str) -> set[str]:
    flags = set()
    for entry in section(help_text, "Options"):
        flags |= set(entry.split()[0].split(","))
    return flags - HELP_FLAGS


def positionals_in(help_text: str) -> set[str]:
    return {entry.split()[0] for entry in section(help_text, "Positionals")}


def page_section(page: str, title: str) -> str:
    """A section of a page as plain text: without requests, font changes and escaped hyphens."""
    match = re.search(rf'^\.SH "?{title}"?\n(.*?)(?=^\.SH|\Z)', page, re.MULTILINE | re.DOTALL)
    text = match.group(1) if match else ""
    text = re.sub(r"\\f.|\\&", "", text).replace("\\-", "-")
    return re.sub(r'^\.\w+ ?|"', "", text, flags=re.MULTILINE)


def option_entries(page: str) -> str:
    """The lines of OPTIONS that name an option: those after .TP; prose may speak of other flags."""
    match = re.search(r"^\.SH OPTIONS\n(.*?)(?=^\.SH|\Z)", page, re.MULTILINE | re.DOTALL)
    entries = re.findall(r"^\.T[PQ].*\n(.*)$", match.group(1), re.MULTILINE) if match else []
    return page_section(".SH OPTIONS\n" + "\n".join(entries) + "\n", "OPTIONS")


def compare(verb: str, page: str, flags: set[str], positionals: set[str]) -> list[str]:
    faults = []
    synopsis = page_section(page, "SYNOPSIS").replace(f"marchctl {verb}", "")
    for title, found in (("SYNOPSIS", set(FLAG.findall(synopsis))),
                         ("OPTIONS", set(FLAG.findall(option_entries(page))))):
        # A synopsis may leave out the second name of an option, -o for --output.
        missing = flags - found if title == "OPTIONS" else set()
        if title == "SYNOPSIS":
            missing = {flag for flag in flags if flag.startswith("--")} - found
        faults += [f"{verb}: {flag} is not in {title}" for flag in sorted(missing)]
        faults += [f"{verb}: {title} has {flag}, marchctl has not" for flag in sorted(found - flags)]
    faults += [f"{verb}: {name} is not in SYNOPSIS" for name in sorted(positionals)
               if not re.search(rf"\b{name}\b", synopsis)]
    return faults


def self_test() -> list[str]:
    help_text = ("Usage\n\nPositionals:\n  FILE TEXT REQUIRED  x\n\nOptions:\n  -h,--help  x\n"
                 "  -o,--out FILE  x\n                              --not-a-flag\n  --dump  x\n")
    page = (".SH SYNOPSIS\n.B marchctl v\n[\\fB\\-\\-out\\fR \\fIO\\fR] [\\fB\\-\\-dump\\fR]\n.I FILE\n"
            ".SH OPTIONS\n.TP\n\\fB\\-o\\fR, \\fB\\-\\-out\\fR \\fIO\\fR\nlike \\-\\-else\n"
            ".TP\n.B \\-\\-dump\nx\n.SH FILES\n")
    flags, names = flags_in(help_text), positionals_in(help_text)
    wrong = []
    if flags != {"-o", "--out", "--dump"} or names != {"FILE"}:
        wrong.append(f"self-test: read {flags} and {names} from a help text")
    if compare("v", page, flags, names):
        wrong.append(f"self-test: a good page is faulted: {compare('v', page, flags, names)}")
    for broken in (page.replace("\\-\\-dump", "\\-\\-dumb"), page.replace("FILE", "PATH"),
                   page.replace(".B \\-\\-dump", "text"), page.replace("[\\fB\\-\\-dump\\fR]", "")):
        if not compare("v", broken, flags, names):
            wrong.append(f"self-test: a wrong page passes: {broken!r}")
    return wrong


def main(program: str, manual: pathlib.Path) -> int:
    faults = self_test()
    top = help_of(program)
    verbs = verbs_in(top)
    if not verbs:
        faults.append("marchctl --help names no verbs")
    for name in ("marchctl.1", "march-bundle.5"):
        if not (manual / name).is_file():
            faults.append(f"there is no man/{name}")
    if (manual / "marchctl.1").is_file():
        overview = (manual / "marchctl.1").read_text(encoding="utf-8").replace("\\-", "-")
        faults += [f"marchctl.1 does not mention {flag}" for flag in sorted(flags_in(top))
                   if flag not in overview]
        faults += [f"marchctl.1 does not mention marchctl-{verb}(1)" for verb in verbs
                   if f"marchctl-{verb}" not in overview]
    for verb in verbs:
        path = manual / f"marchctl-{verb}.1"
        if not path.is_file():
            faults.append(f"there is no man/{path.name}")
            continue
        text = help_of(program, verb)
        flags, positionals = flags_in(text), positionals_in(text)
        page = path.read_text(encoding="utf-8")
        for inner in verbs_in(text):
            inner_text = help_of(program, verb, inner)
            flags |= flags_in(inner_text)
            positionals |= positionals_in(inner_text)
            if not re.search(rf"\b{inner}\b", page_section(page, "SYNOPSIS")):
                faults.append(f"{verb}: {inner} is not in SYNOPSIS")
        faults += compare(verb, page, flags, positionals)
    for path in manual.glob("marchctl-*.1"):
        if path.stem.removeprefix("marchctl-") not in verbs:
            faults.append(f"man/{path.name} is about no verb of marchctl")
    for fault in faults:
        print(fault)
    print(f"{len(verbs)} verbs, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], pathlib.Path(sys.argv[2])))
