"""What the tabs share: ids of what is open, and nothing that grants access. Losing it loses nothing."""

import secrets
from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class Session:
    upload: gr.State  # the file being looked at
    dataset: gr.State  # the prepared data chosen last
    run: gr.Textbox  # the run that is open; the browser knows it, so it stands in the address and survives our restart
    who: gr.Textbox  # changes whenever somebody signs in or out, and says nothing else


def session() -> Session:
    return Session(gr.State(None), gr.State(None), remembered("open-run"), remembered("sign-in-news"))


def remembered(name: str) -> gr.Textbox:
    """An id the browser holds without showing it."""
    return gr.Textbox(visible="hidden", label=name, elem_id=name, max_length=120)


def news() -> str:
    """A new value for `Session.who`."""
    return secrets.token_hex(4)


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
# A chart drawn while it was out of sight has a width of its own; what draws it may still be on its way.
FIT_CHARTS = """() => [80, 700, 2000].forEach((wait) =>
  setTimeout(() => window.dispatchEvent(new Event('resize')), wait))"""
# Of a button that leads to the sign-in from elsewhere on the page.
PRESS_SIGN_IN = "() => document.getElementById('sign-in')?.click()"
# On a link to the Hub's sign-in: come back to this tab and this run; and not inside of another site's frame, where
# browsers keep our cookie out.
RETURN_HERE = """const back = new URLSearchParams(location.search);
const tab = document.querySelector('#tabs [role=tab][aria-selected=true]')?.id?.replace(/-button$/, '');
if (tab) back.set('tab', tab);
if (self !== top && this.dataset.visitor) back.set('visitor', this.dataset.visitor);
this.href = '/login/huggingface?_target_url=' + encodeURIComponent('/?' + back);
if (self !== top) this.target = '_blank';"""
