"""The Autobahn test suite, wherever it can be had on this machine.

It is for Python 2.7 only. Two ways lead to it: a Python 2.7 (on the PATH, or one of pyenv's) with the packages of
requirements-2.7.txt, which are installed from PyPI into .build/autobahn; or the container crossbario/autobahn-testsuite
where Docker runs.
"""

import glob
import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PACKAGES = HERE.parents[2] / ".build/autobahn"
REQUIREMENTS = HERE / "requirements-2.7.txt"
# What the packages are built with; newer ones have left Python 2.7.
BUILD_REQUIREMENTS = "Cython==3.0.11\nsetuptools==44.1.1\nwheel==0.37.1\n"
IMAGE = "crossbario/autobahn-testsuite:25.10.1"


class Unavailable(Exception):
    """Why the test suite cannot be had."""


class Installed:
    """The test suite on a Python 2.7 of this machine."""

    def __init__(self, python):
        self.python = python

    @property
    def description(self):
        return f"autobahntestsuite of PyPI on {self.python}"

    def command(self, mode, spec):
        return [self.python, "-W", "ignore", "-u", HERE / "suite.py", PACKAGES, mode, spec]


class Container:
    """The test suite in a container that shares the network and the folder of the reports."""

    description = f"the container {IMAGE}"

    def command(self, mode, spec):
        # The same path within, so that the specification reads alike.
        folder = pathlib.Path(spec).parent
        run = ["docker", "run", "--rm", "--init", "--network", "host", "--user", f"{os.getuid()}:{os.getgid()}"]
        return [*run, "--volume", f"{folder}:{folder}", IMAGE, "wstest", "--mode", mode, "--spec", spec, "--webport", "0"]


def find():
    """The test suite, installed if need be; Unavailable if there is no way to it."""
    pythons = [shutil.which("python2.7") or "", *sorted(glob.glob(os.path.join(pyenv_root(), "versions/2.7*/bin/python2.7")))]
    reasons = []
    for python in pythons:
        if succeeds(python, "-c", "import ssl, zlib, pip"):
            try:
                install(python)
                return Installed(python)
            except Unavailable as reason:
                reasons.append(str(reason))
                break
    if succeeds("docker", "info"):
        if succeeds("docker", "image", "inspect", IMAGE) or succeeds("docker", "pull", "--quiet", IMAGE):
            return Container()
        reasons.append(f"docker could not pull {IMAGE}")
    reasons = reasons or ["there is neither a Python 2.7 with pip, ssl and zlib, nor a running Docker"]
    raise Unavailable("the Autobahn test suite cannot be had: " + "; ".join(reasons))


def pyenv_root():
    return os.environ.get("PYENV_ROOT", os.path.expanduser("~/.pyenv"))


def succeeds(*command):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=600).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def install(python):
    """Puts the pinned packages into PACKAGES, if they are not there."""
    wanted = f"{python}\n{REQUIREMENTS.read_text()}{BUILD_REQUIREMENTS}"
    installed = PACKAGES / "installed.txt"
    if installed.exists() and installed.read_text() == wanted:
        return
    print(f"installing the Autobahn test suite into {PACKAGES} (about a minute)", file=sys.stderr, flush=True)
    shutil.rmtree(PACKAGES, ignore_errors=True)
    PACKAGES.mkdir(parents=True)
    constraints = PACKAGES / "build-requirements.txt"
    constraints.write_text(BUILD_REQUIREMENTS)
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--target", PACKAGES, "--requirement", REQUIREMENTS],
        env={**os.environ, "PIP_CONSTRAINT": str(constraints)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )
    if done.returncode != 0:
        raise Unavailable(f"pip of {python} could not install it: {done.stderr.strip()[-500:]}")
    installed.write_text(wanted)


def write_spec(folder, cases, **more):
    """The specification of a run, whose reports go into the folder; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.json"
    path.write_text(json.dumps({"outdir": str(folder), "cases": cases, "exclude-agent-cases": {}, **more}))
    return path
