// One form for all settings. The server sends its markup with the recommended values in it, and says what is wrong;
// this file only carries what is typed to `value`, marks what differs from the recommendation, and searches.
const root = element.querySelector('.f-settings');
let waiting;

const boxes = () => [...root.querySelectorAll('.f-setting')];
const input = box => box.querySelector('[data-value]');
const slider = box => box.querySelector('input[type=range]');
const held = box => input(box).type === 'checkbox' ? input(box).checked : input(box).value;

function put(box, value) {
  const field = input(box);
  if (field.type === 'checkbox') field.checked = value === true || value === 'true';
  else field.value = value ?? '';
  follow(box);
}

function follow(box) {
  if (slider(box)) slider(box).value = Number(held(box).toString().replace(',', '.')) || 0;
  box.classList.toggle('changed', String(held(box)).trim() !== box.dataset.recommended);
  const group = box.closest('.f-settings-group');
  if (group) {
    const count = group.querySelectorAll('.f-setting.changed').length;
    group.querySelector('.f-count').textContent = count ? `${count} changed` : '';
  }
}

function tell(now) {
  props.value = {...props.value, values: Object.fromEntries(boxes().map(box => [box.dataset.name, held(box)]))};
  clearTimeout(waiting);
  waiting = setTimeout(() => trigger('input'), now ? 0 : 350);
}

function show() {
  root.innerHTML = props.markup || '';
  for (const box of boxes()) {
    const kept = props.value?.values?.[box.dataset.name];
    if (kept === undefined || props.value.made !== root.firstElementChild?.dataset.made) follow(box);
    else put(box, kept);
  }
  complain();
}

function complain() {
  const said = props.problems || {};
  for (const box of boxes()) {
    const [words, look] = said[box.dataset.name] || ['', ''];
    const place = box.querySelector('.f-wrong');
    if (place.textContent !== words) place.textContent = words;
    place.className = `f-wrong ${look}`;
    input(box).toggleAttribute('aria-invalid', look === 'error');
    if (look === 'error') {
      input(box).setAttribute('aria-invalid', 'true');
      for (let fold = box.closest('details'); fold; fold = fold.parentElement.closest('details')) fold.open = true;
    }
  }
}

function search(words) {
  const wanted = words.trim().toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  for (const box of boxes()) {
    box.hidden = !wanted.every(word => box.dataset.words.includes(word));
    found += !box.hidden;
  }
  for (const group of root.querySelectorAll('.f-settings-group')) {
    group.hidden = wanted.length > 0 && !group.querySelector('.f-setting:not([hidden])');
    group.open = wanted.length > 0;
  }
  root.querySelector('.f-found').textContent = wanted.length ? `${found} found` : '';
}

root.addEventListener('input', event => {
  if (event.target.type === 'search') return search(event.target.value);
  const box = event.target.closest('.f-setting');
  if (!box) return;
  if (event.target === slider(box)) input(box).value = slider(box).value;
  follow(box);
  tell(false);
});
root.addEventListener('change', event => { if (event.target.closest('.f-setting')) tell(true); });
root.addEventListener('click', event => {
  const box = event.target.closest('.f-back') && event.target.closest('.f-setting');
  if (!box) return;
  put(box, box.dataset.recommended);
  input(box).focus();
  tell(true);
});
watch('markup', show);
watch('problems', complain);
show();
