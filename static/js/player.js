// The videos of a comparison as one: they play, stop, and step by frame together. A shorter one holds its
// last frame until the longest begins anew. Fetched when they are first moved.

const APART = 0.06; // seconds that two videos may differ while they play

export class Player {
  frame = 0;
  playing = false;
  videos = [];

  constructor(view) {
    this.view = view;
    this.take();
  }

  /** What a click on the bar asks for, or a drag to a value. */
  act(target, value) {
    const step = target.closest("[data-frame]")?.dataset.frame;
    if (target.matches("[data-scrub]")) this.seek(Number(value));
    else if (step) this.step(Number(step));
    else if (target.closest("[data-play]")) this.toggle();
  }

  get bar() {
    return this.view.querySelector(".transport");
  }

  /** Frames a second. */
  get rate() {
    return Number(this.bar.dataset.rate);
  }

  /** How many frames a video has; 0 until its length is known. */
  frames(video) {
    return Math.round((video.duration || 0) * this.rate);
  }

  clock(frame) {
    const seconds = frame / this.rate;
    return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(2).padStart(5, "0")}`;
  }

  /** Take charge of the videos that stand on the stage now. */
  take() {
    this.pause();
    const { frame } = this; // a video whose length is not known yet has no frame but the first
    this.videos = [...this.view.stage.querySelectorAll("video")];
    for (const video of this.videos) {
      if (!this.frames(video)) video.addEventListener("loadedmetadata", () => this.seek(frame), { once: true });
    }
    this.seek(this.frame);
  }

  /** The longest: the others follow it. */
  get lead() {
    return this.videos.reduce((long, each) => (this.frames(each) > this.frames(long) ? each : long));
  }

  get last() {
    return this.videos.length ? Math.max(0, this.frames(this.lead) - 1) : 0;
  }

  /** Every video at a frame, or at its last one. The middle of a frame is surely that frame. */
  seek(frame) {
    if (this.playing) this.pause();
    this.frame = Math.min(this.last, Math.max(0, frame));
    for (const video of this.videos) {
      if (this.frames(video)) video.currentTime = (Math.min(this.frame, this.frames(video) - 1) + 0.5) / this.rate;
    }
    this.draw();
  }

  step(by) {
    this.seek(this.frame + by);
  }

  second(by) {
    this.step(by * this.rate);
  }

  toggle() {
    if (this.playing) this.seek(this.frame);
    else this.play();
  }

  play() {
    if (!this.videos.length) return;
    if (this.frame >= this.last) this.seek(0);
    this.playing = true;
    for (const video of this.videos) if (this.frames(video) - 1 > this.frame) video.play().catch(() => null);
    this.draw();
    this.tick();
  }

  pause() {
    this.playing = false;
    this.videos.forEach((video) => video.pause());
  }

  tick() {
    if (!this.playing) return;
    const { lead } = this;
    this.frame = Math.min(this.last, Math.floor(lead.currentTime * this.rate));
    for (const video of this.videos) {
      const over = lead.currentTime > video.duration - 1 / this.rate;
      if (video === lead || video.seeking || over) continue;
      if (Math.abs(video.currentTime - lead.currentTime) > APART) video.currentTime = lead.currentTime;
    }
    this.draw();
    if (lead.ended) {
      this.seek(0);
      return this.play();
    }
    requestAnimationFrame(() => this.tick());
  }

  draw() {
    const { bar } = this;
    const scrub = bar.querySelector("[data-scrub]");
    if (!scrub) return;
    const told = bar.querySelector("[data-clock]");
    const text = told.dataset.text.replace("{n}", this.frame + 1);
    scrub.max = this.last;
    scrub.value = this.frame;
    bar.style.setProperty("--v", `${this.last ? (100 * this.frame) / this.last : 0}%`);
    told.value = `${this.clock(this.frame)} / ${this.clock(this.last + 1)} · ${text}`;
    scrub.ariaValueText = `${this.clock(this.frame)}, ${text}`;
    bar.querySelector("[data-play]").ariaPressed = this.playing;
  }
}
