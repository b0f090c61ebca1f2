// What a person has chosen. It lives in the address, so that a link to a view can be sent.

const PLAIN = new Set(["sort", "filter", "metric", "x", "group", "colour", "run", "theme"]);

/** Write what differs from the usual view behind the # of an address. */
export function toHash(view, usual) {
  const chosen = Object.entries(view).filter(([name, value]) => {
    return JSON.stringify(value) !== JSON.stringify(usual[name]);
  });
  const words = chosen.map(([name, value]) => {
    const text = PLAIN.has(name) ? value : JSON.stringify(value);
    return `${name}=${encodeURIComponent(text)}`;
  });
  return words.join("&");
}

/** Read a view from an address; what can't be read is as usual. */
export function fromHash(hash, usual) {
  const view = { ...usual };
  for (const word of hash.replace(/^#/, "").split("&")) {
    const at = word.indexOf("=");
    const name = word.slice(0, at);
    if (at < 0 || !Object.hasOwn(usual, name)) continue;
    try {
      const text = decodeURIComponent(word.slice(at + 1));
      const value = PLAIN.has(name) ? text : JSON.parse(text);
      if (isLike(value, usual[name])) view[name] = value;
    } catch {
      // A link that was cut on its way: the rest of it still holds.
    }
  }
  return view;
}

function isLike(value, usual) {
  if (usual === null) return value === null || Array.isArray(value);
  return typeof value === typeof usual && Array.isArray(value) === Array.isArray(usual) && value !== null;
}

/** Hold the view; tell whoever listens, once a frame, what has changed. */
export function makeStore(usual, hash) {
  const listeners = [];
  let changed = new Set();
  const store = {
    usual,
    view: fromHash(hash, usual),
    hovered: new Set(),
    set(patch) {
      store.view = { ...store.view, ...patch };
      Object.keys(patch).forEach(store.touch);
    },
    /** Point at runs, here and everywhere. */
    hover(runs) {
      const same = runs.length === store.hovered.size && runs.every((run) => store.hovered.has(run));
      if (same) return;
      store.hovered = new Set(runs);
      store.touch("hover");
    },
    touch(what) {
      if (!changed.size) requestAnimationFrame(tell);
      changed.add(what);
    },
    listen(listener) {
      listeners.push(listener);
    },
  };
  function tell() {
    const now = changed;
    changed = new Set();
    for (const listener of listeners) listener(now);
  }
  return store;
}
