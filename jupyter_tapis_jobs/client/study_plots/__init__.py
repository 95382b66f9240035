"""Pictures of a study: each a static one for the saved notebook, and an interactive one where plotly is."""

from .picture import Picture
from .plot import KINDS, plot

__all__ = ["KINDS", "Picture", "plot"]
