// Keeps a server-rendered region fresh as the record moves, and says loudly when it cannot.
const SILENCE_MS = 3000;
const RETRY_MS = 2000;
const POLL_MS = 15000;
const region = document.getElementById("region");
const stale = document.getElementById("stale");
const since = document.getElementById("stale-since");
const live = document.getElementById("live");
const spoken = document.getElementById("spoken");
const sound = document.getElementById("sound");
const policy = globalThis.trustedTypes?.createPolicy("fragments", { createHTML: (html) => html }) ?? { createHTML: (html) => html };

let heard = null;       // when the stream last said anything
let shown = Date.now(); // when the region was last brought
let offset = 0;         // the station's clock minus ours
let wanted = true;      // the region is older than the record
let owed = null;        // since when it is, and has not been brought
let fetching = false;
let name = "";
let following = false;  // the stream is open
let loggedOut = false;  // the station knows this page's key no more

// How long ago something was, by the clock that is further on: one that is set back, or that stands while a machine sleeps, makes nothing
// younger than it is.
const stamp = () => ({ wall: Date.now(), steady: performance.now() });
const never = { wall: -Infinity, steady: -Infinity };
const age = (at) => Math.max(Date.now() - at.wall, performance.now() - at.steady);

const head = () => region.querySelector("[data-now]");
const unowned = () => Number(head()?.dataset.unowned ?? 0);
const two = (n) => String(n).padStart(2, "0");
const span = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  const h = Math.floor(s / 3600);
  if (h >= 24) return `${Math.floor(h / 24)} d ${h % 24} h`;
  return (h ? `${h}:${two(Math.floor(s / 60) % 60)}` : two(Math.floor(s / 60))) + `:${two(s % 60)}`;
};

// Replaces the region, but keeps open what is open, what is typed, and where the focus is.
function replace(html) {
  const fresh = new DOMParser().parseFromString(policy.createHTML(html), "text/html");
  const focus = document.activeElement;
  const inside = region.contains(focus);
  const named = inside && (focus.id || focus.closest("form")?.getAttribute("action"));
  for (const details of region.querySelectorAll("details[open][id]")) {
    const next = fresh.getElementById(details.id);
    if (!next) continue;
    next.open = true;
    const typed = [...details.querySelectorAll("input:not([type=hidden]), textarea, select")];
    if (details.contains(focus) || typed.some((field) => field.value !== field.defaultValue && field.value !== "")) {
      next.replaceWith(document.adoptNode(details));
    }
  }
  region.replaceChildren(...fresh.body.childNodes);
  if (!inside) return;
  if (region.contains(focus)) focus.focus({ preventScroll: true });
  else if (named) (document.getElementById(named) ?? region.querySelector(`form[action="${CSS.escape(named)}"] button`))?.focus({ preventScroll: true });
}

function want() {
  wanted = true;
  owed ??= stamp();
}

async function refresh() {
  if (fetching || !wanted) return;
  fetching = true;
  wanted = false;
  try {
    const answer = await fetch(region.dataset.from, { signal: AbortSignal.timeout(5000) });
    if (answer.status === 401) { leaveForLogin(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    logIn();
    replace(await answer.text());
    shown = Date.now();
    // What came while it was under way is not in it.
    owed = wanted ? stamp() : null;
    offset = Number(head().dataset.now) - shown;
    name = head().dataset.title;
    const words = unowned() ? `${unowned()} unowned` : "nothing unowned";
    if (spoken.textContent !== words) spoken.textContent = words;
  } catch {
    want();
  } finally {
    fetching = false;
  }
  draw();
}

// To the log-in, unless somebody sat at this desk: a page that nobody looks at must not fall silent, so it stays, says so and sounds.
function leaveForLogin() {
  if (!loggedOut && !seats.some(sits)) { location.assign("/login"); return; }
  loggedOut = true;
  for (const seat of seats) {
    stand(seat);
    seat.why = "You are logged out: log in, and start the shift again.";
  }
  draw();
  showSeats();
}

function logIn() {
  if (!loggedOut) return;
  loggedOut = false;
  for (const seat of seats) seat.why = "";
}

// A drill calls for nobody, and of a button on test its tester is asked first.
function isCall(event) {
  if (!/^event: activation\.raised$/m.test(event)) return false;
  try {
    const raised = JSON.parse(/^data: (.*)$/m.exec(event)[1]);
    return !raised.drill_until && !raised.tester;
  } catch { return true; }
}

// Reads the stream by hand: EventSource gives up for good on one bad answer, and hides how long it has been silent.
async function follow() {
  const stop = new AbortController();
  const opened = stamp();
  let spoke = false;
  const watchdog = setInterval(() => { if (Math.min(age(heard), age(opened)) > SILENCE_MS * 2) stop.abort(); }, 1000);
  try {
    const answer = await fetch("/api/v1/stream", { headers: { accept: "text/event-stream" }, signal: stop.signal });
    if (answer.status === 401) { leaveForLogin(); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    logIn();
    want();
    following = true;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        heard = stamp();
        spoke = true;
        // A new call is heard at once while somebody is at the desk, on the queue and on the page of a call.
        if (isCall(event) && seats.some(isArmed)) ring(6);
        if (!/^event: beat$/m.test(event)) want();
      }
      keepSeats();
      refresh();
    }
  } catch {
    // The banner says it; the next try comes in two seconds.
  } finally {
    clearInterval(watchdog);
    following = false;
    showSeats();
    // A stream that was there is asked for again at once and without a timer, which a browser slows in a page that nobody looks at.
    if (spoke && age(opened) > RETRY_MS) queueMicrotask(follow); else setTimeout(follow, RETRY_MS);
  }
}

// The region is older than the record, and could not be brought for a while, whether that fails or hangs.
const isOld = () => owed !== null && age(owed) > SILENCE_MS * 2;
function draw() {
  const now = Date.now();
  for (const e of region.querySelectorAll("[data-since]")) e.textContent = span(now + offset - Number(e.dataset.since));
  for (const e of region.querySelectorAll("[data-until]")) e.textContent = span(Number(e.dataset.until) - now - offset);
  const silent = age(heard);
  const dead = silent > SILENCE_MS || isOld() || loggedOut;
  if (stale.hidden === dead) stale.hidden = !dead;
  if (loggedOut) since.textContent = "you are logged out. Log in again on another page, or load this one.";
  else if (dead) since.textContent = `showing what was ${Math.round((now - shown) / 1000)} s ago.`;
  live.hidden = false;
  live.textContent = dead ? "\u25a0 NOT LIVE" : "\u25cf LIVE";
  document.title = `${dead ? "NOT LIVE - " : ""}${unowned() ? `(${unowned()}) ` : ""}${name || document.title}`;
}

// Sound: only after a click has armed it, as browsers want it, and it always says whether it is.
let audio = null;
const armed = () => audio?.state === "running";
function ring(times) {
  if (!armed()) return;
  for (let i = 0; i < times; i += 1) {
    const at = audio.currentTime + i * 0.3;
    const tone = audio.createOscillator();
    const level = audio.createGain();
    tone.frequency.value = i % 2 ? 660 : 880;
    level.gain.setValueAtTime(0.25, at);
    level.gain.setValueAtTime(0, at + 0.22);
    tone.connect(level).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.25);
  }
}
sound.hidden = false;
sound.addEventListener("click", async () => {
  // A context that a click makes may run at once: what counts is what it was before.
  const was = armed();
  audio ??= new AudioContext();
  sessionStorage.setItem("sound", was ? "off" : "on");
  if (was) await audio.suspend(); else { await audio.resume(); ring(2); }
  label();
});
function label() {
  sound.textContent = armed() ? "\u266a SOUND ARMED" : "SOUND OFF - press to arm";
  sound.setAttribute("aria-pressed", String(armed()));
}

// The desk: armed by a click, kept by a word to the server every few seconds while the stream runs, and shown as armed no longer than
// the last word that the server took holds. What is not known to be armed is shown as not armed.
const WORD_EVERY_MS = 5000;
const WORD_HOLDS_MS = 15000;
// Ours: whoever could say nothing for so long may have gone home. A machine that wakes at night by itself arms nothing.
const GONE_MS = 120000;
const kept = (key, make) => { const known = sessionStorage.getItem(key) ?? make(); sessionStorage.setItem(key, known); return known; };
const unguessed = () => [...crypto.getRandomValues(new Uint8Array(8))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const me = kept("console", unguessed);
const seats = [...document.querySelectorAll("[data-desk]")].map((place) => ({
  place,
  path: `/api/v1/desks/${encodeURIComponent(place.dataset.desk)}`,
  intent: `desk ${place.dataset.desk}`,
  tried: never,  // when the last word was tried
  taken: never,  // when the last word that the server took was sent; never, if a later one was not taken
  good: stamp(),  // when somebody clicked, or the server last took a word
  saying: null,
  why: "",
}));
// Somebody sits here by their click in this session alone, and while words are taken: a browser that restores its pages, or somebody who logs
// in on one that was left, arms nothing. In storage is when the last word was taken, and of which session.
const session = document.querySelector('form[action="/logout"] [name=csrf]')?.value ?? "";
const sit = (seat) => sessionStorage.setItem(seat.intent, JSON.stringify({ session, at: Date.now() }));
const stand = (seat) => sessionStorage.removeItem(seat.intent);
const sits = (seat) => sessionStorage.getItem(seat.intent) !== null;
const isLive = () => following && age(heard) <= SILENCE_MS && !isOld();
const isArmed = (seat) => sits(seat) && isLive() && age(seat.taken) < WORD_HOLDS_MS;
for (const seat of seats) {
  try {
    const was = JSON.parse(sessionStorage.getItem(seat.intent));
    const since = Date.now() - was.at;
    if (was.session !== session || since < 0 || since >= WORD_HOLDS_MS) stand(seat);
  } catch { stand(seat); }
}
// Two pages of one browser are one person: who ends the shift on one ends it on both, each for the console that it is.
const others = new BroadcastChannel("desk");
others.onmessage = ({ data }) => {
  for (const seat of seats) if (seat.intent === data && sits(seat)) { stand(seat); speak(seat, "DELETE"); }
  showSeats();
};
for (const out of document.querySelectorAll('form[action="/logout"]')) {
  out.addEventListener("submit", () => {
    for (const seat of seats.filter(sits)) {
      stand(seat);
      others.postMessage(seat.intent);
      // While the key still counts, and the page goes away: where it comes too late the desk is unarmed once the last word has lapsed.
      fetch(`${seat.path}?console=${me}`, { method: "DELETE", keepalive: true }).catch(() => {});
    }
  });
}

async function say(seat, method) {
  const sent = stamp();
  seat.tried = sent;
  const query = method === "DELETE" ? `?console=${me}` : "";
  const body = method === "POST" ? { headers: { "content-type": "application/json" }, body: JSON.stringify({ console: me }) } : {};
  try {
    const answer = await fetch(seat.path + query, { method, signal: AbortSignal.timeout(4000), ...body });
    if (answer.status === 401) { leaveForLogin(); return; }
    const taken = answer.ok && method === "POST" && sits(seat);
    seat.taken = taken ? sent : never;
    if (taken) { sit(seat); seat.good = sent; }
    seat.why = answer.ok ? "" : (await answer.json()).detail ?? String(answer.status);
  } catch {
    seat.taken = never;
    seat.why = "The server did not take it.";
  }
  showSeats();
}
// One after the other, so that the word that somebody leaves is never overtaken by an earlier one that they are there.
const speak = (seat, method) => { seat.saying = Promise.resolve(seat.saying).then(() => say(seat, method)); return seat.saying; };

// By the beats of the stream and not by a timer: browsers slow the timers of a page that nobody looks at, and who hears no call is not there.
function keepSeats() {
  for (const seat of seats.filter(sits)) {
    if (age(seat.good) >= GONE_MS) {
      stand(seat);
      seat.why = "Nothing could be said from here for two minutes. Start the shift again.";
      ring(6);
    } else if (!isOld() && age(seat.tried) >= WORD_EVERY_MS) speak(seat, "POST");
  }
  showSeats();
}
function showSeats() {
  for (const seat of seats) {
    const [state, start, leave, why] = ["seat", "sit", "leave", "why"].map((part) => seat.place.querySelector(`.${part}`));
    const is = isArmed(seat);
    const words = is ? (armed() ? "\u25cf ARMED" : "\u25cf ARMED, SOUND OFF") : "\u25a0 NOT ARMED";
    if (state.textContent !== words) state.textContent = words;
    state.classList.toggle("armed", is);
    start.hidden = sits(seat);
    leave.hidden = !sits(seat);
    if (why.textContent !== seat.why) why.textContent = seat.why;
  }
}
// A browser without sound, or one that refuses it, arms the desk all the same, and says SOUND OFF.
function wake(tones) {
  try {
    audio ??= new AudioContext();
    audio.resume().then(() => { ring(tones); label(); showSeats(); }, () => label());
  } catch { label(); }
}
// Every page after the first needs a context of its own. A browser lets it sound where somebody has clicked before, or where its policy
// allows it; otherwise the first touch of this page does.
function keepSound() {
  if (!armed() && seats.some(sits) && sessionStorage.getItem("sound") !== "off") wake(0);
}
for (const touch of ["pointerdown", "keydown"]) document.addEventListener(touch, keepSound, { capture: true });
for (const seat of seats) {
  seat.place.querySelector(".sit").addEventListener("click", async () => {
    sit(seat);
    seat.good = stamp();
    seat.why = "";
    sessionStorage.setItem("sound", "on");
    wake(2);
    if (isLive()) await speak(seat, "POST");
    want();
    refresh();
  });
  seat.place.querySelector(".leave").addEventListener("click", async () => {
    stand(seat);
    others.postMessage(seat.intent);
    showSeats();
    await speak(seat, "DELETE");
    want();
    refresh();
  });
}
keepSound();
showSeats();

setInterval(() => { draw(); showSeats(); }, 500);
setInterval(() => { label(); if (!stale.hidden) ring(1); else if (unowned()) ring(4); }, 3000);
setInterval(() => { want(); refresh(); }, POLL_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { want(); refresh(); draw(); } });
heard = stamp();
name = head()?.dataset.title ?? "";
offset = Number(head()?.dataset.now ?? Date.now()) - Date.now();
follow();
