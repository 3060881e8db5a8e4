"""Runs the rounds. In each, every peer has its turn, so that what the machine does meanwhile meets all of them; every second
one goes backwards, so that nobody always runs behind the same one."""

import sys

from . import load, results, servers


def measure(row, peers, rounds, seconds, store, is_added):
    """Measures a row and keeps what was found after each round. `is_added` adds to earlier rounds; else they go."""
    kept = store["rows"].get(row.name, {}) if is_added else {}
    longest = max((len(each) for each in kept.values()), default=0)
    for peer in peers:
        had = kept.setdefault(peer.name, [])
        # Rounds of peers stand side by side; one that was not there has gaps.
        had += [{} for _ in range(longest - len(had))]
    store["rows"][row.name] = kept
    commits = store.setdefault("commits", {})
    earlier = commits.get(row.name, []) if is_added else []
    commits[row.name] = list(dict.fromkeys([*earlier, store.get("commit") or "unknown"]))
    for number in range(1, rounds + 1):
        for peer in peers if (longest + number) % 2 else reversed(peers):
            print(f"\r\x1b[K{row.name}: round {number} of {rounds}, {peer.title}", end="", file=sys.stderr, flush=True)
            kept[peer.name].append(attempt(row, peer, seconds))
        results.write(store)
    print("\r\x1b[K", end="", file=sys.stderr)


def attempt(row, peer, seconds):
    """One measurement, or why there is none."""
    try:
        return row.measure(peer, seconds)
    except (load.LoadFailed, servers.DidNotStart) as reason:
        return {"problem": str(reason)}
