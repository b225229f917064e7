"""The YAML server of VS Code and other editors agrees with marchctl, given the schemas.

Speaks the Language Server Protocol to yaml-language-server: every example must have nothing to
complain about, and of the seeded faults that a schema can express, every one must be flagged on a
line that marchctl complains about. Needs `yaml-language-server` (npm) in PATH, or its path in
YAML_LANGUAGE_SERVER; without it, ends with 77, which means skipped.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

SKIPPED = 77
TIMEOUT_S = 120

# Faults that no schema can see: arithmetic, and numbers that YAML itself reads otherwise than they
# look.
BEYOND_A_SCHEMA = {
    "attribute-health-long": "a day in any unit",
    "bad-icmp-type-family": "which names belong to which protocol",
    "bad-port-hex": "0x50 is the number 80",
    "bad-port-leading-zero": "080 is the number 80",
    "bad-port-reversed": "which of two numbers is greater",
    "host-bits": "bits of an address",
    "host-bits-except": "bits of an address",
    "host-bits-v6": "bits of an address",
    "type-priority-hex": "0x10 is the number 16",
    "type-priority-octal": "010 is the number 8 or 10",
    "type-priority-plus": "+5 is the number 5",
}


class Server:
    """One yaml-language-server and the diagnostics that it has published."""

    def __init__(self, program: str, root: pathlib.Path):
        self.process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.diagnostics: dict[str, list] = {}
        self.next_id = 0
        self.settings = {"yaml": {"validate": True, "schemaStore": {"enable": False}}}
        self.request("initialize", {"processId": os.getpid(), "rootUri": root.as_uri(),
                                    "capabilities": {"workspace": {"configuration": True}}})
        self.notify("initialized", {})
        self.notify("workspace/didChangeConfiguration", {"settings": self.settings})

    def send(self, message: dict) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def notify(self, method: str, parameters: dict) -> None:
        self.send({"method": method, "params": parameters})

    def request(self, method: str, parameters: dict) -> dict:
        self.next_id += 1
        self.send({"id": self.next_id, "method": method, "params": parameters})
        while True:
            message = self.receive()
            if message.get("id") == self.next_id and "method" not in message:
                return message.get("result")

    def receive(self) -> dict:
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        if length == 0:
            raise RuntimeError("yaml-language-server has ended")
        message = json.loads(self.process.stdout.read(length))
        method = message.get("method")
        if method == "textDocument/publishDiagnostics":
            parameters = message["params"]
            self.diagnostics[parameters["uri"]] = parameters["diagnostics"]
        elif method == "workspace/configuration":
            items = message["params"]["items"]
            self.send({"id": message["id"],
                       "result": [self.settings.get(item.get("section", ""), {}) for item in items]})
        elif method and "id" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def check(self, uri: str, text: str) -> list[dict]:
        self.diagnostics.pop(uri, None)
        self.notify("textDocument/didOpen", {"textDocument": {
            "uri": uri, "languageId": "yaml", "version": 1, "text": text}})
        while uri not in self.diagnostics:
            self.receive()
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        return self.diagnostics[uri]

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def with_schema(root: pathlib.Path, text: str) -> str:
    """The text behind a line that tells an editor its schema; each document wants its own."""
    line = f"# yaml-language-server: $schema={(root / 'schemas').as_uri()}/march.schema.json"
    text = re.sub(r"^---$", f"--- {line}", text, flags=re.MULTILINE)
    return f"{line}\n{text}"


def expected_places(golden: str, name: str) -> list[tuple[str, int]]:
    """(code, line) of what marchctl says of a file."""
    return [(code, int(line)) for line, code in
            re.findall(rf"{re.escape(name)}:(\d+):\d+: error\[(M\d+)\]", golden)]


def check_examples(server: Server, root: pathlib.Path) -> tuple[int, list[str]]:
    faults, count = [], 0
    for path in sorted((root / "examples").rglob("*.yaml")):
        count += 1
        text = path.read_text(encoding="utf-8")
        if "yaml-language-server: $schema=" not in text:
            faults.append(f"{path}: without the editor's line")
        for diagnostic in server.check(path.as_uri(), text):
            line = diagnostic["range"]["start"]["line"] + 1
            faults.append(f"{path}:{line}: {diagnostic['message']}")
    return count, faults


def check_faults(server: Server, root: pathlib.Path) -> tuple[int, int, list[str]]:
    """How many seeded faults of the schema there are, how many are flagged, and the others."""
    seen, flagged, missed = 0, 0, []
    for path in sorted((root / "tests/golden/diagnostics").glob("*.yaml")):
        golden = path.with_suffix(".expected").read_text(encoding="utf-8")
        places = [(code, line) for code, line in expected_places(golden, path.name)
                  if code.startswith("M02") and code != "M0214"]
        if not places:
            continue
        text = with_schema(root, path.read_bytes().decode("utf-8"))
        # The editor's line stands before the first.
        lines = {diagnostic["range"]["start"]["line"]
                 for diagnostic in server.check(path.as_uri(), text)}
        for code, line in places:
            seen += 1
            if line in lines:
                flagged += 1
            elif path.stem not in BEYOND_A_SCHEMA:
                missed.append(f"{path.name}:{line}: {code} is not flagged, only lines {sorted(lines)}")
    return seen, flagged, missed


def main(root: pathlib.Path) -> int:
    program = os.environ.get("YAML_LANGUAGE_SERVER") or shutil.which("yaml-language-server")
    if not program:
        print("skipped: no yaml-language-server in PATH, and YAML_LANGUAGE_SERVER is not set")
        return SKIPPED
    server = Server(program, root)
    try:
        count, faults = check_examples(server, root)
        print(f"{count} files of examples, {len(faults)} complaints")
        seen, flagged, missed = check_faults(server, root)
        print(f"{seen} seeded faults, {flagged} flagged on their line, "
              f"{seen - flagged - len(missed)} beyond a schema")
    finally:
        server.stop()
    for line in faults + missed:
        print(line)
    return 1 if faults or missed or count == 0 or seen == 0 else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1]).resolve()))
