"""Read command lines as JSON, a list of words each; print those that OMERO's own command line does not take."""

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
