#!/usr/bin/python3
"""How much of its rate of transactions a client keeps while somebody else floods the port it uses.

usage: flood.py MARCH_BIN --json FILE [--rounds N] [--seconds N] [--only GATEWAY[,GATEWAY...]]
                          [--busy]

In every round everything is measured once, each time with new hosts: measure.sh, which also says
what the gateways are. What others have disturbed is thrown away and measured again, unless --busy
is given.
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import time

FORMAT_VERSION = 1
HERE = pathlib.Path(__file__).resolve().parent

GATEWAYS = {
    "forward": "the kernel forwards, and nobody filters",
    "nft-conntrack": "nftables with connection tracking: established connections, then the port",
    "stateless": "marchd, each packet judged by itself",
    "connections": "marchd with connections",
    "rate-200": "the same, and `syn_per_source: { rate: 200 }`",
    "cookies-5": "marchd with connections, and `syn_cookies: { above: 5 }`",
    "cookies-2000": "the same, and `above: 2000`",
}
SERVERS = {
    "bare": "gives no SYN cookies (`tcp_syncookies=0`), and has room for 511 half-open connections",
    "cookies": "gives SYN cookies when that room is full, as Linux does unless told otherwise",
}
PHASES = ("none", "dropped", "flood")
# Where the flood is dropped and judged by turns, too: what follows is never far apart in time.
TURNS = "turns"
# What else the flood can be, with what stands against it.
MORE = [
    ("cookies-5", "bare", "1000000", "any"),
    ("cookies-5", "bare", "100000", "any"),
    ("cookies-5", "bare", "10000", "any"),
    ("connections", "bare", "10000", "any"),
    ("forward", "bare", "10000", "any"),
    ("rate-200", "bare", "max", "64"),
    ("rate-200", "cookies", "max", "64"),
    ("cookies-5", "bare", "max", "64"),
]
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin"
# As many as measure.sh has the client keep.
KEPT = 1000
TICKS = os.sysconf("SC_CLK_TCK")
# Of the client's and the server's CPU, in any phase.
MOST_OF_OTHERS = 0.05
MOST_TRIES = 100
MOST_FAILURES = 3
REST_SECONDS = 1


Setting = tuple[str, str, str, str]


def settings(only: list[str]) -> list[Setting]:
    """The gateway, the server, the flood's rate, its sources: as measure.sh has them."""
    found = [(gateway, server, "max", "any") for gateway in GATEWAYS for server in SERVERS]
    return [setting for setting in found + MORE if not only or setting[0] in only]


class Failed(Exception):
    """A measurement came to no end."""


def run_to_its_end(command: list[str], march_bin: str) -> str:
    """It takes its hosts away by itself, if it is let."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env={"MARCH_BIN": march_bin, "PATH": PATH}) as run:
        try:
            output, errors = run.communicate()
        except BaseException:
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            run.terminate()
            run.communicate()
            raise
    if run.returncode != 0:
        raise Failed(f"{' '.join(command)}: exit code {run.returncode}\n"
                     f"{output[-1000:]}{errors[-4000:]}")
    return output


def measure(setting: Setting, seconds: int, march_bin: str) -> dict:
    """By phase, and "all"."""
    counters: dict[tuple[str, str], dict[str, float]] = {}
    said: dict[tuple[str, str], dict] = {}
    command = [str(HERE / "measure.sh"), *setting, str(seconds)]
    for line in run_to_its_end(command, march_bin).splitlines():
        phase, what, rest = line.split(" ", 2)
        if what in ("before", "after"):
            name, value = rest.rsplit(" ", 1)
            counters.setdefault((phase, what), {})[name] = float(value)
        else:
            said[phase, what] = json.loads(rest)
    found = {phase: figures(said[phase, "run"], counters[phase, "before"], counters[phase, "after"])
             for phase in PHASES}
    if (TURNS, "run") in said:
        run = said[TURNS, "run"]
        found[TURNS] = figures(run, counters[TURNS, "before"], counters[TURNS, "after"])
        judged, dropped = run["by_turn"]
        found[TURNS]["judged_to_dropped"] = judged / max(dropped, 1)
    found["all"] = {
        "answered": said["all", "asked"]["answered"],
        "answered_afterwards": said["all", "asked_again"]["answered"],
        "established": said.get(("all", "established")),
        "no_room": counters["flood", "after"].get("march_flows_no_room_total"),
    }
    return found


def measure_undisturbed(setting: Setting, seconds: int, march_bin: str,
                        go_on: bool) -> tuple[dict, int]:
    """And how many were thrown away."""
    use = 0.0
    failures = 0
    for thrown in range(MOST_TRIES):
        # The kernel takes a moment to take away what the last one has left.
        time.sleep(REST_SECONDS)
        try:
            found = measure(setting, seconds, march_bin)
        except Failed as failure:
            print(f"failed: {failure}", flush=True)
            failures += 1
            if failures == MOST_FAILURES:
                sys.exit(1)
            continue
        use = max(found[phase]["use_of_others"] for phase in found if phase != "all")
        if use <= MOST_OF_OTHERS or go_on:
            return found, thrown
        print(f"disturbed: {' '.join(setting)}: others used {use:.0%} of CPU 0", flush=True)
    sys.exit(f"flood.py: others use {use:.0%} of CPU 0; --busy goes on nevertheless")


def figures(run: dict, before: dict[str, float], after: dict[str, float]) -> dict:
    took = (after["nanoseconds"] - before["nanoseconds"]) / 1e9

    def rate(*names: str) -> float:
        return sum(after.get(name, 0) - before.get(name, 0) for name in names) / took

    found = {
        "transactions_per_second": run["transactions"] / run["seconds"],
        "p99_milliseconds": run.get("milliseconds", {}).get("p99"),
        "refused": run["refused"],
        "late": run["late"],
        "frames_made_per_second": rate("a0", "b0", "a0_refused", "b0_refused"),
        "frames_received_per_second": rate("ga", "gb"),
        "frames_to_server_per_second": rate("forwarded"),
        "cookies_per_second": rate("march_syn_cookies_sent_total"),
        "evicted_per_second": rate("march_flows_evicted_total"),
        "server_refusals_per_second": rate("server_ListenDrops"),
        "server_cookies_per_second": rate("server_SyncookiesSent"),
    }
    found["use_of_others"] = max(0, rate("cpu0_work") - rate("ours")) / TICKS
    for cpu in ("cpu0", "cpu1"):
        found[f"{cpu}_idle"] = rate(f"{cpu}_idle") / TICKS
        found[f"{cpu}_stolen"] = rate(f"{cpu}_stolen") / TICKS
    return found


def spread(values: list[float]) -> dict:
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "rounds": values}


def spreads(rounds: list[dict]) -> dict:
    """Of every figure; None where there was none."""
    found = {}
    for name in rounds[0]:
        values = [figure[name] for figure in rounds if figure[name] is not None]
        found[name] = spread(values) if values else None
    return found


def result(setting: Setting, rounds: list[dict]) -> dict:
    out = dict(zip(("gateway", "server", "rate", "sources"), setting))
    out["kept"] = KEPT
    for part in rounds[0]:
        out[part] = spreads([found[part] for found in rounds])
    for to in ("none", "dropped"):
        out[f"flood_to_{to}"] = spread([found["flood"]["transactions_per_second"] /
                                        max(found[to]["transactions_per_second"], 1)
                                        for found in rounds])
    if TURNS in out:
        out["flood_to_dropped"] = out[TURNS]["judged_to_dropped"]
    return out


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("march_bin")
    parser.add_argument("--json", required=True)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--busy", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    not_measured = []
    chosen = settings([name for name in options.only.split(",") if name])
    if shutil.which("nft", path=PATH) is None:
        chosen = [setting for setting in chosen if setting[0] != "nft-conntrack"]
        not_measured.append({"subject": "nft-conntrack", "where": "everywhere",
                             "why": "nft is not installed"})
    machine = subprocess.run([f"{options.march_bin}/march-bench-flood", "machine"],
                             capture_output=True, text=True, check=True).stdout
    all_rounds: dict[Setting, list[dict]] = {setting: [] for setting in chosen}
    thrown = 0
    for number in range(options.rounds):
        for setting in chosen:
            found, disturbed = measure_undisturbed(setting, options.seconds, options.march_bin,
                                                   options.busy)
            thrown += disturbed
            all_rounds[setting].append(found)
            rates = "".join(f"{found[phase]['transactions_per_second']:8.0f}" for phase in PHASES)
            if TURNS in found:
                rates += f" ({found[TURNS]['judged_to_dropped']:.1%})"
            print(f"round {number + 1}: {' '.join(setting):36}{rates} transactions/s,"
                  f"{found['flood']['frames_received_per_second'] / 1e6:6.2f} M SYNs/s", flush=True)
        # After each, so that whoever has to stop has the rounds that are whole.
        document = {
            "format_version": FORMAT_VERSION,
            "command": ["bench/flood/flood.py", *sys.argv[1:]],
            "machine": json.loads(machine),
            "rounds": number + 1,
            "seconds": options.seconds,
            "thrown_away": thrown,
            "gateways": {name: {"what": what} for name, what in GATEWAYS.items()},
            "servers": {name: {"what": what} for name, what in SERVERS.items()},
            "measurements": [result(setting, found) for setting, found in all_rounds.items()],
            "not_measured": not_measured,
        }
        pathlib.Path(options.json).write_text(json.dumps(document, indent=1) + "\n",
                                              encoding="utf-8")


if __name__ == "__main__":
    main()
