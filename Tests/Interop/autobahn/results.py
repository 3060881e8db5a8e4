"""What the Autobahn test suite found: read from its reports, counted and told."""

import collections
import json

PASSED = ["OK", "NON-STRICT", "INFORMATIONAL"]
# How many cases there are in each group of the suite, so that none can be left out without a word.
CASES_OF_GROUP = {1: 16, 2: 11, 3: 7, 4: 10, 5: 20, 6: 145, 7: 37, 9: 54, 10: 1, 12: 90, 13: 126}


class Result:
    """A case: how the peer behaved, and how it closed the connection."""

    def __init__(self, case, entry, folder):
        self.case = case
        self.behaviors = (entry["behavior"], entry["behaviorClose"])
        self.report = folder / entry["reportfile"]

    @property
    def key(self):
        return tuple(int(part) for part in self.case.split("."))

    @property
    def group(self):
        return self.key[0]

    @property
    def verdict(self):
        """The worse of both behaviors."""
        order = ["INFORMATIONAL", "OK", "NON-STRICT"]
        return max(self.behaviors, key=lambda it: order.index(it) if it in order else len(order))

    @property
    def has_passed(self):
        return self.verdict in PASSED

    def explanation(self):
        """The suite's own words on the case."""
        try:
            report = json.loads(self.report.read_text(encoding="utf-8", errors="replace"))
        except (OSError, ValueError):
            return "no report"
        return f"{report['result']} {report['resultClose']} (close code {report['remoteCloseCode']})"


def read(folder):
    """The results of a run. None if it wrote no reports."""
    try:
        index = json.loads((folder / "index.json").read_text())
    except (OSError, ValueError):
        return None
    return [Result(case, entry, folder) for cases in index.values() for case, entry in cases.items()]


def tell(title, results, complaints):
    """Prints one side's results; returns how many cases passed and failed."""
    results = sorted(results, key=lambda result: result.key)
    failed = [result for result in results if not result.has_passed]
    print(f"\n{title}: {len(results)} cases")
    columns = ["OK", "NON-STRICT", "INFORMATIONAL", "FAILED", "UNIMPLEMENTED"]
    columns += sorted({result.verdict for result in results} - set(columns))
    print("  group " + "".join(f"{column:>15}" for column in columns))
    for group in sorted({result.group for result in results}):
        count = collections.Counter(result.verdict for result in results if result.group == group)
        print(f"  {group:>3}.* " + "".join(f"{count[column] or '':>15}" for column in columns))
    for verdict in ("NON-STRICT", "INFORMATIONAL"):
        if listed := [result.case for result in results if result.verdict == verdict]:
            print(f"  {verdict}: {' '.join(listed)}")
    for result in failed:
        print(f"  {result.verdict} {result.case}: {result.explanation()}\n    {result.report}")
    for complaint in complaints:
        print(f"  {complaint}")
    return len(results) - len(failed), len(failed) + len(complaints)
