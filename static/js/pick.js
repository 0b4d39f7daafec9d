// Choosing two pictures to compare, by the boxes in their corners. The third choice replaces the first.

const bar = document.querySelector(".selbar");
const order = [];

/** The boxes that are checked, in the order in which they were. */
export const picked = () => order.filter((box) => box.isConnected && box.checked);

export function forget() {
  picked().forEach((box) => (box.checked = false));
  show();
}

/** Open the comparison, if two are chosen. */
export function compare() {
  if (picked().length === 2) bar.querySelector("a").click();
}

function show() {
  const ids = picked().map((box) => box.value);
  bar.hidden = ids.length === 0;
  const text = bar.querySelector("span");
  text.textContent = text.dataset.text.replace("{n}", ids.length);
  const link = bar.querySelector("a");
  link.toggleAttribute("aria-disabled", ids.length < 2);
  link.href = `${bar.dataset.url}?a=${ids[0] ?? ""}&b=${ids[1] ?? ids[0] ?? ""}`;
}

document.addEventListener("change", (event) => {
  if (event.target.name !== "pick") return;
  if (event.target.checked) {
    order.push(event.target);
    if (picked().length > 2) picked()[0].checked = false;
  }
  order.splice(0, order.length, ...picked());
  show();
});
bar?.querySelector("button").addEventListener("click", forget);
