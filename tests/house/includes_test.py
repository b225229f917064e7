"""Which folder may include which, as design section 7 draws it, and how long a file may be.

Reads every #include of the tree; first proves on made-up trees that it can fail.
"""

import pathlib
import re
import sys
import tempfile

MAX_LINES = 800
FOLDERS = ("base", "bundle", "bpf-templates", "compiler", "runtime", "cli", "tests", "bench")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)

# From a folder, what else of the house may be included: a prefix of the path. Its own files always.
ARROWS = {
    "base": [],
    "bundle": ["base/"],
    "bpf-templates": ["bundle/abi/"],
    "compiler": ["bundle/", "base/", "bpf-templates/"],
    "runtime": ["bundle/", "base/", "bpf-templates/common/"],
    # The test runners: see docs/adr/0001-cli-uses-the-test-runner.md.
    "cli": ["compiler/pipeline/", "runtime/control/client.h", "runtime/bpf/test_run.h",
            "runtime/bpf/witness_run.h", "bundle/", "base/"],
}

# Libraries with one door: who includes a header that matches must live below the folder.
# libbpf has two, see docs/adr/0009-parts-are-compiled-once.md.
DOORS = [
    (re.compile(r"^(clang|clang-c|llvm|llvm-c)/"), ("compiler/clang/",)),
    (re.compile(r"^yaml-cpp/"), ("compiler/yaml/",)),
    (re.compile(r"^bpf/"), ("runtime/bpf/", "compiler/link/")),
    (re.compile(r"^yaml\.h$"), ("runtime/daemon/",)),
    (re.compile(r"^git2(/|\.h$)"), ("base/git/",)),
]


def is_test(path: str) -> bool:
    """Tests may include anything."""
    return path.startswith(("tests/", "bench/")) or path.endswith(("_test.cc", "_fuzz.cc"))


def place(root: pathlib.Path, includer: str, name: str) -> str:
    """The included file's path in the tree, or "" if there is none."""
    if name.startswith(tuple(folder + "/" for folder in FOLDERS)):
        return name  # may be generated, so need not exist
    # BPF programs are compiled with bpf-templates/ as their root; a neighbour goes by its name alone.
    for base in (pathlib.PurePosixPath(includer).parent, pathlib.PurePosixPath("bpf-templates")):
        if (root / base / name).is_file():
            return str(base / name)
    return ""


def faults_of(root: pathlib.Path, path: str, text: str) -> list[str]:
    faults = []
    if text.count("\n") > MAX_LINES:
        faults.append(f"{path}: {text.count(chr(10))} lines, more than {MAX_LINES}")
    if is_test(path):
        return faults
    folder = path.split("/")[0]
    for match in INCLUDE.finditer(text):
        where = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        quote, name = match.groups()
        for door, owners in DOORS:
            if door.match(name) and not path.startswith(owners):
                faults.append(f"{where}: only {' and '.join(owners)} may include {name}")
        if quote == "<":
            if name.startswith(tuple(other + "/" for other in FOLDERS)):
                faults.append(f'{where}: a file of the house goes in quotes: "{name}"')
            continue
        target = place(root, path, name)
        if not target:
            faults.append(f"{where}: {name} is not in the tree; a library's header goes in <>")
        elif is_test(target):
            faults.append(f"{where}: {folder} must not include a test: {name}")
        elif target.split("/")[0] != folder and not target.startswith(tuple(ARROWS[folder])):
            faults.append(f"{where}: {folder} must not include {target}")
    return faults


def check(root: pathlib.Path) -> tuple[int, list[str]]:
    """How many files there are, and their faults."""
    count, faults = 0, []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".h", ".cc", ".c") and path.is_file():
                count += 1
                text = path.read_text(encoding="utf-8")
                faults += faults_of(root, path.relative_to(root).as_posix(), text)
    return count, faults


# (file, text, part of the complaint, or "" for none)
SELF_TEST = [
    ("base/a.cc", '#include "bundle/bundle.h"\n', "base must not include bundle/bundle.h"),
    ("bundle/a.cc", '#include "base/source.h"\n', ""),
    ("bundle/a.cc", '#include "compiler/space/flow.h"\n', "bundle must not include"),
    ("bpf-templates/a.h", '#include "bundle/abi/tables.h"\n', ""),
    ("bpf-templates/a.h", '#include "bundle/bundle.h"\n', "bpf-templates must not include"),
    ("compiler/a.cc", '#include "runtime/bpf/test_run.h"\n', "compiler must not include"),
    ("runtime/a.cc", '#include "compiler/pipeline/pipeline.h"\n', "runtime must not include"),
    ("runtime/a.cc", '#include "bpf-templates/common/walk.h"\n', ""),
    ("runtime/a.cc", '#include "bpf-templates/xdp/program.h"\n', "runtime must not include"),
    ("cli/a.cc", '#include "runtime/bpf/test_run.h"\n#include "cli/b.h"\n', ""),
    ("cli/a.cc", '\n  #  include "runtime/bpf/kernel.h"\n', "cli/a.cc:2: cli must not include"),
    ("cli/a.cc", '#include "compiler/space/flow.h"\n', "cli must not include"),
    ("runtime/a.cc", '#include "cli/target.h"\n', "runtime must not include"),
    ("runtime/a.cc", '#include "tests/random/random.h"\n', "must not include a test"),
    ("tests/a.cc", '#include "cli/target.h"\n#include <bpf/bpf.h>\n', ""),
    ("runtime/a_test.cc", '#include "compiler/pipeline/pipeline.h"\n', ""),
    ("compiler/a.cc", "#include <llvm/IR/Module.h>\n", "only compiler/clang/"),
    ("compiler/clang/a.cc", "#include <clang/Basic/Version.h>\n", ""),
    ("runtime/a.cc", "#include <yaml-cpp/yaml.h>\n", "only compiler/yaml/"),
    ("runtime/apply/a.cc", "#include <bpf/libbpf.h>\n", "only runtime/bpf/"),
    ("compiler/link/a.cc", "#include <bpf/libbpf.h>\n", ""),
    ("compiler/clang/a.cc", "#include <bpf/libbpf.h>\n", "only runtime/bpf/ and compiler/link/"),
    ("runtime/bpf/a.cc", "#include <linux/bpf.h>\n#include <bpf/bpf.h>\n", ""),
    ("cli/a.cc", "#include <yaml.h>\n", "only runtime/daemon/"),
    ("compiler/a.cc", "#include <git2.h>\n", "only base/git/"),
    ("cli/a.cc", "#include <base/source.h>\n", "goes in quotes"),
    ("cli/a.cc", '#include "nowhere.h"\n', "is not in the tree"),
    ("base/a.cc", "\n" * (MAX_LINES + 1), "more than"),
    ("base/a.cc", "\n" * MAX_LINES, ""),
]


def self_test() -> list[str]:
    wrong = []
    for path, text, complaint in SELF_TEST:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(text, encoding="utf-8")
            faults = check(root)[1]
        if len(faults) != (1 if complaint else 0) or complaint not in "".join(faults):
            wrong.append(f"the checker is wrong about {path} with {text[:60]!r}: {faults}")
    return wrong


def main(root: str) -> int:
    count, faults = check(pathlib.Path(root))
    faults += self_test()
    if count == 0:
        faults.append(f"there are no sources below {root}")
    for fault in faults:
        print(fault)
    print(f"{count} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
