"""The bases of everything that a user's file can say."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, PrivateAttr

from riskset.protocol.document import Locations


class Spec(BaseModel):
    """Base of everything that a study file can say: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FileSpec(Spec):
    """Base of a whole file: it knows where its values stand, so that later steps can name the line."""

    _locations: Locations = PrivateAttr(default_factory=Locations)

    @property
    def locations(self) -> Locations:
        """Where each value stands in the file that this was loaded from; without lines if it was built by hand."""
        return self._locations

    def locate(self, locations: Locations) -> None:
        """Keep the places of the values; called once, by loading."""
        self._locations = locations
