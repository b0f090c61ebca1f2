// Colours that colour-blind people tell apart, too: after Okabe and Ito, and viridis.

const DISTINCT = {
  light: ["#0072b2", "#d55e00", "#009e73", "#c05a98", "#a87900", "#3a9bd9", "#7a4fb5", "#5f6b7a"],
  dark: ["#56b4e9", "#f28e52", "#2fc79a", "#e79cc6", "#e6b43a", "#9fd3f5", "#b79af0", "#a8b3c2"],
};
const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141],
  [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];
// The yellow end can't be seen on white, nor the violet end on black.
const REACH = { light: [0, 0.86], dark: [0.24, 1] };

/** Return the theme of the page: the one chosen, else the system's. */
export function themeOf(choice) {
  if (choice === "light" || choice === "dark") return choice;
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

const INKS = ["text", "soft", "line", "grid", "card", "accent", "muted"];

/** Return the colours that the style sheet gives to lines and text in the current theme. */
export function inks() {
  const probe = document.body.appendChild(document.createElement("i"));
  const ink = (name) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colours = Object.fromEntries(INKS.map((name) => [name, ink(name)]));
  probe.remove();
  return colours;
}

export function distinct(theme, nth) {
  return DISTINCT[theme][nth % DISTINCT[theme].length];
}

export const DISTINCT_COUNT = DISTINCT.light.length;

/** Return the colour of a share between 0 and 1. */
export function sequential(theme, share) {
  const [from, to] = REACH[theme];
  const place = (from + (to - from) * Math.min(Math.max(share, 0), 1)) * (VIRIDIS.length - 1);
  const low = Math.min(Math.floor(place), VIRIDIS.length - 2);
  const mixed = VIRIDIS[low].map((part, at) => {
    return Math.round(part + (VIRIDIS[low + 1][at] - part) * (place - low));
  });
  return `rgb(${mixed.join(",")})`;
}

/** Return whether dark text is easier to read on a colour than light text. */
export function wantsDarkText(colour) {
  const [red, green, blue] = colour.match(/\d+/g).map(Number);
  return 0.299 * red + 0.587 * green + 0.114 * blue > 140;
}
