//! The mail relay: one connection a mail, so that a phase of SMTP tells whether a mail may have gone out.
//!
//! No pool: an abandoned transaction on a shared connection would answer the next mail with the last one's reply.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use escalation::dispatch::{Address as To, Order};
use escalation::id::CarrierName;
use lettre::Message;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::Noop;
use lettre::transport::smtp::extension::ClientId;
use reqwest::Url;

use crate::carrier::{Fault, Letter, Taken};
use crate::message::Mail;
use crate::settings::{Email, Secret, SettingsError, is_loopback};

/// The relay's name in reports and troubles.
const NAME: &str = "email";
/// The parting word may take this long; the mail is accepted by then.
const QUIT: Duration = Duration::from_millis(500);

/// A mail relay.
pub(crate) struct Relay {
    name: CarrierName,
    host: String,
    port: u16,
    cover: Cover,
    login: Option<Credentials>,
    from: Mailbox,
    /// Right-hand side of our message ids.
    domain: String,
    slots: usize,
    connect: Duration,
    request: Duration,
}

/// How the connection is protected.
enum Cover {
    /// TLS from the first byte.
    Implicit(TlsParameters),
    /// STARTTLS, refused where the relay does not offer it.
    Required(TlsParameters),
    /// None: loopback only.
    Loopback,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({})", self.name)
    }
}

impl Relay {
    /// Reads URL, password and certificates; connects to nothing.
    pub(crate) fn open(settings: &Email) -> Result<Self, SettingsError> {
        let what = "[email]";
        let url = Url::parse(&settings.url)
            .map_err(|error| SettingsError::new(what, format!("url: {error}"), "write it like smtps://user@mail.example.org:465"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let cover = cover(what, &url, &host, settings)?;
        let port = url.port().unwrap_or(match cover {
            Cover::Implicit(_) => 465,
            Cover::Required(_) => 587,
            Cover::Loopback => 25,
        });
        let from = Mailbox::from_str(&settings.from)
            .map_err(|error| SettingsError::new(what, format!("from: {error}"), "write it like Duress <duress@example.org>"))?;
        if settings.slots == 0 || settings.request_ms == 0 || settings.attempt_s == 0 {
            return Err(SettingsError::new(
                what,
                "slots, request_ms and attempt_s must be more than 0",
                "remove the setting to use its default",
            ));
        }
        Ok(Self {
            name: CarrierName::parse(NAME).map_err(|e| SettingsError::new(what, e, "report this"))?,
            login: login(what, &url, settings)?,
            domain: from.email.domain().to_owned(),
            host,
            port,
            cover,
            from,
            slots: settings.slots,
            connect: Duration::from_millis(settings.connect_ms),
            request: Duration::from_millis(settings.request_ms),
        })
    }

    pub(crate) fn name(&self) -> &CarrierName {
        &self.name
    }
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Sends a mail once, within the smaller of `budget` and the relay's own timeout.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        let (To::Email(to), Letter::Mail(mail)) = (&order.address, letter) else {
            return Err(Fault::Refused("not_a_mailbox".to_owned()));
        };
        let message = self.compose(order, to, mail)?;
        self.deliver(&message, budget).await?;
        // Not the relay's own words: some repeat the recipient there, and this goes into the record in clear.
        Ok(Taken { provider_ref: Some(self.message_id(order)), receipt_due: false })
    }

    /// Hands a mail to the relay once, within the smaller of `budget` and the relay's own timeout.
    pub(crate) async fn deliver(&self, message: &Message, budget: Duration) -> Result<(), Fault> {
        let bytes = message.formatted();
        let whole = tokio::time::Instant::now() + budget.min(self.request);
        let not_sent = |_late| Fault::NotSent("timeout");
        let mut connection = tokio::time::timeout_at(whole, self.connect()).await.map_err(not_sent)??;
        let sent = tokio::time::timeout_at(whole, connection.send(message.envelope(), &bytes)).await;
        sent.map_err(|_late| Fault::Unknown { why: "timeout", absent: false })?.map_err(|error| fault_of(&error))?;
        // Taken. A relay that does not say goodbye changes nothing.
        if tokio::time::timeout(QUIT, connection.quit()).await.is_err() {
            tracing::debug!(carrier = %self.name, "the relay did not say goodbye");
        }
        Ok(())
    }

    /// For `cooee doctor`: greeting, TLS, login, NOOP. No mail is sent.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        let said = tokio::time::timeout(self.request, async {
            let mut connection = self.connect().await?;
            connection.command(Noop).await.map_err(|e| fault_of(&e))?;
            if tokio::time::timeout(QUIT, connection.quit()).await.is_err() {
                tracing::debug!(carrier = %self.name, "the relay did not say goodbye");
            }
            Ok(())
        });
        match said.await {
            Ok(Ok(())) => Ok("the relay can be reached and takes our login".to_owned()),
            Ok(Err(Fault::Credentials)) => Err("the relay refuses our login\n  check the user in the url and password_file".to_owned()),
            Ok(Err(fault)) => Err(format!(
                "the relay cannot be used ({})\n  check host, port and certificate, and whether it offers STARTTLS where tls=starttls is set",
                fault.class()
            )),
            Err(_late) => Err("the relay does not answer\n  check host, port and the firewall".to_owned()),
        }
    }

    /// A connection that is protected and logged in. Until here nothing was sent, whatever goes wrong.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Fault> {
        let hello = ClientId::Domain(self.domain.clone());
        let wrapper = match &self.cover {
            Cover::Implicit(tls) => Some(tls.clone()),
            Cover::Required(_) | Cover::Loopback => None,
        };
        let address = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(address, Some(self.connect), &hello, wrapper, None);
        // The greeting comes within `connect` too: the library's own timeout ends with the TCP handshake.
        let grace = self.connect * 3;
        let connected = tokio::time::timeout(grace, connecting).await;
        let mut connection = connected.map_err(|_late| Fault::NotSent("timeout"))?.map_err(|_error| Fault::NotSent("connect"))?;
        if let Cover::Required(tls) = &self.cover {
            let covered = connection.starttls(tls.clone(), &hello).await;
            covered.map_err(|_error| Fault::NotSent("no STARTTLS"))?;
        }
        if let Some(login) = &self.login {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            connection
                .auth(&mechanisms, login)
                .await
                .map_err(|error| if error.is_permanent() || error.is_client() { Fault::Credentials } else { Fault::NotSent("login") })?;
        }
        Ok(connection)
    }

    fn compose(&self, order: &Order, to: &str, mail: &Mail) -> Result<Message, Fault> {
        let to = Mailbox::from_str(to).map_err(|_| Fault::Refused("not_a_mailbox".to_owned()))?;
        let thread = self.thread_id(order);
        self.begin(to)
            .subject(mail.subject.clone())
            .date(order.queued_at.into())
            .message_id(Some(self.message_id(order)))
            .references(thread.clone())
            .in_reply_to(thread)
            .multipart(MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone()))
            .map_err(|_| Fault::Refused("cannot_compose".to_owned()))
    }

    /// What every mail of ours begins with: nobody's out-of-office answers it.
    pub(crate) fn begin(&self, to: Mailbox) -> MessageBuilder {
        Message::builder()
            .from(self.from.clone())
            .to(to)
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"))
    }

    /// Right-hand side of our message ids.
    pub(crate) fn domain(&self) -> &str {
        &self.domain
    }

    /// The same on every retry, so that a mail sent twice is shown once. The instant tells apart stations that begin anew.
    fn message_id(&self, order: &Order) -> String {
        format!("<{}.{}@{}>", order.id, order.queued_at.as_microsecond(), self.domain)
    }

    /// The same for every mail of an activation: one thread.
    fn thread_id(&self, order: &Order) -> String {
        let opened = order.words.get("opened_at").map_or("", String::as_str);
        let opened: String = opened.chars().filter(char::is_ascii_digit).take(14).collect();
        format!("<{}.{opened}@{}>", order.id.activation, self.domain)
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn cover(what: &str, url: &Url, host: &str, settings: &Email) -> Result<Cover, SettingsError> {
    if host.is_empty() {
        return Err(SettingsError::new(what, "url has no host", "write it like smtps://user@mail.example.org:465"));
    }
    let tls = url.query_pairs().find(|(key, _)| key == "tls");
    let tls = tls.map(|(_, value)| value.into_owned());
    match (url.scheme(), tls.as_deref()) {
        ("smtps", None) => tls_parameters(what, host, settings).map(Cover::Implicit),
        ("smtp", Some("starttls")) => tls_parameters(what, host, settings).map(Cover::Required),
        ("smtp", None) if is_loopback(host) => Ok(Cover::Loopback),
        ("smtp", None) => Err(SettingsError::new(
            what,
            "plain smtp would send alarms and passwords in clear across a network",
            "use smtps://host:465, or smtp://host:587?tls=starttls",
        )),
        _other => Err(SettingsError::new(
            what,
            "url is neither smtps://host nor smtp://host?tls=starttls",
            "write it like smtps://user@mail.example.org:465",
        )),
    }
}

fn tls_parameters(what: &str, host: &str, settings: &Email) -> Result<TlsParameters, SettingsError> {
    let mut builder = TlsParameters::builder(host.to_owned());
    if let Some(path) = &settings.ca_file {
        let wrong = |error: String| {
            SettingsError::new(what, format!("ca_file {}: {error}", path.display()), "give a PEM file with the certificate to trust")
        };
        let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
        let root = Certificate::from_pem(&pem).map_err(|error| wrong(error.to_string()))?;
        builder = builder.add_root_certificate(root);
    }
    builder.build_rustls().map_err(|error| {
        SettingsError::new(what, format!("TLS cannot be set up: {error}"), "install the system's CA certificates (package ca-certificates)")
    })
}

fn login(what: &str, url: &Url, settings: &Email) -> Result<Option<Credentials>, SettingsError> {
    if url.password().is_some() {
        return Err(SettingsError::new(what, "url holds a password", "put it into a file and name it in password_file"));
    }
    let user = url.username();
    match (&settings.password_file, user.is_empty()) {
        (None, true) => Ok(None),
        (None, false) => Err(SettingsError::new(what, "url names a user but there is no password_file", "set password_file")),
        (Some(_), true) => Err(SettingsError::new(what, "there is a password_file but url names no user", "write smtps://user@host")),
        (Some(path), false) => {
            let secret = Secret::read(&format!("{what} password_file"), path)?;
            // A mailbox as user name has its @ encoded in the URL.
            let decoded = Url::parse("http://localhost/").ok().and_then(|mut url| {
                url.set_query(Some(&user.replace('+', "%2B")));
                url.query_pairs().next().map(|(user, _)| user.into_owned())
            });
            Ok(Some(Credentials::new(decoded.unwrap_or_else(|| user.to_owned()), secret.current)))
        }
    }
}

/// Sorts an error of the transaction. Only a 55x refuses the recipient for good; what has no reply code may have gone out.
fn fault_of(error: &SmtpError) -> Fault {
    let code = error.status().map(u16::from);
    match code {
        Some(530 | 534 | 535 | 538) => Fault::Credentials,
        Some(code @ 550..=559) => Fault::Refused(code.to_string()),
        Some(421 | 450..=452) => Fault::Busy(None),
        Some(_) => Fault::NotSent("smtp error"),
        None => Fault::Unknown { why: "cut off", absent: false },
    }
}
