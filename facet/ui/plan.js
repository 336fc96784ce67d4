// The plan's buttons write into the form beside it as a person would; a measurement is asked of the server.
element.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (!button) return;
  if (button.dataset.model) {
    document.querySelector(`#models input[value="${CSS.escape(button.dataset.model)}"]`)?.click();
    return;
  }
  if (button.dataset.changes) {
    for (const [name, value] of Object.entries(JSON.parse(button.dataset.changes))) {
      const field = document.getElementById(`input-${name}`);
      if (!field) continue;
      if (field.type === 'checkbox') field.checked = value;
      else field.value = value;
      field.dispatchEvent(new Event('change', {bubbles: true}));
      field.dispatchEvent(new Event('input', {bubbles: true}));
    }
    return;
  }
  if ('measure' in button.dataset) {
    button.disabled = true;
    trigger('submit');
  }
});
