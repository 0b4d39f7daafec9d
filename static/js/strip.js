// A video's tile shows the tenth of it that the mouse points at. Fetched with the first one under the mouse.

const FRAMES = 10;
let shown = null;

function look(strip, tile, x) {
  const { left, width } = tile.getBoundingClientRect();
  const place = Math.min(FRAMES - 1, Math.max(0, Math.floor((FRAMES * (x - left)) / width)));
  strip.firstElementChild.setAttribute("href", strip.dataset.strip);
  strip.setAttribute("class", `strip on at${place}`);
}

/** Show what the mouse points at, where that is a video; the one before stands as it did. */
export function point(event) {
  const tile = event.pointerType === "touch" ? null : event.target.closest?.("[data-video]");
  const strip = tile?.querySelector("[data-strip]") ?? null;
  if (shown && shown !== strip) shown.setAttribute("class", "strip");
  if (strip) look(strip, tile, event.clientX);
  shown = strip;
}

document.addEventListener("pointermove", point);
