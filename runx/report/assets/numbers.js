// Values as text, and scales from values to places.

/** Return a value as text, numbers with five significant digits. */
export function shown(value) {
  if (value === undefined || value === null) return "";
  if (typeof value === "number") return shortNumber(value);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Return a number with its significant digits, as in tables, but in full below 1e9. */
export function shortNumber(value, digits = 5) {
  if (Number.isInteger(value) && Math.abs(value) < 1e9) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  const size = Math.abs(value);
  if (size < 1e-4 || size >= 1e9) {
    const [figures, power] = value.toExponential(digits - 1).split("e");
    return `${figures.replace(/\.?0+$/, "")}e${power[0]}${power.slice(1).padStart(2, "0")}`;
  }
  return String(Number(value.toPrecision(digits)));
}

/** Return seconds as text: 2.5 s, 1:05 or 1:00:05. */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return "";
  if (seconds < 10) return `${Number(seconds.toPrecision(2))} s`;
  const total = Math.round(seconds);
  const [hours, minutes, left] = [Math.floor(total / 3600), Math.floor((total % 3600) / 60), total % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(left)}` : `${minutes}:${two(left)}`;
}

/** Return a part of 1 as percent. */
export function share(part) {
  return isNumber(part) ? `${Math.round(100 * part)}%` : "";
}

/** Return a time as people here write it, to the minute. */
export function dateTime(time) {
  return time.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

export function size(bytes) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let nth = 0;
  while (bytes >= 1000 && nth < units.length - 1) {
    bytes /= 1000;
    nth += 1;
  }
  return `${nth && bytes < 10 ? bytes.toFixed(1) : Math.round(bytes)} ${units[nth]}`;
}

/** Compare two texts for sorting: numbers by their size. */
export function compareTexts(left, right) {
  const [low, high] = [left, right].map((text) => (text.trim() ? Number(text) : NaN));
  if (!Number.isNaN(low) && !Number.isNaN(high)) return low - high;
  return left.localeCompare(right, undefined, { numeric: true });
}

export function isNumber(value) {
  return typeof value === "number" && Number.isFinite(value);
}

/** Return a scale for a column's values: numbers, logarithmic where they are far apart, or names. */
export function scaleOf(values) {
  const present = values.filter((value) => value !== undefined && value !== null);
  const numbers = present.filter(isNumber);
  if (numbers.length && numbers.length === present.filter((value) => value !== "nan").length) {
    return numberScale(numbers);
  }
  return nameScale(present.map(shown));
}

function numberScale(numbers) {
  let low = Infinity;
  let high = -Infinity;
  for (const number of numbers) {
    low = Math.min(low, number);
    high = Math.max(high, number);
  }
  const log = low > 0 && high / low >= 50 && spreadsOut(numbers, low, high);
  const flat = low === high;
  const warp = log ? Math.log10 : (value) => value;
  const [from, to] = [warp(low), warp(high)];
  const place = (value) => {
    if (!isNumber(value) || (log && value <= 0)) return null;
    return flat ? 0.5 : (warp(value) - from) / (to - from);
  };
  const unplace = (share) => (log ? 10 ** (from + share * (to - from)) : from + share * (to - from));
  const few = [...new Set(numbers)].sort((left, right) => left - right);
  const marks = few.length <= 8 ? few.map((value) => ({ text: shortNumber(value, 4), at: place(value) })) : ticks(low, high, log);
  return { kind: "number", log, low, high, place, unplace, ticks: marks };
}

/** Return whether the smaller half of the numbers takes less than a sixth of a linear axis. */
function spreadsOut(numbers, low, high) {
  const sorted = [...numbers].sort((left, right) => left - right);
  return sorted[sorted.length >> 1] < low + (high - low) / 6;
}

function nameScale(texts) {
  const names = [...new Set(texts)].sort(compareTexts);
  const places = new Map(names.map((name, nth) => [name, (nth + 0.5) / names.length]));
  const place = (value) => (value === undefined || value === null ? null : (places.get(shown(value)) ?? null));
  return { kind: "name", names, place, ticks: names.map((name) => ({ text: name, at: places.get(name) })) };
}

function ticks(low, high, log) {
  if (low === high) return [{ text: shortNumber(low, 3), at: 0.5 }];
  const values = log ? powers(low, high) : even(low, high, 5);
  const warp = log ? Math.log10 : (value) => value;
  const [from, to] = [warp(low), warp(high)];
  return values.map((value) => ({ text: shortNumber(value, 3), at: (warp(value) - from) / (to - from) }));
}

function powers(low, high) {
  const marks = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power += 1) {
    marks.push(10 ** power);
  }
  return marks.length > 1 ? marks : [low, high];
}

/** Return round numbers between two, about `wanted` of them. */
export function even(low, high, wanted) {
  const rough = (high - low) / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5].map((part) => part * power).find((part) => part >= rough) ?? 10 * power;
  const marks = [];
  for (let nth = Math.ceil(low / step - 1e-9); nth * step <= high + step * 1e-9; nth += 1) {
    marks.push(Number((nth * step).toPrecision(12)));
  }
  return marks;
}
