"""The glossary is short enough to read, and in order."""

import re

from harness.stacks import ROOT

ROW = re.compile(r"^\| (?!term )([^|]+) \|", re.MULTILINE)
MOST = 40


def test_the_glossary_has_few_terms_and_is_in_order() -> None:
    tables = (ROOT / "docs" / "glossary.md").read_text().split("## Terms of this project")
    terms = [[term.lower() for term in ROW.findall(table)] for table in tables]
    assert all(terms)
    assert sum(map(len, terms)) <= MOST
    assert terms == [sorted(one) for one in terms]
