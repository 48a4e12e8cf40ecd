/* The storyboard: chapters, scenes, frames, and the dialogue between them. */

class Storyboard {
  constructor(desk) {
    this.desk = desk;
    this.nodes = new Map();
    this.talks = new Map();
    this.parts = [];
    this.here = 0;
    this.root = h("section", {class: "story", "aria-label": "Storyboard"}, desk.record.chapters.map(chapter => this.chapter(chapter)));
    this.root.addEventListener("click", event => { const node = event.target.closest(".frame"); if (node) desk.closeup.open(Number(node.dataset.number)); });
    this.root.addEventListener("mouseover", event => this.hint(event.target.closest(".shot")));
    this.root.addEventListener("mouseleave", () => this.hint(null));
  }
  chapter(chapter) {
    const scenes = chapter.scenes.map(scene => this.scene(scene));
    const node = h("section", {class: "chapter"},
      h("header", {}, h("span", {class: "numeral", "aria-hidden": "true"}, chapter.number), h("h2", {class: "clip"}, chapter.title || `Chapter ${chapter.number}`), h("p", {class: "clip"}, chapter.content)),
      scenes.map(scene => scene.node));
    this.parts.push({node, scenes});
    return node;
  }
  scene(scene) {
    const strip = h("div", {class: "strip"});
    for (const frame of scene.frames) {
      strip.append(this.frame(frame));
      const lines = this.desk.spoken.get(frame.number);
      if (lines) strip.append(this.talk(frame.number, lines));
    }
    const node = h("section", {class: "scene"},
      h("header", {}, h("h3", {}, `Scene ${scene.number} `, h("span", {class: "place clip"}, scene.location)), h("p", {class: "clip"}, scene.content)), strip);
    return {node, numbers: scene.frames.map(frame => frame.number)};
  }
  frame(frame) {
    const fault = faultOf(frame), again = (frame.attempts || []).length > 1;
    const node = h("button", {type: "button", class: "frame", "data-number": frame.number, "aria-label": `Frame ${frame.number}: ${frame.description}`},
      h("span", {class: fault.includes("unsafe") ? "shot veiled" : "shot"},
        h("img", {src: this.desk.folder + frame.file, alt: "", loading: "lazy", decoding: "async", width: 168, height: 168}),
        h("span", {class: "no"}, frame.number),
        (fault || again) && h("span", {class: fault ? "mark fault" : "mark"}, fault || `best of ${frame.attempts.length}`)),
      h("span", {class: "words clip"}, frame.description));
    this.nodes.set(frame.number, node);
    return node;
  }
  talk(number, lines) {
    const {record, people} = this.desk, lead = record.characters[0]?.name;
    const node = h("div", {class: "talk"}, lines.map(line => h("p", {class: line.speaker === lead ? "bubble clip" : "bubble other clip"},
      h("b", {chip: chipOf(people.get(line.speaker)?.clothing_color)}, line.speaker), line.text)));
    this.talks.set(number, node);
    return node;
  }
  hint(shot) {
    const tip = byId("tip");
    if (!shot) { tip.classList.remove("on"); return; }
    const frame = this.desk.frames[Number(shot.parentNode.dataset.number) - 1], box = shot.getBoundingClientRect();
    tip.replaceChildren(frame.prompt, h("small", {}, `seed ${frame.seed}`, typeof frame.score === "number" && ` · score ${figure(frame.score)}`));
    const {width, height} = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, box.left + box.width / 2 - width / 2))}px`;
    tip.style.top = `${box.top > height + 14 ? box.top - height - 10 : box.bottom + 10}px`;
    tip.classList.add("on");
  }

  /* frames that stand out */
  light(first, last) {
    for (let number = first; number <= last; number++) {
      this.nodes.get(number)?.classList.add("lit");
      this.talks.get(number)?.classList.add("lit");
    }
    this.root.classList.toggle("dim", last - first + 1 < this.desk.frames.length);
    this.reveal(first);
  }
  unlight() {
    for (const node of this.root.querySelectorAll(".lit")) node.classList.remove("lit");
    this.root.classList.remove("dim");
  }
  playing(number) {
    this.played?.classList.remove("playing");
    this.played = this.nodes.get(number);
    this.played?.classList.add("playing");
  }
  step(number, quietly) {
    if (number < 1 || number > this.desk.frames.length) return;
    this.nodes.get(this.here)?.classList.remove("here");
    this.here = number;
    this.nodes.get(number).classList.add("here");
    if (!quietly) this.reveal(number);
  }
  /* Scenes out of sight have estimated heights only, so the place is corrected once they are laid out. */
  reveal(number) {
    const node = this.nodes.get(number);
    if (!node) return;
    const show = () => node.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    show();
    requestAnimationFrame(() => { show(); requestAnimationFrame(show); });
  }

  /* Only these frames, all of them for null; parts without any go, too. */
  keep(numbers) {
    for (const [number, node] of this.nodes) {
      node.hidden = numbers !== null && !numbers.has(number);
      const talk = this.talks.get(number);
      if (talk) talk.hidden = node.hidden;
    }
    for (const {node, scenes} of this.parts) {
      for (const scene of scenes) scene.node.hidden = numbers !== null && !scene.numbers.some(number => numbers.has(number));
      node.hidden = scenes.every(scene => scene.node.hidden);
    }
  }
}

const faultOf = frame => (frame.attempts || []).at(-1)?.verdict || "";
