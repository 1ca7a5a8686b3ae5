"""An authority that stops answering: visitors see the certificate of before."""

import pytest

from tests.cloud.asking import shown
from tests.cloud.authority import Authority
from tests.cloud.tenant import Tenant
from tests.cloud.test_certificate import HOST, acme

__all__ = ["acme"]

pytestmark = pytest.mark.cloud

NOBODY = "https://192.0.2.1/directory"  # RFC 5737: an address of nobody's


def test_an_authority_that_does_not_answer_is_one_message_and_visitors_see_what_they_saw(
    second: Tenant, acme: Authority
) -> None:
    second.configure(idr_acme={"directory": acme.directory, "authority": acme.directory_authority})
    second.apply()
    before = shown(second.service(), acme.root)
    second.configure(idr_acme={"directory": NOBODY, "authority": acme.directory_authority})
    done = second.up()
    assert done.returncode != 0
    said_of_it = (
        "role proxy: activate failed",
        f"acme: {NOBODY} gave no certificate for {HOST}",
        "Network is unreachable",
        "The previous configuration is back in force.",
    )
    assert [text for text in said_of_it if text not in done.stdout] == [], done.stdout
    assert shown(second.service(), acme.root) == before
