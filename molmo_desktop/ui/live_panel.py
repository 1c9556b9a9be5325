# SPDX-License-Identifier: Apache-2.0
"""Memory, power and model, as they are now. Each figure says where it comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontInfo
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from molmo_desktop.core.answer import ModelInfo
from molmo_desktop.services.answer_words import bytes_in_words, parameters_in_words
from molmo_desktop.ui.controls import ElidedLabel, IconButton, label
from molmo_desktop.ui.memory_gauge import MemoryGauge, MemoryPart
from molmo_desktop.ui.power_gauge import PowerGauge, PowerSample
from molmo_desktop.ui.theme import GAP_PX, TIGHT_PX, sized_font

if TYPE_CHECKING:
    from molmo_desktop.engine.events import LoadedModel
    from molmo_desktop.meters.reading import LiveReading
    from molmo_desktop.models.installed import InstalledModel

_FIGURE_PX = 92


class LivePanel(QFrame):
    """Three rows: a large figure on the left, what it is made of on the right.

    Attributes:
        collapsed_changed: The panel shows one line only (True) or all rows.
    """

    collapsed_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("livePanel")
        self.setAccessibleName("Live figures: memory, power and model")
        self.setProperty("role", "surface")
        self._answering = False
        self._collapsed = False
        self._peak_bytes: int | None = None
        self._tokens_per_s: float | None = None
        self.summary = ElidedLabel("", mode=Qt.TextElideMode.ElideRight)
        self.summary.setProperty("role", "caption")
        self.collapse_button = IconButton("down", "Show one line only", size_px=16)
        self.memory_figure = _figure()
        self.memory_words = ElidedLabel("", mode=Qt.TextElideMode.ElideRight)
        self.memory_words.setProperty("role", "caption")
        self.memory_gauge = MemoryGauge()
        self.memory_gauge.setObjectName("memoryGauge")
        self.power_figure = _figure()
        self.power_badge = label("", "badge")
        self.power_words = ElidedLabel("", mode=Qt.TextElideMode.ElideRight)
        self.power_words.setProperty("role", "caption")
        self.power_gauge = PowerGauge()
        self.power_gauge.setObjectName("powerGauge")
        self.speed_figure = _figure()
        self.model_name = ElidedLabel("No model")
        self.model_name.setProperty("role", "heading")
        self.model_size = QLabel()
        self.model_size.setObjectName("modelSizeLabel")
        self.model_size.setProperty("role", "caption")
        self.model_size.setWordWrap(True)
        self._lay_out()
        self.collapse_button.clicked.connect(lambda: self.set_collapsed(not self._collapsed))
        self.set_collapsed(False)
        self._show_speed(None)
        self.show_model(None)

    def _lay_out(self) -> None:
        header = QHBoxLayout()
        header.setSpacing(GAP_PX)
        title = label("This machine, now", "heading")
        header.addWidget(title)
        header.addWidget(self.summary, 1)
        header.addWidget(self.collapse_button)
        power_words = QHBoxLayout()
        power_words.setSpacing(6)
        power_words.addWidget(self.power_badge)
        power_words.addWidget(self.power_words, 1)
        self._rows = QWidget()
        rows = QVBoxLayout(self._rows)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.setSpacing(12)
        rows.addLayout(_row("Memory", self.memory_figure, [self.memory_gauge, self.memory_words]))
        rows.addLayout(_row("Power", self.power_figure, [self.power_gauge, power_words]))
        rows.addLayout(_row("Model", self.speed_figure, [self.model_name, self.model_size]))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, TIGHT_PX, 12, 10)
        layout.setSpacing(6)
        layout.addLayout(header)
        layout.addWidget(self._rows)

    # --- collapsing ------------------------------------------------------------------------

    @property
    def is_collapsed(self) -> bool:
        """Whether one line is shown only."""
        return self._collapsed

    def set_collapsed(self, collapsed: bool) -> None:
        """Show one line, or all rows."""
        self._collapsed = collapsed
        self._rows.setVisible(not collapsed)
        self.summary.setVisible(collapsed)
        self.collapse_button.set_icon_name("up" if collapsed else "down")
        self.collapse_button.describe("Show all figures" if collapsed else "Show one line only")
        self.collapsed_changed.emit(collapsed)

    # --- figures ---------------------------------------------------------------------------

    def set_answering(self, answering: bool) -> None:
        """Shade the time of answers in the power chart."""
        self._answering = answering

    def show_reading(self, reading: LiveReading, loaded: LoadedModel | None) -> None:
        """Show memory and power now."""
        self._show_memory(reading, loaded)
        self._show_power(reading)
        self.summary.set_full_text(
            " · ".join(
                part
                for part in (
                    self.memory_figure.text() if reading.engine_rss_bytes is not None else "",
                    f"{self.power_figure.text()} {self.power_badge.text()}".strip()
                    if reading.power_w is not None
                    else "",
                    self.model_name.full_text,
                )
                if part
            )
        )

    def show_unknown(self) -> None:
        """Show that the figures cannot be read now."""
        for figure in (self.memory_figure, self.power_figure):
            figure.setText("–")
            figure.setAccessibleName("Not available")
        self.memory_words.set_full_text("not available")
        self.power_badge.setText("not available")
        self.power_words.set_full_text("")
        self.summary.set_full_text("Figures not available")

    def show_model(self, model: InstalledModel | ModelInfo | None) -> None:
        """Show the model that answers, or would answer."""
        if model is None or model.name != self.model_name.full_text:
            self._show_speed(None)
            self._peak_bytes = None  # another model's
        if model is None:
            self.model_name.set_full_text("No model")
            self.model_size.setText("Size not available")
            self.model_size.setAccessibleName("No model, size not available")
            return
        self.model_name.set_full_text(model.name)
        parts = (
            bytes_in_words(model.size_bytes, "size not available"),
            parameters_in_words(model.parameters),
            model.quantization,
            "sees pictures" if model.has_vision else "text only",
        )
        self.model_size.setText(" · ".join(part for part in parts if part))
        self.model_size.setAccessibleName(f"Model {model.name}, {self.model_size.text()}")

    def show_answer(self, answer: dict[str, Any]) -> None:
        """Take model, speed and peak from a finished answer."""
        model = answer.get("model") or {}
        if model.get("name"):
            self.show_model(ModelInfo(**model))
        speed = (answer.get("timings") or {}).get("decode_tokens_per_s")
        if speed:
            self._show_speed(float(speed))
        self._raise_peak((answer.get("memory") or {}).get("engine_peak_bytes"))

    def _show_speed(self, tokens_per_s: float | None) -> None:
        self._tokens_per_s = tokens_per_s
        if tokens_per_s is None:
            self.speed_figure.setText("–")
            self.speed_figure.setAccessibleName("Tokens per second: no answer yet")
            self.speed_figure.setToolTip("Speed of the last answer: none yet")
        else:
            self.speed_figure.setText(f"{tokens_per_s:.0f} tok/s")
            self.speed_figure.setAccessibleName(f"{tokens_per_s:.0f} tokens per second")
            self.speed_figure.setToolTip("Speed of the last answer, in tokens a second")

    def _show_memory(self, reading: LiveReading, loaded: LoadedModel | None) -> None:
        self._raise_peak(reading.engine_rss_bytes)
        self.memory_gauge.show_memory(
            memory_parts(reading, loaded),
            total_bytes=reading.system_total_bytes,
            peak_bytes=self._peak_bytes,
        )
        if reading.engine_rss_bytes is None:
            self.memory_figure.setText("–")
            self.memory_figure.setAccessibleName("The engine is not running")
            engine = ""
        else:
            self.memory_figure.setText(bytes_in_words(reading.engine_rss_bytes))
            self.memory_figure.setAccessibleName(f"Engine: {self.memory_figure.text()}")
            engine = f"peak {bytes_in_words(self._peak_bytes)}"
        free = (
            f"{bytes_in_words(reading.system_available_bytes)} free of "
            f"{bytes_in_words(reading.system_total_bytes)}"
        )
        self.memory_words.set_full_text(f"{engine} · {free}" if engine else free)

    def _show_power(self, reading: LiveReading) -> None:
        self.power_gauge.add(PowerSample(reading.time_s, reading.power_w, self._answering))
        known = reading.power_w is not None
        self.power_figure.setText(f"{reading.power_w:.0f} W" if known else "–")
        self.power_badge.setText(reading.power_kind if known else "not available")
        self.power_figure.setAccessibleName(
            f"{self.power_figure.text()} {reading.power_kind}" if known else "Power not available"
        )
        self.power_words.set_full_text(
            f"{reading.power_scope} · {_source_in_words(reading.power_source)}" if known else ""
        )

    def _raise_peak(self, engine_bytes: int | None) -> None:
        if engine_bytes is not None:
            self._peak_bytes = max(engine_bytes, self._peak_bytes or 0)


def memory_parts(reading: LiveReading, loaded: LoadedModel | None) -> list[MemoryPart]:
    """Split the memory in use into what the engine holds and what others hold.

    The operating system knows only the engine's resident size and how much of it is mapped from
    files; the cache's and the picture encoder's sizes are what the engine reserved for them.
    """
    engine = reading.engine_rss_bytes or 0
    used = reading.system_total_bytes - reading.system_available_bytes
    parts = []
    rest = engine
    if loaded is not None:
        mapped = reading.engine_mapped_bytes
        # Mapped are also the engine's libraries, so the file's size is the upper bound.
        weights = min(loaded.weights_bytes, rest if mapped is None else mapped)
        rest -= weights
        encoder = min(loaded.projector_bytes or 0, rest)
        rest -= encoder
        cache = min(loaded.kv_cache_bytes, rest)
        rest -= cache
        parts += [
            MemoryPart("weights", weights, "weights"),
            MemoryPart("pictures", encoder, "picture_encoder"),
            MemoryPart("context", cache, "kv_cache"),
        ]
    parts.append(MemoryPart("compute", rest, "compute"))
    window = reading.window_rss_bytes
    if window is not None:
        parts.append(MemoryPart("window", window, "information", False))
    others = used - engine - (window or 0)
    parts.append(MemoryPart("others", max(0, others), "other", False))
    return parts


def _figure() -> QLabel:
    figure = QLabel("–")
    figure.setFont(sized_font(figure, QFontInfo(figure.font()).pixelSize() + 3, semibold=True))
    figure.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
    return figure


def _row(name: str, figure: QLabel, right: list[QWidget | QHBoxLayout]) -> QHBoxLayout:
    left = QVBoxLayout()
    left.setSpacing(0)
    left.addWidget(label(name, "caption"))
    left.addWidget(figure)
    left.addStretch()
    holder = QWidget()
    holder.setLayout(left)
    holder.setFixedWidth(_FIGURE_PX)
    left.setContentsMargins(0, 0, 0, 0)
    column = QVBoxLayout()
    column.setSpacing(TIGHT_PX)
    for item in right:
        if isinstance(item, QWidget):
            column.addWidget(item)
        else:
            column.addLayout(item)
    column.addStretch()
    row = QHBoxLayout()
    row.setSpacing(GAP_PX)
    row.addWidget(holder)
    row.addLayout(column, 1)
    return row


def _source_in_words(source: str) -> str:
    """Return where a power figure comes from, as people call it."""
    return {
        "cpu time model": "from processor time",
        "rapl": "processor's own meter",
        "nvml": "graphics card's meter",
    }.get(source, source)
