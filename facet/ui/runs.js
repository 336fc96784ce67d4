// The list of runs. The server sends its rows; this file only searches, sorts, and says which ones are ticked.
const root = element.querySelector('.f-runs');
const MOST = 6;
let found = '', state = '', sorted = null;

const rows = () => [...root.querySelectorAll('tbody tr')];
const box = row => row.querySelector('input[data-run]');

function filter() {
  let count = 0;
  for (const row of rows()) {
    const tick = box(row);
    const fits = tick.dataset.name.includes(found.trim().toLowerCase()) && (!state || tick.dataset.state === state);
    row.hidden = !fits;
    count += fits;
  }
  const said = root.querySelector('.f-found');
  if (said) said.textContent = found.trim() || state ? `${count} found` : '';
}

function sort(column, down) {
  const value = row => row.cells[column].querySelector('[data-sort]')?.dataset.sort ?? row.cells[column].textContent;
  const body = root.querySelector('tbody');
  const order = rows().sort((a, b) => {
    const [x, y] = [value(a), value(b)], [p, q] = [Number(x), Number(y)];
    const less = x !== '' && y !== '' && !isNaN(p) && !isNaN(q) ? p - q : x.localeCompare(y);
    return down ? -less : less;
  });
  for (const row of order) body.append(row);
  [...root.querySelectorAll('thead th')].forEach((head, at) => {
    if (at === column) head.setAttribute('aria-sort', down ? 'descending' : 'ascending');
    else head.removeAttribute('aria-sort');
  });
  sorted = [column, down];
}

function limit() {
  const ticked = rows().map(box).filter(each => each.checked);
  for (const row of rows()) box(row).disabled = ticked.length >= MOST && !box(row).checked;
  return ticked.map(each => each.dataset.run);
}

// Which runs are compared stands in the address, so that it can be sent and survives a refresh.
function remember(picked) {
  const address = new URL(window.location);
  if (picked.length > 1) address.searchParams.set('compare', picked.join(','));
  else address.searchParams.delete('compare');
  window.history.replaceState(null, '', address);
}

function asked() {
  const wanted = (new URL(window.location).searchParams.get('compare') || '').split(',');
  return rows().map(row => box(row).dataset.run).filter(run => wanted.includes(run)).slice(0, MOST);
}

function show() {
  root.innerHTML = props.markup || '';
  if (!props.value && asked().length > 1) {
    props.value = {picked: asked()};
    setTimeout(() => trigger('input'), 0);
  }
  for (const row of rows()) box(row).checked = (props.value?.picked || []).includes(box(row).dataset.run);
  const [search, choice] = [root.querySelector('input[type=search]'), root.querySelector('select')];
  if (search) search.value = found;
  if (choice) choice.value = state;
  if (sorted && rows().length) sort(...sorted);
  filter();
  limit();
}

root.addEventListener('input', event => {
  if (event.target.type === 'search') { found = event.target.value; filter(); }
});
root.addEventListener('change', event => {
  if (event.target.tagName === 'SELECT') { state = event.target.value; filter(); }
  if (!event.target.dataset.run) return;
  props.value = {picked: limit()};
  remember(props.value.picked);
  trigger('input');
});
root.addEventListener('click', event => {
  const head = event.target.closest('thead th button')?.closest('th');
  if (head) sort([...head.parentElement.cells].indexOf(head), head.getAttribute('aria-sort') === 'ascending');
});
watch('markup', show);
show();
