#!/usr/bin/env python3
"""Runs the Autobahn test suite against Martlet: `martlet echo` as server, the library's client as client.

    conformance.py [--quick] [--side server|client] [--scheme ws|wss] [CASES...]

CASES are ids and patterns of the suite, such as 7.1.5 or '9.*'; without any, all cases are run, server and client, over
ws and over wss, where the long ones (LONG below) are left out; --quick leaves them out over ws as well. The programs are those of the release build:
`make conformance CASES="7.* 9.1.1"` builds them first.

Reports go into .build/conformance, a folder for each run. Exit status: 0 if every case passed, 1 if one failed or was
left out, 2 if the test suite cannot be had.
"""

import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "Tests"), str(ROOT / "Tests/Interop")]

import results  # noqa: E402
import testsuite  # noqa: E402
from programs import Server  # noqa: E402
from proxies import certificate  # noqa: E402

CLIENT = ROOT / ".build/release/echo-client"
REPORTS = ROOT / ".build/conformance"
# Cases that are run at the same time, as they take long; patterns of the suite match by their beginning.
SHARES = [["13.*"], ["12.*"], ["9.*"], ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]]
# 12 and 13 send a thousand messages of each size from 16 bytes to 128 KiB with each way to compress. The large ones are
# most of the time; the small ones and one of those in fragments remain. A pattern of the suite ends with $ or anywhere.
LONG = [f"{group}.*.{case}$" for group in (12, 13) for case in ["[89]", "10", "1[3-8]"]]
SERVER_FLAGS = ["--max-message", "64MiB", "--max-fragments", "0", "--deflate"]
CLIENT_FLAGS = ["--deflate", "context"]
TIME_LIMIT_SECONDS = 1800


class Run:
    """Some cases, one side, one scheme."""

    def __init__(self, side, scheme, cases, excluded, number, tls):
        self.side, self.scheme, self.cases, self.excluded, self.tls = side, scheme, cases, excluded, tls
        self.folder = REPORTS / f"{side}-{scheme}" / str(number)
        self.results, self.complaints = [], []

    def start(self, suite, servers):
        try:
            if self.side == "server":
                self._test_server(suite, servers[self.scheme])
            else:
                self._test_client(suite)
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
        cert, key = map(str, self.tls)
        spec = self._spec(url=url, **({"cert": cert, "key": key} if self.scheme == "wss" else {}))
        with open(self.folder / "suite.log", "w") as log:
            fuzzing = subprocess.Popen(
                suite.command("fuzzingserver", spec), stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                wait_for(port, fuzzing)
                done = subprocess.run(
                    [CLIENT, *CLIENT_FLAGS, "--ca", cert, "--autobahn", "martlet", url], stdin=subprocess.DEVNULL, capture_output=True, text=True,
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
    parser.add_argument("--scheme", choices=["ws", "wss"])
    arguments = parser.parse_args()
    try:
        suite = testsuite.find()
    except testsuite.Unavailable as reason:
        print(f"conformance: {reason}", file=sys.stderr)
        return 2
    print(f"conformance: {suite.description}")
    sides = [arguments.side] if arguments.side else ["server", "client"]
    schemes = [arguments.scheme] if arguments.scheme else ["ws", "wss"]
    shares = [arguments.cases] if arguments.cases else SHARES
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    tls = certificate(REPORTS)
    started = time.monotonic()
    runs = []
    for number, cases in enumerate(shares):
        for scheme in schemes:
            leaves_out = cases in (["12.*"], ["13.*"]) and (arguments.quick or scheme == "wss")
            excluded = LONG if leaves_out and not arguments.cases else []
            runs += [Run(side, scheme, cases, excluded, number, tls) for side in sides]
    with contextlib.ExitStack() as stack:
        flags = {"ws": [], "wss": ["--tls-certificate", tls[0], "--tls-key", tls[1]]}
        servers = {scheme: stack.enter_context(Server("echo", "--port", 0, *SERVER_FLAGS, *flags[scheme]))
                   for scheme in schemes}
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 1)))
        list(pool.map(lambda run: run.start(suite, servers), runs))
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
