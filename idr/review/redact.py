"""Copy a preview from standard input to standard output, without its readable secrets.

`pulumi preview --json --show-sames | python -m idr.review.redact`
"""

import json
import sys

from idr.review.secrets import redacted

if __name__ == "__main__":
    json.dump(redacted(json.load(sys.stdin)), sys.stdout)
