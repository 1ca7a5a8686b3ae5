"""Answers the queries of the importer and of `omero render`, which are OMERO's word for word, and saves changes."""

from collections.abc import Callable
from typing import Any

import omero
import omero.model
from demo_image_server import services
from demo_image_server.queries import Evaluator, plain

from stand_in import annotated
from stand_in.accounts import Accounts
from stand_in.annotated import dataset
from stand_in.opened import WithImported
from stand_in.protocol import AN_IMAGE, CHANNELS, IMPORTED, NAMED, OF_PIXELS
from stand_in.rendered import Channels, changeable
from stand_in.repository import original_file


class Query(services.Query):
    """omero.api.IQuery that also finds files and datasets of the repository, and an imported image by its id."""

    def __init__(self, catalogue: WithImported, accounts: Accounts) -> None:
        super().__init__(catalogue)
        self._with_imported, self._accounts = catalogue, accounts
        self._channels, self._datasets = Channels(catalogue, accounts), annotated.Datasets(accounts)

    def findByQuery(self, text: str, parameters: Any) -> Any:
        if answer := self._datasets.one(text, parameters):
            return answer
        if text == OF_PIXELS and (pixels := self._channels.pixels(text, parameters, [plain(parameters)["pid"]])):
            return pixels[0]
        (number, *others) = plain(parameters).get("ids", [0])
        entry = self._with_imported.imported(number) if text.startswith(AN_IMAGE) and not others else None
        if entry:
            return next(map(changeable, Evaluator([entry]).objects(text, parameters)), None)
        return super().findByQuery(text, parameters)

    def projection(self, text: str, parameters: Any) -> list[list[Any]]:
        rows = self._datasets.rows(text, parameters)
        return super().projection(text, parameters) if rows is None else rows

    def find(self, kind: str, number: int) -> Any:
        return annotated.owned(self.get(kind, number)) if kind == "Dataset" else super().find(kind, number)

    def findAllByQuery(self, text: str, parameters: Any) -> list[Any]:
        objects = self._datasets.tables(text) if parameters is None else self._datasets.images(text, parameters)
        if objects is not None:
            return objects
        if text == IMPORTED:
            asked = (
                "select o.id, o.path, o.name from originalfile o join filesetentry on originalfile = o.id "
                "where clientpath = %s limit 100"
            )
            return [original_file(*row) for row in self._accounts.ask(asked, parameters.map["clientPath"].val)]
        if text == NAMED:
            asked = "select id, name from dataset where name = %s order by id desc"
            return [dataset(*row) for row in self._accounts.ask(asked, parameters.map["name"].val)]
        if text == CHANNELS:
            numbers = plain(parameters)["ids"]
            return [*self._channels.pixels(text, parameters, numbers), *super().findAllByQuery(text, parameters)]
        return super().findAllByQuery(text, parameters)

    def get(self, kind: str, number: int) -> Any:
        asked: dict[str, tuple[Callable[..., Any], str]] = {
            "OriginalFile": (original_file, "select id, path, name from originalfile where id = %s"),
            "Dataset": (dataset, "select id, name from dataset where id = %s"),
        }
        if kind not in asked:
            return super().get(kind, number)
        make, statement = asked[kind]
        for row in self._accounts.ask(statement, number):
            return make(*row)
        raise omero.ValidationException(None, None, f"no {kind} {number}")


class Update(services.Unsupported):
    """omero.api.IUpdate that creates datasets and annotations, and changes channels."""

    def __init__(self, catalogue: WithImported, accounts: Accounts) -> None:
        self._accounts, self._channels = accounts, Channels(catalogue, accounts)
        self._annotations = annotated.Annotations(accounts)

    def saveObject(self, item: Any) -> None:
        self._annotations.link([item])

    def saveAndReturnArray(self, items: list[Any]) -> list[Any]:
        self._annotations.link(items)
        return items

    def saveCollection(self, items: list[Any]) -> None:
        for item in items:
            self._channels.save(item)

    def saveAndReturnObject(self, item: Any) -> Any:
        if isinstance(item, omero.model.Channel):
            self._channels.save(item)
            return item
        if not isinstance(item, omero.model.Dataset) or item.id is not None:
            raise omero.SecurityViolation(None, None, "only new datasets and channels are saved here")
        name = item.name.val
        return dataset(*self._accounts.ask("insert into dataset (name) values (%s) returning id, name", name)[0])
