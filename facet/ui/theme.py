"""How Facet looks: one palette with a meaning for each colour, in light and dark, and Gradio's theme made of it."""

from pathlib import Path

import gradio as gr

HERE = Path(__file__).parent
SANS = ["ui-sans-serif", "system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "Arial", "sans-serif"]
MONO = ["ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "Liberation Mono", "monospace"]

# name: (in light, in dark)
PALETTE: dict[str, tuple[str, str]] = {
    "paper": ("#f4f7f6", "#0d1213"),  # behind everything
    "surface": ("#ffffff", "#151c1e"),  # cards
    "well": ("#f0f4f3", "#0f1517"),  # set into a card: code, logs, tracks
    "line": ("#d9e1e0", "#283335"),
    "edge": ("#7f8e8f", "#63757a"),  # borders of controls: at least 3:1
    "ink": ("#162022", "#e8eeee"),
    "soft": ("#4d5c5e", "#a8b6b7"),  # second-rank text: at least 4.5:1
    "accent": ("#0b6b65", "#5fd3c7"),  # the tuned model, links, the one primary action
    "fill": ("#0b6b65", "#38b8ab"),  # filled with the accent
    "fill-hover": ("#08544f", "#52c9bd"),
    "on-fill": ("#ffffff", "#03201d"),
    "tint": ("#d3eeea", "#124742"),  # trained tokens
    "untouched": ("#59686a", "#9dacae"),  # the model as it came
    "untouched-tint": ("#e8edec", "#222c2f"),
    "warn": ("#815000", "#f1b850"),
    "warn-tint": ("#fdf2dd", "#33270f"),
    "error": ("#a61f19", "#ff9d94"),
    "error-tint": ("#fdecea", "#3a1816"),
}


def variables() -> str:
    """The palette as CSS custom properties."""
    light = "".join(f"--f-{name}:{pair[0]};" for name, pair in PALETTE.items())
    dark = "".join(f"--f-{name}:{pair[1]};" for name, pair in PALETTE.items())
    return f":root{{{light}}}\n.dark{{{dark}}}\n"


def css() -> str:
    return variables() + (HERE / "facet.css").read_text("utf-8")


def mark(size: int = 28) -> str:
    """The drawing of ours, as SVG for the page."""
    return (HERE / "mark.svg").read_text("utf-8").replace("<svg ", f'<svg width="{size}" height="{size}" ', 1)


def theme() -> gr.themes.Base:
    """Gradio's variables, pointed at the palette; what changes in dark does so through the palette alone."""
    base = gr.themes.Base(font=SANS, font_mono=MONO, text_size="md", spacing_size="md", radius_size="md")
    chosen = {name: f"var(--f-{colour})" for colour, names in USES.items() for name in names}
    both = chosen | {f"{name}_dark": value for name, value in chosen.items() if name not in LIGHT_ONLY}
    return base.set(**both, **SHAPES)


LIGHT_ONLY = {"color_accent", "stat_background_fill_"}
USES: dict[str, tuple[str, ...]] = {
    "paper": ("body_background_fill",),
    "surface": (
        "background_fill_primary",
        "block_background_fill",
        "panel_background_fill",
        "input_background_fill",
        "input_background_fill_focus",
        "checkbox_background_color",
        "checkbox_background_color_focus",
        "checkbox_background_color_hover",
        "checkbox_label_background_fill",
        "block_label_background_fill",
        "block_title_background_fill",
        "button_secondary_background_fill",
        "button_cancel_background_fill",
        "table_even_background_fill",
        "table_odd_background_fill",
    ),
    "well": (
        "background_fill_secondary",
        "code_background_fill",
        "checkbox_label_background_fill_hover",
        "button_secondary_background_fill_hover",
        "button_cancel_background_fill_hover",
        "input_background_fill_hover",
        "stat_background_fill",
        "table_row_focus",
    ),
    "line": (
        "border_color_primary",
        "block_border_color",
        "panel_border_color",
        "table_border_color",
        "block_label_border_color",
        "block_title_border_color",
        "checkbox_label_border_color",
    ),
    "edge": (
        "input_border_color",
        "checkbox_border_color",
        "checkbox_border_color_hover",
        "button_secondary_border_color",
        "checkbox_label_border_color_hover",
        "button_cancel_border_color",
    ),
    "ink": (
        "body_text_color",
        "block_title_text_color",
        "block_label_text_color",
        "checkbox_label_text_color",
        "checkbox_label_text_color_selected",
        "button_secondary_text_color",
        "button_secondary_text_color_hover",
        "accordion_text_color",
        "table_text_color",
        "button_cancel_text_color",
        "button_cancel_text_color_hover",
        "button_secondary_border_color_hover",
        "button_cancel_border_color_hover",
    ),
    "soft": ("body_text_color_subdued", "block_info_text_color", "input_placeholder_color"),
    "accent": (
        "border_color_accent",
        "color_accent",
        "link_text_color",
        "link_text_color_active",
        "link_text_color_hover",
        "link_text_color_visited",
        "input_border_color_focus",
        "checkbox_border_color_focus",
        "checkbox_border_color_selected",
        "checkbox_label_border_color_selected",
        "loader_color",
        "slider_color",
    ),
    "fill": ("button_primary_background_fill", "button_primary_border_color", "checkbox_background_color_selected"),
    "fill-hover": ("button_primary_background_fill_hover", "button_primary_border_color_hover"),
    "on-fill": ("button_primary_text_color", "button_primary_text_color_hover"),
    "tint": ("color_accent_soft", "border_color_accent_subdued"),
    "untouched-tint": ("checkbox_label_background_fill_selected",),
    "error": ("error_border_color", "error_text_color", "error_icon_color"),
    "error-tint": ("error_background_fill",),
}
SHAPES: dict[str, str] = {
    "block_border_width": "0px",
    "block_shadow": "none",
    "block_padding": "0px",
    "block_label_border_width": "0px",
    "block_title_text_weight": "600",
    "block_title_text_size": "0.9375rem",
    "block_info_text_size": "0.875rem",
    "block_title_padding": "0px",
    "block_radius": "10px",
    "container_radius": "10px",
    "input_radius": "8px",
    "input_border_width": "1px",
    "input_shadow": "none",
    "input_shadow_focus": "none",
    "input_text_size": "1rem",
    "input_padding": "10px 12px",
    "body_text_size": "1rem",
    "prose_text_size": "1rem",
    "layout_gap": "20px",
    "form_gap_width": "20px",
    "button_border_width": "1px",
    "button_large_radius": "9px",
    "button_medium_radius": "9px",
    "button_small_radius": "8px",
    "button_large_padding": "12px 22px",
    "button_large_text_size": "1rem",
    "button_large_text_weight": "600",
    "button_medium_text_weight": "600",
    "button_small_text_weight": "550",
    "button_primary_shadow": "none",
    "button_primary_shadow_hover": "none",
    "button_primary_shadow_active": "none",
    "button_secondary_shadow": "none",
    "button_secondary_shadow_hover": "none",
    "button_secondary_shadow_active": "none",
    "checkbox_label_shadow": "none",
    "checkbox_label_border_width": "1px",
    "checkbox_shadow": "none",
    "button_transition": "background-color 120ms ease, border-color 120ms ease",
    "shadow_drop": "none",
    "shadow_drop_lg": "0 6px 24px rgb(0 0 0 / 12%)",
    "shadow_inset": "none",
}
