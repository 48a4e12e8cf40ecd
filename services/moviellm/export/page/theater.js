/* The film, its subtitles and its chapters. */

class Theater {
  constructor(desk) {
    this.desk = desk;
    const {record, folder, frames} = desk;
    this.until = Infinity;
    this.video = h("video", {src: folder + record.video, controls: true, preload: "metadata", playsinline: true, poster: frames[0] && folder + frames[0].file, "aria-label": record.title});
    this.subtitles();
    this.screen = h("div", {class: "screen"}, this.video);
    this.video.addEventListener("error", () => this.screen.replaceChildren(h("p", {class: "gone"}, `${record.video} is not beside this page, or this browser cannot play it.`)));
    this.caption = h("p", {class: "caption"});
    this.segments = record.chapters.map(chapter => this.segment(chapter));
    const follow = () => { this.follow(); if (!this.video.paused && this.video.isConnected) requestAnimationFrame(follow); };
    for (const name of ["play", "seeked", "loadedmetadata"]) this.video.addEventListener(name, follow);
    this.say(0);
    this.root = h("div", {class: "theater"}, this.screen, h("div", {class: "timeline", role: "group", "aria-label": "Chapters"}, this.segments.map(segment => segment.button)), this.caption);
  }
  /* Cues are made here, since a page opened from disk may not load a subtitle file. */
  subtitles() {
    const track = this.video.addTextTrack("subtitles", "Dialogue", "en");
    const escaped = text => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    const shown = grouped(this.desk.lines, line => `${line.start_seconds}/${line.end_seconds}`);
    for (const lines of shown.values()) {
      const {start_seconds: start, end_seconds: end} = lines[0];
      track.addCue(new VTTCue(start, end, lines.map(line => escaped(`${line.speaker}: ${line.text}`)).join("\n")));
    }
    track.mode = "showing";
  }
  segment(chapter) {
    const first = chapter.scenes[0].frames[0], fill = h("i");
    const length = sum(chapter.scenes.map(scene => scene.frames.length));
    const label = `Play chapter ${chapter.number}: ${chapter.title}`;
    return {button: h("button", {type: "button", title: label, "aria-label": label, onclick: () => this.play(first.start_seconds)}, fill), fill, start: first.start_seconds, seconds: length / this.desk.record.frames_per_second};
  }
  follow() {
    const time = this.video.currentTime;
    if (time >= this.until) { this.video.pause(); this.until = Infinity; }
    for (const {fill, start, seconds} of this.segments) fill.style.width = `${Math.max(0, Math.min(1, (time - start) / seconds)) * 100}%`;
    this.say(time);
  }
  say(time) {
    const {frames, record, story} = this.desk;
    const frame = frames[Math.min(frames.length - 1, Math.floor(time * record.frames_per_second + 1e-3))];
    if (!frame || frame === this.said) return;
    this.said = frame;
    this.caption.replaceChildren(h("span", {class: "where clip"}, `Chapter ${frame.chapter.number}, scene ${frame.scene.number} · ${frame.scene.location} · frame ${frame.number}`), h("span", {class: "clip"}, frame.description));
    if (time > 0) story.playing(frame.number);
  }
  play(start, end = Infinity) {
    this.desk.tab("film");
    this.until = end === Infinity ? end : end - .02;
    this.video.currentTime = start + .001;
    this.video.play().catch(() => {});
  }
  toggle() { if (this.video.paused) this.video.play().catch(() => {}); else this.video.pause(); }
}
