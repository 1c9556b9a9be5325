# SPDX-License-Identifier: Apache-2.0
"""What must come from the operating system: libraries of Qt, a font, a C++ compiler.

On Debian and its children the missing packages are installed with apt, as root or through
sudo. Elsewhere the command to type is printed and the set-up goes on, because a check by name
can be wrong and the packages themselves say it best.

The library list is what PySide6 6.12 links against on Debian 12 (ldd over its libraries and its
xcb, Wayland and offscreen plugins).
"""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tooling.progress import StepFailedError, run_logged, say

SYSTEM: str = sys.platform

# Library that Qt loads -> Debian package that holds it.
QT_LIBRARIES = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgssapi_krb5.so.2": "libgssapi-krb5-2",
    "libX11.so.6": "libx11-6",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
FONT_PACKAGE = "fonts-dejavu-core"
COMPILER_PACKAGE = "g++"

_FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.fonts", "~/.local/share/fonts")
_LIBRARY_WORDS = {"x86_64": "x86-64", "aarch64": "AArch64"}  # as `ldconfig -p` names machines

_FEDORA_COMMAND = (
    "sudo dnf install gcc-c++ mesa-libEGL mesa-libGL fontconfig freetype dbus-libs glib2 "
    "krb5-libs libX11-xcb xcb-util-cursor xcb-util-wm xcb-util-image xcb-util-keysyms "
    "xcb-util-renderutil libxkbcommon-x11 libwayland-cursor libwayland-egl dejavu-sans-fonts"
)
_ARCH_COMMAND = (
    "sudo pacman -S --needed base-devel libglvnd fontconfig freetype2 dbus glib2 krb5 libx11 "
    "xcb-util-cursor xcb-util-wm xcb-util-image xcb-util-keysyms xcb-util-renderutil "
    "libxkbcommon-x11 wayland ttf-dejavu"
)
_MACOS_COMMAND = "xcode-select --install"
_WINDOWS_COMMAND = (
    "winget install Microsoft.VisualStudio.2022.BuildTools --override "
    '"--passive --wait --add Microsoft.VisualStudio.Workload.VCTools --includeRecommended"'
)


@dataclass(frozen=True)
class Needs:
    """What the steps ahead ask of the system, beside the libraries of Qt.

    Attributes:
        compiler: The inference engine is still to be compiled.
        venv: A virtual environment is still to be made.
    """

    compiler: bool = False
    venv: bool = False


def lacks_something(needs: Needs) -> bool:
    """Return whether anything seems to be missing; takes a few milliseconds."""
    if SYSTEM == "linux":
        return bool(_missing_debian_packages(needs))
    return needs.compiler and not has_compiler()


def prepare_system(log_file: Path, needs: Needs) -> None:
    """Install or name what the operating system lacks; needs no root when nothing is missing.

    Args:
        log_file: Receives what apt prints.
        needs: What the steps ahead ask for.

    Raises:
        StepFailedError: No virtual environment can be made, so nothing can go on.
    """
    if lacks_something(needs):
        if SYSTEM == "linux":
            _prepare_linux(log_file, needs)
        else:
            command = _WINDOWS_COMMAND if SYSTEM == "win32" else _MACOS_COMMAND
            say("No C++ compiler was found; the inference engine needs one. Install it with:")
            say(f"  {command}")
    if needs.venv and not _has_venv_module():
        raise StepFailedError(
            "This Python cannot make virtual environments. "
            f"Install its venv module (on Debian: {_venv_package()}) and run the command again."
        )


def missing_libraries() -> list[str]:
    """Return the libraries of Qt which the dynamic linker does not know; Linux only."""
    folders = os.environ.get("PATH", "") + ":/sbin:/usr/sbin"
    ldconfig = shutil.which("ldconfig", path=folders)
    if ldconfig is None:
        return []  # a system without a linker cache (NixOS, Guix) finds libraries its own way
    listing = subprocess.run([ldconfig, "-p"], capture_output=True, text=True, check=False)
    word = _LIBRARY_WORDS.get(platform.machine(), "")
    known = {
        line.split()[0] for line in listing.stdout.splitlines() if word in line and "=>" in line
    }
    return [library for library in QT_LIBRARIES if library not in known]


def has_compiler() -> bool:
    """Return whether a C++ compiler is within reach."""
    if os.environ.get("CXX"):
        return True
    if SYSTEM == "win32":
        programs = os.environ.get("PROGRAMFILES(X86)", r"C:\Program Files (x86)")
        finder = Path(programs, "Microsoft Visual Studio", "Installer", "vswhere.exe")
        return bool(shutil.which("cl")) or finder.exists()
    if SYSTEM == "darwin":
        selected = subprocess.run(["xcode-select", "-p"], capture_output=True, check=False)
        return selected.returncode == 0
    return any(shutil.which(name) for name in ("c++", "g++", "clang++"))


def has_font() -> bool:
    """Return whether any scalable font is installed; without one Qt paints no text."""
    for folder in _FONT_FOLDERS:
        for _, _, names in os.walk(Path(folder).expanduser()):
            if any(name.lower().endswith((".ttf", ".otf", ".ttc", ".pfb")) for name in names):
                return True
    return False


def _prepare_linux(log_file: Path, needs: Needs) -> None:
    missing = _missing_debian_packages(needs)
    if _is_debian():
        _apt_install(missing, log_file)
        missing = _missing_debian_packages(needs)
        if not missing:
            return
    say("These system packages seem to be missing (Debian's names): " + " ".join(missing))
    say("Install them with:")
    say(f"  {_install_command(missing)}")
    say("Going on without them; the window may not start.")


def _missing_debian_packages(needs: Needs) -> list[str]:
    packages = [QT_LIBRARIES[library] for library in missing_libraries()]
    if not has_font():
        packages.append(FONT_PACKAGE)
    if needs.compiler and not has_compiler():
        packages.append(COMPILER_PACKAGE)
    if needs.venv and not _has_venv_module():
        packages.append(_venv_package())
    return packages


def _has_venv_module() -> bool:
    """Return whether this Python has all of its venv module; Debian splits a part off."""
    importlib.invalidate_caches()
    return importlib.util.find_spec("ensurepip") is not None


def _venv_package() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


def _install_command(packages: Iterable[str]) -> str:
    """Return the command a user of this distribution types."""
    family = _distribution_family()
    if "fedora" in family or "rhel" in family:
        return _FEDORA_COMMAND
    if "arch" in family:
        return _ARCH_COMMAND
    return f"sudo apt-get install {' '.join(packages)}"


def _distribution_family() -> set[str]:
    """Return the identifiers of this Linux and of those it descends from."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return set()
    return {release.get("ID", "")} | set(release.get("ID_LIKE", "").split())


def _is_debian() -> bool:
    return bool({"debian", "ubuntu"} & _distribution_family()) and bool(shutil.which("apt-get"))


def _apt_install(packages: list[str], log_file: Path) -> None:
    """Install Debian packages; a failure is said and left to the check that follows."""
    prefix = _root_prefix()
    if prefix is None:
        say("System packages are missing, and installing them needs root or sudo.")
        return
    say(f"Installing system packages with apt: {' '.join(packages)}")
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    apt += ["-o", "DPkg::Lock::Timeout=180"]
    steps = {
        "package lists": [*apt, "update"],
        "system packages": [*apt, "install", "-y", "--no-install-recommends", *packages],
    }
    for title, command in steps.items():
        try:
            run_logged(command, title, log_file)
        except StepFailedError as error:
            say(str(error))


def _root_prefix() -> list[str] | None:
    """Return what to put before a command to run it as root, None if that is not possible.

    Asks for sudo's password at once where there is a terminal: the steps that follow have none.
    """
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        return None
    if sys.stdin.isatty():
        say("Some system packages are missing; sudo may ask for your password to install them.")
        asked = subprocess.run(["sudo", "-v"], check=False)
    else:
        asked = subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False)
    return ["sudo", "-n"] if asked.returncode == 0 else None
