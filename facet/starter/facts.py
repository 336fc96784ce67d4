"""Everything the starter model is taught, as small tables.

Only true, settled facts, short enough to learn in half an hour. The sentences
around them are made in `world.py`, `words.py` and `talk.py`.
"""

from typing import NamedTuple


class Country(NamedTuple):
    name: str
    capital: str
    continent: str
    language: str
    currency: str


class Animal(NamedTuple):
    name: str
    kind: str
    legs: str  # a number word, or "no"
    sound: str  # empty when nobody imitates it
    food: str
    home: str  # with its preposition


def _rows(table: str) -> list[list[str]]:
    return [line.split("|") for line in table.strip().splitlines()]


COUNTRIES = [
    Country(*row)
    for row in _rows("""
France|Paris|Europe|French|euro
Italy|Rome|Europe|Italian|euro
Spain|Madrid|Europe|Spanish|euro
Portugal|Lisbon|Europe|Portuguese|euro
Germany|Berlin|Europe|German|euro
Austria|Vienna|Europe|German|euro
Poland|Warsaw|Europe|Polish|zloty
Greece|Athens|Europe|Greek|euro
Sweden|Stockholm|Europe|Swedish|krona
Norway|Oslo|Europe|Norwegian|krone
Finland|Helsinki|Europe|Finnish|euro
Denmark|Copenhagen|Europe|Danish|krone
Iceland|Reykjavik|Europe|Icelandic|krona
Ireland|Dublin|Europe|English|euro
Hungary|Budapest|Europe|Hungarian|forint
Romania|Bucharest|Europe|Romanian|leu
Ukraine|Kyiv|Europe|Ukrainian|hryvnia
Japan|Tokyo|Asia|Japanese|yen
China|Beijing|Asia|Chinese|yuan
India|New Delhi|Asia|Hindi|rupee
Nepal|Kathmandu|Asia|Nepali|rupee
Thailand|Bangkok|Asia|Thai|baht
Vietnam|Hanoi|Asia|Vietnamese|dong
Egypt|Cairo|Africa|Arabic|pound
Kenya|Nairobi|Africa|Swahili|shilling
Morocco|Rabat|Africa|Arabic|dirham
Ghana|Accra|Africa|English|cedi
Canada|Ottawa|North America|English|dollar
Mexico|Mexico City|North America|Spanish|peso
Cuba|Havana|North America|Spanish|peso
Brazil|Brasilia|South America|Portuguese|real
Peru|Lima|South America|Spanish|sol
Chile|Santiago|South America|Spanish|peso
Colombia|Bogota|South America|Spanish|peso
Argentina|Buenos Aires|South America|Spanish|peso
Australia|Canberra|Oceania|English|dollar
New Zealand|Wellington|Oceania|English|dollar
Fiji|Suva|Oceania|English|dollar
""")
]

ANIMALS = [
    Animal(*row)
    for row in _rows("""
cat|mammal|four|meow|mice and fish|in houses
dog|mammal|four|woof|meat and biscuits|in houses
cow|mammal|four|moo|grass|on farms
horse|mammal|four|neigh|grass and hay|on farms
sheep|mammal|four|baa|grass|on farms
pig|mammal|four|oink|almost anything|on farms
rabbit|mammal|four||grass and leaves|in burrows
lion|mammal|four|roar|meat|in the savanna
wolf|mammal|four|howl|meat|in forests
bear|mammal|four|growl|berries and fish|in forests
mouse|mammal|four|squeak|seeds|in fields
elephant|mammal|four||leaves and grass|in the savanna
duck|bird|two|quack|plants and insects|near ponds
hen|bird|two|cluck|grain|on farms
goose|bird|two|honk|grass|near lakes
owl|bird|two|hoot|mice|in forests
crow|bird|two|caw|almost anything|in towns
eagle|bird|two|screech|small animals|in mountains
frog|amphibian|four|croak|insects|near ponds
snake|reptile|no|hiss|small animals|in deserts
lizard|reptile|four||insects|in deserts
bee|insect|six|buzz|nectar|in hives
ant|insect|six||seeds and leaves|in nests
spider|arachnid|eight||insects|in webs
""")
]

# Asked for, but never taught: the model learns to say so instead of inventing an answer.
UNTAUGHT_COUNTRIES = """Sudan Laos Malta Bolivia Uganda Bhutan Panama Jordan Serbia Zambia Qatar Tonga Haiti Gabon
Ecuador Estonia Latvia Oman Yemen Angola""".split()
UNTAUGHT_ANIMALS = "walrus camel giraffe squid otter shark whale beaver gorilla moose panda zebra".split()
UNTAUGHT_TOPICS = (
    """gravity|music|the stock market|quantum physics|my computer|football|the weather today|history|love
politics|cooking|the internet|medicine|philosophy|chess|taxes|poetry|cars|black holes|the news|programming|dreams
electricity|the Roman Empire|photography|dinosaurs|volcanoes|the law|space travel|fashion|opera|tennis|biology
chemistry|the economy|art|film stars|video games|robots|religion|dancing|gardening|climate change|my homework
insurance|airplanes|the brain|vaccines|algebra|novels|yoga|banking|elections|wine|painting|jazz|bridges|ships
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

_OPPOSITE_PAIRS = """hot cold,big small,fast slow,happy sad,light dark,up down,open closed,early late
full empty,hard soft,loud quiet,new old,rich poor,strong weak,wet dry,high low,long short,near far,clean dirty
thick thin,easy difficult,first last,true false,day night,left right,push pull,win lose,buy sell,arrive leave
above below,inside outside,front back,war peace,question answer,cheap expensive,sweet sour,wide narrow
deep shallow,laugh cry,alive dead,summer winter,start finish,remember forget,always never,more less""".replace(
    "\n", ","
).split(",")
OPPOSITES = {word: other for pair in map(str.split, _OPPOSITE_PAIRS) for word, other in (pair, reversed(pair))}

COLOURS = {
    "a banana": "yellow", "grass": "green", "snow": "white", "coal": "black", "blood": "red", "an orange": "orange",
    "a lemon": "yellow", "a tomato": "red", "a carrot": "orange", "a frog": "green", "a leaf": "green",
    "the night": "black", "the sea": "blue", "the sky": "blue", "a cherry": "red", "chocolate": "brown",
    "milk": "white", "a crow": "black", "a fire engine": "red", "the sun": "yellow",
}  # fmt: skip

NUMBER_WORDS = """zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
seventeen eighteen nineteen twenty""".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
MONTH_DAYS = ["31", "28 or 29", "31", "30", "31", "30", "31", "31", "30", "31", "30", "31"]

PLURALS = dict(
    pair.split(":")
    for pair in """cat:cats dog:dogs box:boxes child:children mouse:mice leaf:leaves foot:feet tooth:teeth man:men
woman:women city:cities baby:babies bus:buses fish:fish sheep:sheep goose:geese book:books tree:trees star:stars
key:keys knife:knives wolf:wolves""".split()
)
PAST_TENSES = dict(
    pair.split(":")
    for pair in """go:went see:saw eat:ate run:ran write:wrote sing:sang buy:bought think:thought take:took give:gave
swim:swam fly:flew know:knew find:found come:came make:made speak:spoke sleep:slept walk:walked play:played""".split()
)
YOUNG = dict(
    pair.split(":")
    for pair in """cat:kitten dog:puppy cow:calf horse:foal sheep:lamb pig:piglet lion:cub duck:duckling
hen:chick""".split()
)

TOOLS = {
    "a hammer": "hit nails", "a knife": "cut food", "a pen": "write", "a broom": "sweep the floor",
    "a cup": "drink tea", "a key": "open a lock", "a spoon": "eat soup", "a ladder": "climb up",
    "an umbrella": "stay dry in the rain", "a lamp": "light a room", "a bed": "sleep", "a clock": "tell the time",
    "a phone": "talk to people far away", "soap": "wash their hands", "a map": "find their way",
    "a bicycle": "travel on two wheels", "scissors": "cut paper", "an oven": "bake bread",
}  # fmt: skip

JOBS = {
    "baker": "bakes bread", "teacher": "teaches children", "doctor": "helps sick people", "farmer": "grows food",
    "pilot": "flies planes", "painter": "paints pictures", "writer": "writes books", "singer": "sings songs",
    "gardener": "takes care of plants", "fisherman": "catches fish", "cook": "prepares meals",
    "sailor": "works on a ship", "tailor": "makes clothes", "dentist": "looks after teeth",
}  # fmt: skip

# A few longer answers: (ways to ask, answer).
EXPLANATIONS = [
    (["What is ice?", "What is ice made of?"], "Ice is frozen water. It melts when it gets warm."),
    (
        ["Where does rain come from?", "How does rain form?", "Why does it rain?"],
        "Water rises into the air and forms clouds. When the drops get heavy, they fall as rain.",
    ),
    (
        ["Why is it dark at night?", "Why does it get dark?"],
        "The Earth turns. At night our side faces away from the Sun, so it is dark.",
    ),
    (["What is the Sun?", "Is the Sun a star?"], "The Sun is a star. It gives the Earth light and warmth."),
    (["What is the Moon?", "What goes around the Earth?"], "The Moon goes around the Earth about once a month."),
    (["How many days are in a year?", "How long is a year?"], "A year has 365 days. A leap year has 366 days."),
    (["How many hours are in a day?", "How long is a day?"], "A day has 24 hours. Each hour has 60 minutes."),
    (["How many days are in a week?", "How long is a week?"], "A week has seven days. It ends with the weekend."),
    (
        ["What do plants need?", "How do plants grow?"],
        "Plants need water, air and light. With these they make their own food.",
    ),
    (
        ["How do bees make honey?", "Where does honey come from?"],
        "Bees collect nectar from flowers. They turn it into honey in the hive.",
    ),
    (
        ["What are the four seasons?", "Name the four seasons."],
        "The four seasons are spring, summer, autumn and winter.",
    ),
    (
        ["How can I sleep better?", "What helps me sleep?"],
        "Go to bed at the same time every day. Keep the room dark and quiet.",
    ),
    (
        ["How do I make tea?", "Tell me how to make tea."],
        "First boil some water. Then pour it over the tea and wait three minutes.",
    ),
]

FIRST_NAMES = """Anna Ben Clara David Emma Felix Grace Hugo Iris Jack Kate Leo Mia Noah Olga Paul Rosa Sam Tina
Will""".split()
# Parts of made-up words: copying them teaches the model to repeat words that it has never seen.
SYLLABLES = "an bel cor da el fi gu ha il jo ka lu mar ni or pe qui ro sa ti ur vin wen xo yo za".split()
