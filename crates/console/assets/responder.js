// Says that a hand pressed, and says so loudly when an answer could not be sent. Without it the page still works.
const form = document.getElementById("answer");
const said = document.getElementById("said");
const say = (words) => {
  said.textContent = words;
  said.hidden = false;
  said.scrollIntoView({ block: "nearest" });
};
if (form) {
  const hand = form.elements.namedItem("hand");
  addEventListener("pointerdown", (event) => { if (event.isTrusted) hand.value = "pointer"; }, true);
  addEventListener("keydown", (event) => { if (event.isTrusted) hand.value = "key"; }, true);
  addEventListener("touchstart", (event) => { if (event.isTrusted) hand.value = "pointer"; }, { capture: true, passive: true });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    if (event.submitter) body.set(event.submitter.name, event.submitter.value);
    const buttons = [...form.querySelectorAll("button")];
    buttons.forEach((button) => { button.disabled = true; });
    say("Sending. Nothing has been acknowledged yet.");
    try {
      const answer = await fetch(location.pathname, { method: "POST", body, signal: AbortSignal.timeout(15000) });
      if (answer.status >= 500 || answer.status === 429) throw new Error("not taken");
      location.replace(location.pathname + (answer.redirected ? new URL(answer.url).search : "?again"));
    } catch {
      say("NOT SENT - reply by text, or press again.");
      buttons.forEach((button) => { button.disabled = false; });
    }
  });
}
