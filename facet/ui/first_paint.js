// Until Gradio has drawn the page, the first screen is already there and its button works: a press is kept and passed on.
(() => {
  const words = document.getElementById('first-paint-words');
  const shown = document.createElement('div');
  shown.id = 'first-paint';
  shown.append(words.content.cloneNode(true));
  const button = shown.querySelector('button');
  let pressed = false;
  button.addEventListener('click', () => { pressed = true; button.setAttribute('aria-busy', 'true'); });

  // The chosen daylight, and whether the first screen is for somebody who knows it.
  let kept = null, used = false;
  try { kept = localStorage.getItem('facet-daylight'); used = localStorage.getItem('facet-used'); } catch (error) { /* private window */ }
  if (used || /[?&](run|first)=/.test(location.search)) document.documentElement.classList.add('f-used');
  if (kept) addEventListener('DOMContentLoaded', () => document.body.classList.toggle('dark', kept === 'dark'));
  shown.classList.toggle('dark', kept ? kept === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches);

  const leave = (real) => {
    watch.disconnect();
    button.setAttribute('aria-hidden', 'true'); // from now on there is one such button
    requestAnimationFrame(() => requestAnimationFrame(() => {
      const focused = shown.contains(document.activeElement);
      shown.remove();
      if (focused) real?.focus();
      if (pressed) real?.click();
    }));
  };
  const look = () => {
    if (!shown.isConnected && document.body) document.body.append(shown);
    const real = document.getElementById('hero-start');
    if (real || (document.getElementById('tabs') && document.documentElement.classList.contains('f-used'))) leave(real);
  };
  const watch = new MutationObserver(look);
  watch.observe(document.documentElement, { childList: true, subtree: true });
  look();
  setTimeout(() => { if (shown.isConnected) leave(null); }, 20000); // whatever Gradio has to say then, let it be seen
})();
