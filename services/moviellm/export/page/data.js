/* The dataset's figures come with the page, each movie's story in a file of its own, fetched when it is opened. A page
   opened from disk may not fetch, but it may add a script; such a script calls arrived(). */

const MovieLLM = globalThis.MovieLLM = {
  dataset: null,
  waiting: new Map(),
  loaded: new Map(),

  opened(dataset) { this.dataset = dataset; route(); },

  arrived(number, movie) { this.waiting.get(number)?.(movie); },

  story(summary) {
    const {number} = summary;
    if (!this.loaded.has(number)) {
      this.loaded.set(number, new Promise((resolve, reject) => {
        this.waiting.set(number, resolve);
        const script = h("script", {src: `preview/movies/${String(number).padStart(4, "0")}.js`});
        script.addEventListener("error", () => { this.loaded.delete(number); reject(new Error(`The story of movie ${number} is not beside this page.`)); });
        script.addEventListener("load", () => script.remove());
        document.head.append(script);
      }));
      /* A few movies stay at hand; a long visit does not fill the memory. */
      if (this.loaded.size > 6) this.loaded.delete(this.loaded.keys().next().value);
    }
    return this.loaded.get(number);
  },
};
