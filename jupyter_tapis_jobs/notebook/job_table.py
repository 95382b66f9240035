"""A table of jobs with its buttons, by ipywidgets; without them the table is text and HTML."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..client.job_table import use_in_notebook

if TYPE_CHECKING:
    from ..client.job import Job
    from ..client.job_table import JobTable


def draw(table: JobTable) -> Any:
    """Return the widget of a table; None where ipywidgets is not installed."""
    try:
        widgets: Any = import_module("ipywidgets")
    except ImportError:
        return None
    return _Drawing(widgets, table).box


class _Drawing:
    """The grid of one table; what a button says stands below its row."""

    def __init__(self, widgets: Any, table: JobTable) -> None:
        self._widgets, self._table = widgets, table
        self.box = widgets.VBox()
        self._said: dict[str, Any] = {}
        self._fill()

    def _fill(self) -> None:
        head = self._widgets.HBox([self._text(title, bold=True) for title in self._table.columns])
        refresh = self._button("refresh", self._refresh)
        rows = zip(self._table.jobs, self._table.rows(), strict=True)
        self.box.children = [head, *(self._row(job, texts) for job, texts in rows), refresh]

    def _row(self, job: Job, texts: list[str]) -> Any:
        place = self._said.setdefault(job.uuid, self._widgets.Output())
        buttons = [
            self._button(label, lambda label=label: self._press(label, job)) if act else self._text("|")
            for label, act in self._table.actions.items()
        ]
        line = self._widgets.HBox([*(self._text(text) for text in texts), *buttons])
        return self._widgets.VBox([line, place])

    def _press(self, label: str, job: Job) -> None:
        said = self._table.do(label, job)
        place = self._said[job.uuid]
        place.outputs = ()
        if said.value is None or isinstance(said.value, str):
            place.append_stdout(f"{'✗ ' if said.is_fault else ''}{said.text}\n" if said.text else "")
        else:
            place.append_display_data(said.value)
        if label == "delete" and not said.is_fault:
            self._fill()

    def _refresh(self) -> None:
        self._table.refresh()
        self._fill()

    def _button(self, label: str, act: Any) -> Any:
        button = self._widgets.Button(description=label, layout={"width": "auto"})
        button.on_click(lambda _: act())
        return button

    def _text(self, text: str, *, bold: bool = False) -> Any:
        # A Label shows text as it is, never as HTML.
        style = {"font_weight": "bold"} if bold else {}
        return self._widgets.Label(value=text, style=style, layout={"min_width": "1em", "flex": "1 1 8em"})


def register(shell: Any) -> None:
    """Let tables have buttons in this notebook."""
    use_in_notebook(draw)
