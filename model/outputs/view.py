"""The base class of all parts of the contract."""

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class View(BaseModel):
    """Read-only data with camelCase names, as Pulumi writes them.

    A reader skips fields that it does not know: within one contract number fields are only added.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True, extra="ignore")
