#!/usr/bin/env python3
"""Runs the Autobahn test suite against Martlet: `martlet echo` as server, the library's client as client.

    conformance.py [--quick] [--side server|client] [--scheme ws|wss] [CASES...]

CASES are ids and patterns of the suite, such as 7.1.5 or '9.*'; without any, all cases are run, over ws both ways and
over wss both ways. --quick leaves out the long ones (LONG below). The programs are those of the release build:
`make conformance CASES="7.* 9.1.1"` builds them first.

Reports go into .build/conformance, a folder for each run. Exit status: 0 if every case passed, 1 if one failed or was
left out, 2 if the test suite cannot be had.
"""

import argparse
import concurrent.futures
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "Tests"))

import results  # noqa: E402
import testsuite  # noqa: E402
from programs import Server  # noqa: E402

CLIENT = ROOT / ".build/release/echo-client"
REPORTS = ROOT / ".build/conformance"
# Cases that are run at the same time, as they take long; patterns of the suite match by their beginning.
SHARES = [["13.*"], ["12.*"], ["9.*"], ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]]
# What --quick leaves out.
LONG = []
SERVER_FLAGS = ["--max-message", "64MiB", "--max-fragments", "0", "--deflate"]
CLIENT_FLAGS = ["--deflate", "context"]
TIME_LIMIT_SECONDS = 1800


class Run:
    """Some cases, one side, one scheme."""

    def __init__(self, side, scheme, cases, excluded, number):
        self.side, self.scheme, self.cases, self.excluded = side, scheme, cases, excluded
        self.folder = REPORTS / f"{side}-{scheme}" / str(number)
        self.results, self.complaints = [], []

    def start(self, suite, server):
        try:
            self._test_server(suite, server) if self.side == "server" else self._test_client(suite)
        except subprocess.TimeoutExpired:
            self.complaints.append(f"not finished after {TIME_LIMIT_SECONDS} s: {' '.join(self.cases)}")
        found = results.read(self.folder)
        if found is None:
            self.complaints.append(f"no reports of {' '.join(self.cases)}: see {self.folder}/suite.log")
        self.results = found or []
        return self

    def _spec(self, **more):
        return testsuite.write_spec(self.folder, self.cases, **{"exclude-cases": self.excluded}, **more)

    def _test_server(self, suite, server):
        url = f"{self.scheme}://127.0.0.1:{server.port}"
        spec = self._spec(servers=[{"agent": "martlet", "url": url}])
        with open(self.folder / "suite.log", "w") as log:
            done = subprocess.run(
                suite.command("fuzzingclient", spec), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                timeout=TIME_LIMIT_SECONDS)
        if done.returncode != 0:
            self.complaints.append(f"the test suite ended with status {done.returncode}: see {self.folder}/suite.log")

    def _test_client(self, suite):
        port = free_port()
        url = f"{self.scheme}://127.0.0.1:{port}"
        spec = self._spec(url=url)
        with open(self.folder / "suite.log", "w") as log:
            fuzzing = subprocess.Popen(
                suite.command("fuzzingserver", spec), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                wait_for(port, fuzzing)
                done = subprocess.run(
                    [CLIENT, *CLIENT_FLAGS, "--autobahn", "martlet", url], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                    timeout=TIME_LIMIT_SECONDS)
            finally:
                fuzzing.terminate()
                fuzzing.wait(30)
        if done.returncode != 0:
            self.complaints.append(f"the client ended with status {done.returncode}: {done.stderr[-500:]}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port, process, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the fuzzing server does not listen on port {port}") from None
            time.sleep(0.05)


def missing(runs):
    """Complaints about groups of which some cases were not run, where all of them were to be."""
    counts = {}
    for run in runs:
        for result in run.results:
            counts[result.group] = counts.get(result.group, 0) + 1
    whole = {int(pattern[:-2]) for run in runs if not run.excluded for pattern in run.cases if pattern[:-2].isdigit()}
    return [f"{group}.*: {counts.get(group, 0)} of {results.CASES_OF_GROUP[group]} cases were run"
            for group in sorted(whole & set(results.CASES_OF_GROUP))
            if counts.get(group, 0) != results.CASES_OF_GROUP[group]]


def main():
    parser = argparse.ArgumentParser(description="Autobahn's test suite against Martlet.")
    parser.add_argument("cases", nargs="*", metavar="CASES")
    parser.add_argument("--quick", action="store_true", help="leave out the cases that take long")
    parser.add_argument("--side", choices=["server", "client"])
    parser.add_argument("--scheme", choices=["ws"])
    arguments = parser.parse_args()
    try:
        suite = testsuite.find()
    except testsuite.Unavailable as reason:
        print(f"conformance: {reason}", file=sys.stderr)
        return 2
    print(f"conformance: {suite.description}")
    sides = [arguments.side] if arguments.side else ["server", "client"]
    schemes = [arguments.scheme] if arguments.scheme else ["ws"]
    shares = [arguments.cases] if arguments.cases else SHARES
    excluded = LONG if arguments.quick and not arguments.cases else []
    shutil.rmtree(REPORTS, ignore_errors=True)
    started = time.monotonic()
    runs = [Run(side, scheme, cases, excluded, number)
            for number, cases in enumerate(shares) for side in sides for scheme in schemes]
    with Server("echo", "--port", 0, *SERVER_FLAGS) as server:
        with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 1)) as pool:
            list(pool.map(lambda run: run.start(suite, server), runs))
    passed = failed = 0
    for side in sides:
        for scheme in schemes:
            these = [run for run in runs if (run.side, run.scheme) == (side, scheme)]
            complaints = [complaint for run in these for complaint in run.complaints] + missing(these)
            good, bad = results.tell(
                f"{side} over {scheme}", [result for run in these for result in run.results], complaints)
            passed, failed = passed + good, failed + bad
    print(f"\nconformance: {passed} passed, {failed} failed in {time.monotonic() - started:.0f} s")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
