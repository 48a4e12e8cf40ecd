/* Search and filters of one movie: what is told in its frames, dialogue and questions. */

class Finder {
  constructor(desk) {
    this.desk = desk;
    this.filters = [];
    this.words = new Map(desk.frames.map(frame => [frame.number,
      [frame.description, ...(desk.spoken.get(frame.number) || []).map(line => `${line.speaker}: ${line.text}`)].join("\n").toLowerCase()]));
    this.asked = desk.questions.map(item => [item.question, item.answer, ...item.choices].join("\n").toLowerCase());
    this.input = h("input", {type: "search", placeholder: "Search frames, dialogue, questions", "aria-label": "Search this movie", oninput: () => this.soon()});
    this.told = h("p", {class: "told", role: "status"});
    const names = desk.record.characters.map(person => person.name);
    const nameOf = chapter => `${chapter.number} · ${chapter.title}`;
    const chapters = desk.record.chapters.map(nameOf);
    const places = [...new Set(desk.frames.map(frame => frame.scene.location))].sort();
    this.root = h("div", {class: "finder", role: "search"},
      h("label", {class: "search"}, this.input, h("kbd", {"aria-hidden": "true"}, "/")),
      chapters.length > 1 && this.choice("All chapters", chapters, "Frames of chapter", (frame, name) => nameOf(frame.chapter) === name),
      this.choice("Everybody", names, "Frames with", (frame, name) => frame.characters.includes(name)),
      places.length > 1 && this.choice("Everywhere", places, "Frames at", (frame, place) => frame.scene.location === place),
      this.looks(), this.told);
  }
  choice(every, names, label, fits) {
    const select = h("select", {"aria-label": label, onchange: () => this.find()}, h("option", {value: ""}, every), names.map(name => h("option", {value: name}, name)));
    this.filters.push({select, fits});
    return select;
  }
  looks() {
    const marked = this.desk.frames.some(frame => (frame.attempts || []).length > 1 || faultOf(frame));
    return marked && this.choice("All pictures", ["rendered again", "with a fault"], "Pictures",
      (frame, what) => what === "with a fault" ? Boolean(faultOf(frame)) : (frame.attempts || []).length > 1);
  }
  soon() { clearTimeout(this.timer); this.timer = setTimeout(() => this.find(), 90); }
  find() {
    clearTimeout(this.timer);
    const wanted = this.input.value.trim().toLowerCase();
    const active = this.filters.filter(({select}) => select.value);
    if (!wanted && !active.length) { this.show(null, null, ""); return; }
    const found = new Set(this.desk.frames.filter(frame =>
      (!wanted || this.words.get(frame.number).includes(wanted)) && active.every(({select, fits}) => fits(frame, select.value))).map(frame => frame.number));
    const asked = wanted ? new Set([...this.asked.keys()].filter(index => this.asked[index].includes(wanted))) : null;
    this.show(found, asked, wanted);
  }
  show(found, asked, wanted) {
    this.found = found;
    this.desk.story.keep(found);
    this.desk.queries.keep(asked);
    const total = this.desk.frames.length.toLocaleString("en");
    this.told.textContent = found === null ? "" : `${found.size.toLocaleString("en")} of ${total} frames` + (asked ? `, ${plural(asked.size, "question")}` : "");
    this.highlight(wanted);
  }
  /* A painted highlight, where the browser has it: no text is taken apart for it. */
  highlight(wanted) {
    if (!globalThis.CSS?.highlights) return;
    CSS.highlights.delete("found");
    if (wanted.length < 2) return;
    const ranges = [];
    for (const box of [this.desk.story.root, this.desk.queries.list]) {
      const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
      while (walker.nextNode() && ranges.length < 1500) {
        const text = walker.currentNode.data.toLowerCase();
        if (text.length !== walker.currentNode.data.length) continue;
        for (let at = text.indexOf(wanted); at >= 0; at = text.indexOf(wanted, at + wanted.length)) {
          const range = new Range();
          range.setStart(walker.currentNode, at);
          range.setEnd(walker.currentNode, at + wanted.length);
          ranges.push(range);
        }
      }
    }
    CSS.highlights.set("found", new Highlight(...ranges));
  }
  /* A question may prove itself by frames that a filter hides; the filter gives way. */
  allow(number) { if (this.found && !this.found.has(number)) this.clear(); }
  clear() {
    const any = Boolean(this.found);
    this.input.value = "";
    for (const {select} of this.filters) select.value = "";
    this.show(null, null, "");
    return any;
  }
  seek() {
    if (narrow()) this.desk.tab("story");
    this.input.focus({preventScroll: !narrow()});
    this.input.select();
  }
  first() {
    const number = this.found && [...this.found].sort((one, other) => one - other)[0];
    if (number) { this.input.blur(); this.desk.story.step(number); }
  }
}
