#!/usr/bin/python3
"""Tables in Markdown from the results of flood.py.

usage: report.py RESULTS.json...              prints them, one run after the other
       report.py RESULTS.json... --into FILE  puts them between the marks in FILE
"""

import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
from report_parts import command_and_machine, count, gaps, main, spread, subjects, table

HEADLINE = ("cookies-5", "bare", "max", "any")
UNPROTECTED = ("forward", "connections")


def percent(values: dict) -> str:
    return f"{values['median']:.1%} ({values['min']:.1%}..{values['max']:.1%})"


def transactions(phase: dict) -> str:
    return spread(phase["transactions_per_second"], 0)


def millions(values: dict) -> str:
    return f"{values['median'] / 1e6:.2f}"


def rounded(values: dict) -> str:
    return count(round(values["median"]))


def flood_of(it: dict) -> str:
    rate = "as fast as can be" if it["rate"] == "max" else f"{count(int(it['rate']))} a second"
    return rate + ("" if it["sources"] == "any" else f", {it['sources']} sources")


def place(it: dict) -> list[str]:
    return [f"`{it['gateway']}`", it["server"], flood_of(it)]


def headline(results: dict) -> str:
    found = {(it["gateway"], it["server"], it["rate"], it["sources"]): it
             for it in results["measurements"]}
    it = found.get(HEADLINE)
    if it is None:
        return ""
    lines = [f"Under {millions(it['flood']['frames_received_per_second'])} million SYNs a second that "
             "reach the gateway, a client of `cookies-5` keeps "
             f"**{it['flood_to_dropped']['median']:.1%}** of the transactions that it makes while "
             f"the flood is dropped where it comes in, and {it['flood_to_none']['median']:.1%} of those without a flood."]
    for gateway in UNPROTECTED:
        other = found.get((gateway, *HEADLINE[1:]))
        if other:
            lines.append(f"With `{gateway}` it keeps {other['flood_to_none']['median']:.1%}.")
    tables = [it["all"] for it in results["measurements"] if it["all"]["established"]]
    least = min(it["established"]["min"] for it in tables)
    no_room = max(it["no_room"]["max"] for it in tables)
    lines.append(f"Of {count(it['kept'])} established connections, {count(least)} were still in the "
                 "gateway's table after every flood, with or without proofs, and "
                 f"{count(round(no_room))} found no room in it.")
    return " ".join(lines) + "\n"


def client(results: dict) -> str:
    rows = []
    for it in results["measurements"]:
        flood, kept = it["flood"], it["all"]
        rows.append([*place(it), millions(flood["frames_received_per_second"]),
                     transactions(it["none"]), transactions(it["dropped"]), transactions(flood),
                     percent(it["flood_to_dropped"]), percent(it["flood_to_none"]),
                     count(round(flood["late"]["max"])), count(kept["answered"]["min"]),
                     count(kept["answered_afterwards"]["min"])])
    return table(["gateway", "server", "flood", "M SYNs/s", "none", "dropped", "under it",
                  "to dropped", "to none", "hang", "kept, answer", "afterwards"], rows)


def gateway(results: dict) -> str:
    rows = []
    for it in results["measurements"]:
        flood = it["flood"]
        established = it["all"]["established"]
        rows.append([*place(it), millions(flood["frames_made_per_second"]),
                     millions(flood["frames_received_per_second"]),
                     millions(it["dropped"]["frames_received_per_second"]),
                     millions(flood["cookies_per_second"]), rounded(flood["evicted_per_second"]),
                     "" if established is None else count(established["min"]),
                     rounded(flood["frames_to_server_per_second"]),
                     rounded(flood["server_refusals_per_second"]),
                     rounded(flood["server_cookies_per_second"])])
    return table(["gateway", "server", "flood", "M made", "M received", "M received, dropped",
                  "M cookies", "new connections evicted", "kept, in the table",
                  "frames to the server", "refused by the server", "server's cookies"], rows)


def most(results: dict, *figures: str) -> float:
    return max(it[phase][figure]["max"] for it in results["measurements"]
               for phase in ("none", "dropped", "flood") for figure in figures)


def render(results: dict) -> str:
    parts = command_and_machine(results)
    parts += [f"{results['rounds']} rounds; transactions are counted for {results['seconds']:g} "
              f"seconds, {5 * results['seconds']:g} by turns. Thrown away since others used CPU 0, or "
              f"hosts did not come up: {results['thrown_away']}. During those that count, others used at most "
              f"{most(results, 'use_of_others'):.1%} of it, and the hypervisor took at most "
              f"{most(results, 'cpu0_stolen', 'cpu1_stolen'):.1%} of either CPU.\n",
              headline(results), "Gateways:\n", subjects(results["gateways"]), "Servers:\n",
              subjects(results["servers"]), "#### The client: transactions a second\n",
              client(results), "#### The gateway and the server: figures a second\n",
              gateway(results), "#### Not measured in this run\n", gaps(results)]
    return "\n".join(parts)


if __name__ == "__main__":
    main(sys.argv[1:], __doc__, "bench/flood/report.py", 1, render)
