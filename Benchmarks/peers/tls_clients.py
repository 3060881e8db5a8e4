"""Opens WebSockets by TLS 1.3, one after the other, each with a whole handshake, never with a session of before.

    tls_clients.py PORT COUNT      prints how many there are when all are open, and closes them at the end of its input
"""

import base64
import os
import socket
import ssl
import sys

port, count = map(int, sys.argv[1:])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = ssl.TLSVersion.TLSv1_3
opened = []
for _ in range(count):
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
    key = base64.b64encode(os.urandom(16)).decode()
    connection.sendall(
        f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += connection.recv(4096) or sys.exit("closed in the handshake")
    if not head.startswith(b"HTTP/1.1 101 ") or connection.session_reused:
        sys.exit("no whole handshake: " + head[:40].decode(errors="replace"))
    opened.append(connection)
print(len(opened), flush=True)
sys.stdin.read()
