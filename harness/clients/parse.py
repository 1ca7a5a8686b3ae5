"""Read command lines as JSON (lists of words); print those that OMERO's own command line does not accept."""

import json
import sys

from omero.cli import CLI

cli = CLI()
cli.loadplugins()
for words in json.load(sys.stdin):
    try:
        cli.parser.parse_args(words)
    except SystemExit:
        print("refused:", *words)
