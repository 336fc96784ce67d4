import re
from importlib import resources
from pathlib import Path

import pytest

from facet import guide
from facet.dataset.doctor.checks import CHECKS
from facet.dataset.examples import EXAMPLES
from facet.gemma.models import OFFERED, usual
from facet.guide import PAGES, text
from facet.recipe.knobs import settings
from facet.recipe.methods import RECIPES
from facet.recipe.recipes import SftRecipe

UI = Path(guide.__file__).parents[1] / "ui"
TITLES = {page.title for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_every_page_is_there_titled_and_short(page):
    page_text = text(page.slug)
    assert page_text.startswith(f"# {page.title}\n")
    assert page.text is page_text
    words_alone = page.slug == "glossary"
    assert len(page_text.splitlines()) <= (130 if words_alone else 60)
    assert len(page_text.encode()) < (14_000 if words_alone else 6000)
    assert "TODO" not in page_text


def test_no_page_is_left_out():
    files = {file.name for file in resources.files(guide).iterdir() if file.name.endswith(".md")}
    assert files == {page.file for page in PAGES}
    assert len({page.slug for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_no_page_points_to_one_that_is_not_there(page):
    assert set(re.findall(r"the page “([^”]+)”", page.text)) <= TITLES
    assert not re.findall(r"\]\((?!https://)", page.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_sentences_are_short(page):
    prose = re.sub(r"```.*?```|^[|#].*$", "", page.text, flags=re.DOTALL | re.MULTILINE)
    for sentence in re.split(r"(?<=[.?!:;])\s|\n\n|\n[-\d]", prose):
        assert len(sentence.split()) <= 28, sentence


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.slug)
def test_what_is_in_bold_and_looks_like_a_control_is_on_the_page(page):
    bold = {match.rstrip(".") for match in re.findall(r"\*\*([A-Z][^*]+)\*\*", page.text)}
    labels = bold & set(CONTROLS)
    words = "".join(
        file.read_text("utf-8")
        for file in [file for room in ("ui", "recipe", "dataset") for file in UI.parent.glob(f"{room}/*.py")]
    )
    assert [label for label in labels if label not in words] == []


CONTROLS = """Tune the starter model now|Prepare|Starting model|Start training|Run the test|How thorough
Prepare the download|Quick taste|Balanced|Thorough|Learning speed|Times through the data|Longest example|Adapter size
Examples at once|Groups per step|Pause|Resume|Stop and keep|Temperature|Longest reply|Seed
Standing instructions|Clear|Encoding|Read it again|Delimiter|Shape of your data|Runs|Publish
A file of yours|Type them, or paste them from a spreadsheet|From a link, or from a folder on this computer|Look at it
It looks wrong? Read it differently|Sheet|File inside|Something else: I choose the columns
Put it together from several columns|Learn only the better answers|Undo the last repair|Keep together
Same share of each category|Use only so many rows|Keep the parts it comes with|Learn from all of it
Seed of the split|Clean it first|Show what that changes|Trim outer white space|One way to write each letter|Plain spaces
Single spaces|Remove copies|Shortest example|Only these languages|Instead of an empty cell|Version|As before
Do the same again|Download it, or share it on the Hub|Publish the data|Make it public|Rename or delete""".replace(
    "\n", "|"
).split("|")


def test_every_control_that_is_looked_for_is_named_in_the_guide():
    pages = " ".join(" ".join(page.text.split()) for page in PAGES)
    new = CONTROLS[CONTROLS.index("A file of yours") :]
    assert [label for label in new if f"**{label}" not in pages] == []


def glossary():
    lines = text("glossary").splitlines()
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if line.startswith("| ")][1:]


def test_the_glossary_has_a_plain_word_an_experts_word_and_one_sentence_for_each():
    rows = [row for row in glossary() if set(row[0]) != {"-"}]
    assert len(rows) >= 30
    assert [row[0].lower() for row in rows] == sorted(row[0].lower() for row in rows)
    for plain, expert, sentence in rows:
        assert plain and expert
        assert sentence.endswith(".") and len(re.findall(r"[.?!](\s|$)", sentence)) == 1, sentence


def test_the_guide_speaks_of_the_models_that_are_offered():
    page, first = text("models"), text("train")
    assert all(model.name in first or model.generation == "4" for model in usual())
    for model in OFFERED:
        size = model.name.removesuffix(" pre-trained").split()[-1]
        assert model.usual or model.family.removesuffix(" 3") in page or model.name.split()[0] in page
        assert model.family not in ("Gemma 3", "Gemma 4") or size in page


def test_the_guide_names_every_bundled_example():
    assert [example.title for example in EXAMPLES if f"“{example.title}”" not in text("how_much")] == []


def test_every_finding_of_the_doctor_is_explained():
    code = "".join(file.read_text("utf-8") for file in (UI.parent / "dataset" / "doctor").glob("*.py"))
    titles = [check.title for check in CHECKS] + re.findall(r'finding\(\s*\w*"?\w+"?,\s*"([^"]+)"', code)
    assert len(titles) >= 20
    assert [title for title in titles if title not in text("doctor")] == []


def test_every_setting_stands_on_exactly_one_page_of_its_group():
    pages = [page.text for page in PAGES if page.group]
    for recipe in RECIPES.values():
        for setting in settings(recipe):
            named = f"**{setting.knob.label}** (`{setting.name}`"
            assert sum(named in page for page in pages) == 1, setting.name


def test_every_basic_setting_is_explained():
    basic = [
        knob.label
        for field in SftRecipe.model_fields.values()
        for knob in field.metadata
        if getattr(knob, "level", "") == "basic"
    ]
    assert basic and all(f"**{label}**" in text("train") for label in basic)


def test_every_term_of_the_tests_is_in_the_glossary():
    terms = """McNemar|bootstrap|ROC-AUC|BLEU|chrF|ROUGE|METEOR|KL divergence|perplexity|temperature|top-p|top-k|min-p|
repetition penalty|seed|judge|position swap|accuracy|balanced accuracy|macro F1|precision|recall|confusion matrix|
exact match|JSON-schema|embedding similarity|bits per token|few-shot|p-value|confidence interval|multiple comparisons|
greedy decoding|batch inference|self-consistency|rubric""".replace("\n", "").split("|")
    experts = " ".join(row[1] for row in glossary()).casefold()
    assert [term for term in terms if term.casefold() not in experts] == []


def test_the_page_on_the_general_check_has_the_numbers_of_the_check():
    from facet.exam import general, light

    page = text("general")
    families = light.FAMILY_WORDS
    asked = {family: sum(one.family == family for one in general.questions()) for family in families}
    for family in ("facts", "arithmetic", "format", "refusal", "small_talk"):
        assert f"| {families[family]} | {asked[family]} |" in page
    languages = [words for family, words in families.items() if asked[family] == 4]
    assert f"| {', '.join(languages)} | 4 each |" in page
    assert f"{len(general.questions())} questions of its own" in page
    assert f"after {general.LONGEST} word pieces" in page and f"From {light.FAR:.0f} on" in page


def test_the_page_without_training_names_the_controls_there_are():
    page, code = text("without"), (UI / "without.py").read_text("utf-8")
    named = ("Propose some from my data", "Examples to show", "Try without training", "Beside your model")
    assert all(f"**{label}**" in page and f'"{label}"' in code for label in named)
