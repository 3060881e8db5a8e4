"""The results as text on the terminal."""

from . import peers, results

REFERENCE = "uws"


def table(store, rows):
    """A block for each row: a line for each peer with median, least, most and the ratio to uWebSockets."""
    return "\n".join(block(store, row) for row in rows if row.name in store["rows"])


def block(store, row):
    lines = [f"{row.title} ({row.name}), {row.figure}"]
    reference = results.rounds_of(store, row.name, REFERENCE)
    for peer in peers.ALL:
        rounds = results.rounds_of(store, row.name, peer.name)
        if not rounds:
            continue
        found = results.spread(rounds, row.figure)
        if found is None:
            lines.append(f"  {peer.title:30} {results.problem(rounds) or 'not measured'}")
            continue
        middle, least, most = found
        line = f"  {peer.title:30} {middle:10.2f}  [{least:.2f}-{most:.2f}]"
        user = results.spread(rounds, "user_us")
        if user:
            line += f"  user {user[0]:.2f} [{user[1]:.2f}-{user[2]:.2f}]"
        compared = results.ratios(rounds, reference, row.figure)
        if compared:
            line += f"  x{compared[0]:.2f} [{compared[1]:.2f}-{compared[2]:.2f}]"
        if results.problem(rounds):
            line += f"  ({results.problem(rounds)})"
        lines.append(line)
    return "\n".join(lines) + "\n"
