/* The dataset: its theme, its figures, its movies as cards. */

function hero(dataset) {
  const summaries = dataset.movies;
  const reel = summaries.flatMap(movie => movie.posters).slice(0, 16);
  const figures = [
    [summaries.length, summaries.length === 1 ? "movie" : "movies"],
    [sum(summaries.map(movie => movie.frames)), "key frames"],
    [sum(summaries.map(movie => movie.lines)), "lines of dialogue"],
    [sum(summaries.map(movie => sum(Object.values(movie.questions)))), "questions"],
  ];
  return h("header", {class: "hero"},
    h("div", {class: "reel", "aria-hidden": "true"}, reel.map(source => h("img", {src: source, alt: ""}))),
    h("div", {class: "wrap"},
      h("p", {class: "eyebrow"}, "A generated movie dataset"),
      h("h1", {class: "clip"}, dataset.spec.theme),
      h("dl", {class: "figures"}, figures.map(([number, noun]) => h("div", {}, h("dt", {}, noun), h("dd", {}, number.toLocaleString("en"))))),
      h("p", {class: "links"},
        h("a", {href: "README.md"}, "Dataset card"), h("a", {href: "quality.json"}, "Quality report"), h("a", {href: "manifest.json"}, "Checksums"),
        h("span", {class: "soft"}, `seed ${dataset.spec.seed}`))));
}

function card(movie) {
  return h("a", {class: "card", href: `#/${movie.number}`},
    h("div", {class: "poster"}, movie.posters.map(source => h("img", {src: source, alt: "", loading: "lazy", decoding: "async"}))),
    h("div", {class: "text"},
      h("p", {class: "eyebrow clip"}, `${movie.number} · ${movie.style}`),
      h("h2", {class: "clip"}, movie.title),
      h("p", {class: "overview clip"}, movie.overview),
      h("p", {class: "meta"}, `${plural(movie.scenes, "scene")} · ${plural(movie.frames, "key frame")} · ${plural(sum(Object.values(movie.questions)), "question")} · ${clock(movie.seconds)}`)));
}

class Home {
  constructor(dataset) {
    this.dataset = dataset;
    this.cards = dataset.movies.map(movie => ({node: card(movie), words: `${movie.title} ${movie.overview} ${movie.style}`.toLowerCase()}));
    this.search = h("input", {type: "search", placeholder: "Search titles, stories, styles", "aria-label": "Search movies", oninput: () => this.find()});
    this.told = h("span", {class: "told", role: "status"});
    this.root = h("div", {},
      hero(dataset),
      h("main", {class: "wrap"},
        h("div", {class: "shelf"}, dataset.movies.length > 3 && h("label", {class: "search"}, this.search, h("kbd", {"aria-hidden": "true"}, "/")), this.told, h("span", {class: "spring"}), tools()),
        h("div", {class: "cards"}, this.cards.map(({node}) => node)),
        datasetFigures(dataset)),
      ending());
  }
  find() {
    const wanted = this.search.value.trim().toLowerCase();
    let shown = 0;
    for (const {node, words} of this.cards) shown += !(node.hidden = !words.includes(wanted));
    this.told.textContent = wanted ? `${shown.toLocaleString("en")} of ${plural(this.cards.length, "movie")}` : "";
  }
  seek() { this.search.focus(); this.search.select(); }
  key(event) {
    if (event.key === "Escape" && this.search.value) { this.search.value = ""; this.find(); return; }
    const forward = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!forward || event.target === this.search) return;
    const nodes = this.cards.map(({node}) => node).filter(node => !node.hidden);
    const here = nodes.indexOf(document.activeElement);
    const next = nodes[here < 0 ? 0 : here + forward];
    if (next) { event.preventDefault(); next.focus(); next.scrollIntoView({block: "nearest"}); }
  }
}

function ending() {
  return h("footer", {class: "end"}, h("div", {class: "wrap"},
    "Plots, pictures, dialogue and questions on this page were generated. No real people are shown."));
}
