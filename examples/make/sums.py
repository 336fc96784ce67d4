"""Sums from daily life: each function tells one kind, with numbers of chance, and works it step by step."""

import random

from examples.make.told_of import (
    AGES,
    AROUND,
    BOUGHT,
    CARRIERS,
    COVERED,
    DAILY,
    DISHES,
    FILLED,
    GROUPS,
    MEANS,
    NAMES,
    PARTS,
    ROWS,
    TIMED,
    TRAVELLERS,
)  # fmt: skip

Chance = random.Random
Problem = tuple[str, list[str], int]


def shopping(chance: Chance) -> Problem:
    name, loaves, rolls, price = chance.choice(NAMES), chance.randint(2, 5), chance.randint(3, 9), chance.randint(3, 5)
    bread, small = loaves * price, rolls
    large, little = chance.choice(BOUGHT)
    return (
        f"{name} buys {loaves} {large} at {price} euros each and {rolls} {little} at 1 euro each. "
        "How many euros is that together?",
        [
            f"The {large} cost {loaves} × {price} = {bread} euros.",
            f"The {little} cost {rolls} × 1 = {small} euros.",
            f"Together that is {bread} + {small} = {bread + small} euros.",
        ],
        bread + small,
    )


def change(chance: Chance) -> Problem:
    name, tickets, price = chance.choice(NAMES), chance.randint(2, 4), chance.randint(6, 12)
    cost = tickets * price
    place = chance.choice("A cinema|A circus|A museum|A ferry|A concert|A swimming pool|A zoo".split("|"))
    return (
        f"{place} ticket costs {price} euros. {name} pays for {tickets} tickets with a note of 50 euros. "
        "How many euros does the cashier give back?",
        [f"{tickets} tickets cost {tickets} × {price} = {cost} euros.", f"50 − {cost} = {50 - cost} euros come back."],
        50 - cost,
    )


def train(chance: Chance) -> Problem:
    hour, start, minutes = chance.randint(7, 16), chance.randint(5, 50), chance.randint(70, 170)
    end = hour * 60 + start + minutes
    left, rest = 60 - start, minutes - (60 - start)
    what = chance.choice(TIMED).format(f"{hour}:{start:02d}", f"{end // 60}:{end % 60:02d}")
    return (
        f"{what}. How many minutes is that?",
        [
            f"From {hour}:{start:02d} to {hour + 1}:00 it is {left} minutes.",
            f"From {hour + 1}:00 to {end // 60}:{end % 60:02d} it is {rest} minutes.",
            f"{left} + {rest} = {minutes} minutes.",
        ],
        minutes,
    )


def seats(chance: Chance) -> Problem:
    rows, wide, taken = chance.randint(8, 14), chance.randint(6, 12), chance.randint(20, 45)
    total = rows * wide
    where, row, seat, gone = chance.choice(ROWS)
    return (
        f"{where} {rows} {row} with {wide} {seat} each. {taken} {seat} are {gone}. How many {seat} are not {gone}?",
        [f"There are {rows} × {wide} = {total} {seat}.", f"{total} − {taken} = {total - taken} are not {gone}."],
        total - taken,
    )


def buses(chance: Chance) -> Problem:
    places, groups, children = chance.randint(18, 30), chance.randint(4, 7), chance.randint(21, 29)
    people = groups * children
    full, over = divmod(people, places)
    steps = [
        f"{groups} classes of {children} are {groups} × {children} = {people} children.",
        f"{people} ÷ {places} is {full}, with a remainder of {over}.",
    ]
    if over:
        steps.append(f"The remainder needs one too, so it takes {full + 1}.")
    needed = full + (over > 0)
    bus = chance.choice(CARRIERS)
    text = f"{groups} classes with {children} children each go on a trip. One {bus} has {places} places for children. "
    return text + "How many of them are needed?", steps, needed


def recipe(chance: Chance) -> Problem:
    few, times, grams = chance.randint(2, 4), chance.randint(2, 5), chance.choice([120, 150, 180, 200, 250])
    dish, what = chance.choice(DISHES)
    return (
        f"A recipe of {dish} for {few} people asks for {grams} grams of {what}. "
        f"How many grams of {what} do you need for {few * times} people?",
        [
            f"{few * times} people are {few * times} ÷ {few} = {times} times as many.",
            f"You need {times} × {grams} = {times * grams} grams.",
        ],
        times * grams,
    )


def ages(chance: Chance) -> Problem:
    first, second = chance.sample(NAMES, 2)
    age, gap, later = chance.randint(5, 11), chance.randint(2, 6), chance.randint(3, 9)
    older = age + gap
    told = chance.choice(AGES).format(first=first, second=second, age=age, gap=gap)
    return (
        f"{told} How old will {second} be in {later} years?",
        [
            f"{second} is {age} + {gap} = {older} years old now.",
            f"In {later} years that is {older} + {later} = {older + later}.",
        ],
        older + later,
    )


def garden(chance: Chance) -> Problem:
    long, wide, price = chance.randint(7, 15), chance.randint(3, 6), chance.randint(4, 9)
    around = 2 * (long + wide)
    place, fence = chance.choice(AROUND)
    return (
        f"{place} is {long} metres long and {wide} metres wide. A metre of {fence} costs {price} euros. "
        f"How many euros does {fence} all around it cost?",
        [
            f"Once around is 2 × ({long} + {wide}) = {around} metres.",
            f"The {fence} costs {around} × {price} = {around * price} euros.",
        ],
        around * price,
    )


def tiles(chance: Chance) -> Problem:
    long, wide, packed = chance.randint(4, 9), chance.randint(3, 6), chance.choice([4, 5, 6])
    area = long * wide
    packs = -(-area // packed)
    place, pack = chance.choice(COVERED)
    return (
        f"A {place} is {long} metres by {wide} metres. One {pack} covers {packed} square metres. "
        "How many must be bought?",
        [
            f"The {place} has {long} × {wide} = {area} square metres.",
            f"{packs} of them cover {packs} × {packed} = {packs * packed} square metres, which is enough.",
            f"One fewer would cover only {(packs - 1) * packed}.",
        ],
        packs,
    )


def pages(chance: Chance) -> Problem:
    name, daily, days, left = chance.choice(NAMES), chance.randint(12, 30), chance.randint(5, 9), chance.randint(15, 60)
    book = daily * days + left
    told, what = chance.choice(DAILY)
    return (
        f"{told.format(name=name, daily=daily, book=book)} How many {what} are left after {days} days?",
        [
            f"In {days} days that makes {days} × {daily} = {days * daily} {what}.",
            f"{book} − {days * daily} = {left} {what} are left.",
        ],
        left,
    )


def sale(chance: Chance) -> Problem:
    price, percent = chance.choice([40, 60, 80, 120, 140]), chance.choice([10, 20, 25, 30])
    off = price * percent // 100
    thing = chance.choice("coat|lamp|tent|desk|camera|suitcase|kettle|pair of skates".split("|"))
    return (
        f"A {thing} costs {price} euros and is marked down by {percent} %. How many euros does it cost now?",
        [f"{percent} % of {price} euros are {off} euros.", f"{price} − {off} = {price - off} euros."],
        price - off,
    )


def sharing(chance: Chance) -> Problem:
    friends, each, own = chance.randint(3, 6), chance.randint(4, 9), chance.randint(2, 5)
    name, total = chance.choice(NAMES), friends * each + own
    nuts = chance.choice("walnuts|marbles|stickers|plums|shells|postcards|seed packets".split("|"))
    return (
        f"{name} has {total} {nuts}, keeps {own} and shares the others equally among {friends} friends. "
        f"How many {nuts} does each friend get?",
        [
            f"{total} − {own} = {friends * each} {nuts} are shared.",
            f"{friends * each} ÷ {friends} = {each} {nuts} for each friend.",
        ],
        each,
    )


def water(chance: Chance) -> Problem:
    flow, minutes, out = chance.randint(9, 16), chance.randint(6, 15), chance.randint(2, 5)
    source, tub = chance.choice(FILLED)
    return (
        f"{source} fills an empty {tub} with {flow} litres a minute, while {out} litres a minute run out. "
        f"How many litres are in the {tub} after {minutes} minutes?",
        [
            f"Each minute {flow} − {out} = {flow - out} litres stay in the {tub}.",
            f"After {minutes} minutes it holds {minutes} × {flow - out} = {minutes * (flow - out)} litres.",
        ],
        minutes * (flow - out),
    )


def wages(chance: Chance) -> Problem:
    name, hours, pay, extra = chance.choice(NAMES), chance.randint(4, 8), chance.randint(13, 18), chance.randint(5, 20)
    work = chance.choice("a shop|a bakery|a museum|a bicycle workshop|a nursery garden|a café".split("|"))
    return (
        f"{name} earns {pay} euros an hour in {work}, and on Saturday {extra} euros on top for the whole day. "
        f"How many euros are that for {hours} hours on Saturday?",
        [
            f"{hours} hours bring {hours} × {pay} = {hours * pay} euros.",
            f"With the extra it is {hours * pay} + {extra} = {hours * pay + extra} euros.",
        ],
        hours * pay + extra,
    )


def mean(chance: Chance) -> Problem:
    middle, spread, more = chance.randint(14, 22), chance.randint(1, 4), chance.randint(1, 4)
    days = [middle - spread, middle + spread, middle - more, middle + more]
    chance.shuffle(days)
    shown = ", ".join(map(str, days[:3])) + f" and {days[3]}"
    return (
        chance.choice(MEANS).format(shown),
        [f"{' + '.join(map(str, days))} = {sum(days)}.", f"{sum(days)} ÷ 4 = {middle}."],
        middle,
    )


def speed(chance: Chance) -> Problem:
    pace, hours, first = chance.randint(13, 19), chance.randint(3, 5), chance.randint(8, 12)
    way = pace * hours
    return (
        f"{chance.choice(TRAVELLERS)} has {way + first} kilometres to go. The first {first} kilometres are behind her, "
        f"and she goes on at {pace} kilometres an hour. How many hours does the rest take?",
        [f"The rest is {way + first} − {first} = {way} kilometres.", f"{way} ÷ {pace} = {hours} hours."],
        hours,
    )


def fraction(chance: Chance) -> Problem:
    part, unit = chance.choice([(2, 3), (3, 4), (2, 5), (3, 5), (5, 6)]), chance.randint(4, 9)
    whole = part[1] * unit
    group, are = chance.choice(GROUPS)
    return (
        f"{part[0]}/{part[1]} of the {whole} {group} {are}. How many do not count among these?",
        [
            f"One {PARTS[part[1]]} of {whole} is {whole} ÷ {part[1]} = {unit}.",
            f"So {part[0]} × {unit} = {part[0] * unit} {are}.",
            f"{whole} − {part[0] * unit} = {whole - part[0] * unit} do not count among these.",
        ],
        whole - part[0] * unit,
    )  # fmt: skip


def savings(chance: Chance) -> Problem:
    name, weekly, weeks = chance.choice(NAMES), chance.randint(4, 9), chance.randint(5, 12)
    have, thing = chance.randint(10, 30), chance.choice("a tent|a violin|a skateboard|a telescope|an atlas".split("|"))
    price = have + weekly * weeks
    return (
        f"{name} has {have} euros and saves {weekly} euros a week for {thing} of {price} euros. "
        "After how many weeks is there enough?",
        [
            f"{price} − {have} = {weekly * weeks} euros are missing.",
            f"{weekly * weeks} ÷ {weekly} = {weeks} weeks.",
        ],
        weeks,
    )


def chairs(chance: Chance) -> Problem:
    tables, stools = chance.randint(3, 8), chance.randint(4, 10)
    legs = 4 * tables + 3 * stools
    where = chance.choice("In a workshop|In a school kitchen|At a flea market|On a stage|In a cellar".split("|"))
    return (
        f"{where} stand tables with 4 legs and stools with 3 legs: {tables} tables, and {legs} legs in all. "
        "How many stools are there?",
        [
            f"The tables have {tables} × 4 = {4 * tables} legs.",
            f"{legs} − {4 * tables} = {3 * stools} legs belong to stools.",
            f"{3 * stools} ÷ 3 = {stools} stools.",
        ],
        stools,
    )
