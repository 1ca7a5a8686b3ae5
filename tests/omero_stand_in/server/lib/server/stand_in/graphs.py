"""Deletes filesets with their images, and annotations."""

from pathlib import Path
from typing import Any

import omero.cmd
from demo_image_server.commands import RefusedCommand

from stand_in import annotated
from stand_in.accounts import ROOT as ADMINISTRATOR
from stand_in.repository import ROOT, Client, Handle

_DELETE = """
with wanted as (select id from fileset where id = %s and (owner_id = %s or %s)),
  links as (delete from datasetimagelink where child in (select i.id from image i join wanted on fileset = wanted.id)),
  images as (delete from image where fileset in (select id from wanted)),
  entries as (delete from filesetentry where fileset in (select id from wanted) returning originalfile),
  files as (delete from originalfile where id in (select originalfile from entries) returning path, name),
  filesets as (delete from fileset where id in (select id from wanted))
select path, name from files
"""


def handle_of(request: Any, client: Client) -> Any:
    """Carry out a command, or refuse it; return its handle."""
    if isinstance(request, omero.cmd.Delete2) and annotated.deleted(request, client.accounts):
        return Handle(request, omero.cmd.Delete2Response(deletedObjects=request.targetObjects))
    if not isinstance(request, omero.cmd.Delete2) or request.dryRun or set(request.targetObjects) != {"Fileset"}:
        return RefusedCommand(request)
    numbers = request.targetObjects["Fileset"]
    account = client.account
    deleted = [
        number
        for number in numbers
        for path, name in client.accounts.ask(_DELETE, number, account.number, account.number == ADMINISTRATOR)
        if _unlink(ROOT / path / name)
    ]
    if deleted != numbers:
        missing = {"message": f"no such Fileset, or of somebody else: {sorted(set(numbers) - set(deleted))}"}
        return Handle(request, omero.cmd.ERR(request.ice_id(), "graph-fail", missing))
    return Handle(request, omero.cmd.Delete2Response(deletedObjects={"ome.model.fs.Fileset": deleted}))


def _unlink(file: Path) -> bool:
    file.unlink(missing_ok=True)
    return True
