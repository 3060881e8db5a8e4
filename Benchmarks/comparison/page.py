"""What is between the markers of docs/performance.md, from the kept results."""

from . import charts, peers, results

BEGIN, END = "<!-- compare:begin -->", "<!-- compare:end -->"
REFERENCE = "uws"
OWN = ("martlet", "martlet-uring", "martlet-async", "martlet-serve")
# A difference below this is within what the rounds differ by themselves.
NOTABLE = 1.03


class PageHasNoMarkers(Exception):
    """The page lacks the two lines between which the results go."""


def replace(page, text):
    """The page with the text between its markers."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise PageHasNoMarkers(f"the page has no {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{text.strip()}\n\n{END}{tail}"


def number(value):
    """Three digits that say something: 0.48, 5.51, 27.2, 1,445."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def table(heads, lines):
    rule = ["---", *["---:"] * (len(heads) - 1)]
    return "\n".join("| " + " | ".join(line) + " |" for line in [heads, rule, *lines])


class Drawing:
    """The results of all rows, as tables and charts."""

    def __init__(self, store, rows):
        self.store = store
        self.rows = rows

    def of(self, task):
        """The rows of a task that were measured."""
        return [row for row in self.rows if row.task == task and row.name in self.store["rows"]]

    def spread(self, row, peer, figure=None):
        return results.spread(results.rounds_of(self.store, row.name, peer.name), figure or row.figure)

    def peers_in(self, rows):
        return [
            peer for peer in peers.ALL
            if any(results.rounds_of(self.store, row.name, peer.name) for row in rows)
        ]

    def cell(self, row, peer):
        """The median, with the part in user space behind it."""
        rounds = results.rounds_of(self.store, row.name, peer.name)
        found = self.spread(row, peer)
        if found is None:
            return (results.problem(rounds) or "") if rounds else ""
        user = self.spread(row, peer, "user_us") if row.figure == "cpu_us" else None
        text = number(found[0]) + (f" ({number(user[0])})" if user else "")
        # Some rounds went wrong.
        return text + (" †" if results.problem(rounds) else "")

    def costs(self, task):
        """A line for each workload, a column for each peer."""
        rows = self.of(task)
        able = self.peers_in(rows)
        lines = [[row.title, *(self.cell(row, peer) for peer in able)] for row in rows]
        return table(["", *(peer.title for peer in able)], lines)

    def ratios(self, task):
        """Martlet over uWebSockets, with what the ratio was in the rounds."""
        own = [peer for peer in self.peers_in(self.of(task)) if peer.name in OWN]
        lines = []
        for row in self.of(task):
            reference = results.rounds_of(self.store, row.name, REFERENCE)
            line = [row.title]
            for peer in own:
                rounds = results.rounds_of(self.store, row.name, peer.name)
                found = results.ratios(rounds, reference, row.figure)
                line.append(f"{found[0]:.2f} ({found[1]:.2f}–{found[2]:.2f})" if found else "")
            lines.append(line)
        return table(["", *(f"{peer.title} : uWebSockets" for peer in own)], lines)

    def chart(self, name, title, note, unit, figure=None):
        """A bar for each peer that has a figure in a row; None where the row was not measured."""
        row = next((row for row in self.rows if row.name == name), None)
        if row is None or name not in self.store["rows"]:
            return None
        values = []
        for peer in self.peers_in([row]):
            found = self.spread(row, peer, figure)
            if not found:
                continue
            user = None if figure else self.spread(row, peer, "user_us")
            values.append(charts.Bar(
                peer.title, found[0], f"{number(found[0])} {unit}", peer.name in OWN, user[0] if user else 0,
                found[1], found[2]))
        return charts.bars(title, note, sorted(values, key=lambda bar: bar.value)) if values else None

    def losses(self):
        """Every figure where another server needs less, the largest difference first. The bare loop is no server."""
        found = []
        for row in self.rows:
            for figure, label in [(row.figure, row.label), *row.also.items()]:
                found += self.losses_in(row, figure, label)
        found.sort(key=lambda each: each[0], reverse=True)
        return [line for _, line in found]

    def losses_in(self, row, figure, label):
        for own in ("martlet", "martlet-async"):
            mine = results.rounds_of(self.store, row.name, own)
            # What async/await costs more is told beside uWebSockets alone.
            others = [REFERENCE] if own != "martlet" else [
                peer.name for peer in peers.ALL if peer.name not in (*OWN, "floor")]
            for other in others:
                compared = results.ratios(mine, results.rounds_of(self.store, row.name, other), figure)
                if compared and compared[0] >= NOTABLE:
                    middle, least, most = compared
                    titles = f"{peers.BY_NAME[own].title}: {middle:.2f} times {peers.BY_NAME[other].title}"
                    yield middle, f"- {label}, {titles} ({least:.2f}–{most:.2f})"
