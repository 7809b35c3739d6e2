//! An account with Twilio's API (2010-04-01), or anything compatible: its login, its addresses, and whether it takes us.
//!
//! What is sent through it, and what comes back, is `sms::twilio` and `call`.

use std::path::Path;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, StatusCode};

use crate::carrier::Fault;
use crate::client::{self, Wanted};
use crate::purse::{amount, unusable};
use crate::settings::{Secret, SettingsError};
use crate::sms::ears::Missed;

/// Before every path that the API gives.
const VERSION: &str = "/2010-04-01/";

/// What the settings say of an account, whatever is sent through it.
pub(crate) struct Access<'a> {
    pub(crate) account_sid: &'a str,
    pub(crate) auth_token_file: &'a Path,
    pub(crate) attempt_s: u64,
    pub(crate) credit_low: Option<f64>,
    pub(crate) wanted: Wanted<'a>,
}

/// An account that can be asked.
pub(crate) struct TwilioApi {
    client: Client,
    /// `https://api.twilio.com`
    base: String,
    /// `https://api.twilio.com/2010-04-01/Accounts/AC...`
    account: String,
    auth: HeaderValue,
    secret: Secret,
    slots: usize,
    request: Duration,
    credit_low: Option<f64>,
}

impl TwilioApi {
    /// Reads the secret and builds the client; connects to nothing.
    pub(crate) fn open(access: &Access<'_>) -> Result<Self, SettingsError> {
        let Access { account_sid: sid, auth_token_file, attempt_s, credit_low, wanted } = access;
        let what = wanted.what;
        let secret = Secret::read(&format!("{what} auth_token_file"), auth_token_file)?;
        let (client, base) = client::build(wanted)?;
        if sid.is_empty() || !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(SettingsError::new(
                what,
                "account_sid is not one",
                "copy it from the provider's console: AC and 32 letters and digits",
            ));
        }
        if wanted.slots == 0 || wanted.request_ms == 0 || *attempt_s == 0 {
            return Err(SettingsError::new(
                what,
                "slots, request_ms and attempt_s must be more than 0",
                "remove the setting to use its default",
            ));
        }
        if let Some((wrong, remedy)) = credit_low.and_then(unusable) {
            return Err(SettingsError::new(format!("{what} credit_low"), wrong, remedy));
        }
        let base = base.as_str().trim_end_matches('/').to_owned();
        let login = STANDARD.encode(format!("{sid}:{}", secret.current));
        let mut auth = HeaderValue::from_str(&format!("Basic {login}"))
            .map_err(|error| SettingsError::new(what, error, "check account_sid and the token's file for strange characters"))?;
        auth.set_sensitive(true);
        Ok(Self {
            client,
            account: format!("{base}{VERSION}Accounts/{sid}"),
            base,
            auth,
            secret,
            slots: wanted.slots,
            request: Duration::from_millis(wanted.request_ms),
            credit_low: *credit_low,
        })
    }

    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }

    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// With less credit than this there is a trouble; `None` where the account is not asked.
    pub(crate) fn credit_low(&self) -> Option<f64> {
        self.credit_low
    }

    /// Asks for a resource of the account, such as `Messages.json`, or for the account itself (empty).
    pub(crate) fn get(&self, resource: &str) -> RequestBuilder {
        let slash = if resource.is_empty() { ".json" } else { "/" };
        self.client.get(format!("{}{slash}{resource}", self.account)).header(AUTHORIZATION, self.auth.clone())
    }

    /// Asks for a page by the path that the API gave; `None` where it leads elsewhere: our credentials go nowhere else.
    pub(crate) fn get_path(&self, path: &str) -> Option<RequestBuilder> {
        let is_ours = path.starts_with(VERSION);
        is_ours.then(|| self.client.get(format!("{}{path}", self.base)).header(AUTHORIZATION, self.auth.clone()))
    }

    /// Makes a resource of the account, within this budget and the account's own patience.
    pub(crate) fn post(&self, resource: &str, budget: Duration) -> RequestBuilder {
        let request = self.client.post(format!("{}/{resource}", self.account)).header(AUTHORIZATION, self.auth.clone());
        request.timeout(budget.min(self.request))
    }

    /// A light request that keeps a connection open and says whether our credentials are good. Sends nothing.
    pub(crate) async fn greet(&self) -> Result<(), Fault> {
        let status = self.ask().await?;
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(Fault::Credentials);
        }
        if status.is_server_error() { Err(Fault::NotSent("server error")) } else { Ok(()) }
    }

    /// For `cooee doctor`: only a success is called one.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        let unreachable = |why: &str| {
            Err(format!("the account cannot be reached ({why})\n  check base_url, the firewall and the provider's status page"))
        };
        match self.ask().await {
            Ok(status) if status.is_success() => Ok("the account can be reached and takes our credentials".to_owned()),
            Ok(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => {
                Err("the account refuses our credentials\n  compare account_sid and the token's file with the provider's console"
                    .to_owned())
            }
            Ok(status) => unreachable(&format!("status {}", status.as_u16())),
            Err(fault) => unreachable(fault.class()),
        }
    }

    /// What credit the account has. One that another account pays for says none.
    pub(crate) async fn credit(&self) -> Result<f64, Missed> {
        let response = self.get("Balance.json").send().await.map_err(|e| client::fault_of(&e))?;
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => return Err(Fault::Credentials.into()),
            status if !status.is_success() => return Err(Fault::NotSent("status").into()),
            _good => {}
        }
        // An answer that was cut off is asked for again; one that is no JSON will be none then either.
        let body = response.bytes().await.map_err(|e| client::fault_of(&e))?;
        let said: serde_json::Value = serde_json::from_slice(&body).map_err(|_strange| Missed::Strange("no JSON"))?;
        said.pointer("/balance").and_then(amount).ok_or(Missed::Strange("no amount"))
    }

    async fn ask(&self) -> Result<StatusCode, Fault> {
        let response = self.get("").send().await.map_err(|e| client::fault_of(&e))?;
        let status = response.status();
        // The body must be read, or the connection is closed instead of kept.
        response.bytes().await.map(|_body| status).map_err(|e| client::fault_of(&e))
    }
}
