"""Where things lie."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Benchmarks/peers"
STORE = ROOT / ".build/compare"
BUILT = STORE / "bin"
RESULTS = STORE / "results.json"
CERTIFICATE = STORE / "certificate.pem"
KEY = STORE / "key.pem"
MARTLET = ROOT / ".build/release/martlet"
SWIFT_BENCHMARKS = ROOT / "Benchmarks/.build/release"
PYTHON = STORE / "venv/bin/python"
SOCKETIFY = STORE / "libsocketify_linux_amd64.so"
PAGE = ROOT / "docs/performance.md"
IMAGES = ROOT / "docs/images"
