// What a person changes in the compose panel while its answer is under way stays as they have it.
// Fetched with the first focus in the panel.

const THEIRS = "form_token"; // each answer brings its own
const asked = new WeakMap(); // what the panel held when it asked, by the request's context

const compose = () => document.getElementById("compose");
const tokenOf = (item) => item.querySelector("[name=reference]")?.value;
const tokens = (form) => [...form.querySelectorAll("#refs > .ref")].map(tokenOf).filter(Boolean);
const version = (form) => form.querySelector("[name=prompt_version]")?.value;
const keyOf = (field) => (field.type === "checkbox" ? `${field.name}=${field.value}` : field.name);

/** What each field holds: a box by its value, radio buttons as the one that is chosen. */
function held(form) {
  const found = new Map();
  for (const field of form.elements) {
    if (!field.name || field.name === THEIRS || ["hidden", "submit"].includes(field.type)) continue;
    if (field.type === "checkbox") found.set(keyOf(field), field.checked);
    else if (field.type !== "radio" || field.checked) found.set(keyOf(field), field.value);
  }
  return found;
}

/** Remember what the panel holds as it asks. */
export function note(ctx) {
  const form = compose();
  const items = new Set(form.querySelectorAll("#refs > li"));
  asked.set(ctx, { fields: held(form), items, tokens: tokens(form), version: version(form), active: document.activeElement });
}

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  const form = compose();
  const before = asked.get(ctx);
  if (!form || !before) return;
  const fields = [...held(form)].filter(([key, value]) => before.fields.get(key) !== value);
  // Pictures that came, and those still on their way; the morph would make other tiles of them.
  const late = [...form.querySelectorAll("#refs > li")].filter((item) => !before.items.has(item) || item.matches(".wait"));
  const order = tokens(form).join() !== before.tokens.join() && tokens(form);
  const saved = version(form) !== before.version && [...form.querySelector("#saved").childNodes];
  const active = document.activeElement;
  const moved = active !== document.body && active !== before.active;
  if (!(fields.length || late.length || order || saved || moved)) return asked.delete(ctx);
  const caret = typeof active.selectionStart === "number" && [active.selectionStart, active.selectionEnd];
  asked.set(ctx, { fields: new Map(fields), late, order, saved, active, caret });
  late.forEach((item) => item.remove());
  if (saved) form.querySelector("#saved").replaceChildren();
  for (const { fragment } of tasks) {
    fragment.querySelectorAll?.("[autofocus]").forEach((field) => field.removeAttribute("autofocus"));
  }
});

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const form = compose();
  const kept = asked.get(ctx);
  if (!form || !kept) return;
  asked.delete(ctx);
  if (kept.saved) form.querySelector("#saved").replaceChildren(...kept.saved);
  arrange(form.querySelector("#refs"), kept);
  for (const field of form.elements) putBack(field, kept.fields);
  form.dispatchEvent(new Event("input", { bubbles: true }));
  focus(kept);
  // The answer was drawn for the model before: what belongs to the other one is asked for again.
  if (kept.fields.has("engine")) form.querySelector("[name=engine]:checked")?.dispatchEvent(new Event("change", { bubbles: true }));
});

function arrange(list, { late, order }) {
  const here = tokens(list.closest("form"));
  list.append(...late.filter((item) => !here.includes(tokenOf(item))));
  if (!order) return;
  const place = (item) => (order.indexOf(tokenOf(item)) + 1 || Infinity);
  list.append(...[...list.children].sort((a, b) => place(a) - place(b) || 0));
}

function putBack(field, kept) {
  const value = kept.get(keyOf(field));
  if (value === undefined || ["hidden", "submit"].includes(field.type)) return;
  if (field.type === "checkbox") field.checked = value;
  else if (field.type === "radio") field.checked = field.value === value;
  else if (field.value !== value) field.value = value; // the caret of the same text stays
}

function focus({ active, caret }) {
  const field = active.isConnected ? active : document.getElementById(active.id || "-");
  if (!field || field === document.body || field === document.activeElement) return;
  field.focus({ preventScroll: true });
  if (caret && field.setSelectionRange && field.type !== "number") field.setSelectionRange(...caret);
}
