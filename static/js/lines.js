// Lists that follow the project's stream: when something on them changed, they fetch themselves,
// at most once a second.

class LiveLines extends HTMLElement {
  connectedCallback() {
    this.up = true;
    this.last = -1000;
    this.addEventListener("htmx:sse:after:connection", () => this.is(true));
    for (const name of ["htmx:sse:error", "htmx:sse:close", "htmx:error"]) {
      this.addEventListener(name, () => this.is(false));
    }
    this.addEventListener("htmx:sse:before:message", (event) => this.heard(event.detail.message.event));
    addEventListener("pagehide", () => this._htmx?.sse?.reader?.cancel());
    setInterval(() => this.poll(), 3000);
  }

  get list() {
    return document.getElementById("lines-now");
  }

  /** Whether an event is about something on the list, or about something that belongs there. */
  heard(name) {
    const wanted =
      name === "refresh" ||
      this.dataset.every ||
      (name === "new" && "new" in this.list.dataset) ||
      name === this.list.dataset.name ||
      this.list.querySelector(`[data-g="${CSS.escape(name ?? "")}"]`);
    if (wanted) this.soon();
  }

  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.last = performance.now();
      this.dispatchEvent(new CustomEvent("stale"));
    }, Math.max(0, 1000 - (performance.now() - this.last)));
  }

  is(up) {
    this.up = up;
    const dot = document.createElement("i");
    dot.className = "dot warn";
    this.replaceChildren(...(up ? [] : [dot, this.dataset.down]));
  }

  /** While the stream is down, and where what is shown changes without an event of this project. */
  poll() {
    if (document.hidden || !("active" in this.list.dataset)) return;
    if (!this.up && !this._htmx?.sse) window.htmx.process(this, true);
    const idle = performance.now() - this.last;
    if (!this.up || (this.dataset.every && idle > Number(this.dataset.every) * 1000)) this.soon();
  }
}

customElements.define("live-lines", LiveLines);
