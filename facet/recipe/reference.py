"""The reference of all settings, and the pages of the guide on each group, as Markdown made of the declarations."""

from facet.recipe.knobs import GROUPS, Group, Setting, settings, show
from facet.recipe.methods import METHODS, RECIPES, Method

TITLES: dict[Method, str] = {"sft": "Conversations (`sft`)", "cpt": "Plain text (`cpt`)"}


def reference(*methods: Method) -> str:
    """Every setting of these methods, in their groups. What only one of several methods has says so."""
    lines = ["# Settings", ""]
    for method in methods:
        lines.append(f"- {TITLES[method]}: {(RECIPES[method].__doc__ or '').strip()}")
    for group in GROUPS:
        found = of_group(group, *methods)
        if found:
            lines += ["", f"## {group}", ""]
        for setting, owners in found:
            lines += _described(setting, owners if len(owners) < len(methods) else ())
    return "\n".join(lines).rstrip() + "\n"


def of_group(group: Group, *methods: Method) -> list[tuple[Setting, tuple[Method, ...]]]:
    """The settings of a group, the basic ones first, and which methods have each."""
    found: dict[str, tuple[Setting, list[Method]]] = {}
    for method in methods or METHODS:
        for setting in settings(RECIPES[method]):
            if setting.knob.group == group:
                found.setdefault(setting.name, (setting, []))[1].append(method)
    ordered = sorted(found.values(), key=lambda pair: pair[0].knob.level != "basic")
    return [(setting, tuple(owners)) for setting, owners in ordered]


def _described(setting: Setting, owners: tuple[Method, ...]) -> list[str]:
    knob = setting.knob
    only = f" Only for {' and '.join(TITLES[owner].lower() for owner in owners)}." if owners else ""
    needs = f" Only does something where `{knob.needs.setting}` {_needed(setting)}." if knob.needs else ""
    return [
        f"### {knob.label} (`{setting.name}`)",
        "",
        knob.plain,
        "",
        f"- Values: {setting.range_words}. Default: {show(setting.default)}. Command line: `{setting.flag}`."
        f"{only}{needs}",
        f"- For experts: {knob.expert}",
        f"- Why this default: {knob.source}",
        "",
    ]


def _needed(setting: Setting) -> str:
    need = setting.knob.needs
    if need is None or not need.values:
        return "is set"
    return f"is {' or '.join(str(value) for value in need.values)}"


def group_page(group: Group) -> str:
    """What the guide says of the settings of a group: the plain words first, the expert's behind them."""
    lines = []
    for setting, owners in of_group(group):
        knob = setting.knob
        only = f" Only for {TITLES[owners[0]].split(' (')[0].lower()}." if len(owners) == 1 else ""
        lines += [f"**{knob.label}** (`{setting.name}`, usually {show(setting.default)}). {knob.plain}{only}", ""]
    return "\n".join(lines).rstrip() + "\n"
