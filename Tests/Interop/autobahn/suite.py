# Runs on Python 2.7, as the test suite does: its command wstest, listening on the loopback interface only.
#
#     python2.7 suite.py PACKAGES fuzzingclient|fuzzingserver SPEC
import json
import site
import sys

site.addsitedir(sys.argv[1])

from autobahntestsuite import wstest  # noqa: E402 (it is found there only)
from twisted.internet import reactor  # noqa: E402


listen_tcp, listen_ssl = reactor.listenTCP, reactor.listenSSL
reactor.listenTCP = lambda port, factory, backlog=50, interface="": listen_tcp(port, factory, backlog, "127.0.0.1")
reactor.listenSSL = lambda port, factory, context, backlog=50, interface="": listen_ssl(
    port, factory, context, backlog, "127.0.0.1"
)
with open(sys.argv[3]) as spec:
    wstest.start({"mode": sys.argv[2], "webport": 0}, json.load(spec))
