"""`make verify-official`: check the official OMERO.server. This needs the internet.

Downloads the archives that a stack file names and verifies their checksums. On a deployed release it checks what a
stand-in cannot show: the schema's version, the Java heap, and an imported image.
"""

import argparse
import shlex
import socket
import sys
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

import yaml

from dev.local.steps import StepError, console, run, step
from idr.pin import PARTS

ROOT = Path(__file__).resolve().parents[1]
SECONDS_TO_CONNECT = 10
# Bio-Formats generates the image of a .fake file from its name: a real import without image data.
SCRIPT = """
set -euo pipefail
. /usr/local/lib/idr/omero-server/common.sh
. /etc/idr/node.env
IMPORT="verify-official&sizeX=256&sizeY=256.fake"
echo "schema: $(schema)"
as_omero omero admin jvmcfg | grep -i blitz
folder=$(mktemp -d)
touch "$folder/$IMPORT"
chown -R omero-server "$folder"
export OMERO_SESSIONDIR=$folder/sessions OMERO_PASSWORD=$(cat /etc/idr/omero/root-password)
clean_up() {
  [ -z "${imported:-}" ] || as_omero omero delete "$imported" || echo "not deleted; by hand: omero delete $imported"
  as_omero omero -q logout || true
  rm -rf "$folder"
}
trap clean_up EXIT
# Visitors see nothing of the administrators' group.
as_omero omero -q login -s "$NODE_ADDRESS" -p 4064 -u root -g system
output=$(as_omero omero import --skip upgrade --output ids "$folder/$IMPORT")
imported=$(grep -oE '(Fileset|Image):[0-9,]+' <<< "$output" | tail -n 1)
as_omero omero hql -q --style plain "select id, name from Image where name like 'verify-official%'"
"""


def main() -> int:
    """Verify; if that is not possible, print the reason in one line. Return the exit status."""
    parser = argparse.ArgumentParser(description="Verify the official OMERO.server of a stack. Needs internet.")
    parser.add_argument("--stack", default="uod", help="the stack whose file names the archives (default: uod)")
    parser.add_argument("--server", help="also verify this running read-write node, as `idr ssh` names it")
    options = parser.parse_args()
    try:
        verify(options.stack, options.server)
    except StepError as error:
        console.print(f"verify-official: {error}", style="red", soft_wrap=True)
        return 1
    return 0


def verify(stack: str, server: str | None) -> None:
    """Download and check; with a node, also import and read an image. Raises StepError with the reason."""
    file = ROOT / f"Pulumi.{stack}.yaml"
    omero = yaml.safe_load(file.read_text())["config"].get("idr:omero", {}) if file.is_file() else {}
    urls = [omero[part]["url"] for part in PARTS if "url" in omero.get(part, {})]
    if len(urls) != len(PARTS):
        raise StepError(
            f"{file.name} does not name the official distribution (idr:omero: {', '.join(PARTS)}, with urls)"
        )
    for url in urls:
        require_reachable(urlsplit(url))
    with step("Downloading the archives, checking their sums"):
        run([sys.executable, "-m", "idr", "pin", "--stack", stack])
    if server is None:
        console.print(
            "The sums are in the stack file. Next: `pulumi up`, then: "
            f"make verify-official STACK={stack} SERVER=<the node with omero-readwrite>"
        )
        return
    with step(f"Importing and reading an image on {server}"):
        run([sys.executable, "-m", "idr", "ssh", "--stack", stack, server, "--", f"sudo bash -c {shlex.quote(SCRIPT)}"])


def require_reachable(url: SplitResult) -> None:
    """Raise StepError when the host of an archive does not answer."""
    host, port = url.hostname or "", url.port or {"http": 80, "https": 443}[url.scheme]
    try:
        socket.create_connection((host, port), SECONDS_TO_CONNECT).close()
    except OSError as error:
        message = f"needs internet: {host}:{port} cannot be reached ({error}); run it on a connected machine"
        raise StepError(message) from None


if __name__ == "__main__":
    sys.exit(main())
