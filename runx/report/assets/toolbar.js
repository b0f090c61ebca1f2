// The top of the page: the experiment with the states of its runs, and the choices for all parts.

import { fill, h, press, select, swatch, toggle } from "./dom.js";
import { dateTime, shortNumber } from "./numbers.js";
import { counted, countsOf, progressBar } from "./states.js";
import { copyText } from "./panel.js";

const THEMES = { "": "Theme: as the system", light: "Theme: light", dark: "Theme: dark" };

/** Return the page's heading: name, notes, the states of the runs, and buttons. */
export function makeHeading(model, store) {
  const states = h("div", { class: "states", role: "status" });
  const bar = h("div");
  const gpus = h("div", { class: "gpus" });
  const theme = h("button", { type: "button", class: "quiet", onclick: turn });
  const link = h("button", { type: "button", class: "quiet", onclick: () => copyText(link, location.href) }, "Copy link");
  const live = h("span", { class: "live", role: "status", hidden: true });
  const made = new Date(model.made * 1000);
  const when = h("span", { class: "note" }, model.live ? "" : dateTime(made));
  const notes = model.said.filter(({ experiment }) => model.experiments.length < 2 || !experiment).map(({ text }) => h("p", { class: "said" }, text));
  const element = h(
    "header",
    { class: "top" },
    h("div", { class: "top-name" }, h("h1", {}, model.experiment), ...notes),
    h("div", { class: "top-states" }, states, bar, gpus),
    h("div", { class: "top-side" }, live, when, link, theme),
  );
  return { element, refresh, live };

  function turn() {
    const names = Object.keys(THEMES);
    store.set({ theme: names[(names.indexOf(store.view.theme) + 1) % names.length] });
  }

  function refresh() {
    theme.textContent = THEMES[store.view.theme] ?? THEMES[""];
    const counts = countsOf(model.runs);
    states.replaceChildren(...counted(counts));
    bar.replaceChildren(progressBar(counts));
    gpus.replaceChildren(...model.gpus.map((line) => h("p", { class: "said" }, line)));
  }
}

/** Return the bar of choices, which stays in sight. */
export function makeToolbar(model, store, selection) {
  const box = h("input", {
    type: "search",
    placeholder: "lr < 0.1 and state == 'done'",
    spellcheck: "false",
    autocomplete: "off",
    "aria-describedby": "filter-error",
    oninput: () => store.set({ filter: box.value }),
  });
  const error = h("span", { id: "filter-error", class: "error", role: "alert" });
  const filter = h("label", { class: "field filter" }, h("span", {}, "filter"), box);
  const metric = select("metric", [], "", (name) => store.set({ metric: name }));
  const group = select("group by", [], "", (id) => store.set({ group: id, subgroups: [] }));
  const further = h("span", { class: "tools" });
  const colour = select("colour", [], "", (id) => store.set({ colour: id }));
  const x = select("over", [["epoch", "epoch"], ["time", "time"]], "epoch", (id) => store.set({ x: id }));
  const phases = h("span", { class: "segment", role: "group", "aria-label": "phases" });
  const smooth = toggle("Smooth", "Draw an exponential mean", () => store.set({ smooth: store.view.smooth ? 0 : 0.8 }));
  const amount = h("input", { type: "range", min: "0", max: "0.98", step: "0.02", "aria-label": "smoothing", oninput: () => store.set({ smooth: Number(amount.value) }) });
  const logx = toggle("log x", "Logarithmic axis of epochs", () => store.set({ logx: !store.view.logx }));
  const logy = toggle("log y", "Logarithmic axis of values", () => store.set({ logy: !store.view.logy }));
  const chips = h("div", { class: "chips" });
  const legend = h("div", { class: "legend", "aria-label": "colours", role: "group" });
  const element = h(
    "div",
    { class: "toolbar", role: "region", "aria-label": "Choices" },
    h("div", { class: "tools" }, filter, metric.element, group.element, further, colour.element, x.element, phases, h("span", { class: "segment" }, smooth, amount), h("span", { class: "segment" }, logx, logy)),
    error,
    h("div", { class: "below" }, chips, legend),
  );
  return { element, refresh };

  function refresh() {
    const { view } = store;
    if (document.activeElement !== box) box.value = view.filter;
    error.textContent = selection.error;
    box.setAttribute("aria-invalid", String(Boolean(selection.error)));
    fill(metric.list, [...model.metrics.keys()].map((name) => [name, name]), selection.metric);
    fill(group.list, groups(), view.group);
    refreshThen();
    fill(colour.list, colours(), view.group ? "group" : view.colour);
    colour.list.disabled = Boolean(view.group);
    fill(x.list, [["epoch", "epoch"], ["time", "time"]], view.x);
    phases.replaceChildren(...model.phases.map((phase) => {
      const button = toggle(phase, `Show ${phase}`, () => flip(phase));
      button.prepend(h("i", { class: phase === "train" ? "dashed" : "solid", "aria-hidden": "true" }));
      press(button, view.phases.includes(phase));
      return button;
    }));
    press(smooth, view.smooth);
    amount.value = view.smooth;
    press(logx, view.logx);
    press(logy, view.logy);
    refreshChips();
    legend.replaceChildren(...selection.legend.map(({ text, colour: ink }) => {
      return h("span", {}, swatch(ink), text || "none");
    }));
    const meaning = selection.groups ? view.group : selection.coloured;
    const heading = meaning?.startsWith("*") || (selection.groups && view.subgroups.length) ? "" : (selection.byId.get(meaning)?.heading ?? "");
    if (heading) legend.prepend(h("span", { class: "note" }, heading));
  }

  function groups() {
    return [["", "each run"], ...model.groupings.choices.map(({ id, heading }) => [id, heading])];
  }

  /** Show a choice for each further hyperparameter that is grouped by, and one for another. */
  function refreshThen() {
    const { group: first, subgroups: others } = store.view;
    const left = model.groupings.choices.filter(({ id }) => id.startsWith("h:") && id !== first && !others.includes(id));
    const isPossible = first.startsWith("h:") && model.groupings.choices.some(({ id }) => id === first);
    const wanted = isPossible ? [...others, ...(left.length ? [""] : [])] : [];
    further.replaceChildren(...wanted.map((id, at) => {
      const own = model.groupings.choices.filter((choice) => choice.id === id);
      const options = [["", "—"], ...[...own, ...left].map((choice) => [choice.id, choice.heading])];
      return select("and", options, id, (next) => store.set({ subgroups: [...others.slice(0, at), next, ...others.slice(at + 1)].filter(Boolean) })).element;
    }));
  }

  function colours() {
    if (store.view.group) return [["group", "group"]];
    const columns = selection.columns.filter(({ kind, name }) => (kind === "hparam" ? model.varying.includes(name) : ["best", "state", "epoch"].includes(kind)));
    return [["", "as usual"], ["run", "each run"], ...columns.map((column) => [column.id, column.heading])];
  }

  function flip(phase) {
    const { phases: chosen } = store.view;
    store.set({ phases: chosen.includes(phase) ? chosen.filter((name) => name !== phase) : [...chosen, phase] });
  }

  function refreshChips() {
    const { brushes } = store.view;
    const names = Object.keys(brushes);
    chips.replaceChildren(...names.map((id) => {
      const { [id]: brush, ...others } = brushes;
      const heading = selection.byId.get(id)?.heading ?? id;
      const text = Array.isArray(brush) ? `${shortNumber(brush[0], 3)} to ${shortNumber(brush[1], 3)}` : brush.names.join(", ");
      const label = `${heading}: ${text}`;
      return h("button", { type: "button", class: "chip", "aria-label": `remove ${label}`, onclick: () => store.set({ brushes: others }) }, label, h("span", { "aria-hidden": "true" }, " ✕"));
    }));
    if (names.length > 1) chips.append(h("button", { type: "button", class: "quiet", onclick: () => store.set({ brushes: {} }) }, "Clear"));
  }
}
