# SPDX-License-Identifier: Apache-2.0
"""What kind of machine this is, and what such a machine typically draws.

These figures only serve where nothing can be measured; the user can correct them in the settings.

Sources:
    Laptop 28 W: base power stated by the makers for common laptop processors (Intel Core
    Ultra 7 155H, AMD Ryzen 7 7840U). Desktop 65 W: likewise (Intel Core i5-13400, AMD Ryzen 5
    7600). Idle: our assumption for a laptop with its screen on and for a desktop without its
    monitor. Virtual machine: 0.74 W at rest and 3.5 W at full load for each virtual processor,
    the averages for AWS in the methodology of Cloud Carbon Footprint.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from molmo_desktop.meters.power import read_text

MachineKind = Literal["laptop", "desktop", "virtual machine"]

# SMBIOS chassis types of portable machines: portable, laptop, notebook, sub-notebook, tablet,
# convertible, detachable.
_PORTABLE = {"8", "9", "10", "14", "30", "31", "32"}


@dataclass(frozen=True)
class PowerGuess:
    """Typical power of a kind of machine.

    Attributes:
        idle_w: The whole machine at rest.
        full_load_cpu_w: What the processor adds when all of it is busy.
    """

    machine: MachineKind
    idle_w: float
    full_load_cpu_w: float


def guess_power(cpu_count: int, has_battery: bool, root: Path = Path("/")) -> PowerGuess:
    """Guess from the battery, the chassis and the processor's flags.

    Args:
        cpu_count: Logical processors.
        has_battery: As the system says.
        root: Of the file system; tests give a recorded tree.
    """
    if _is_virtual(root):
        return PowerGuess("virtual machine", 0.74 * cpu_count, (3.5 - 0.74) * cpu_count)
    chassis = read_text(root / "sys" / "class" / "dmi" / "id" / "chassis_type")
    if has_battery or chassis in _PORTABLE:
        return PowerGuess("laptop", 8.0, 28.0)
    return PowerGuess("desktop", 35.0, 65.0)


def _is_virtual(root: Path) -> bool:
    try:
        with (root / "proc" / "cpuinfo").open(encoding="utf-8", errors="replace") as lines:
            flags = next((line for line in lines if line.startswith("flags")), "")
    except OSError:
        return False
    return "hypervisor" in flags.split()
