"""The rendering settings and the names of channels of imported images, which their users may change."""

from dataclasses import replace
from typing import Any

import omero
import omero.model
from demo_image_server.objects import image_of_channel
from demo_image_server.queries import Evaluator
from demo_image_server.rendering import Renderer
from omero.rtypes import rdouble, rstring

from stand_in.accounts import Accounts
from stand_in.opened import WithImported

_KEEP = """
insert into channelbinding (image, place, active, red, green, blue, inputstart, inputend)
values (%s, %s, %s, %s, %s, %s, %s, %s)
on conflict (image, place) do update set active = excluded.active, red = excluded.red, green = excluded.green,
  blue = excluded.blue, inputstart = excluded.inputstart, inputend = excluded.inputend
"""
_KEPT = "select place, active, red, green, blue, inputstart, inputend from channelbinding where image = %s"
_NAME = """
insert into logicalchannel (id, name) values (%s, %s) on conflict (id) do update set name = excluded.name
"""
_RANGE = """
insert into statsinfo (channel, globalmin, globalmax) values (%s, %s, %s)
on conflict (channel) do update set globalmin = excluded.globalmin, globalmax = excluded.globalmax
"""


class StrictRenderer(Renderer):
    """omero.api.RenderingEngine that keeps settings of imported images."""

    def __init__(self, catalogue: WithImported, accounts: Accounts, delay_seconds: float) -> None:
        super().__init__(catalogue, delay_seconds)
        self._with_imported, self._accounts = catalogue, accounts

    def lookupPixels(self, number: int) -> None:
        super().lookupPixels(number)
        for index, active, red, green, blue, start, end in self._accounts.ask(_KEPT, number):
            settings = {"active": active, "colour": (red, green, blue), "start": start, "end": end}
            self._channels[index] = replace(self._channels[index], **settings)

    def saveCurrentSettings(self) -> None:
        number = self._entry.image_id
        if not self._with_imported.imported(number):
            raise omero.SecurityViolation(None, None, f"the demo's Pixels {number} may only be read")
        for index, channel in enumerate(self._channels):
            values = (channel.active, *channel.colour, channel.start, channel.end)
            self._accounts.ask(_KEEP, number, index, *values)


class Channels:
    """The channels of imported images."""

    def __init__(self, catalogue: WithImported, accounts: Accounts) -> None:
        self._with_imported, self._accounts = catalogue, accounts

    def pixels(self, text: str, parameters: Any, numbers: list[int]) -> list[Any]:
        """Answer a query for the pixels of these images."""
        entries = [entry for number in numbers if (entry := self._with_imported.imported(number))]
        answer = Evaluator(entries).objects(text, parameters) if entries else []
        for channel in (channel for pixels in answer for channel in pixels.copyChannels()):
            self._complete(channel)
        return answer

    def _complete(self, channel: Any) -> None:
        for (name,) in self._accounts.ask("select name from logicalchannel where id = %s", channel.id.val):
            channel.logicalChannel.name = rstring(name)
        asked = "select globalmin, globalmax from statsinfo where channel = %s"
        for least, most in self._accounts.ask(asked, channel.id.val):
            channel.statsInfo.globalMin, channel.statsInfo.globalMax = rdouble(least), rdouble(most)

    def save(self, item: Any) -> None:
        """Store the name or the range of a channel. Raises omero.SecurityViolation for anything else."""
        known = isinstance(item, omero.model.LogicalChannel | omero.model.Channel) and item.id is not None
        if not known or not self._with_imported.imported(image_of_channel(item.id.val)):
            raise omero.SecurityViolation(None, None, "only channels of imported images are saved here")
        if isinstance(item, omero.model.LogicalChannel):
            self._accounts.ask(_NAME, item.id.val, item.name.val)
        else:
            about = item.statsInfo
            self._accounts.ask(_RANGE, item.id.val, about.globalMin.val, about.globalMax.val)


def changeable(image: Any) -> Any:
    """Let the client change an imported image. Clients do not try to save what they may not change."""
    for item in (image, *image.copyPixels()):
        item.details.permissions = omero.model.PermissionsI("rwra--")
        item.details.permissions._restrictions = []
    return image
