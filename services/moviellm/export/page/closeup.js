/* One frame, or one style reference, large. */

class Closeup {
  constructor(desk) {
    this.desk = desk;
    this.dialog = byId("closeup");
  }
  open(number) {
    const {desk} = this, frame = desk.frames[number - 1];
    if (!frame) return;
    desk.story.step(number, !this.dialog.open);
    byId("tip").classList.remove("on");
    const lines = desk.spoken.get(number) || [], questions = desk.queries.about(number);
    const entry = (name, ...values) => values.some(Boolean) && h("div", {}, h("dt", {}, name), values.map(value => value && h("dd", {}, value)));
    this.show(desk.folder + frame.file, frame.description, [
      h("p", {class: "eyebrow"}, `Frame ${frame.number} · ${clock(frame.start_seconds)}`),
      h("h2", {class: "clip"}, frame.description),
      h("dl", {},
        entry("Where", `Chapter ${frame.chapter.number}, scene ${frame.scene.number}, ${frame.scene.location}`),
        entry("Spoken", ...lines.map(line => `${line.speaker}: ${line.text}`)),
        entry("Prompt", frame.prompt),
        entry("Seed", `${frame.seed}${frame.model ? `, drawn by ${frame.model}` : ""}`),
        entry("Score against its text", typeof frame.score === "number" && figure(frame.score)),
        (frame.attempts || []).length > 1 && entry("Attempts", ...frame.attempts.map((attempt, index) =>
          `${index === frame.attempts.length - 1 ? "Kept" : "Passed over"}: seed ${attempt.seed}${attempt.score ? `, score ${figure(attempt.score)}` : ""}${attempt.verdict ? `, ${attempt.verdict}` : ""}`)),
        questions.length > 0 && h("div", {}, h("dt", {}, "Asked about it"), questions.map(({item, index}) =>
          h("dd", {}, button(item.question, () => { this.close(); desk.queries.light(index); }, {class: "link clip"}))))),
    ], [
      button("←", () => this.open(number - 1), {class: "pill", "aria-label": "Previous frame", disabled: number === 1}),
      button("→", () => this.open(number + 1), {class: "pill", "aria-label": "Next frame", disabled: number === desk.frames.length}),
      button("Play from here", () => { this.close(); desk.theater.play(frame.start_seconds); }, {class: "pill"}),
    ]);
    this.turn = forward => this.open(number + forward);
  }
  reference(index) {
    const {references, keyword} = this.desk.record.style, place = (index + references.length) % references.length;
    this.show(this.desk.folder + references[place], `Style reference ${place + 1}`, [
      h("p", {class: "eyebrow"}, `Style reference ${place + 1} of ${references.length}`),
      h("h2", {class: "clip"}, keyword),
      h("p", {class: "soft"}, "The look of the movie was learnt from these pictures."),
    ], [
      button("←", () => this.reference(place - 1), {class: "pill", "aria-label": "Previous reference"}),
      button("→", () => this.reference(place + 1), {class: "pill", "aria-label": "Next reference"}),
    ]);
    this.turn = forward => this.reference(place + forward);
  }
  show(source, words, text, keys) {
    this.dialog.replaceChildren(h("div", {class: "close-up"},
      h("img", {src: source, alt: words}),
      h("div", {class: "text"}, text, h("div", {class: "keys"}, keys, button("Close", () => this.close(), {class: "pill"})))));
    if (!this.dialog.open) { this.dialog.showModal(); this.dialog.focus({preventScroll: true}); }
    this.dialog.scrollTop = 0;
  }
  close() { this.dialog.close(); }
}
