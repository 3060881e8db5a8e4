"""Certificates made by openssl for a test: no private key is kept in the repository."""

import pathlib
import subprocess


def openssl(*arguments, input=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=input, check=True, capture_output=True, timeout=30)


class Authority:
    """An authority that issues certificates into a folder; `file` is its own certificate."""

    def __init__(self, folder, name="Test Authority"):
        self.folder = pathlib.Path(folder)
        stem = name.replace(" ", "-")
        self.file, self._key = self.folder / f"{stem}.pem", self.folder / f"{stem}.key"
        openssl(
            "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 2,
            "-subj", f"/CN={name}", "-keyout", self._key, "-out", self.file)

    def issue(self, name, alternatives="DNS:localhost,IP:127.0.0.1"):
        """The paths of a certificate and its key."""
        certificate, key, request, extensions = (self.folder / f"{name}.{end}" for end in ("pem", "key", "csr", "cnf"))
        extensions.write_text(f"subjectAltName={alternatives}\n")
        openssl(
            "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
            "-keyout", key, "-out", request)
        openssl(
            "x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self._key, "-CAcreateserial", "-days", 2,
            "-extfile", extensions, "-out", certificate)
        return certificate, key
