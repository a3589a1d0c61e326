// The live page: it follows topic `changes` and shows each change once, newest
// first. What comes from the hub is only ever written as text.

const LIMIT = 500; // changes shown; a guess at what a person scrolls through
const COME_BACK = 5000; // ms, where the browser has given the connection up
const KINDS = ["created", "modified", "deleted", "moved"];
const STATES = { connecting: "Connecting…", live: "Live", reconnecting: "Reconnecting…" };
const MISSED = {
  expired: "You were away for longer than the hub remembers: older changes may be missing here.",
  epoch: "The hub was restarted: changes made meanwhile may be missing here.",
  future: "The hub went back to an earlier history: some changes may be missing here.",
};

const page = document.documentElement;
export const element = (id) => document.getElementById(id);
const list = element("changes");
const filter = element("filter");
const shown = new Map(); // identity of a change → its <li>, oldest first: a replay may overlap
let lastEventID = "";
let opened; // the change that was opened by itself
let unread = 0; // changes that came while nobody looked

function connect() {
  const query = new URLSearchParams({ topic: "changes", last: 50 });
  if (lastEventID) query.set("last_event_id", lastEventID);
  const source = new EventSource(`/events?${query}`);
  source.addEventListener("open", () => setState("live"));
  source.addEventListener("error", () => {
    setState("reconnecting");
    // An answer other than a stream, such as a proxy's 502, ends an EventSource for good.
    if (source.readyState === EventSource.CLOSED) setTimeout(connect, COME_BACK);
  });
  source.addEventListener("reset", ({ data, lastEventId }) => {
    lastEventID = lastEventId;
    if (shown.size > 0) notify(MISSED[parse(data)?.reason]);
  });
  for (const kind of KINDS) {
    source.addEventListener(kind, ({ data, lastEventId }) => {
      lastEventID = lastEventId;
      const change = parse(data);
      if (change?.change_id && change.path && !shown.has(identity(change))) add(change);
    });
  }
}

// Anybody may publish: what is not a change is passed over.
function parse(data) {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

// A database that was restored from an older copy gives ids again, at other times.
const identity = (change) => [change.database_id, change.change_id, change.observe_time].join("/");

function setState(state) {
  if (page.dataset.state === state) return; // said once
  page.dataset.state = state;
  element("status").textContent = STATES[state];
}

export function notify(text) {
  if (!text) return;
  element("notice").hidden = false;
  element("notice").querySelector("p").textContent = text;
}

function add(change) {
  const item = element("change").content.cloneNode(true).firstElementChild;
  fill(item, change);
  list.prepend(item);
  shown.set(identity(change), item);
  if (shown.size > LIMIT) {
    const [oldest, gone] = shown.entries().next().value;
    shown.delete(oldest);
    gone.remove();
  }
  apply(item);
  count();
  openNewest(item.querySelector("details"));
  if (document.hidden) document.title = `(${++unread}) Obby`;
}

function fill(item, change) {
  const { directory, name } = split(change.path, change.root);
  const part = (of) => item.querySelector(of);
  const details = part("details");
  item.dataset.path = `${directory}${name}\n${change.old_path ?? ""}`.toLowerCase();
  item.dataset.kind = KINDS.includes(change.change_type) ? change.change_type : "modified";
  part(".kind").textContent = change.change_type;
  part(".directory").textContent = directory;
  part(".name").textContent = name;
  part(".path").title = change.raw_path ? `${change.path} (the name is not valid UTF-8)` : change.path;
  if (change.old_path) {
    const old = split(change.old_path, change.root);
    part(".from").textContent = `from ${old.directory}${old.name}`;
  }
  if (change.lines_added) part(".added").textContent = `+${change.lines_added}`;
  if (change.lines_removed) part(".removed").textContent = `−${change.lines_removed}`;
  showTime(part("time"), new Date(change.observe_time));
  // Only what is opened is built: 500 diffs would be too much for a page.
  details.addEventListener("toggle", () => details.open && showDiff(item, change));
  part("summary").addEventListener("click", () => (details.dataset.touched = "yes"));
}

// split cuts a path, relative to its root, in front of the file's name.
export function split(path, root) {
  const relative = root && path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
  const at = relative.lastIndexOf("/") + 1;
  return { directory: relative.slice(0, at), name: relative.slice(at) };
}

function showTime(time, at) {
  if (Number.isNaN(at.valueOf())) return;
  const today = at.toDateString() === new Date().toDateString();
  time.dateTime = at.toISOString();
  time.title = at.toLocaleString();
  time.textContent = today
    ? at.toLocaleTimeString()
    : at.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
}

// showDiff builds the lines of a unified diff. Its first two lines name the files,
// which is said already; where lines are left out between two hunks, a mark says so.
function showDiff(item, { diff, truncated }) {
  const box = item.querySelector(".diff");
  const note = item.querySelector(".note");
  if (box.hasChildNodes() || !note.hidden) return;
  let before;
  let after;
  for (const text of (diff ?? "").replace(/\n$/, "").split("\n")) {
    const hunk = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/.exec(text);
    if (hunk) {
      [before, after] = [Number(hunk[1]), Number(hunk[2])];
      if (box.hasChildNodes()) box.append(line("@", "", "⋯"));
    } else if (before !== undefined) {
      box.append(line(text[0], number(text[0]), text.slice(1)));
    }
  }
  box.hidden = !box.hasChildNodes();
  note.hidden = !box.hidden && !truncated;
  note.textContent = truncated ? "The difference is longer than what is shown." : "No line of text has changed.";

  // "\ No newline at end of file" has no number.
  function number(sign) {
    if (sign === "-") return before++;
    if (sign === "+") return after++;
    return sign === " " ? (before++, after++) : "";
  }
}

function line(sign, number, text) {
  const row = element("line").content.cloneNode(true).firstElementChild;
  row.dataset.sign = sign;
  row.querySelector(".number").textContent = number;
  row.querySelector(".sign").textContent = { "+": "+", "-": "−" }[sign] ?? "";
  row.querySelector("code").textContent = text;
  return row;
}

// openNewest opens a change that came, and closes the one before unless its
// reader has touched it or is in it.
function openNewest(details) {
  if (opened && !opened.dataset.touched && !opened.matches(":hover, :focus-within")) opened.open = false;
  details.open = true;
  opened = details;
}

function apply(item) {
  item.hidden = !item.dataset.path.includes(filter.value.trim().toLowerCase());
}

function count() {
  const visible = list.querySelectorAll(":scope > :not([hidden])").length;
  const total = shown.size;
  page.dataset.list = total === 0 ? "empty" : visible === 0 ? "filtered" : "filled";
  element("count").textContent = visible === total ? total || "" : `${visible} of ${total}`;
}

function clearOrSearch(event) {
  if (event.key === "/" && !event.ctrlKey && !event.metaKey && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "Escape" && filter.value) {
    filter.value = "";
    refilter();
  }
}

function refilter() {
  for (const item of shown.values()) apply(item);
  count();
}

filter.addEventListener("input", refilter);
document.addEventListener("keydown", clearOrSearch);
element("notice").querySelector("button").addEventListener("click", () => (element("notice").hidden = true));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  document.title = "Obby";
});
connect();
