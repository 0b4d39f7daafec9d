// The bell, and a page in the background: its title counts what has ended, and, where the person has
// asked for it, the browser says so. Fetched when first needed.

const bell = document.getElementById("bell");
const title = document.title;
const EVERY_MS = 10_000;
const PARTIAL = { "HX-Request": "true", "HX-Request-Type": "partial" };

// --- The bell's list ------------------------------------------------------------------------------

/** Open the list below the bell, or close it; what it shows counts as seen. */
export async function toggle(token) {
  const menu = document.getElementById("news") ?? makeMenu();
  if (menu.matches(":popover-open")) return menu.hidePopover();
  const answer = await fetch(bell.href, { headers: PARTIAL });
  if (!answer.ok) return location.assign(bell.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  menu.replaceChildren(...page.body.children);
  menu.showPopover();
  menu.querySelector("a, button:not([hidden])")?.focus();
  await seen(menu.querySelector(".news").dataset.until, token);
}

function makeMenu() {
  const style = document.createElement("link");
  style.rel = "stylesheet";
  style.href = bell.dataset.css;
  document.head.append(style);
  const menu = document.createElement("div");
  menu.id = "news";
  menu.className = "menu right news-menu";
  menu.popover = "auto";
  menu.setAttribute("role", "dialog");
  menu.setAttribute("aria-label", bell.title);
  bell.after(menu);
  return menu;
}

async function seen(until, token) {
  if (!until) return;
  const answer = await fetch(bell.href, {
    method: "POST",
    headers: { ...PARTIAL, "X-CSRFToken": token },
    body: new URLSearchParams({ until }),
  });
  if (!answer.ok) return;
  bell.querySelector(".unread")?.remove();
  bell.setAttribute("aria-label", bell.title);
}

// --- In the background ----------------------------------------------------------------------------

let since = "";
let ended = 0;
let timer = 0;

/** The page went out of sight: count from now on, as long as anything is under way. */
export function away() {
  [since, ended] = ["", 0];
  clearTimeout(timer);
  look();
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) return away();
  clearTimeout(timer);
  document.title = title;
});

async function look() {
  let more = true;
  try {
    const answer = await fetch(`${bell.dataset.count}?since=${encodeURIComponent(since)}`);
    if (!answer.ok) return;
    const news = await answer.json();
    if (!document.hidden) return;
    since ||= news.since;
    if (news.ended > ended) tell(news);
    ended = news.ended;
    more = news.more;
  } catch {
    // The studio is away for a moment: ask again.
  }
  if (document.hidden && more) timer = setTimeout(look, EVERY_MS);
}

function tell({ ended, text, newest }) {
  document.title = `(${ended}) ${title}`;
  if (!wanted()) return;
  const note = new Notification(text, { body: newest, tag: "diptych-ended", icon: bell.dataset.icon });
  note.onclick = () => (window.focus(), note.close());
}

const wanted = () => window.Notification?.permission === "granted" && localStorage.getItem("notify") === "on";

/** Asks the browser for permission only when its button is pressed. */
class NotifySwitch extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.press(event.target.closest("button")));
    this.show();
  }

  async press(button) {
    if (!button) return;
    if (button.dataset.when === "off") await Notification.requestPermission();
    const on = button.dataset.when === "off" && Notification.permission === "granted";
    localStorage.setItem("notify", on ? "on" : "off");
    this.show();
    this.querySelector("button:not([hidden])")?.focus();
  }

  show() {
    this.hidden = !window.Notification;
    if (this.hidden) return;
    const now = wanted() ? "on" : Notification.permission === "denied" ? "denied" : "off";
    for (const each of this.querySelectorAll("[data-when]")) each.hidden = each.dataset.when !== now;
  }
}

customElements.define("notify-switch", NotifySwitch);
