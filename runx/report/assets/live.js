// The live page: the server sends what has changed, and that alone is added.

import { addPoint, makeRun, noteLast, noteMetrics, noteTime } from "./model.js";

const LOG_PAUSE = 1000;

/** Receive the server's changes; `changed` is called after they were added. */
export function listen(model, badge, changed) {
  const { token, since } = model.live;
  const source = new EventSource(`events?token=${encodeURIComponent(token)}&since=${since}`);
  const show = (text, isOn) => {
    badge.hidden = false;
    badge.textContent = text;
    badge.classList.toggle("is-on", isOn);
  };
  show("connecting", false);
  source.onopen = () => show("live", true);
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) show("the server has ended", false);
    else show("connection lost, trying again", false);
  };
  source.addEventListener("reload", () => location.reload());
  source.addEventListener("changes", (event) => {
    for (const change of JSON.parse(event.data)) apply(model, change);
    changed();
  });
}

function apply(model, change) {
  if (change.kind === "reload") location.reload();
  if (change.metrics) noteMetrics(model, change.metrics);
  if (change.kind === "statistics") {
    Object.assign(model, change.statistics);
    return;
  }
  const run = model.runs.find(({ key }) => key === change.key);
  if (change.kind === "run") {
    // A run that is known is sent whole where an attempt has superseded points of an earlier one.
    if (run) Object.assign(run, makeRun(change.run, run.index));
    else model.runs.push(makeRun(change.run, model.runs.length));
    return;
  }
  if (!run) return;
  if (change.kind === "state") Object.assign(run, change.state);
  if (change.kind === "points") addPoints(model, run, change);
}

function addPoints(model, run, { phase, validates, points, best }) {
  if (!model.phases.includes(phase)) model.phases.push(phase);
  for (const [epoch, seconds, values] of points) {
    addPoint(run, phase, epoch, seconds === null ? NaN : seconds, values);
    noteTime(run, phase, seconds, validates);
    if (validates) noteLast(run, epoch, values);
  }
  run.best = new Map(Object.entries(best));
}

/** Return a function that follows the log of one run, or a step of it, at a time; null follows none. */
export function makeFollower(model) {
  let latest = 0;
  return (run, step, show) => {
    latest += 1;
    if (run && model.live) follow(run, step, show, latest);
  };

  async function follow(run, step, show, number) {
    let place = -1;
    while (number === latest) {
      const query = new URLSearchParams({ token: model.live.token, run: run.key, step, place: String(place) });
      try {
        const answer = await fetch(`log?${query}`);
        if (!answer.ok) return;
        const { text, place: next } = await answer.json();
        if (number !== latest) return;
        if (text || place < 0) show(text, place < 0);
        place = next;
      } catch {
        // Tried again: the server may come back. The badge shows that it is gone.
      }
      await new Promise((done) => setTimeout(done, LOG_PAUSE));
    }
  }
}
