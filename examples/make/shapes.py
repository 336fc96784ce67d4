"""Draws `shapes.zip`: small pictures of coloured shapes, and `rows.csv` with a question and an answer for each.

The kind of question goes round; colours, shapes and places follow from one seed. `python -m examples.make.shapes`.
"""

import csv
import io
import random
import zipfile
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

FILE = Path(__file__).parents[1] / "shapes.zip"
SEED, PICTURES, SIDE = 411, 60, 128  # `SIDE` in pixels
COLOURS = {
    "red": (205, 45, 45), "blue": (40, 90, 200), "green": (40, 150, 70), "yellow": (245, 205, 50),
    "black": (25, 25, 25), "orange": (240, 135, 30), "purple": (125, 60, 160),
}  # fmt: skip
SHAPES = {"circle": 0, "square": 4, "triangle": 3, "hexagon": 6}  # corners
NUMBERS = ("no", "one", "two", "three", "four", "five", "six")
PLACES = [(24, 24), (64, 24), (104, 24), (24, 64), (64, 64), (104, 64), (24, 104), (64, 104), (104, 104)]


@dataclass(frozen=True)
class Thing:
    shape: str
    colour: str
    centre: tuple[int, int]  # pixels from the left and from the top
    radius: int = 16  # pixels

    @property
    def words(self) -> str:
        return f"{self.colour} {self.shape}"


Row = tuple[list[Thing], str, str]


def one(chance: random.Random) -> Row:
    thing = Thing(chance.choice(list(SHAPES)), chance.choice(list(COLOURS)), (64, 64), chance.randint(26, 50))
    asked = chance.choice(["What is in the picture?", "What do you see?", "Describe the picture."])
    return [thing], asked, f"{article(thing)} {thing.words} on a white background."


def count(chance: random.Random) -> Row:
    shape, number = chance.choice(list(SHAPES)), chance.randint(2, 6)
    places = chance.sample(PLACES, number)
    things = [Thing(shape, chance.choice(list(COLOURS)), place) for place in places]
    return things, f"How many {shape}s are there?", f"There are {NUMBERS[number]} {shape}s."


def some(chance: random.Random) -> Row:
    """Only some of the shapes are meant."""
    colour, other = chance.sample(list(COLOURS), 2)
    number, rest = chance.randint(1, 4), chance.randint(1, 3)
    places = chance.sample(PLACES, number + rest)
    shape = chance.choice(list(SHAPES))
    things = [Thing(shape, colour if at < number else other, place) for at, place in enumerate(places)]
    verb, plural = ("is", "") if number == 1 else ("are", "s")
    return things, f"How many {shape}s are {colour}?", f"There {verb} {NUMBERS[number]} {colour} {shape}{plural}."


def side(chance: random.Random) -> Row:
    first, second = pair(chance, (34, 64), (94, 64), 26, 26)
    left = chance.random() < 0.5
    asked = f"What is {'left of the ' + second.words if left else 'right of the ' + first.words}?"
    answer = first if left else second
    return [first, second], asked, f"{article(answer)} {answer.words}."


def larger(chance: random.Random) -> Row:
    sizes = chance.sample([14, 30], 2)
    things = pair(chance, (36, 64), (94, 64), *sizes)
    wanted = chance.choice(["larger", "smaller"])
    best = (max if wanted == "larger" else min)(things, key=lambda thing: thing.radius)
    names = sorted(thing.words for thing in things)
    return things, f"Which is {wanted}, the {names[0]} or the {names[1]}?", f"The {best.words} is {wanted}."


def there(chance: random.Random) -> Row:
    first, second = pair(chance, (36, 36), (90, 90), 24, 24)
    if chance.random() < 0.5:
        return [first, second], f"Is there {article(first).lower()} {first.words}?", "Yes, at the top left."
    colour = next(name for name in COLOURS if name not in (first.colour, second.colour))
    missing = Thing(first.shape, colour, first.centre)
    return (
        [first, second],
        f"Is there {article(missing).lower()} {missing.words}?",
        f"No, the {first.shape} in the picture is {first.colour}.",
    )


def pair(chance: random.Random, here: tuple[int, int], there: tuple[int, int], radius: int, other: int) -> list[Thing]:
    """Two things that differ in shape and in colour."""
    shapes, colours = chance.sample(list(SHAPES), 2), chance.sample(list(COLOURS), 2)
    return [Thing(shapes[0], colours[0], here, radius), Thing(shapes[1], colours[1], there, other)]


def article(thing: Thing) -> str:
    return "An" if thing.colour[0] in "aeio" else "A"


def rows() -> list[Row]:
    """What is in each picture, what is asked about it, and the answer."""
    chance = random.Random(SEED)
    kinds = (one, count, some, side, larger, there)
    return [kinds[at % len(kinds)](chance) for at in range(PICTURES)]


def draw(things: list[Thing]) -> Image.Image:
    """A picture of `SIDE` × `SIDE` pixels with few colours, so that it stays below 2 kB."""
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(picture)
    for thing in things:
        (x, y), radius, colour = thing.centre, thing.radius, COLOURS[thing.colour]
        if thing.shape == "circle":
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour)
        elif thing.shape == "square":
            pen.rectangle((x - radius, y - radius, x + radius, y + radius), fill=colour)
        else:
            pen.regular_polygon((x, y, radius), SHAPES[thing.shape], fill=colour)
    return picture.quantize(colors=16)


def table() -> str:
    """`rows.csv`, which names each picture."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["image", "question", "answer"])
    for at, (_, question, answer) in enumerate(rows(), 1):
        writer.writerow([name(at), question, answer])
    return text.getvalue()


def name(number: int) -> str:
    return f"pictures/{number:02d}.png"


def write(file: Path) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        add(archive, "rows.csv", table().encode())
        for at, (things, _, _) in enumerate(rows(), 1):
            png = io.BytesIO()
            draw(things).save(png, "PNG", optimize=True)
            add(archive, name(at), png.getvalue())


def add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    """With a fixed date, so that the same pictures make the same file."""
    archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), content)


if __name__ == "__main__":
    write(FILE)
