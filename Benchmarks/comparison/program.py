"""The command line of Benchmarks/compare."""

import argparse
import sys

from . import installing, machine, measuring, page, peers, places, report, results, rows, terminal

DESCRIPTION = """\
Compares Martlet with other WebSocket servers in the same run and writes docs/performance.md. Peers come from Debian and
PyPI only; one that cannot be had is named and left out. Servers run on one core, the load on another."""


def arguments(words):
    parser = argparse.ArgumentParser(
        prog="Benchmarks/compare", description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="3 rounds of 1 s in the place of 5 rounds of 3 s")
    parser.add_argument("--rounds", type=positive, metavar="N", help="rounds of each row")
    parser.add_argument("--seconds", type=positive, metavar="S", help="seconds of each measurement")
    parser.add_argument("--only", metavar="ROWS", help="these rows, or those whose names begin so, with commas between: echo,fanout")
    parser.add_argument("--peers", metavar="NAMES", help="these peers only, with commas between: martlet,uws")
    parser.add_argument("--add", action="store_true", help="add the rounds to those that are kept, not in their place")
    parser.add_argument("--redraw", action="store_true", help="measure nothing; write the page from what is kept")
    parser.add_argument("--no-page", action="store_true", help="leave docs/performance.md as it is")
    parser.add_argument("--no-build", action="store_true", help="install and build nothing")
    parser.add_argument("--list", action="store_true", help="name the rows and peers")
    return parser.parse_args(words)


def positive(text):
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def chosen(words, things, parser_word):
    """The things whose names begin with one of the words; all of them where no word is given."""
    if words is None:
        return list(things)
    wanted = [word.strip() for word in words.split(",") if word.strip()]
    for word in wanted:
        if not any(thing.name.startswith(word) for thing in things):
            names = ", ".join(thing.name for thing in things)
            sys.exit(f"compare: no {parser_word} begins with '{word}'; there are: {names}")
    names = {thing.name for thing in things}
    return [
        thing for thing in things
        if any(thing.name == word or word not in names and thing.name.startswith(word) for word in wanted)
    ]


def main(words):
    given = arguments(words)
    chosen_rows = chosen(given.only, rows.ALL, "row")
    chosen_peers = chosen(given.peers, peers.ALL, "peer")
    if given.list:
        print("rows: ", *(row.name for row in chosen_rows))
        print("peers:", *(peer.name for peer in chosen_peers))
        return
    store = results.read()
    if not given.redraw:
        run(given, chosen_rows, chosen_peers, store)
    print(terminal.table(store, chosen_rows))
    if not given.no_page:
        text = page.replace(places.PAGE.read_text(), report.text(store, rows.ALL))
        places.PAGE.write_text(text)


def run(given, chosen_rows, chosen_peers, store):
    if not given.no_build:
        try:
            installing.build_martlet()
        except installing.Unavailable as reason:
            sys.exit(f"compare: martlet cannot be built: {reason}")
        store["missing"] = installing.install(dict.fromkeys(peer.family for peer in chosen_peers))
        store["versions"] = machine.versions()
        store["machine"] = machine.describe()
    store["commit"] = machine.commit()
    missing = store.get("missing", {})
    store["seconds"] = given.seconds or (1 if given.quick else 3)
    rounds = given.rounds or (3 if given.quick else 5)
    for row in chosen_rows:
        able = [peer for peer in chosen_peers if row.task in peer.tasks and peer.family not in missing]
        if able:
            measuring.measure(row, able, rounds, store["seconds"], store, given.add)
