"""The things, places and people that the sums of `sums.py` are told about."""

NAMES = """Ada Bilal Carla Dimitri Elif Femi Greta Hugo Ines Jonas Kira Luca Maja Nils Olga Pavel Rosa Samir Tilda Umut
Vera Wanda Yusuf Zoe""".split()
BOUGHT = [
    ("loaves of bread", "rolls"), ("notebooks", "pencils"), ("tomato plants", "bags of seed"),
    ("candles", "matchboxes"),
    ("puzzles", "postcards"), ("jars of honey", "lemons"), ("scarves", "buttons"),
]  # fmt: skip
TIMED = [
    "A train leaves at {} and arrives at {}", "A film begins at {} and ends at {}", "A cake bakes from {} to {}",
    "The sun came out at {} and went behind clouds at {}", "A ship enters the lock at {} and is moored at {}",
    "A class is in the museum from {} to {}", "The power was off from {} until {}",
]  # fmt: skip
ROWS = [
    ("A school hall has", "rows", "chairs", "taken"), ("A greenhouse holds", "tables", "pots", "planted"),
    ("A car park has", "lanes", "places", "occupied"), ("An orchard has", "lines", "trees", "picked"),
    ("A library owns", "shelves", "atlases", "lent"), ("A quilt consists of", "strips", "squares", "blue"),
]  # fmt: skip
DISHES = [
    ("pancakes", "flour"), ("risotto", "rice"), ("lentil soup", "lentils"), ("potato salad", "potatoes"),
    ("muesli", "oats"), ("pizza", "cheese"), ("plum cake", "plums"),
]  # fmt: skip
AGES = [
    "{first} is {age} years old. {second} is {gap} years older.",
    "{second} was born {gap} years before {first}, who is {age} now.",
    "Today {first} turns {age}. {second} has always been {gap} years ahead.",
    "{first}, aged {age}, has a cousin called {second} who is {gap} years older.",
]
AROUND = [
    ("A garden", "fence"), ("A chicken run", "wire netting"), ("A tablecloth for a street party", "ribbon"),
    ("A stage", "rope"), ("A meadow", "hedge"), ("A ceiling", "moulding"), ("A flower bed", "stone edging"),
]  # fmt: skip
COVERED = [
    ("floor", "pack of tiles"), ("lawn", "roll of turf"), ("wall", "tin of paint"), ("roof", "bundle of slates"),
    ("field", "bag of seed"), ("terrace", "pallet of stones"),
]  # fmt: skip
DAILY = [
    ("{name} reads {daily} pages a day in a book of {book} pages.", "pages"),
    ("A path is {book} kilometres long, and {name} walks {daily} kilometres a day.", "kilometres"),
    ("{name} has {book} photographs to sort and manages {daily} a day.", "photographs"),
    ("A bag holds {book} spoons of oats; {name} eats {daily} spoons of it daily.", "spoons"),
    ("There are {book} windows in a castle, and {name} cleans {daily} of them every day.", "windows"),
    ("{name} learns {daily} words a day out of a list of {book} Finnish words.", "words"),
]
FILLED = [("A tap", "tub"), ("A pump", "pond"), ("A spring", "basin"), ("A hose", "pool"), ("A brook", "trough")]
MEANS = [
    "At noon it was {} degrees on four days. What was the average in degrees?",
    "Four hens laid {} eggs in a month. How many is that on average for each hen?",
    "A team scored {} points in its last four games. How many points a game is that on average?",
    "Four friends found {} mushrooms. How many would each have, if they shared them equally?",
    "A baker sold {} cakes from Monday to Thursday. What is the average for a day?",
    "Four ropes measure {} metres. How long is a rope on average, in metres?",
]
TRAVELLERS = ["A cyclist", "A skipper", "A rider", "A skater", "A postwoman on her tricycle", "A rower"]
PARTS = {3: "third", 4: "quarter", 5: "fifth", 6: "sixth"}
GROUPS = [
    ("children in a choir", "sing the high part"), ("letters on the table", "are bills"), ("apples", "are ripe"),
    ("bicycles at the station", "have a basket"), ("houses in a street", "are made of brick"),
    ("visitors", "came by train"), ("guests", "take soup"), ("books on a shelf", "are novels"),
]  # fmt: skip
CARRIERS = ["bus", "boat", "railway carriage", "tram", "cable car"]
