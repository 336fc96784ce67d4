"""Sentences with private data in them, made up by rule, and sentences full of numbers that are none."""

import random
import string
from collections.abc import Callable

LETTERS = string.ascii_letters + string.digits
NAMES = "mara.lind,okan_b,j.f.torres,petra-wolf,liu.wei88,samira,d.kowalski,noor+news".split(",")
HOSTS = "posteo.de,gmail.com,uni-bern.ch,mail.ru,bbc.co.uk,proton.me,acme-tools.io,ntu.edu.sg".split(",")


def email(rng: random.Random) -> tuple[str, str]:
    written = f"{rng.choice(NAMES)}{rng.randint(1, 99)}@{rng.choice(HOSTS)}"
    frame = [
        "Write to {} today.",
        "{} is my address",
        "(contact: {})",
        "From: <{}>",
        "mailto:{}",
        "Ask Jo ({}), please.",
    ]
    return rng.choice(frame), written


def phone(rng: random.Random) -> tuple[str, str]:
    n = lambda count: "".join(rng.choices(string.digits[2:], k=count))  # noqa: E731
    how = rng.randrange(6)
    if how == 0:
        return rng.choice(["Call {} after six.", "My number is {}."]), f"+49 30 {n(3)}{n(4)}"
    if how == 1:
        return rng.choice(["Reach me at {}.", "{} (ask for Ben)"]), f"+1 212-{rng.randint(201, 989)}-{n(4)}"
    if how == 2:
        return "You can call {} any time.", f"(415) {rng.randint(220, 989)}-{n(4)}"
    if how == 3:
        return rng.choice(["Tel.: {}", "Phone: {}", "Ring us on {}."]), f"020 7{n(3)} {n(4)}"
    if how == 4:
        return "WhatsApp {} for the menu.", f"+33 6 {n(2)} {n(2)} {n(2)} {n(2)}"
    return "Telefon: {}", f"+41 44 {rng.randint(200, 899)} {n(2)} {n(2)}"


def key(rng: random.Random) -> tuple[str, str]:
    r = lambda count: "".join(rng.choices(LETTERS, k=count))  # noqa: E731
    d = str(rng.randint(10, 99))
    made = [
        f"hf_{r(32)}{d}",
        f"sk-proj-{r(40)}{d}",
        f"AKIA{''.join(rng.choices(string.ascii_uppercase + '234567', k=14))}{d}",
        f"ghp_{r(34)}{d}",
        f"xoxb-{rng.randint(10**10, 10**11)}-{r(20)}{d}",
        f"AIza{r(33)}{d}",
        f"glpat-{r(18)}{d}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{r(60)}\n{r(60)}\n-----END RSA PRIVATE KEY-----",
    ]
    return rng.choice(["export TOKEN={}", "My key is {}", 'api_key = "{}"', "Use {} to log in."]), rng.choice(made)


def card(rng: random.Random) -> tuple[str, str]:
    start = rng.choice(["4", "51", "53", "55"])
    body = start + "".join(rng.choices(string.digits, k=15 - len(start)))
    digits = body + str(_luhn(body))
    if rng.random() < 0.5:
        return rng.choice(["Pay with {} now.", "It was {}, I think."]), " ".join(
            digits[at : at + 4] for at in range(0, 16, 4)
        )
    return rng.choice(["Card number: {}", "my visa is {}."]), digits


def _luhn(body: str) -> int:
    doubled = [int(digit) for digit in body[::-1]]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(doubled))
    return -total % 10


def iban(rng: random.Random) -> tuple[str, str]:
    country, length = rng.choice([("DE", 18), ("AT", 16), ("CH", 17), ("NL", 14), ("FR", 23)])
    bank = "INGB" if country == "NL" else ""
    body = bank + "".join(rng.choices(string.digits, k=length - len(bank)))
    rest = int("".join(str(int(letter, 36)) for letter in f"{body}{country}00")) % 97
    account = f"{country}{98 - rest:02}{body}"
    if rng.random() < 0.5:
        account = " ".join(account[at : at + 4] for at in range(0, len(account), 4))
    return rng.choice(["Send it to {}.", "IBAN {}", "Our account: {} (thanks!)"]), account


WORDS = "sunset,Winter,dragon,Moon,tiger,Blue,coffee,River,garden,Star".split(",")
MONTHS = "January,February,March,April,May,June,July,August,September,October,November,December".split(",")


def password(rng: random.Random) -> tuple[str, str]:
    how = rng.randrange(5)
    if how == 0:
        written = f"{rng.choice(WORDS)}{rng.choice('!_#@')}{rng.choice(WORDS)}{rng.randint(10, 99)}"
    elif how == 1:
        written = f"{rng.choice(WORDS)}{rng.randint(100, 9999)}"
    elif how == 2:
        written = "".join(rng.choices(LETTERS, k=8)) + str(rng.randint(1, 9)) + rng.choice("!?*&")
    elif how == 3:
        login = rng.choice(["Username: anna.b", "user: root", "Login: jo82"])
        return f"{login}\nPassword: {{}}", rng.choice(WORDS) * 2
    else:
        return rng.choice(["My PIN is: {}", "PIN: {}"]), str(rng.randint(1010, 9898))
    frames = [
        "Password: {}", "password: {}.", "The password is {}", "my pw: {}", 'password="{}"', "Passwort: {}",
        "Your temporary password is {} until Monday.", "Mot de passe : {}", "passwd={}", "pwd: '{}'", "Kennwort: {}",
    ]  # fmt: skip
    return rng.choice(frames), written


def birth(rng: random.Random) -> tuple[str, str]:
    day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(1925, 2012)
    written = rng.choice([
        f"{day:02}.{month:02}.{year}", f"{month}/{day}/{year}", f"{year}-{month:02}-{day:02}",
        f"{day} {MONTHS[month - 1]} {year}", f"{MONTHS[month - 1]} {day}, {year}",
        f"{day}th of {MONTHS[month - 1]} {year}",
    ])  # fmt: skip
    frames = [
        "Date of birth: {}", "DOB: {}", "D.O.B. {}", "I was born on {}.", "My birthday is {}", "Geburtsdatum: {}",
        "The patient, born {}, has a cough.", "Birthday: {}", "Birthdate {}", "fecha de nacimiento: {}",
        "Ich bin am {} geboren, Geburtsdatum {}",
    ]  # fmt: skip
    return rng.choice(frames[:-1]), written


def address(rng: random.Random) -> tuple[str, str]:
    if rng.random() < 0.2:
        groups = [f"{rng.randint(4096, 65535):x}" for _ in range(6)]
        written = rng.choice([f"2a02:{groups[0]}:{groups[1]}::{groups[2]}", f"2a02:1205:{':'.join(groups)}"])
    else:
        first = rng.choice([5, 23, 37, 46, 62, 78, 81, 93, 109, 130, 145, 178, 185, 194, 212])
        written = ".".join(map(str, [first, *(rng.randint(2, 253) for _ in range(3))]))
    frames = [
        "My IP is {}", "The request came from {}.", "Logged in from {} at noon", "ssh root@host ({} is its address)",
        "IP address: {}", "We blocked {}, because it asked too often: the client was {}", "client {} connected",
    ]  # fmt: skip
    frame = rng.choice([each for each in frames if each.count("{}") == 1])
    return frame, written


MAKERS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "e-mail": email,
    "phone": phone,
    "key": key,
    "card": card,
    "IBAN": iban,
    "password": password,
    "birth date": birth,
    "IP": address,
}


def sentence(rng: random.Random, kind: str | None = None) -> tuple[str, str]:
    """A sentence and what is private in it."""
    frame, written = MAKERS[kind or rng.choice([*MAKERS])](rng)
    return frame.format(written), written


def harmless(rng: random.Random) -> str:
    """A sentence with numbers, signs and names in it, none of them private."""
    n = lambda count: "".join(rng.choices(string.digits, k=count))  # noqa: E731
    a, b, c = rng.randint(2, 9999), rng.randint(2, 9999), rng.randint(1, 999_999)
    return rng.choice(
        [
            f"Order 302-{n(7)}-{n(7)} was sent on {rng.randint(2001, 2029)}-{rng.randint(10, 12)}-28.",
            f"Your order number is {n(10)}.",
            f"Invoice no. {n(9)} of {rng.randint(1, 28)}/{rng.randint(1, 12)}/2024",
            f"ISBN 978-3-16-{n(6)}-{n(1)}",
            f"ISBN: 0-306-{n(5)}-{n(1)}",
            f"It costs ${a:,}.{n(2)} or €{b},{n(2)}.",
            f"{a} * {b} = {a * b} and {a * b} / {a} = {b}.0",
            f"x = {a} + {b} - {c}",
            f"3.14159265358979{n(6)}",
            f"pip install numpy=={n(1)}.{n(2)}.{n(1)} torch@{rng.randint(1, 3)}.2.1",
            f"The server 192.168.{rng.randint(0, 255)}.{rng.randint(0, 255)} answered.",
            f"v{n(1)}.{n(2)}.{n(3)}-rc1+build.{n(8)}",
            f"In {rng.randint(1500, 1900)}-{rng.randint(1901, 2020)} about {c:,} people lived there.",
            f"The years {rng.randint(1900, 1949)} 1950 1975 {rng.randint(1980, 2024)} were dry.",
            f"At 10:{n(2)}:{n(2)} on {rng.randint(1, 28):02}.{rng.randint(1, 12):02}.2023 it rained.",
            f"#{n(6)} #ff{n(4)}; id={n(12)}",
            f"commit {''.join(rng.choices('0123456789abcdef', k=40))}",
            f"UUID {n(8)}-{n(4)}-4{n(3)}-8{n(3)}-{n(12)}",
            f"Serial SN{n(8)}-{n(4)}, part {n(3)}-{n(4)}-{n(3)}",
            f"git@github.com:acme/tool{n(2)}.git",
            "@property\ndef name(self): ...",
            f"npm install left-pad@{n(1)}.{n(1)}.{n(1)}",
            "Set OPENAI_API_KEY=sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxx first.",
            "token: hf_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            f"for i in range({n(7)}): total += {n(9)}",
            f"[{', '.join(n(3) for _ in range(8))}]",
            f"{n(2)} {n(2)} {n(2)} {n(2)} {n(2)}",
            f"Season {n(1)}, episodes {rng.randint(1, 9)}-{rng.randint(10, 13)}: {c:,} viewers",
            f"doi:10.1000/{n(7)}.{n(4)}",
            f"arXiv:{n(4)}.{n(5)}",
            f"Latitude 47.{n(6)}, longitude 8.{n(6)}",
            f"EAN {n(13)}",
            f"Population: {rng.randint(1, 9)} {n(3)} {n(3)}",
            f"Compute {n(8)} - {n(3)}.",
            f"Tracking number 1Z{n(6)}{n(10)}",
            "Send your CV to you@example.com.",
            f"sk-learn and sk-image are packages; see task-{n(5)}.",
            f"ticket {n(4)}-{n(4)}",
            "Enter your password: it must be 8 characters long.",
            "password = input('Password: ')",
            "The password is incorrect; a password: string is needed.",
            'password=os.environ["DB_PASSWORD"], user="root"',
            "def login(user: str, password: str) -> bool:",
            "Password: ********",
            '{"username": "string?", "password": "string?"}',
            'connect(host, password="your_password")',
            "A strong password is a long password. The password is too short.",
            "password: <your password here>",
            "self.password = hash_password(password)",
            "Never use password123, and change the password: changeme is no better.",
            f"A good password is at least {rng.randint(8, 16)} characters.",
            f"The museum opened on {rng.randint(1, 28)} {rng.choice(MONTHS)} {rng.randint(1925, 2012)}.",
            f"She was born in {rng.randint(1925, 2012)}, and moved on {rng.randint(1, 12)}/{rng.randint(1, 28)}/2015.",
            f"Mozart was born on 27 January 1756. The meeting is on {rng.randint(1, 28):02}.03.2024.",
            f"Happy birthday! See you on {rng.choice(MONTHS)} {rng.randint(1, 28)}, 2024.",
            f"Use version {rng.randint(1, 9)}.{n(1)}.{rng.randint(10, 20)}.{rng.randint(1, 9)} of the firmware.",
            f"Chrome/{rng.randint(80, 120)}.0.{rng.randint(100, 255)}.{rng.randint(10, 99)} Safari/537.36",
            f"Listen on 127.0.0.1:80{n(2)} or 0.0.0.0, and ask 8.8.8.8.",
            f"The network 10.{rng.randint(0, 255)}.0.0/16 and the gateway 172.16.{rng.randint(0, 255)}.1",
            f"See section {rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)}.{rng.randint(1, 9)} of the book.",
            f"The server 203.0.113.{rng.randint(1, 254)} is an example, and so is 2001:db8::{n(2)}.",
            f"MAC 00:1B:44:11:3A:B{n(1)}, at 10:20:{rng.randint(10, 59)}",
        ]
    )
