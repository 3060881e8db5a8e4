"""nginx and HAProxy in front of Martlet, each with a configuration of its own in a folder of the test."""

import contextlib
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder, names="DNS:localhost,IP:127.0.0.1"):
    """A certificate that signs itself: the files of certificate and key."""
    cert, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=test",
         "-addext", f"subjectAltName={names}"],
        check=True, capture_output=True)
    return cert, key


class Front:
    """A running proxy; `port` speaks HTTP, `tls_port` the same in TLS."""

    def __init__(self, folder, **settings):
        self.folder, self.port, self.tls_port = folder, free_port(), free_port()
        self.certificate, self.key = certificate(folder)
        self.configure(**settings)
        self.log = open(folder / "proxy.log", "w")
        self.process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, cwd=folder)
        deadline = time.monotonic() + 20
        while True:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.name} did not start: {(folder / 'proxy.log').read_text()}")
            time.sleep(0.02)

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}"

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Nginx(Front):
    """nginx, set up as its manual has it for WebSocket; `backends` are ports."""

    name = "nginx"

    def configure(self, backends, idle_seconds=60):
        servers = "\n".join(f"server 127.0.0.1:{port} max_fails=0;" for port in backends)
        (self.folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 1; pid {self.folder}/nginx.pid; error_log stderr warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  # The workers may not be allowed to write into the folder.
  client_body_buffer_size 256k;
  client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
  fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
  upstream martlet {{ {servers} keepalive 4; }}
  server {{
    listen 127.0.0.1:{self.port};
    listen 127.0.0.1:{self.tls_port} ssl;
    ssl_certificate {self.certificate}; ssl_certificate_key {self.key};
    location / {{
      proxy_pass http://martlet;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $connection_upgrade;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-Host "";
      proxy_read_timeout {idle_seconds}s; proxy_send_timeout {idle_seconds}s;
    }}
  }}
}}
""")

    def command(self):
        return ["nginx", "-p", self.folder, "-c", self.folder / "nginx.conf", "-e", "stderr"]


class HAProxy(Front):
    """HAProxy; `server` are further words of its server lines, such as send-proxy-v2."""

    name = "HAProxy"

    def configure(self, backends, idle_seconds=60, server="", mode="http"):
        http = """
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request del-header X-Forwarded-Host
  option forwardfor
""" if mode == "http" else ""
        servers = "\n".join(
            f"  server s{number} 127.0.0.1:{port} check inter 200ms fall 1 rise 1 {server}"
            for number, port in enumerate(backends))
        pem = self.folder / "both.pem"
        pem.write_text(self.certificate.read_text() + self.key.read_text())
        (self.folder / "haproxy.cfg").write_text(f"""
global
  maxconn 512
  no log
defaults
  mode {mode}
  timeout connect 2s
  timeout client {idle_seconds}s
  timeout server {idle_seconds}s
  timeout tunnel {idle_seconds}s
frontend public
  bind 127.0.0.1:{self.port}
  bind 127.0.0.1:{self.tls_port} ssl crt {pem}
  {http}
  default_backend martlet
backend martlet
  balance roundrobin
  option redispatch
  retries 3
{servers}
""")

    def command(self):
        return ["haproxy", "-f", self.folder / "haproxy.cfg", "-db"]
