"""The figures of all rounds, kept as JSON, and what is made of them."""

import json
import statistics

from . import places


def read(path=places.RESULTS):
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        return {"rows": {}}


def write(results, path=places.RESULTS):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n")


def spread(rounds, figure):
    """(median, least, most) of a figure over the rounds that have it; None where none has."""
    values = [each[figure] for each in rounds if each.get(figure) is not None]
    if not values:
        return None
    return statistics.median(values), min(values), max(values)


def ratios(rounds, others, figure):
    """(median, least, most) of the ratios of rounds that were measured side by side; None where there is nothing to compare.

    A round of the one and the same round of the other ran one after the other, so that the machine's mood cancels out in
    their ratio more than in the ratio of two medians.
    """
    found = [
        mine[figure] / theirs[figure]
        for mine, theirs in zip(rounds, others)
        if mine.get(figure) is not None and theirs.get(figure)
    ]
    return (statistics.median(found), min(found), max(found)) if found else None


def rounds_of(results, row, peer):
    return results["rows"].get(row, {}).get(peer, [])


def problem(rounds):
    """Why a peer has no figure: the reason of its last round that failed."""
    return next((each["problem"] for each in reversed(rounds) if "problem" in each), None)
