/* One movie: everything about it, put together. */

class Desk {
  constructor(summary, story) {
    const {record, questions, figures} = story;
    Object.assign(this, {summary, record, questions, figures, folder: `${summary.path}/`});
    this.people = new Map(record.characters.map(person => [person.name, person]));
    this.scenes = record.chapters.flatMap(chapter => chapter.scenes.map(scene => ({chapter, scene})));
    this.frames = this.scenes.flatMap(({chapter, scene}) => scene.frames.map(frame => ({...frame, chapter, scene})));
    this.lines = this.scenes.flatMap(({scene}) => scene.dialogue);
    this.spoken = grouped(this.lines, line => line.after_frame);
    const scores = record.quality?.measures.scores || [];
    this.frames.forEach((frame, index) => { frame.score ??= scores[index]; });
    this.closeup = new Closeup(this);
    this.story = new Storyboard(this);
    this.theater = new Theater(this);
    this.queries = new Questions(this);
    this.quality = new QualityPanel(this);
    this.finder = new Finder(this);
    this.root = this.build();
    this.tab("film");
    this.panel("questions");
  }
  build() {
    const tabs = [["film", "Film"], ["story", "Storyboard"], ["questions", "Questions"], ["quality", "Quality"]];
    this.tabs = h("nav", {class: "tabs", "aria-label": "Parts"}, tabs.map(([name, text]) => button(text, () => { this.tab(name); scrollTo({top: 0, behavior: "instant"}); }, {"data-name": name})));
    this.panels = h("div", {class: "panels", role: "group", "aria-label": "Panel"}, [["questions", `Questions ${this.questions.length.toLocaleString("en")}`], ["quality", "Quality"]].map(
      ([name, text]) => button(text, () => this.panel(name), {"data-name": name})));
    this.back = button("Back to the question", () => this.toQuestion(), {class: "pill strong back", hidden: true});
    return this.root = h("main", {class: "movie"},
      h("div", {class: "wrap"}, this.bar(), this.masthead(),
        h("div", {class: "desk"},
          h("div", {class: "board"}, this.finder.root, this.story.root),
          h("aside", {class: "side", "aria-label": "Film, questions and quality"}, this.theater.root, this.panels, this.queries.root, this.quality.root))),
      this.back, this.tabs, ending());
  }
  bar() {
    const movies = MovieLLM.dataset.movies, place = movies.indexOf(this.summary);
    const link = (offset, text) => movies[place + offset] && h("a", {href: `#/${movies[place + offset].number}`, rel: offset < 0 ? "prev" : "next"}, text);
    return h("nav", {class: "bar", "aria-label": "Movies"}, movies.length > 1 && h("a", {href: "#/"}, "← All movies"), h("span", {class: "spring"}),
      movies.length > 1 && [link(-1, "Previous"), link(1, "Next")], tools());
  }
  tab(name) {
    this.root.dataset.tab = name;
    for (const node of this.tabs.children) node.setAttribute("aria-pressed", String(node.dataset.name === name));
    if (name === "questions" || name === "quality") this.panel(name);
    this.back.hidden = name !== "story" || !this.queries.asked;
  }
  panel(name) {
    this.root.dataset.panel = name;
    for (const node of this.panels.children) node.setAttribute("aria-pressed", String(node.dataset.name === name));
  }
  masthead() {
    const {record} = this, style = record.style, words = [...style.adjectives, ...style.phrases].join(", ");
    const learnt = style.steps > 0 && `Learnt from ${plural(style.references.length, "reference")} in ${plural(style.steps, "step")}` +
      (style.initial_loss !== null && style.final_loss !== null ? `; held-out loss ${style.initial_loss.toFixed(3)} → ${style.final_loss.toFixed(3)}` : "");
    return h("header", {class: "masthead"},
      h("div", {},
        h("p", {class: "eyebrow"}, `Movie ${record.number}`),
        h("h1", {class: "clip", tabindex: "-1"}, record.title),
        h("p", {class: "overview clip"}, record.overview),
        h("p", {class: "meta"}, `${plural(record.chapters.length, "chapter")} · ${plural(this.scenes.length, "scene")} · ${plural(record.frame_count, "key frame")} · ${clock(record.duration_seconds)} · drawn by ${record.picture_models.join(", ")}`)),
      h("div", {class: "aside-cards"},
        h("section", {class: "box"}, h("h3", {}, "Characters"), record.characters.map(person =>
          h("div", {class: "person"},
            h("span", {class: "chip", chip: chipOf(person.clothing_color), "aria-hidden": "true"}, [...person.name][0] || ""),
            h("div", {}, h("b", {class: "clip"}, person.name), person.occupation && h("span", {class: "soft"}, ` · ${person.occupation}`),
              h("p", {class: "soft clip"}, person.appearance))))),
        h("section", {class: "box"}, h("h3", {}, "Style"),
          h("p", {class: "style-word clip"}, style.keyword),
          words && h("p", {class: "style-words clip"}, words),
          h("div", {class: "references"}, style.references.map((file, index) =>
            h("button", {type: "button", "aria-label": `Style reference ${index + 1}`, onclick: () => this.closeup.reference(index)},
              h("img", {src: this.folder + file, alt: "", loading: "lazy", decoding: "async"})))),
          learnt && h("p", {class: "fine"}, learnt))));
  }
  toQuestion() {
    this.tab("questions");
    this.queries.asked?.node.scrollIntoView({block: "center", behavior: "instant"});
  }
  /* The address tells what is looked at, so that it can be passed on. */
  remember(what) {
    try { history.replaceState(null, "", `#/${this.record.number}${what ? `/${what}` : ""}`); } catch { /* some browsers keep the address of a file as it is */ }
  }
  seek() { this.finder.seek(); }
  key(event) {
    const typing = event.target.closest?.("input, select, textarea");
    if (event.key === "Enter" && event.target === this.finder.input) return this.finder.first();
    if (event.key === "Escape") return this.escape();
    if (typing || event.target.closest?.("video")) return undefined;
    const forward = {ArrowRight: 1, ArrowLeft: -1}[event.key], question = {j: 1, n: 1, k: -1}[event.key];
    if (forward) {
      event.preventDefault();
      if (this.closeup.dialog.open) this.closeup.turn(forward);
      else { if (narrow()) this.tab("story"); this.story.step(this.beside(forward)); }
    } else if (this.closeup.dialog.open) return undefined;
    else if (question) this.queries.next(question);
    else if (event.key === "p") this.theater.toggle();
    else if (event.key === "Enter" && this.story.here && event.target === document.body) this.closeup.open(this.story.here);
    return undefined;
  }
  /* The next frame that is not filtered away. */
  beside(forward) {
    let number = Math.max(this.story.here, forward > 0 ? 0 : 1) + forward;
    while (this.finder.found && this.frames[number - 1] && !this.finder.found.has(number)) number += forward;
    return number;
  }
  escape() {
    if (this.closeup.dialog.open || byId("help").open) return;
    if (this.queries.asked) { this.queries.clear(); this.remember(); } else if (this.finder.clear()) this.finder.input.blur();
    else document.activeElement?.blur();
  }
}
