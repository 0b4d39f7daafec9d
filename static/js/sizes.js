// Another size class. Fetched when the first one is chosen.

const $ = (selector, root) => root.querySelector(selector);

/** Choose a size of this class: it keeps the shape, where the class has it. */
export function pickTier(root, name, shape) {
  const options = [...root.querySelectorAll(`[data-tier="${name}"] [name=size]`)];
  const kept = shape ?? $("[name=size]:checked", root)?.dataset.shape;
  const chosen = options.find((each) => each.dataset.shape === kept)
    ?? options.find((each) => each.dataset.shape === "1:1") ?? options[0];
  if (name === "custom") fillCustom(root);
  if (chosen) chosen.checked = true;
}

function fillCustom(root) {
  const shown = $("[name=size]:checked", root)?.dataset.shown?.match(/^(\d+) × (\d+)$/);
  const sides = [$("#size-width", root), $("#size-height", root)];
  if (shown && sides.every((side) => !side.value)) sides.forEach((side, i) => (side.value = shown[i + 1]));
}
