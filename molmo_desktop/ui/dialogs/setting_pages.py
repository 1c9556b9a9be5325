# SPDX-License-Identifier: Apache-2.0
"""The groups of settings: answers, model, memory, looks, cost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil

from molmo_desktop.core.settings import Settings
from molmo_desktop.meters.carbon import grid_of, grids
from molmo_desktop.meters.chain import corrected_guess
from molmo_desktop.ui.dialogs.fields import Choices, Page, WattsField

Change = Callable[..., None]

LENGTHS = (
    (128, "Very short (about 100 words)"),
    (256, "Short (about 200 words)"),
    (512, "Medium (about 400 words)"),
    (1024, "Long (about 800 words)"),
    (2048, "Very long (about 1,500 words)"),
    (4096, "As long as it gets (about 3,000 words)"),
)
CREATIVITY = (
    (0.0, "None: answers can be repeated"),
    (0.3, "A little"),
    (0.7, "Some"),
    (1.0, "Much: errs more often"),
)
PATIENCE = (
    (5.0, "5 seconds"),
    (10.0, "10 seconds"),
    (20.0, "20 seconds"),
    (40.0, "40 seconds"),
    (60.0, "1 minute"),
    (120.0, "2 minutes"),
    (300.0, "5 minutes"),
)
CONTEXT = (
    (0, "Automatic"),
    (2048, "2k tokens, about 3 pages"),
    (4096, "4k tokens, about 6 pages"),
    (8192, "8k tokens, about 12 pages"),
    (16384, "16k tokens, about 25 pages"),
    (32768, "32k tokens, about 50 pages"),
)
DETAIL = (
    (0, "As the model has it"),
    (256, "Low: quick, large print only"),
    (768, "Normal"),
    (2048, "High: slow, for fine print"),
)
UNLOAD = (
    (5, "After 5 minutes without a question"),
    (15, "After 15 minutes without a question"),
    (60, "After 1 hour without a question"),
    (240, "After 4 hours without a question"),
    (0, "Never"),
)
PRECISION = (("f16", "Full"), ("q8_0", "Half the memory, a little less exact"))
FLASH = ((True, "Automatic"), (False, "Off"))
STORED = (
    (0, "Nothing"),
    (500, "Up to 0.5 GB"),
    (2000, "Up to 2 GB"),
    (10000, "Up to 10 GB"),
)
THEMES = (("system", "As the system"), ("light", "Light"), ("dark", "Dark"))
PANEL = ((True, "All figures"), (False, "One line"))


class SettingPage(Page):
    """A page whose fields each hold one value of `Settings`.

    Args:
        change: Takes ``name=value`` of what the user chose.
    """

    def __init__(self, title: str, change: Change, introduction: str = "") -> None:
        super().__init__(title, introduction)
        self._change = change
        self.fields: dict[str, Choices | WattsField] = {}

    def show_settings(self, settings: Settings) -> None:
        """Show what holds."""
        for name, field in self.fields.items():
            value = getattr(settings, name)
            if isinstance(field, WattsField):
                field.show_value(value)
            else:
                field.show_value(value, f"{value} (your own)")

    def reset(self) -> None:
        """Choose the program's own values for everything on this page."""
        defaults = Settings()
        self._change(**{name: getattr(defaults, name) for name in self.fields})
        self.show_settings(defaults)

    def add_setting(
        self, key: str, name: str, field: Choices | WattsField, explanation: str = ""
    ) -> None:
        """Add the field of one value."""
        self.fields[key] = field
        self.add_field(name, field, explanation)
        field.value_chosen.connect(lambda value: self._change(**{key: value}))


class AnswersPage(SettingPage):
    """How answers are written."""

    def __init__(self, change: Change) -> None:
        super().__init__("Answers", change)
        self.add_setting(
            "max_new_tokens",
            "Longest answer",
            Choices("Longest answer", LENGTHS),
            "Most answers end earlier. A long one takes longer, and leaves less room for "
            "the document.",
        )
        self.add_setting("temperature", "Creativity", Choices("Creativity", CREATIVITY))
        self.add_setting(
            "reading_patience_s",
            "Patience",
            Choices("Patience", PATIENCE),
            "How long a document may take to be read before only the best passages are taken.",
        )


class ModelPage(SettingPage):
    """How the model is loaded."""

    def __init__(self, change: Change) -> None:
        super().__init__(
            "Model", change, "A change here loads the model again with the next question."
        )
        self.add_setting(
            "context_length",
            "Context length",
            Choices("Context length", CONTEXT),
            "How much the model can take in at once. More needs more memory. Automatic: as "
            "much as the model was made for, at most 8k.",
        )
        count = psutil.cpu_count() or 1
        threads = [(0, "Automatic: follows the load of the machine")]
        threads += [(n, f"{n} of {count}") for n in range(1, count + 1)]
        self.add_setting("thread_count", "Processor threads", Choices("Processor threads", threads))
        self.add_setting(
            "image_max_tokens",
            "Picture detail",
            Choices("Picture detail", DETAIL),
            "For models that take pictures of any size; others always look at the same detail.",
        )


class MemoryPage(SettingPage):
    """What is held of a conversation, how exactly, and what outlives the program."""

    def __init__(self, change: Change) -> None:
        super().__init__(
            "Memory", change, "A change here loads the model again with the next question."
        )
        self.add_setting(
            "unload_after_minutes",
            "Give memory back",
            Choices("Give memory back", UNLOAD),
            "Unloads the model until the next question.",
        )
        self.add_setting(
            "stored_state_limit_mb",
            "Kept on disk",
            Choices("Kept on disk", STORED),
            "What a model has read, to go on from after a restart. Never of private conversations.",
        )
        self.add_setting(
            "kv_cache_type",
            "Precision of what was read",
            Choices("Precision of what was read", PRECISION),
            "How exactly the model remembers the conversation while it is loaded.",
        )
        self.add_setting(
            "flash_attention",
            "Flash attention",
            Choices("Flash attention", FLASH),
            "A way of computing that needs less memory. Off only helps where it fails.",
        )


class LookPage(SettingPage):
    """How the window looks."""

    def __init__(self, change: Change) -> None:
        super().__init__("Look", change)
        self.add_setting("theme", "Colours", Choices("Colours", THEMES))
        self.add_setting(
            "panel_visible",
            "Live figures",
            Choices("Live figures", PANEL),
            "Memory, power and model, at the bottom right of the window.",
        )


class CostPage(SettingPage):
    """What energy and carbon are counted with."""

    def __init__(self, change: Change) -> None:
        super().__init__(
            "Cost",
            change,
            "Power is measured where this machine has a sensor that may be read. Your own figures "
            "make the estimate better where it has none.",
        )
        countries = Choices(
            "Country", [(grid.code, _title(grid.name, grid.code)) for grid in grids()]
        )
        self.fields["country"] = countries
        self.source = self.add_field("Country", countries, " ")
        countries.value_chosen.connect(self._on_country)
        guess = corrected_guess(Settings())
        self.add_setting(
            "idle_power_w",
            "Power at rest",
            WattsField("Power at rest", guess.idle_w),
            f"The whole machine while nothing runs. Automatic is typical of a {guess.machine}.",
        )
        self.add_setting(
            "full_load_cpu_power_w",
            "Processor at full load",
            WattsField("Processor at full load", guess.full_load_cpu_w),
            "What a busy processor adds to that.",
        )

    def show_settings(self, settings: Settings) -> None:
        """Show what holds; a country that is not in the table counts as the world."""
        super().show_settings(settings.changed(country=grid_of(settings.country).code))
        self._tell_source(settings.country)

    def _on_country(self, code: str) -> None:
        self._change(country=code)
        self._tell_source(code)

    def _tell_source(self, code: str) -> None:
        grid = grid_of(code)
        words = (
            f"{grid.g_per_kwh:.0f} g CO₂e for a kilowatt-hour, mean of {grid.year}. "
            f"Source: {grid.source}."
        )
        self.source.setText(words)
        self.fields["country"].setAccessibleDescription(words)


def _title(name: str, code: str) -> str:
    return "The world's mean" if code == "WORLD" else name


def setting_pages(change: Change) -> list[SettingPage]:
    """Return all groups in the order they are shown."""
    pages: list[Any] = [AnswersPage, ModelPage, MemoryPage, LookPage, CostPage]
    return [page(change) for page in pages]
