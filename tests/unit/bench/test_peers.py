"""The servers that a benchmark compares with the proxy use the proxy's certificate."""

import ssl
from pathlib import Path

from bench.frontend import peers
from harness import stacks


def test_the_peers_certificate_and_key_are_a_pair(tmp_path: Path) -> None:
    pair = peers.tls_of(stacks.plan_of("local"), tmp_path)
    ssl.create_default_context().load_cert_chain(pair.certificate, pair.key)
