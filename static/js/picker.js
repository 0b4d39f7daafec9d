// The list of models, as a list to choose from: a click or Enter takes one and closes it, arrows try one
// after the other. Fetched with the first focus in the panel.

/** Watch over the picker of a panel; the panel's answers may draw it anew. */
export function watch(panel) {
  const opened = () => panel.querySelector(".picker[open]");

  const close = (back) => {
    const list = opened();
    if (!list) return;
    list.open = false;
    if (back) list.querySelector("summary").focus();
  };
  panel.addEventListener("change", ({ target }) => target.name === "engine" && show(panel, target.closest(".model")));
  // An arrow on a radio button is a click too, of no pointer.
  panel.addEventListener("click", (event) => event.detail && event.target.closest(".models .model")?.querySelector("[type=radio]") && close(true));
  panel.addEventListener("keydown", (event) => {
    const inside = event.target.closest(".picker[open]");
    if (!inside || event.ctrlKey || event.metaKey) return;
    const chosen = event.key === "Enter" && event.target.matches("[name=engine], [name=also]"); // it would press Generate
    if (!chosen && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    close(true);
  });
  panel.addEventListener("focusout", (event) => event.relatedTarget && !event.relatedTarget.closest(".picker") && close());
  document.addEventListener("pointerdown", (event) => event.target.closest?.(".picker") || close());
  panel.addEventListener("toggle", () => opened()?.querySelector(".models").scrollIntoView({ block: "nearest" }), true);
  opened()?.querySelector(".models").scrollIntoView({ block: "nearest" });
}

/** The chosen model in the row that opens the list, before the panel's answer says the same. */
function show(panel, row) {
  const summary = panel.querySelector(".picker > summary");
  for (const part of ["i", "span"]) summary.querySelector(part).replaceWith(row.querySelector(part).cloneNode(true));
}
