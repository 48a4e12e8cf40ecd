/* How good the pictures are: the paper's figures beside ours, what was rendered again, what looks alike. */

const MEASURES = [
  ["To the text, CLIP-Score ↑", "text_score", null],
  ["To the neighbour, CLIP-Score ↑", "neighbour_score", "clip_score"],
  ["To the neighbour, distance ↓", "neighbour_distance", "lpips"],
  ["To the references, colours ↓", "style_color_distance", null],
  ["To the references, textures ↓", "style_gram_distance", null],
];

function measureTable(figures, paper) {
  const columns = [["all", figures.measures], ["sample", figures.sample], ["plain", figures.plain]].filter(([, measures]) => measures);
  if (!columns.length) return h("p", {class: "fine"}, "The pictures were not measured.");
  const ablation = figures.plain !== null;
  const both = paper.find(row => row.what === "both"), without = paper.find(row => row.what.includes("style"));
  return h("div", {class: "scroll"}, h("table", {},
    h("thead", {}, h("tr", {}, h("td", {}), columns.map(([name]) => h("th", {scope: "col"}, name)), h("th", {scope: "col"}, "paper"), ablation && h("th", {scope: "col"}, "its plain"))),
    h("tbody", {}, MEASURES.map(([name, field, theirs]) => h("tr", {}, h("th", {scope: "row"}, name),
      columns.map(([, measures]) => h("td", {}, figure(measures[field]))),
      h("td", {class: "soft"}, theirs ? figure(both[theirs]) : ""), ablation && h("td", {class: "soft"}, theirs ? figure(without[theirs]) : ""))))),
    ablation && h("p", {class: "fine"}, "“plain” are the frames of the sample rendered without the learnt style."));
}

function countsOf(figures) {
  const alike = typeof figures.look_alikes === "number" ? figures.look_alikes : figures.look_alikes.count;
  return [
    [figures.frames, "frames kept"], [figures.attempts, "pictures rendered"], [figures.rendered_again, "frames rendered again"],
    [figures.kept_with_fault, "kept with a fault"], [figures.below_threshold, "below the threshold"], [alike, "look like a frame of another scene"],
  ];
}

const counted = counts => h("ul", {class: "counts"}, counts.map(([number, words]) => h("li", {}, h("b", {}, number.toLocaleString("en")), ` ${words}`)));
const listed = (title, counts) => Object.keys(counts).length > 0 && h("section", {}, h("h3", {}, title), bars(Object.entries(counts)));

function datasetFigures(dataset) {
  const {quality, paper, counted: counts} = dataset;
  const box = (title, ...children) => h("section", {class: "box"}, h("h3", {}, title), children);
  const plain = (title, rows) => rows.length > 1 && box(title, bars(rows));
  return h("section", {class: "numbers", "aria-label": "Figures"},
    h("h2", {}, "In figures"),
    h("div", {class: "boxes"},
      plain("Questions by kind", Object.entries(counts.kinds)),
      plain("Questions by difficulty", Object.entries(counts.difficulties)),
      plain("Key frames by location", Object.entries(counts.locations).slice(0, 12)),
      plain("Key frames by people", Object.entries(counts.people).map(([number, frames]) => [["nobody", "one", "two", "three or more"][number], frames])),
      sum(counts.scores) > 0 && box("Key frames by score against their text", columns(counts.scores, "Histogram of scores", (number, index) => `${plural(number, "frame")} from ${index / 20} to ${(index + 1) / 20}`),
        h("p", {class: "axis", "aria-hidden": "true"}, h("span", {}, "0"), h("span", {}, "0.5"), h("span", {}, "1"))),
      box("Quality control", counted(countsOf(quality)), listed("Verdicts", quality.verdicts), listed("Questions left out", quality.dropped), listed("Mended in the plots", quality.mends))),
    quality.measures && h("section", {class: "box"}, h("h3", {}, "Consistency, beside the paper's"), measureTable(quality, paper), h("p", {class: "fine"}, `Measured by ${quality.measures.scorer}; the paper's figures come from other models and pictures, and are an orientation only.`)));
}

class QualityPanel {
  constructor(desk) {
    const {record, figures, frames} = this.desk = desk;
    const scores = record.quality?.measures.scores || [];
    const worst = frames.filter(frame => typeof frame.score === "number").sort((one, other) => one.score - other.score).slice(0, 8);
    this.root = h("section", {class: "panel quality", "aria-label": "Quality"}, h("div", {class: "list"},
      measureTable(figures, MovieLLM.dataset.paper),
      scores.length > 1 && h("section", {}, h("h3", {}, "Score of each frame"), columns(scores, `Scores of ${scores.length} frames`, (score, index) => `frame ${index + 1}: ${figure(score)}`, index => this.go(index + 1))),
      counted(countsOf(figures)),
      worst.length > 0 && h("section", {}, h("h3", {}, "Lowest scores"), h("div", {class: "thumbs"}, worst.map(frame => this.thumb(frame.number, figure(frame.score))))),
      figures.look_alikes.count > 0 && h("section", {}, h("h3", {}, "Look alike across scenes"), h("div", {class: "pairs"}, figures.look_alikes.pairs.slice(0, 12).map(pair =>
        h("div", {class: "pair"}, this.thumb(pair.first, pair.first), this.thumb(pair.second, pair.second))))),
      listed("Verdicts on attempts", figures.verdicts),
      listed("Questions left out", figures.dropped),
      record.mends.length > 0 && h("section", {}, h("h3", {}, "Mended in the plot"), h("ul", {class: "mends"}, record.mends.slice(0, 100).map(mend =>
        h("li", {class: "clip"}, h("b", {}, mend.rule), ` · ${mend.where}`, h("span", {class: "soft"}, ` ${mend.was}`), mend.now && h("span", {}, ` → ${mend.now}`)))),
        record.mends.length > 100 && h("p", {class: "fine"}, `and ${record.mends.length - 100} more in movie.json`)),
      this.makers()));
  }
  makers() {
    const rows = this.desk.record.made_by.filter(maker => maker.model || maker.prompt);
    return h("section", {}, h("h3", {}, "Made by"), h("ul", {class: "mends"},
      rows.map(maker => h("li", {class: "clip"}, h("b", {}, maker.part), ` ${[maker.model, maker.prompt].filter(Boolean).join(" · ")}`,
        maker.prompt_tokens + maker.completion_tokens > 0 && h("span", {class: "soft"}, ` ${maker.prompt_tokens.toLocaleString("en")} + ${maker.completion_tokens.toLocaleString("en")} tokens`))),
      h("li", {class: "clip"}, h("b", {}, "pictures"), ` ${this.desk.record.picture_models.join(", ")}`)));
  }
  thumb(number, words) {
    const frame = this.desk.frames[number - 1];
    return frame && h("button", {type: "button", class: faultOf(frame).includes("unsafe") ? "thumb veiled" : "thumb", "aria-label": `Frame ${number}`, onclick: () => this.go(number)},
      h("img", {src: this.desk.folder + frame.file, alt: "", loading: "lazy", decoding: "async"}), h("span", {}, words));
  }
  go(number) {
    if (narrow()) this.desk.tab("story");
    this.desk.finder.allow(number);
    this.desk.story.step(number);
  }
}
