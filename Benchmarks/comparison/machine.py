"""What the measurements ran on: the processor, the system, the versions. No names of hosts or places."""

import os
import pathlib
import platform
import re
import shutil
import subprocess

from . import places


def output(*words):
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout + done.stderr


def processor():
    with open("/proc/cpuinfo") as lines:
        found = re.search(r"^model name\s*:\s*(.+)$", lines.read(), re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.machine()


def system():
    with open("/etc/os-release") as lines:
        found = re.search(r'^PRETTY_NAME="?([^"\n]+)', lines.read(), re.MULTILINE)
    return found[1] if found else "Linux"


def is_virtual():
    with open("/proc/cpuinfo") as lines:
        return " hypervisor " in lines.read() + " "


def describe():
    release = re.match(r"\d+\.\d+", platform.release())
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "virtual": is_virtual(),
        "kernel": release[0] if release else "",
        "system": system(),
    }


def package(name):
    """A Debian package's upstream version."""
    version = output("dpkg-query", "--show", "--showformat=${Version}", name)
    return re.split(r"[-+~]", version.partition(":")[2] or version)[0]


def pypi(name):
    text = output(places.PYTHON, "-c", f"from importlib.metadata import version; print(version('{name}'))")
    return text.strip().splitlines()[-1] if text.strip() else ""


def first(pattern, text):
    found = re.search(pattern, text)
    return found[1] if found else ""


def socketify():
    with open(pathlib.Path(__file__).with_name("socketify.txt")) as lines:
        return first(r"socketify==([0-9.]+)", lines.read())


def versions():
    """The versions of what is compared, by family."""
    uvloop = f", uvloop {pypi('uvloop')}, Python {first(r'Python ([0-9.]+)', output(places.PYTHON, '--version'))}"
    found = {
        "martlet": first(r"([0-9]+\.[0-9.]+\S*)", output(places.MARTLET, "version"))
        + ", Swift " + first(r"Swift version ([0-9.]+)", output("swift", "--version")),
        "uws": "20, in PyPI's socketify " + socketify() + f", libuv {package('libuv1')}",
        "gorilla": package("golang-github-gorilla-websocket-dev") + ", Go " + first(r"go([0-9.]+)", output("go", "version")),
        "node-ws": package("node-ws") + ", Node.js " + first(r"v([0-9.]+)", output("node", "--version")),
        "picows": pypi("picows") + uvloop,
        "websockets": pypi("websockets") + uvloop,
        "nchan": package("libnginx-mod-nchan") + ", nginx " + package("nginx"),
        "floor": first(r"\) ([0-9.]+)", output("cc", "--version")) and "cc " + first(r"\) ([0-9.]+)", output("cc", "--version")),
    }
    return {family: text for family, text in found.items() if text and not text.startswith(",")}


def commit():
    """The commit of this working tree, with a plus where files differ from it."""
    if not shutil.which("git"):
        return ""
    name = output("git", "-C", places.ROOT, "rev-parse", "--short", "HEAD").strip()
    changed = output("git", "-C", places.ROOT, "status", "--porcelain", "Sources").strip()
    return name + ("+" if changed else "")
