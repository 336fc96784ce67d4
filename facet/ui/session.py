"""What the tabs share: ids of what is open, and nothing that grants access. Losing it loses nothing."""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class Session:
    upload: gr.State  # the file being looked at
    dataset: gr.State  # the prepared data chosen last
    run: gr.Textbox  # the run that is open; the browser knows it, so it stands in the address and survives our restart


def session() -> Session:
    return Session(gr.State(None), gr.State(None), remembered("open-run"))


def remembered(name: str) -> gr.Textbox:
    """An id the browser holds without showing it."""
    return gr.Textbox(visible="hidden", label=name, elem_id=name, max_length=120)


def go_to(tab: str) -> str:
    """JavaScript that opens a tab, as a press on it would."""
    return f"() => {{ document.getElementById('{tab}-button')?.click(); window.scrollTo({{top: 0}}); }}"


REMEMBER_RUN = """(run) => {
  const address = new URL(window.location);
  address.searchParams.delete('first');
  if (run) address.searchParams.set('run', run); else address.searchParams.delete('run');
  window.history.replaceState(null, '', address);
}"""
REMEMBER_FIRST = """(run) => {
  const address = new URL(window.location);
  if (run) address.searchParams.set('first', run); else address.searchParams.delete('first');
  window.history.replaceState(null, '', address);
}"""
DAYLIGHT = """() => {
  const dark = document.body.classList.toggle('dark');
  try { localStorage.setItem('facet-daylight', dark ? 'dark' : 'light'); } catch (error) { /* private window */ }
}"""
