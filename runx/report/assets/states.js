// The states of runs and steps: their marks, how many there are of each, and a bar of them.

import { h } from "./dom.js";

const ORDER = ["running", "queued", "planned", "done", "pruned", "failed", "killed", "timeout", "oom", "preempted", "cancelled", "blocked", "skipped", "lost", "unknown"];
const FAILED = ["failed", "killed", "timeout", "oom", "lost"];
const WAITING = ["queued", "planned", "preempted", "cancelled", "blocked", "skipped"];

/** Return a mark for a state with a text beside it. */
function mark(state, text, title) {
  return h("span", { class: `state state-${state}`, "data-state": state, title }, h("i", { "aria-hidden": "true" }), text);
}

/** Return an element for the state of a run or step: a mark and its name, the reason as a title. */
export function stateMark({ state, reason }) {
  return mark(state, state, reason ? `${state}: ${reason}` : state);
}

/** Return the number of runs in each state. */
export function countsOf(runs) {
  const counts = new Map();
  for (const { state } of runs) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

/** Return how many there are of each state, from a map of numbers by state. */
export function counted(counts) {
  const names = [...ORDER, ...[...counts.keys()].filter((state) => !ORDER.includes(state))];
  return names.filter((state) => counts.has(state)).map((state) => mark(state, `${counts.get(state)} ${state}`));
}

/** Return a bar of the states, from a map of numbers by state. */
export function progressBar(counts) {
  const piece = (state, count) => {
    const part = h("i", { class: state });
    part.style.flexGrow = count;
    return part;
  };
  const drawn = ["done", "pruned", "unknown", "running", ...FAILED].filter((state) => counts.has(state));
  const rest = WAITING.reduce((sum, state) => sum + (counts.get(state) ?? 0), 0);
  return h("div", { class: "progress", "aria-hidden": "true" }, ...drawn.map((state) => piece(`state-${state}`, counts.get(state))), piece("rest", rest));
}
