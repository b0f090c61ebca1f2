// Axes: the places of values, and the values that are marked.

import { even } from "./numbers.js";

export const INTEGER_STEPS = [1, 2, 5].flatMap((part) => [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7].map((power) => part * power)).sort((left, right) => left - right);

/** Return a function from values to places on an axis; `back` is its inverse. */
export function axisMap(low, high, from, to, log) {
  const warp = log ? Math.log10 : (value) => value;
  const factor = (to - from) / (warp(high) - warp(low));
  const start = warp(low);
  const place = (value) => from + (warp(value) - start) * factor;
  place.back = (spot) => {
    const warped = start + (spot - from) / factor;
    return log ? 10 ** warped : warped;
  };
  return place;
}

/** Return the marks of a logarithmic axis: powers of ten, or round numbers within few of them. */
export function logSplits(low, high) {
  const decades = Math.log10(high / low);
  if (decades < 1) return even(low, high, 4).filter((value) => value > 0);
  const parts = decades < 3 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / 8));
  const marks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += step) {
    for (const part of parts) marks.push(part * 10 ** power);
  }
  return marks.filter((value) => value >= low && value <= high);
}

/** Return an axis's extent with a margin; one of a single value gets some extent. */
export function padded([low, high], log, share = 0.04) {
  if (log) {
    const spread = high / low > 1.001 ? (high / low) ** share : 1.5;
    return [low / spread, high * spread];
  }
  const room = high > low ? (high - low) * share : Math.abs(low) * 0.1 || 1;
  return [low - room, high + room];
}

/** Add a polyline to a pen's path; of many points the lowest and highest of each stretch. */
export function trace(pen, map, xs, ys, length, most) {
  const stretch = Math.max(1, Math.ceil((2 * length) / most));
  let isOpen = false;
  const to = (at) => {
    const y = map.y(ys[at]);
    const x = map.x(xs[at]);
    if (!Number.isFinite(x) || !Number.isFinite(y)) {
      isOpen = false;
      return;
    }
    const near = Math.min(Math.max(y, -1e5), 1e5);
    if (isOpen) pen.lineTo(x, near);
    else pen.moveTo(x, near);
    isOpen = true;
  };
  for (let from = 0; from < length; from += stretch) {
    if (stretch === 1) {
      to(from);
      continue;
    }
    let [lowest, highest] = [from, from];
    for (let at = from; at < Math.min(from + stretch, length); at += 1) {
      if (ys[at] < ys[lowest]) lowest = at;
      if (ys[at] > ys[highest]) highest = at;
    }
    to(Math.min(lowest, highest));
    if (lowest !== highest) to(Math.max(lowest, highest));
  }
}
