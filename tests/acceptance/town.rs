//! A small town: two customers, their sites and people, and the parts around one daemon.

use harness::{Broker, Button, Daemon, Gateway};
use serde_json::Value;

/// The phone of J. Smith, who has a mailbox too.
pub(crate) const SMITH: &str = "+61491570006";
/// The mailbox of J. Smith.
pub(crate) const SMITH_MAIL: &str = "j.smith@example.org";
/// The phone of P. Nair.
pub(crate) const NAIR: &str = "+61491570156";
/// The phone of S. Lee, whom the other customer asks.
pub(crate) const LEE: &str = "+61491570158";

/// One rung with J. Smith by SMS, else e-mail, that waits far longer than any test.
pub(crate) const SMITH_FIRST: &str = r#"
[[ladder.rung]]
notify = [{ person = "j-smith", by = ["sms", "email"] }]
wait = "50m"
"#;

/// And then P. Nair.
pub(crate) const NAIR_NEXT: &str = r#"
[[ladder.rung]]
notify = [{ person = "p-nair", by = ["sms"] }]
wait = "50m"
"#;

const PLACES: &str = r#"
[defaults]
timezone = "Australia/Perth"

[[customer]]
id = "kalamunda"
name = "City of Kalamunda"
prefix = "KAL"
ladder = "counters"

[[customer]]
id = "swan"
name = "City of Swan"
prefix = "SWN"
ladder = "others"

[[centre]]
id = "westside"
name = "Westside Centre"
webhook = "westside"

[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "+61 491 570 006"
email = "j.smith@example.org"

[[person]]
id = "p-nair"
name = "P. Nair"
mobile = "+61 491 570 156"

[[person]]
id = "s-lee"
name = "S. Lee"
mobile = "+61 491 570 158"

[[site]]
id = "kalamunda-library"
customer = "kalamunda"
name = "Kalamunda Library"
address = "7 Example Road"
suburb = "Kalamunda"
state = "WA"
cross_street = "Sample Street"
rendezvous = "Car park, under the lights"

[[device]]
id = "front-counter-1"
site = "kalamunda-library"
place = "Front counter 1"
mounting = "fixed"

[[device]]
id = "back-office"
site = "kalamunda-library"
place = "Back office"
mounting = "fixed"

[[site]]
id = "swan-hub"
customer = "swan"
name = "Swan Hub"
address = "20 Example Way"
suburb = "Midland"
state = "WA"
cross_street = "Model Drive"

[[device]]
id = "reception"
site = "swan-hub"
place = "Reception"
mounting = "fixed"

[[ladder]]
id = "others"

[[ladder.rung]]
notify = [{ person = "s-lee", by = ["sms"] }]
wait = "50m"

[fallback]
customer = "kalamunda"
ladder = "counters"
"#;

/// The town's directory, with these rungs where a press at Kalamunda Library leads.
pub(crate) fn directory(rungs: &str) -> String {
    format!("{PLACES}\n[[ladder]]\nid = \"counters\"\n{rungs}")
}

/// The same with `count` more buttons `b-0`, `b-1`, ... at Kalamunda Library.
pub(crate) fn directory_of(count: usize, rungs: &str) -> String {
    let button =
        |n: usize| format!("[[device]]\nid = \"b-{n}\"\nsite = \"kalamunda-library\"\nplace = \"Desk {n}\"\nmounting = \"fixed\"\n");
    let buttons: String = (0..count).map(button).collect();
    format!("{PLACES}\n{buttons}\n[[ladder]]\nid = \"counters\"\n{rungs}")
}

/// A daemon between a broker and a gateway, and the button at the front counter.
pub(crate) struct Town {
    pub(crate) daemon: Daemon,
    pub(crate) gateway: Gateway,
    pub(crate) broker: Broker,
    pub(crate) button: Button,
}

impl Town {
    /// The town with these rungs and nothing unusual.
    pub(crate) async fn open(rungs: &str) -> Self {
        Self::with(rungs, |plan, gateway| plan.gateway("first", gateway)).await
    }

    /// The town with further settings.
    pub(crate) async fn with(rungs: &str, plan: impl FnOnce(harness::daemon::Plan, &Gateway) -> harness::daemon::Plan) -> Self {
        Self::of(&directory(rungs), plan).await
    }

    /// The same with a directory of its own.
    pub(crate) async fn of(directory: &str, plan: impl FnOnce(harness::daemon::Plan, &Gateway) -> harness::daemon::Plan) -> Self {
        let (broker, gateway) = (Broker::start().await, Gateway::start());
        let planned = plan(Daemon::plan(directory), &gateway).broker(&broker);
        let daemon = with_centre(planned).start().await;
        let button = Button::connect(&broker, "kalamunda-library", "front-counter-1").await;
        Self { daemon, gateway, broker, button }
    }

    /// Presses the button and waits until Cooee says that it has it. Gives the activation.
    pub(crate) async fn press(&self) -> String {
        let id = self.button.press().await;
        let received = self.button.expect_state(&id, "received").await;
        received["activation"].as_str().unwrap().to_owned()
    }

    /// One activation as the API shows it.
    pub(crate) async fn activation(&self, id: &str) -> Value {
        self.daemon.api().must_get(&format!("/api/v1/activations/{id}")).await
    }

    /// Waits until the API shows it in this state.
    pub(crate) async fn expect_activation(&self, id: &str, state: &str) -> Value {
        expect_activation(&self.daemon, id, state).await
    }
}

/// The directory names a centre, whose webhook must be in the settings: here it leads nowhere unless the plan has one.
fn with_centre(plan: harness::daemon::Plan) -> harness::daemon::Plan {
    if plan.says("[[webhook]]") { plan } else { plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one") }
}

/// Waits until the API shows an activation in this state.
pub(crate) async fn expect_activation(daemon: &Daemon, id: &str, state: &str) -> Value {
    let api = daemon.api();
    harness::wait::until(&format!("{id} to be {state}"), async || {
        let answer = api.get(&format!("/api/v1/activations/{id}")).await?;
        (answer.status == 200 && answer.body["state"] == state).then_some(answer.body)
    })
    .await
}

/// The code in a text, as a person reads it: what follows `Y` in `Reply Y47=going`.
pub(crate) fn code_in(text: &str) -> String {
    let after = text.split_once("Reply Y").unwrap_or_else(|| panic!("no code in {text:?}")).1;
    after.chars().take_while(char::is_ascii_digit).collect()
}

/// The text with its time of day and its code replaced by `HH:MM` and `NN`.
pub(crate) fn shape_of(text: &str) -> String {
    let code = code_in(text);
    let mut shape = text.to_owned();
    for verb in ["Y", "H", "N"] {
        shape = shape.replace(&format!(" {verb}{code}="), &format!(" {verb}NN="));
    }
    let minute = shape.match_indices(':').find_map(|(at, _)| {
        let digits = |range: std::ops::Range<usize>| shape.get(range).is_some_and(|t| t.chars().all(|c| c.is_ascii_digit()));
        (at >= 2 && digits(at - 2..at) && digits(at + 1..at + 3)).then(|| shape[at - 2..at + 3].to_owned())
    });
    shape.replace(&minute.unwrap_or_else(|| panic!("no time of day in {text:?}")), "HH:MM")
}
