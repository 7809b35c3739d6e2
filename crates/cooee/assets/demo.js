// The demo's page. Words come in as text nodes only, never as markup.

const WORLD_MS = 1000;
const CLOCK_MS = 200;

const $ = (id) => document.getElementById(id);

/** A node with attributes and children; `text` and strings become text nodes. */
function node(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.append(value);
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, cache: "no-store" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function tell(path, body) {
  const answer = await fetch(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  say(answer.ok ? "" : await answer.text());
  await turn();
}

const say = (words) => { $("said").textContent = words; };
/** The site's zone, so that the page and the texts show the same time. */
let zone;
const time = (at) => new Date(at).toLocaleTimeString("en-AU", { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false, timeZone: zone });

/** Replaces children only where what they show has changed, so that nothing jumps while it is read. */
const shown = new WeakMap();
function show(parent, what, build) {
  const key = JSON.stringify(what);
  if (shown.get(parent) === key) return false;
  shown.set(parent, key);
  parent.replaceChildren(...build());
  return true;
}

// --- The ladder: the only place that knows the API's JSON -------------------------------------------------------

/** What the page shows of `GET /api/v1/activations/{id}`. */
function alarmOf(json) {
  const rungs = (json.ladder ?? []).map((rung) => ({
    number: rung.number,
    wait: rung.wait_s,
    entered: rung.entered_at,
    until: rung.until,
    now: Boolean(rung.until) || (rung.number === json.rung && json.state === "climbing"),
    targets: (rung.targets ?? []).map((t) => ({ name: t.name, by: (t.by ?? []).map((s) => s.join(" + ")).join(", then "), passed: t.passed_over })),
  }));
  return {
    id: json.id,
    state: json.state,
    kind: json.kind,
    where: [json.site_name, json.place].filter(Boolean).join(", "),
    raised: json.raised_at,
    presses: json.presses ?? 1,
    cancelAsked: json.cancel_asked,
    nextAt: json.next_at,
    nextWhy: json.next_why,
    going: (json.going ?? []).map((g) => `${g.name} is ${g.commitment}${g.arrive_by ? `, there by ${time(g.arrive_by)}` : ""}`),
    claimed: json.claimed_by,
    closed: json.closed_at ? `${json.disposition ?? "closed"}, by ${json.closed_by ?? "somebody"}, ${time(json.closed_at)}` : null,
    rungs,
    attempts: (json.attempts ?? []).map((a) => ({
      to: a.to, by: a.medium, what: a.purpose, outcome: a.outcome, detail: a.detail, at: a.queued_at, late: a.late_ms ?? 0, twice: a.possible_duplicate,
    })),
    history: (json.history ?? []).map((line) => ({ at: line.at, text: line.text })),
  };
}

/** Open alarms, and the last closed one, so that an ending can be seen. */
async function alarms() {
  const page = await ask("/api/v1/activations");
  const listed = page.activations ?? [];
  const chosen = listed.filter((a) => a.state !== "closed");
  if (chosen.length === 0 && listed.length > 0) chosen.push(listed[0]);
  return Promise.all(chosen.slice(0, 5).map(async (a) => alarmOf(await ask(`/api/v1/activations/${encodeURIComponent(a.id)}`))));
}

const WHY = {
  receipt: "waits for a delivery receipt",
  rung_wait: "then the next rung is told",
  arrival: "then they are asked whether they are still going",
  grace: "then the climb goes on",
  claim_lapse: "then the operator's claim lapses",
  round: "then everyone is told again",
};

function alarmNode(alarm) {
  const now = alarm.rungs.find((rung) => rung.now);
  const next = now?.until ? { at: now.until, why: "rung_wait" } : { at: alarm.nextAt, why: alarm.nextWhy };
  const counting = alarm.state !== "closed" && next.at && WHY[next.why];
  return node("article", { class: "alarm" },
    node("h3", {}, `${alarm.id} `, node("span", { class: "state", "data-state": alarm.state, text: alarm.state })),
    node("p", { class: "quiet", text: `${alarm.kind} · ${alarm.where} · ${time(alarm.raised)}${alarm.presses > 1 ? ` · pressed ×${alarm.presses}` : ""}` }),
    alarm.cancelAsked ? node("p", { class: "late", text: "Someone at the button asked to cancel. That stops nothing: somebody has to look." }) : null,
    ...alarm.going.map((words) => node("p", { class: "going", text: words })),
    alarm.claimed ? node("p", { class: "quiet", text: `Owned by ${alarm.claimed}` }) : null,
    alarm.closed ? node("p", { class: "quiet", text: alarm.closed }) : null,
    counting ? node("p", { class: "next" },
      node("span", { class: "clock", "data-until": next.at, text: "…" }), node("span", { text: WHY[next.why] })) : null,
    counting && now?.until ? node("progress", { max: now.wait, value: 0, "data-until": next.at, "aria-label": "time until the next step" }) : null,
    node("ol", { class: "rungs" }, ...alarm.rungs.map(rungNode)),
    alarm.attempts.length ? node("h4", { class: "sent", text: "What was sent, and what became of it" }) : null,
    alarm.attempts.length ? node("ul", { class: "attempts" }, ...alarm.attempts.map(attemptNode)) : null,
    node("details", { "data-keep": `history-${alarm.id}` }, node("summary", { text: `What the record says (${alarm.history.length})` }),
      node("ol", {}, ...alarm.history.map((line) => node("li", { text: `${time(line.at)}  ${line.text}` })))));
}

function rungNode(rung) {
  const [mark, when] = rung.now ? ["◐", "now"] : rung.entered ? ["●", "past"] : ["○", "later"];
  return node("li", { class: "rung", "data-now": when, "data-mark": mark },
    node("h4", { text: `Rung ${rung.number}${rung.entered ? ` · told ${time(rung.entered)}` : ` · waits ${rung.wait} s`}` }),
    ...rung.targets.map((t) => node("div", { text: `${t.name} by ${t.by || "nothing"}${t.passed ? ` (passed over: ${t.passed})` : ""}` })));
}

function attemptNode(attempt) {
  return node("li", {}, `${time(attempt.at)}  ${attempt.by} to ${attempt.to}: `,
    node("span", { class: "outcome", "data-outcome": attempt.outcome, text: attempt.outcome + (attempt.detail ? ` (${attempt.detail})` : "") }),
    attempt.late >= 1000 ? node("span", { class: "late", text: `, late by ${Math.round(attempt.late / 1000)} s` }) : null,
    attempt.twice ? node("span", { class: "late", text: ", possibly sent twice" }) : null);
}

function tick() {
  for (const clock of document.querySelectorAll("[data-until]")) {
    const left = (Date.parse(clock.dataset.until) - Date.now()) / 1000;
    if (clock.tagName === "PROGRESS") clock.value = Math.max(0, clock.max - left);
    else clock.textContent = left < 0 ? `late ${Math.ceil(-left)} s` : `${Math.floor(left / 60)}:${String(Math.floor(left % 60)).padStart(2, "0")}`;
  }
}

// --- The fakes ------------------------------------------------------------------------------------------------------

const LAMPS = { idle: "○ quiet", sent: "◌ sent", received: "● received", responding: "● someone is coming", closed: "○ closed" };

function wall(world) {
  $("site").textContent = world.connected ? `${world.site}, connected by MQTT` : `${world.site}, not connected: presses wait`;
  show($("wall"), world.buttons, () => world.buttons.map((button) => {
    const gesture = (name) => () => tell("/demo/gesture", { device: button.device, gesture: name });
    return node("div", { class: "button" },
      node("button", { class: "press", type: "button", text: button.place, onclick: gesture("press") }),
      node("span", { class: "lamp", "data-lamp": button.lamp, text: (LAMPS[button.lamp] ?? button.lamp) + (button.activation ? ` · ${button.activation}` : "") }),
      node("span", {},
        node("button", { class: "small", type: "button", text: "cancel", "aria-label": `cancel at ${button.place}`, onclick: gesture("cancel") }),
        node("button", { class: "small", type: "button", text: "battery 5 %", "aria-label": `low battery at ${button.place}`, onclick: gesture("battery") })));
  }));
}

/** The reply codes in the last text that offers any: `Y47`, `H47`, `N47`. */
function codes(thread) {
  const texts = thread.filter((sms) => !sms.inbound).map((sms) => sms.text.match(/\bY(\d{2,4})\b/)?.[1]);
  return texts.filter(Boolean).at(-1);
}

function phone(person) {
  let card = document.querySelector(`[data-number="${CSS.escape(person.number)}"]`);
  if (!card) {
    const words = node("input", { name: "text", "aria-label": `reply from ${person.name}`, placeholder: "Reply…", autocomplete: "off" });
    const send = (event) => { event.preventDefault(); if (words.value.trim()) tell("/demo/reply", { number: person.number, text: words.value }); words.value = ""; };
    card = node("article", { class: "phone", "data-number": person.number },
      node("h3", {}, person.name, node("span", { text: person.number })),
      node("div", { class: "thread", tabindex: "0", role: "log", "aria-label": `messages of ${person.name}` }),
      node("form", { class: "reply", onsubmit: send }, node("span", { class: "quick" }), words, node("button", { class: "small", text: "Send" })));
    $("phones").append(card);
  }
  const thread = card.querySelector(".thread");
  const changed = show(thread, person.thread, () => person.thread.map((sms) => node("div", { class: "sms", "data-inbound": String(sms.inbound) },
    ...linked(sms.text), node("small", { text: sms.inbound ? time(sms.at) : `${time(sms.at)} · ${sms.status}` }))));
  if (changed) thread.scrollTop = thread.scrollHeight;
  const code = codes(person.thread);
  show(card.querySelector(".quick"), code, () => (code ? ["Y", "H", "N"] : []).map((letter) =>
    node("button", { class: "small", type: "button", text: letter + code, onclick: () => tell("/demo/reply", { number: person.number, text: letter + code }) })));
}

/** Text with its web addresses as links. */
function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]+)/).map((part, index) =>
    index % 2 ? node("a", { href: part, target: "_blank", rel: "noopener", text: part }) : part);
}

function mails(world) {
  const open = new Set([...document.querySelectorAll("#mails details[open]")].map((d) => d.dataset.keep));
  show($("mails"), world.mails, () => {
    if (world.mails.length === 0) return [node("p", { class: "empty", text: "Empty. E-mail is the second way to reach people here." })];
    return world.mails.map((mail, index) => ({ ...mail, key: `mail-${index}`, last: index === world.mails.length - 1 })).reverse().map((mail) =>
      node("details", { class: "mail", "data-keep": mail.key, open: mail.last || open.has(mail.key) },
        node("summary", { text: `${mail.subject} → ${mail.to.join(", ")} · ${time(mail.at)}` }), node("pre", {}, ...linked(mail.text))));
  });
}

function hints(world) {
  for (const name of ["provider_down", "no_receipt"]) $(name).checked = world.switches[name];
  show($("kill"), [world.pid, world.restart], () => world.restart
    ? ["Kill it in the middle: ", node("kbd", { text: `kill -9 ${world.pid}` }), " and start it again: ", node("kbd", { text: world.restart }), ". The countdown goes on and says how late it is."]
    : ["Start the demo with ", node("kbd", { text: "--data DIR" }), " and kill it in the middle: the countdown goes on."]);
  const device = world.buttons[0]?.device ?? "button";
  const [host, port] = [world.broker.replace(/:\d+$/, ""), world.broker.match(/\d+$/)?.[0]];
  $("publish").textContent = `mosquitto_pub -h ${host} -p ${port} -q 1 -t cooee/v1/${world.site_id}/${device}/press -n`;
}

// --- Turning --------------------------------------------------------------------------------------------------------

async function turn() {
  try {
    const world = await ask("/demo/world");
    zone = world.timezone;
    wall(world);
    world.phones.forEach(phone);
    mails(world);
    hints(world);
    const open = await alarms();
    const kept = new Set([...document.querySelectorAll("#ladder details[open]")].map((d) => d.dataset.keep));
    show($("ladder"), open, () => open.length ? open.map(alarmNode) : [node("p", { class: "empty", text: "Quiet. Press a button." })]);
    for (const details of document.querySelectorAll("#ladder details")) details.open ||= kept.has(details.dataset.keep);
    $("stale").hidden = true;
  } catch {
    $("stale").hidden = false;
  }
  tick();
}

for (const name of ["provider_down", "no_receipt"]) {
  $(name).addEventListener("change", (event) => tell("/demo/switch", { switch: name, on: event.target.checked }));
}
setInterval(tick, CLOCK_MS);
for (;;) {
  await turn();
  await new Promise((done) => setTimeout(done, WORLD_MS));
}
