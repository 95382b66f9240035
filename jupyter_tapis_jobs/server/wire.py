"""What all that travels has in common: names on the wire are Tapis's."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from ..model.names import wire_name


class Wire(BaseModel):
    """Base of all; names on the wire are Tapis's, unknown keys of bodies are refused."""

    model_config = ConfigDict(extra="forbid", alias_generator=wire_name, populate_by_name=True)


class Text(BaseModel):
    """A form of its own: unknown keys are let pass, as OAuth 2 and tapipy send more than is needed."""

    model_config = ConfigDict(extra="ignore")
