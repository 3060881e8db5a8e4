"""Runs the program of Tests/Interop/echo-client: the library's client, which sends every message back."""

import asyncio
import contextlib

from programs import ROOT, environment

PROGRAM = ROOT / ".build/release/echo-client"


class EchoClient:
    """What the program did: its exit status and the lines that it printed."""

    def __init__(self, status, output, errors):
        self.status, self.lines, self.errors = status, output.decode().splitlines(), errors.decode()

    @property
    def subprotocol(self):
        """The agreed one; "-" if none was."""
        return next(line.split(" ", 1)[1] for line in self.lines if line.startswith("open "))

    @property
    def closed(self):
        """The close code and the reason."""
        _, code, *reason = next(line for line in self.lines if line.startswith("closed ")).split(" ", 2)
        return int(code), "".join(reason)

    @property
    def error(self):
        return next((line.split(" ", 1)[1] for line in self.lines if line.startswith("error ")), None)


async def echo_client(url, *flags, timeout=40):
    """Runs it to its end."""
    process = await asyncio.create_subprocess_exec(
        PROGRAM, *flags, url, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE, env=environment())
    try:
        output, errors = await asyncio.wait_for(process.communicate(), timeout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return EchoClient(process.returncode, output, errors)
