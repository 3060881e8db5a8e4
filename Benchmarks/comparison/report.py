"""The text between the markers: sections of prose, tables and charts."""

from . import page, peers, places, results

METHOD = """\
Every server is one process with one thread (Go: `GOMAXPROCS=1`) on one core, started anew for each measurement; the load
runs on another core, is the same program for all, and compares each message with what it sent. In every round each server has its
turn, one after the other, every second round backwards. A cell is the median of the rounds; a ratio is the median of the ratios
within the rounds, with the least and the largest behind it. CPU is user and system time of the server's process from `/proc`: it
depends less than rates do on the generator and on what else the machine does. The part in user space, in brackets, is sampled by
clock ticks and rough where it is small; most of the rest is the kernel's TCP over loopback, the same for all who make the same
system calls. The servers' programs are in `Benchmarks/peers`.

uWebSockets is the C++ library in the form that PyPI carries: built with `-O3` and BoringSSL on libuv. On its own epoll loop
it may need a little less. The *bare C loop* is no server: it takes off the masks and writes back, checks nothing and
keeps nothing, and shows what any server pays to the kernel."""


def text(store, rows, images=places.IMAGES):
    """Writes the charts and gives the text."""
    drawing = page.Drawing(store, rows)
    parts = [
        "## Beside other servers", machine(store), versions(store), "### How it was measured", METHOD, kept(store, rows),
    ]
    for task, title, prose in SECTIONS:
        if not drawing.of(task):
            continue
        parts += [f"### {title}", prose, picture(drawing, task, images), drawing.costs(task)]
        parts += ["Ratios:", drawing.ratios(task), problems(drawing, task)]
    parts += memory(drawing, images)
    parts += losses(drawing)
    return "\n\n".join(part for part in parts if part)


SECTIONS = [
    ("echo", "Echo", "Server CPU in µs a message; in brackets the part in user space."),
    ("paced", "Response times", "99.9 of 100 messages came back within so many µs, at half of the rate that the same server "
     "reached just before; counted from when a message was due."),
    ("tls", "Echo by TLS 1.3", "Server CPU in µs a message; in brackets the part in user space."),
    ("deflate", "Echo with permessage-deflate",
     "Server CPU in µs a message of JSON-like text that is inflated and compressed again. Compressors differ in what they "
     "keep: Martlet and uWebSockets share one on all connections and keep no context (`uWebSockets, own compressors` has "
     "one for each connection); of 1 KiB some 265 bytes are left. ws and websockets, where "
     "they are measured, have one for each connection, with context, and leave some 155."),
    ("broadcast", "Fan-out",
     "One connection sends a message of 128 B, all get it: server CPU in µs a delivery. Martlet is here a server of some 40 "
     "lines on the library; Martlet's server is `martlet serve`, with subscriptions, offsets and history, and publishes "
     "what comes by HTTP, as nchan does."),
]

CHARTS = {
    "echo": [
        ("echo-64x100", "Echo, 64 B, 100 connections", "Server CPU in µs a message; the darker part is user space", "µs"),
        ("echo-16384x100", "Echo, 16 KiB, 100 connections",
         "Server CPU in µs a message; the darker part is user space", "µs"),
    ],
    "broadcast": [
        ("fanout-1000", "Fan-out to 1,000", "Server CPU in µs a delivery; the darker part is user space", "µs"),
        ("fanout-10000", "Fan-out to 10,000", "Server CPU in µs a delivery; the darker part is user space", "µs"),
    ],
    "idle": [("idle", "Memory of an idle connection", "Bytes of the server's process a connection", "B")],
}


def machine(store):
    about = store.get("machine")
    if not about:
        return ""
    kind = "virtual machine" if about["virtual"] else "machine"
    return (f"Machine: a {kind} with {about['cores']} cores ({about['processor']}), Linux {about['kernel']}, "
            f"{about['system']}, loopback.")


def versions(store):
    found = store.get("versions", {})
    titles = {peer.family: peer.title for peer in reversed(peers.ALL)}
    lines = [f"- {titles[family]}: {found[family]}" for family in titles if family in found]
    lines += [f"- {titles[family]} could not be installed: {why}" for family, why in store.get("missing", {}).items()]
    return "\n".join(sorted(lines))


def kept(store, rows):
    """The command, and how many rounds the figures come from."""
    counts = [
        done for row in rows for rounds in store["rows"].get(row.name, {}).values()
        if (done := sum(bool(each) for each in rounds))
    ]
    if not counts:
        return ""
    least, most = min(counts), max(counts)
    rounds = f"{least}" if least == most else f"{least} to {most}"
    seconds = store.get("seconds", 3)
    few = " Where there are fewer than five, differences of some tenths are noise." if least < 5 else ""
    if least < most:
        few += " Who has fewer rounds than others was measured at another time: there, ratios tell more than columns."
    commits = dict.fromkeys(commit for row in rows for commit in store.get("commits", {}).get(row.name, []))
    commit = f", Martlet at commit {' and '.join(commits)}" if commits else ""
    return (
        f"`make compare`, or `Benchmarks/compare` with `--quick`, `--only ROWS`, `--peers NAMES`, measures all of it again and "
        f"writes this section. These figures: {rounds} rounds of {seconds} s after one of warming up{commit}.{few}")


def picture(drawing, task, images):
    links = []
    for name, title, note, unit in CHARTS.get(task, []):
        row = next((row for row in drawing.rows if row.name == name), None)
        svg = drawing.chart(name, title, note, unit, None if row is None or row.figure == "cpu_us" else row.figure)
        if svg:
            images.mkdir(parents=True, exist_ok=True)
            (images / f"compare-{name}.svg").write_text(svg)
            links.append(f"![{title}: bars of the first table below](images/compare-{name}.svg)")
    return "\n\n".join(links)


def problems(drawing, task):
    """What went wrong in some round, by server and workload."""
    found = []
    for row in drawing.of(task):
        for peer in drawing.peers_in([row]):
            rounds = results.rounds_of(drawing.store, row.name, peer.name)
            why = results.problem(rounds)
            if why:
                bad = sum("problem" in each for each in rounds)
                found.append(f"† {peer.title}, {row.title}: {why} in {bad} of {len(rounds)} rounds.")
    return "\n".join(found)


def memory(drawing, images):
    """Idle connections and handshakes, a line for each server."""
    rows = {row.name: row for row in drawing.rows if row.name in drawing.store["rows"]}
    idle, start = rows.get("idle"), rows.get("echo-64x100")
    wanted = [row for row in (idle, rows.get("tls-idle"), rows.get("connect"), rows.get("tls-connect")) if row]
    if not wanted:
        return []
    columns = [
        ("At start, MiB", start, "start_kib", 1 / 1024), ("An idle connection, bytes", idle, "bytes", 1),
        ("by TLS 1.3, bytes", rows.get("tls-idle"), "bytes", 1),
        ("With 18,000, MiB", idle, "resident_kib", 1 / 1024), ("A handshake, µs", idle, "handshake_us", 1),
        ("Opened and closed, µs", rows.get("connect"), "cpu_us", 1),
        ("by TLS 1.3, µs", rows.get("tls-connect"), "cpu_us", 1),
    ]
    columns = [column for column in columns if column[1]]
    lines = []
    for peer in drawing.peers_in(wanted):
        line = [peer.title]
        for _, row, figure, scale in columns:
            found = drawing.spread(row, peer, figure)
            line.append(page.number(found[0] * scale) if found else "")
        lines.append(line)
    prose = (
        "Resident memory of the server's process, by the slope between 2,000 and 18,000 idle connections (by TLS 1,000 and "
        "5,000); what the kernel keeps for each socket is the same for all and not in it. A handshake is the CPU time of the "
        "server from accepting to the end of the opening handshake, where all connections stay; beside it, what one costs "
        "that also closes, 16 at a time, and the same by TLS 1.3, each with a whole handshake (ECDSA, P-256).")
    return [
        "### Connections: memory and handshakes", prose, picture(drawing, "idle", images),
        page.table(["", *(head for head, *_ in columns)], lines), "Ratios:",
        *(drawing.ratios(row.task) for row in wanted), *(problems(drawing, row.task) for row in wanted),
    ]


def losses(drawing):
    lines = drawing.losses()
    if not lines:
        return ["### Where Martlet loses", "In no workload of this run did another server need less by 3 % or more."]
    return [
        "### Where Martlet loses",
        "Every workload of this run where another server needed less, by 3 % or more. Where the range in brackets goes below "
        "1, the rounds do not agree.", "\n".join(lines),
    ]
