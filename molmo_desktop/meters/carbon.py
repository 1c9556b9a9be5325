# SPDX-License-Identifier: Apache-2.0
"""How much CO2e a kilowatt-hour of a country's grid stands for, with year and source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

WORLD = "WORLD"
_JOULES_PER_KWH = 3.6e6


@dataclass(frozen=True)
class GridIntensity:
    """Carbon intensity of a grid, life cycle, mean of a year.

    Attributes:
        code: ISO 3166 alpha-3, "EU" or "WORLD".
        g_per_kwh: Grams of CO2 equivalent.
    """

    code: str
    name: str
    g_per_kwh: float
    year: int
    source: str

    def grams(self, energy_j: float) -> float:
        """Return the CO2 equivalent of an amount of energy, in grams."""
        return energy_j / _JOULES_PER_KWH * self.g_per_kwh


def grid_of(country: str) -> GridIntensity:
    """Return the grid of a country; the world's mean for one that is not in the table."""
    grids = _table()
    return grids.get(country.strip().upper(), grids[WORLD])


def grids() -> list[GridIntensity]:
    """Return all grids by name, the world first."""
    return sorted(_table().values(), key=lambda grid: (grid.code != WORLD, grid.name))


@cache
def _table() -> dict[str, GridIntensity]:
    file = resources.files("molmo_desktop.resources") / "grid_carbon.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    rows = [
        {"iso3": WORLD, "name": "World", **data["world"]},
        {"iso3": "EU", "name": "European Union", **data["eu"]},
        *data["countries"],
    ]
    return {
        row["iso3"]: GridIntensity(
            code=row["iso3"],
            name=row["name"],
            g_per_kwh=float(row["gco2e_per_kwh"]),
            year=int(row["year"]),
            source=row["source"],
        )
        for row in rows
    }
