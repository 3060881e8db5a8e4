"""Installs and builds the peers. What cannot be had is named in the result, and the others go on."""

import os
import pathlib
import shutil
import subprocess
import sys
import tarfile

from . import places

PACKAGES = {
    "uws": ["gcc", "libc6-dev", "zlib1g", "libuv1-dev"],
    "floor": ["gcc", "libc6-dev", "libssl-dev"],
    "node-ws": ["nodejs", "node-ws"],
    "gorilla": ["golang-go", "golang-github-gorilla-websocket-dev"],
    "nchan": ["nginx", "libnginx-mod-nchan"],
}


class Unavailable(Exception):
    """A peer that cannot be had here; says why in a few words."""


def run(*words, **options):
    """Runs a command; `Unavailable` with its last words where it fails."""
    try:
        done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    except OSError as error:
        raise Unavailable(f"{words[0]}: {error.strerror}") from None
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or [f"exit status {done.returncode}"]
        raise Unavailable(lines[-1][:200])
    return done.stdout


def install_packages(names):
    """Debian's packages, as root or through sudo; asks apt only for those that are missing."""
    missing = [name for name in names if not is_installed(name)]
    if not missing:
        return
    if not shutil.which("apt-get"):
        raise Unavailable("no apt-get; missing " + " ".join(missing))
    root = [] if os.geteuid() == 0 else ["sudo", "-n"]
    print("installing", *missing, file=sys.stderr)
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-y", "-q"]
    install = [*apt, "install", "--no-install-recommends", *missing]
    try:
        run(*install)
    except Unavailable:
        run(*apt, "update")
        run(*install)


def is_installed(package):
    done = subprocess.run(
        ["dpkg-query", "--show", "--showformat=${db:Status-Status}", package], capture_output=True, text=True)
    return done.stdout == "installed"


def make_venv():
    """A virtual environment with the pinned packages, made anew only when the list changes."""
    wanted = pathlib.Path(__file__).with_name("requirements.txt")
    done = places.STORE / "venv/installed.txt"
    if done.exists() and done.read_text() == wanted.read_text():
        return
    print("installing Python packages", file=sys.stderr)
    shutil.rmtree(places.STORE / "venv", ignore_errors=True)
    python = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable
    run(python, "-m", "venv", places.STORE / "venv")
    run(places.PYTHON, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", wanted)
    shutil.copy(wanted, done)


def fetch_socketify():
    """uWebSockets, as the library inside the source archive of PyPI's socketify; none of its Python is used."""
    if places.SOCKETIFY.exists():
        return
    make_venv()
    folder = places.STORE / "socketify"
    wanted = pathlib.Path(__file__).with_name("socketify.txt")
    run(places.PYTHON, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "-d", folder,
        "-r", wanted)
    archive = next(iter(sorted(folder.glob("socketify-*"))), None)
    if archive is None:
        raise Unavailable("pip brought no archive of socketify")
    with tarfile.open(archive) as files:
        for member in files:
            if member.name.endswith("/" + places.SOCKETIFY.name):
                places.SOCKETIFY.write_bytes(files.extractfile(member).read())
                return
    raise Unavailable("no library for Linux in the archive of socketify")


def is_current(target, *sources):
    return target.exists() and all(target.stat().st_mtime >= source.stat().st_mtime for source in sources)


def build_uws():
    fetch_socketify()
    source, target = places.SOURCES / "uws_echo.c", places.BUILT / "uws_echo"
    if not is_current(target, source):
        run("cc", "-O2", "-Wall", "-Wextra", "-o", target, source, places.SOCKETIFY, "-luv",
            f"-Wl,-rpath,{places.STORE}")


def build_floor():
    source, target = places.SOURCES / "floor_echo.c", places.BUILT / "floor_echo"
    if not is_current(target, source):
        run("cc", "-O2", "-Wall", "-Wextra", "-o", target, source, "-lcrypto")


def build_gorilla():
    source, target = places.SOURCES / "gorilla_echo.go", places.BUILT / "gorilla_echo"
    if not is_current(target, source):
        go = {"GO111MODULE": "off", "GOPATH": "/usr/share/gocode", "GOCACHE": str(places.STORE / "go")}
        run("go", "build", "-o", target, source, env={**os.environ, **go})


def build_martlet():
    print("building martlet", file=sys.stderr)
    run("make", "--no-print-directory", "build", cwd=places.ROOT)
    run("swift", "build", "-c", "release", "--package-path", "Benchmarks", "-Xswiftc", "-enforce-exclusivity=unchecked",
        cwd=places.ROOT)


BUILDERS = {
    "uws": build_uws, "floor": build_floor, "gorilla": build_gorilla, "websockets": make_venv, "picows": make_venv,
}


def make_certificate():
    if not places.CERTIFICATE.exists():
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
            "-subj", "/CN=localhost", "-keyout", places.KEY, "-out", places.CERTIFICATE)


def install(families):
    """Makes the families ready. Returns what is missing: family to reason."""
    places.BUILT.mkdir(parents=True, exist_ok=True)
    missing = {}
    try:
        install_packages(["openssl", "python3-venv"])
        make_certificate()
    except Unavailable as reason:
        print(f"no certificate, so nothing by TLS: {reason}", file=sys.stderr)
    for family in families:
        try:
            install_packages(PACKAGES.get(family, []))
            if family in BUILDERS:
                BUILDERS[family]()
        except Unavailable as reason:
            missing[family] = str(reason)
            print(f"{family} cannot be installed: {reason}", file=sys.stderr)
    return missing
