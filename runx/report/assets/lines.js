// The lines of a chart: those of runs, or the means of groups of them; and their range.

import { scaleOf } from "./numbers.js";
import { deviation, mean, smoothed } from "./statistics.js";

/** Return the lines of one metric: those of runs, or the means of groups. */
export function linesOf(name, store, selection) {
  const { phases, smooth, x } = store.view;
  const lines = [];
  for (const run of selection.drawn) {
    for (const [phase, course] of run.courses) {
      const values = course.metrics.get(name);
      const stands = phase === "test" && !run.courses.has("val") ? "val" : phase;
      if (!values || !(phases.includes(phase) || phases.includes(stands))) continue;
      const ys = smooth ? smoothed(values, course.length, smooth) : values;
      lines.push({ runs: [run], phase, xs: x === "time" ? course.t : course.x, epochs: course.x, ys, length: course.length });
    }
  }
  return selection.groups ? grouped(lines, selection) : lines;
}

function grouped(lines, selection) {
  const means = [];
  for (const [name, runs] of selection.groups) {
    const members = new Set(runs);
    const own = lines.filter((line) => members.has(line.runs[0]));
    for (const phase of new Set(own.map((line) => line.phase))) {
      means.push(meanLine(own.filter((line) => line.phase === phase), runs, phase, name));
    }
  }
  return means;
}

/** Return one line of several: at each epoch the mean, and one standard deviation around it. */
function meanLine(lines, runs, phase, group) {
  const points = new Map();
  for (const line of lines) {
    for (let at = 0; at < line.length; at += 1) {
      if (!Number.isFinite(line.ys[at])) continue;
      const epoch = line.epochs[at];
      if (!points.has(epoch)) points.set(epoch, { xs: [], ys: [] });
      points.get(epoch).xs.push(line.xs[at]);
      points.get(epoch).ys.push(line.ys[at]);
    }
  }
  const epochs = [...points.keys()].sort((left, right) => left - right);
  const ordered = epochs.map((epoch) => points.get(epoch));
  const ys = Float64Array.from(ordered, (point) => mean(point.ys));
  const spread = ordered.map((point) => (point.ys.length > 1 ? deviation(point.ys) : 0));
  return {
    runs,
    phase,
    group,
    xs: Float64Array.from(ordered, (point) => mean(point.xs)),
    ys,
    low: ys.map((value, at) => value - spread[at]),
    high: ys.map((value, at) => value + spread[at]),
    length: epochs.length,
  };
}

/** Return whether the values of lines are positive and so far apart that a logarithmic axis shows more. */
export function spreads(lines) {
  const values = [];
  const step = Math.max(1, Math.floor(lines.reduce((sum, line) => sum + line.length, 0) / 4_000));
  for (const { ys, length } of lines) {
    for (let at = (length - 1) % step; at < length; at += step) if (Number.isFinite(ys[at])) values.push(ys[at]);
  }
  const scale = scaleOf(values);
  return scale.kind === "number" && scale.log;
}

/** Return the range of the lines, and whether it leaves out a few far outliers. */
export function rangeOf(lines, log, [from, to]) {
  const values = [];
  const step = Math.max(1, Math.floor(lines.reduce((sum, line) => sum + line.length, 0) / 40_000));
  for (const line of lines) {
    for (const ys of line.low ? [line.low, line.high] : [line.ys]) {
      for (let at = (line.length - 1) % step; at < line.length; at += step) {
        const inside = line.xs[at] >= from && line.xs[at] <= to;
        if (inside && Number.isFinite(ys[at]) && (!log || ys[at] > 0)) values.push(ys[at]);
      }
    }
  }
  if (!values.length) return { range: log ? [1, 10] : [0, 1], isCut: false };
  const sorted = Float64Array.from(values).sort();
  const [lowest, highest] = [sorted[0], sorted[sorted.length - 1]];
  if (log || sorted.length < 50) return { range: [lowest, highest], isCut: false };
  const at = (share) => sorted[Math.floor(share * (sorted.length - 1))];
  const [low, high] = [at(0.02), at(0.98)];
  const room = 3 * (high - low || Math.abs(high) || 1);
  const range = [lowest < low - room ? low : lowest, highest > high + room ? high : highest];
  return { range, isCut: range[0] !== lowest || range[1] !== highest };
}
