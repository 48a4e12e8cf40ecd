/* The way around: #/ is the dataset, #/2 a movie, #/2/14 a frame of it, #/2/q5 a question. */

let shown = null;

async function route() {
  const {dataset} = MovieLLM;
  if (!dataset) return;
  const [, number, frame, question] = location.hash.match(/^#\/(\d+)(?:\/(?:(\d+)|q(\d+)))?$/) || [];
  const only = dataset.movies.length === 1 ? dataset.movies[0] : null;
  const summary = dataset.movies.find(movie => movie.number === Number(number)) || only;
  byId("tip").classList.remove("on");
  for (const name of ["closeup", "help"]) if (byId(name).open) byId(name).close();
  globalThis.CSS?.highlights?.delete("found");
  if (!summary) return present(new Home(dataset), dataset.spec.theme);
  if (shown instanceof Desk && shown.summary === summary) return arrive(shown, frame, question);
  const wanted = location.hash;
  try {
    const desk = new Desk(summary, await MovieLLM.story(summary));
    if (location.hash !== wanted) return undefined;
    present(desk, desk.record.title, only && hero(dataset));
    return arrive(desk, frame, question);
  } catch (error) {
    return present({root: h("main", {class: "wrap bare"}, h("p", {role: "alert"}, error.message), h("p", {}, h("a", {href: "#/"}, "← All movies")))}, dataset.spec.theme);
  }
}

function present(view, title, above) {
  shown = view;
  document.title = title;
  byId("app").replaceChildren(...[above, view.root].filter(Boolean));
  scrollTo({top: 0, behavior: "instant"});
}

function arrive(desk, frame, question) {
  if (question) desk.queries.light(Number(question) - 1);
  else if (frame) { if (narrow()) desk.tab("story"); desk.story.step(Number(frame)); }
}

/* dark and light: as the system has it, until somebody chooses */
const THEME = "moviellm-theme";
const themeNow = () => document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark");

function setTheme(name) {
  document.documentElement.dataset.theme = name;
  try { localStorage.setItem(THEME, name); } catch { /* a page from disk may have no storage */ }
}

try {
  const kept = localStorage.getItem(THEME);
  if (kept === "dark" || kept === "light") document.documentElement.dataset.theme = kept;
} catch { /* as above */ }

function tools() {
  return h("span", {class: "tools"},
    button("◐", () => setTheme(themeNow() === "dark" ? "light" : "dark"), {class: "tool", "aria-label": "Dark or light", title: "Dark or light (t)"}),
    button("?", help, {class: "tool", "aria-label": "Keys", title: "Keys (?)"}));
}

const KEYS = [
  ["/", "search"], ["←  →", "frame by frame"], ["Enter", "look at the frame, or go to what was found"], ["j  k", "next and previous question"],
  ["p", "play or pause"], ["Esc", "put out the light, empty the search"], ["t", "dark or light"], ["?", "this list"],
];

function help() {
  const dialog = byId("help");
  dialog.replaceChildren(h("div", {class: "keys-list"}, h("h2", {}, "Keys"),
    h("dl", {}, KEYS.map(([keys, what]) => h("div", {}, h("dt", {}, keys.split("  ").map(key => h("kbd", {}, key))), h("dd", {}, what)))),
    h("p", {class: "fine"}, "A click on a question lights up the frames that prove its answer; a double click plays them."),
    button("Close", () => dialog.close(), {class: "pill"})));
  if (!dialog.open) dialog.showModal();
}

addEventListener("hashchange", route);
addEventListener("scroll", () => byId("tip").classList.remove("on"), {passive: true});
addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = event.target.closest?.("input, select, textarea");
  if (!typing && event.key === "/") { event.preventDefault(); shown?.seek?.(); }
  else if (!typing && event.key === "?") help();
  else if (!typing && event.key === "t") setTheme(themeNow() === "dark" ? "light" : "dark");
  else shown?.key?.(event);
});
for (const name of ["closeup", "help"]) byId(name).addEventListener("click", event => { if (event.target === event.currentTarget) event.currentTarget.close(); });
