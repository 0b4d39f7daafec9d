// What every page has: keys, the one message line, and two corrections to how htmx swaps.

const toast = document.getElementById("toast");
let fading = 0;

/** Say something in the page's one live region; it goes away by itself. */
export function say(text) {
  toast.textContent = text;
  linger();
}

function linger() {
  clearTimeout(fading);
  fading = setTimeout(() => toast.replaceChildren(), 6000);
}
new MutationObserver(() => toast.firstChild && linger()).observe(toast, { childList: true });

/** Whether a key belongs to a field, an input method or the browser rather than to a shortcut. */
export function isTyping(event) {
  const target = event.composedPath()[0];
  return (
    event.isComposing ||
    event.defaultPrevented ||
    event.ctrlKey || event.metaKey || event.altKey ||
    target.isContentEditable ||
    target.matches?.("textarea, select, input:not([type=checkbox], [type=radio], [type=range], [type=button])")
  );
}

let went = -Infinity;
document.addEventListener("keydown", (event) => {
  if (isTyping(event)) return;
  if (event.key === "?") return document.getElementById("keys")?.togglePopover();
  if (performance.now() - went < 900) {
    const link = document.querySelector(`[data-go="${CSS.escape(event.key.toLowerCase())}"]`);
    went = -Infinity;
    if (link) {
      event.preventDefault();
      link.click();
      return;
    }
  }
  if (event.key === "g") went = performance.now();
});

/** What a request that changes something must carry. Signing in again in another tab makes a new one;
 *  the cookie knows it, an open page does not. */
export const csrfToken = () => document.cookie.match(/(?:^|; )csrftoken=(\w+)/)?.[1] ?? "";

document.addEventListener("htmx:config:request", ({ detail: { ctx: { request } } }) => {
  const token = csrfToken();
  if (!token) return;
  request.headers["X-CSRFToken"] = token;
  if (request.body?.has("csrfmiddlewaretoken")) request.body.set("csrfmiddlewaretoken", token);
});

// A fragment that could not be had leaves the page as it was and says so.
for (const name of ["htmx:response:error", "htmx:error"]) {
  document.addEventListener(name, (event) => {
    const status = event.detail.ctx?.response?.status;
    const quiet = event.target.id === "live" || status === 401 || status === 422;
    if (!quiet) say(toast.dataset.failed);
  });
}

// What a person unfolded stays unfolded when its card is refreshed around them.
window.htmx?.registerExtension("keep-open", {
  htmx_before_morph_attr: (element, { attrName, newValue }) =>
    !(element.localName === "details" && attrName === "open" && newValue === null),
});

// The bell's list (which cannot import this file: hashed names allow no circle), and counting in the background what has ended: fetched when first needed.
const bell = document.getElementById("bell");
bell?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  import("./news.js").then((news) => news.toggle(csrfToken()));
});
if (bell) {
  document.addEventListener("visibilitychange", () => import("./news.js").then((news) => document.hidden && news.away()), { once: true });
}

// A card may arrive twice, by the answer to Generate and by the stream: the one on the page stays.
document.addEventListener("htmx:before:swap", (event) => {
  for (const { fragment, swapSpec } of event.detail.tasks) {
    if (swapSpec?.style !== "afterbegin") continue;
    for (const card of fragment.querySelectorAll?.("article[id]") ?? []) {
      if (document.getElementById(card.id)) (card.closest(".together") ?? card).remove(); // a row comes whole
    }
  }
});
