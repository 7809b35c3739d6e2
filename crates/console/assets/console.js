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

let heard = 0;          // when the stream last said anything
let shown = Date.now(); // when the region was last brought
let offset = 0;         // the station's clock minus ours
let wanted = true;      // the region is older than the record
let fetching = false;
let name = "";

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

async function refresh() {
  if (fetching || !wanted) return;
  fetching = true;
  wanted = false;
  try {
    const answer = await fetch(region.dataset.from, { signal: AbortSignal.timeout(5000) });
    if (answer.status === 401) { location.assign("/login"); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    replace(await answer.text());
    shown = Date.now();
    offset = Number(head().dataset.now) - shown;
    name = head().dataset.title;
    const words = unowned() ? `${unowned()} unowned` : "nothing unowned";
    if (spoken.textContent !== words) spoken.textContent = words;
  } catch {
    wanted = true;
  } finally {
    fetching = false;
  }
  draw();
}

// Reads the stream by hand: EventSource gives up for good on one bad answer, and hides how long it has been silent.
async function follow() {
  const stop = new AbortController();
  const watchdog = setInterval(() => { if (Date.now() - heard > SILENCE_MS * 2) stop.abort(); }, 1000);
  try {
    heard = Math.max(heard, Date.now() - SILENCE_MS);
    const answer = await fetch("/api/v1/stream", { headers: { accept: "text/event-stream" }, signal: stop.signal });
    if (answer.status === 401) { location.assign("/login"); return; }
    if (!answer.ok) throw new Error(String(answer.status));
    wanted = true;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      for (const event of events) {
        heard = Date.now();
        if (!/^event: beat$/m.test(event)) wanted = true;
      }
      refresh();
    }
  } catch {
    // The banner says it; the next try comes in two seconds.
  } finally {
    clearInterval(watchdog);
    setTimeout(follow, RETRY_MS);
  }
}

function draw() {
  const now = Date.now();
  for (const e of region.querySelectorAll("[data-since]")) e.textContent = span(now + offset - Number(e.dataset.since));
  for (const e of region.querySelectorAll("[data-until]")) e.textContent = span(Number(e.dataset.until) - now - offset);
  const silent = now - heard;
  const old = wanted && now - shown > SILENCE_MS * 2;
  const dead = silent > SILENCE_MS || old;
  if (stale.hidden === dead) stale.hidden = !dead;
  if (dead) since.textContent = `showing what was ${Math.round((now - shown) / 1000)} s ago.`;
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
  if (was) await audio.suspend(); else { await audio.resume(); ring(2); }
  label();
});
function label() {
  sound.textContent = armed() ? "\u266a SOUND ARMED" : "SOUND OFF - press to arm";
  sound.setAttribute("aria-pressed", String(armed()));
}

setInterval(draw, 500);
setInterval(() => { label(); if (!stale.hidden) ring(1); else if (unowned()) ring(4); }, 3000);
setInterval(() => { wanted = true; refresh(); }, POLL_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) { wanted = true; refresh(); draw(); } });
heard = Date.now();
name = head()?.dataset.title ?? "";
offset = Number(head()?.dataset.now ?? Date.now()) - Date.now();
follow();
