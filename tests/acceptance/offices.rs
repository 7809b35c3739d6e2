//! Many offices with one ladder: whoever has a role at an office is told of a press there, and nobody else.

use serde_json::Value;

use crate::evidence::Evidence;
use crate::town::{LEE, NAIR, SMITH, Town};

/// Two offices of a region, a third that nobody minds, and whoever has which part.
const OFFICES: &str = r#"
[defaults]
timezone = "Australia/Perth"

[[customer]]
id = "outreach"
name = "Outreach Services"
prefix = "OUT"
ladder = "offices"

[[centre]]
id = "westside"
name = "Westside Centre"
webhook = "westside"

[[person]]
id = "j-smith"
mobile = "+61 491 570 006"

[[person]]
id = "p-nair"
mobile = "+61 491 570 156"

[[person]]
id = "s-lee"
mobile = "+61 491 570 158"

[[region]]
id = "wheatbelt"
roles = { warden = [], manager = ["s-lee"] }

[[site]]
id = "northam"
extends = "wheatbelt"
name = "Northam Office"
address = "3 Example Street"
roles.warden = ["j-smith"]

[[site]]
id = "merredin"
extends = "wheatbelt"
name = "Merredin Office"
address = "8 Example Street"
roles.warden = ["p-nair"]

[[site]]
id = "wagin"
extends = "wheatbelt"
name = "Wagin Office"
address = "1 Example Road"

[[ladder]]
id = "offices"
[[ladder.rung]]
notify = [{ role = "warden", by = ["sms"] }]
wait = "50m"
[[ladder.rung]]
notify = [{ role = "manager", by = ["sms"] }]
wait = "50m"

[[ladder]]
id = "nowhere"
[[ladder.rung]]
notify = [{ person = "s-lee" }]
wait = "50m"

[fallback]
ladder = "nowhere"
"#;

async fn town() -> Town {
    Town::of(OFFICES, |plan, gateway| plan.gateway("first", gateway)).await
}

#[tokio::test]
async fn a_press_is_told_to_whoever_has_the_role_there() {
    let town = town().await;
    town.button.press_of("northam", "desk").await;
    let text = town.gateway.phone(SMITH).expect_sms("DURESS").await;
    assert!(text.body.contains("Northam"), "{}", text.body);
    town.button.press_of("merredin", "desk").await;
    let text = town.gateway.phone(NAIR).expect_sms("DURESS").await;
    assert!(text.body.contains("Merredin"), "{}", text.body);
    town.button.press_of("wagin", "desk").await;
    let text = town.gateway.phone(LEE).expect_sms("DURESS").await;
    assert!(text.body.contains("Wagin"), "an empty role is no wait: {}", text.body);
    for (phone, name) in [(SMITH, "Smith"), (NAIR, "Nair"), (LEE, "Lee")] {
        assert_eq!(town.gateway.phone(phone).received().len(), 1, "{name} is told of one office");
    }
}

#[tokio::test]
async fn a_press_from_an_office_that_nobody_knows_climbs_the_fallback() {
    let town = town().await;
    town.button.press_of("norseman", "desk").await;
    town.gateway.phone(LEE).expect_sms("DURESS").await;
}

#[tokio::test]
async fn a_call_keeps_whom_it_was_raised_with_and_the_next_is_for_whoever_has_the_role_now() {
    let mut town = town().await;
    town.button.press_of("northam", "desk").await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    town.daemon.write_directory(&OFFICES.replacen("roles.warden = [\"j-smith\"]", "roles.warden = [\"p-nair\"]", 1));
    town.daemon.signal("HUP");
    town.daemon.expect_log("taken up anew").await;
    town.button.press_of("northam", "second").await;
    town.gateway.phone(NAIR).expect_sms("DURESS").await;
    town.daemon.kill();
    town.daemon.start_again().await;
    let raised: Vec<Value> = Evidence::of(&town.daemon).kind("activation.raised").cloned().collect();
    for (entry, warden) in raised.iter().zip(["j-smith", "p-nair"]) {
        assert_eq!(entry["ladder"]["id"], "offices@northam", "{entry}");
        let call = town.activation(entry["act"].as_str().unwrap()).await;
        assert_eq!(call["ladder"][0]["targets"][0]["name"], warden, "{call}");
    }
    assert_eq!(raised.len(), 2);
}

#[tokio::test]
async fn a_site_that_does_not_say_who_has_a_role_is_refused_and_the_directory_before_stays() {
    let town = town().await;
    town.daemon.write_directory(&OFFICES.replacen("warden = [], ", "", 1));
    let output = town.daemon.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("ladder \"offices\", rung 1: 1 of 3 sites (\"wagin\") does not say who is \"warden\""), "{said}");
    town.daemon.signal("HUP");
    town.daemon.expect_log("the last adopted one stays in force").await;
    town.button.press_of("northam", "desk").await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
}

#[tokio::test]
async fn an_office_from_a_sheet_says_who_has_a_role_there() {
    let town = town().await;
    let sheet = town.daemon.config().with_file_name("sites.csv");
    let rows =
        "id,extends,name,address,roles.warden\nkojonup,wheatbelt,Kojonup Office,2 Example Street,\"j-smith, p-nair\"\nnortham,,,,nobody\n";
    std::fs::write(&sheet, rows).unwrap();
    let output = town.daemon.run(&["import", "--sites", &sheet.display().to_string(), "--apply"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("roles.warden: j-smith  ->  nobody"), "{said}");
    town.daemon.signal("HUP");
    town.daemon.expect_log("taken up anew").await;
    town.button.press_of("kojonup", "desk").await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    town.gateway.phone(NAIR).expect_sms("DURESS").await;
    town.button.press_of("northam", "desk").await;
    let text = town.gateway.phone(LEE).expect_sms("DURESS").await;
    assert!(text.body.contains("Northam"), "{}", text.body);
}
