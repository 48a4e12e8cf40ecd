/* The questions: by kind and difficulty; a click lights up the frames that prove the answer. */

class Questions {
  constructor(desk) {
    this.desk = desk;
    this.kind = this.difficulty = "";
    this.kept = null;
    this.asked = null;
    this.items = desk.questions.map((item, index) => ({item, index, node: this.node(item, index)}));
    this.list = h("div", {class: "list"}, this.items.map(({node}) => node), this.none = h("p", {class: "none", hidden: true}, "No question fits."));
    this.root = h("section", {class: "panel questions", "aria-label": "Questions"}, h("header", {}, this.filter("kind"), this.filter("difficulty")), this.list);
  }
  filter(field) {
    const counts = grouped(this.desk.questions, item => item[field]);
    if (counts.size < 2) return null;
    const order = [...new Set(["overview", "plot", "temporal", "character", "dialogue", "easy", "medium", "hard", ...counts.keys()])].filter(name => counts.has(name));
    const box = h("div", {class: "kinds", role: "group", "aria-label": `By ${field}`});
    for (const [name, text] of [["", `all ${this.desk.questions.length}`], ...order.map(name => [name, `${name} ${counts.get(name).length}`])]) {
      if (name === "" && field === "difficulty") continue;
      box.append(button(text, event => {
        this[field] = this[field] === name ? "" : name;
        for (const other of box.children) other.setAttribute("aria-pressed", String(other.dataset.name === this[field]));
        this.show();
        this.list.scrollTop = 0;
      }, {"data-name": name, "aria-pressed": String(name === "")}));
    }
    return box;
  }
  show() {
    let shown = 0;
    for (const {item, index, node} of this.items) {
      node.hidden = Boolean(this.kind && item.kind !== this.kind || this.difficulty && item.difficulty !== this.difficulty || this.kept && !this.kept.has(index));
      shown += !node.hidden;
    }
    this.none.hidden = shown > 0;
  }
  keep(indices) { this.kept = indices; this.show(); }
  node(item, index) {
    const {first_frame: first, last_frame: last, start_seconds: start, end_seconds: end} = item.evidence;
    const tags = [item.category !== item.kind && item.category, item.difficulty].filter(Boolean).map(text => ` · ${text}`);
    return h("button", {type: "button", class: "q", "data-index": index, "data-kind": item.kind, "aria-pressed": "false", onclick: () => this.toggle(index), ondblclick: () => this.desk.theater.play(start, end)},
      h("span", {class: "tag"}, h("span", {}, h("b", {}, item.kind), tags), h("span", {}, first === last ? `frame ${first}` : `frames ${first}–${last}`)),
      h("span", {class: "ask clip"}, item.question),
      item.choices.length ? h("span", {class: "choices"}, item.choices.map((choice, place) => h("span", {class: choice === item.answer ? "choice right clip" : "choice clip"},
        h("span", {class: "letter", "aria-hidden": "true"}, String.fromCharCode(65 + place)), choice, choice === item.answer && h("span", {class: "hush"}, " (right)"))))
        : h("span", {class: "tell clip"}, item.answer));
  }
  toggle(index) {
    if (this.asked?.index === index) { this.clear(); this.desk.remember(); } else this.light(index);
  }
  light(index) {
    const entry = this.items[index];
    if (!entry) return;
    this.clear();
    this.asked = entry;
    entry.node.setAttribute("aria-pressed", "true");
    if (narrow()) this.desk.tab("story"); else this.desk.panel("questions");
    entry.node.hidden = false;
    this.desk.finder.allow(entry.item.evidence.first_frame);
    this.desk.story.light(entry.item.evidence.first_frame, entry.item.evidence.last_frame);
    this.desk.back.hidden = !narrow();
    if (!narrow()) this.into(entry.node, 4);
    this.desk.remember(`q${index + 1}`);
  }
  clear() {
    this.desk.story.unlight();
    this.asked?.node.setAttribute("aria-pressed", "false");
    this.asked = null;
    this.desk.back.hidden = true;
  }
  next(forward) {
    const shown = this.items.filter(({node}) => !node.hidden);
    const place = shown.indexOf(this.asked);
    const next = shown[place < 0 ? (forward > 0 ? 0 : shown.length - 1) : place + forward];
    if (next) this.light(next.index);
  }
  /* Into the list's own view, the page staying where it is; again while what was out of sight is laid out. */
  into(node, times) {
    const box = this.list.getBoundingClientRect(), place = node.getBoundingClientRect(), bottom = Math.min(box.bottom, innerHeight);
    if (place.bottom > bottom) this.list.scrollTop += place.bottom - bottom + 8;
    if (place.top < box.top || place.bottom - place.top > bottom - box.top) this.list.scrollTop += node.getBoundingClientRect().top - box.top - 8;
    if (times > 1) requestAnimationFrame(() => this.into(node, times - 1));
  }
  about(number) {
    const near = this.items.filter(({item}) => item.evidence.first_frame <= number && number <= item.evidence.last_frame);
    const length = ({item}) => item.evidence.last_frame - item.evidence.first_frame;
    return near.sort((one, other) => length(one) - length(other)).slice(0, 4);
  }
}
