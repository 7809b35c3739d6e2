//! TLS towards providers: only whom we trust hears anything, whether covered from the first byte or by STARTTLS.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use escalation::dispatch::{Address, Failure, Report};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use crate::watch::{Desk, Watch, order, text};

/// A server's certificate and the same as a file to trust.
struct Identity {
    config: Arc<ServerConfig>,
    pem: String,
    key_pem: String,
}

fn identity() -> Identity {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key.into())
        .unwrap();
    Identity { config: Arc::new(config), pem: made.cert.pem(), key_pem: made.signing_key.serialize_pem() }
}

/// What a server was told in the end, under TLS.
type Heard = Arc<Mutex<Vec<String>>>;

/// A server whose every connection is `speak`'s, on a thread that ends with the test's process.
fn server(speak: impl Fn(TcpStream, &Heard) -> std::io::Result<()> + Send + 'static) -> (u16, Heard) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Heard::default();
    let told = Arc::clone(&heard);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that does not trust us hangs up: that is what some stories are about.
            if speak(stream, &told).is_err() {
                told.lock().unwrap().push("hung up".to_owned());
            }
        }
    });
    (port, heard)
}

fn covered(config: &Arc<ServerConfig>, stream: TcpStream) -> BufReader<StreamOwned<ServerConnection, TcpStream>> {
    BufReader::new(StreamOwned::new(ServerConnection::new(Arc::clone(config)).unwrap(), stream))
}

fn line(stream: &mut impl BufRead) -> std::io::Result<String> {
    let mut line = String::new();
    if stream.read_line(&mut line)? == 0 {
        return Err(std::io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn https(config: Arc<ServerConfig>) -> (u16, Heard) {
    server(move |stream, heard| {
        let mut stream = covered(&config, stream);
        let request = line(&mut stream)?;
        let mut length = 0;
        loop {
            let header = line(&mut stream)?.to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
        }
        stream.read_exact(&mut vec![0; length])?;
        heard.lock().unwrap().push(request);
        let body = "{\"sid\":\"SM1\",\"messages\":[]}";
        let stream = stream.get_mut();
        write!(stream, "HTTP/1.1 201 Created\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())?;
        stream.conn.send_close_notify();
        stream.flush()
    })
}

/// A relay that is covered from the first byte, or after STARTTLS.
fn smtp(config: Arc<ServerConfig>, starttls: bool) -> (u16, Heard) {
    server(move |mut stream, heard| {
        if starttls {
            stream.write_all(b"220 relay\r\n")?;
            let mut plain = BufReader::new(stream.try_clone()?);
            line(&mut plain)?;
            stream.write_all(b"250-relay\r\n250 STARTTLS\r\n")?;
            assert_eq!(line(&mut plain)?, "STARTTLS");
            stream.write_all(b"220 go on\r\n")?;
        }
        let mut stream = covered(&config, stream);
        if !starttls {
            say(&mut stream, "220 relay")?;
        }
        loop {
            let command = line(&mut stream)?;
            let verb = command.split([' ', ':']).next().unwrap_or_default();
            let answer = match verb {
                "EHLO" => "250 relay",
                "DATA" => {
                    say(&mut stream, "354 go on")?;
                    while line(&mut stream)? != "." {}
                    heard.lock().unwrap().push("a mail".to_owned());
                    "250 taken"
                }
                "QUIT" => return say(&mut stream, "221 bye"),
                _other => "250 fine",
            };
            say(&mut stream, answer)?;
        }
    })
}

fn say(stream: &mut BufReader<StreamOwned<ServerConnection, TcpStream>>, answer: &str) -> std::io::Result<()> {
    let stream = stream.get_mut();
    write!(stream, "{answer}\r\n")?;
    stream.flush()
}

#[tokio::test]
async fn a_text_goes_to_the_gateway_we_trust_and_not_a_byte_to_another() {
    let (ours, another) = (identity(), identity());
    for (trusted, outcome) in [(&ours.pem, Report::AcceptedReceiptDue), (&another.pem, Report::Failed(Failure::Unavailable))] {
        let (port, heard) = https(Arc::clone(&ours.config));
        let watch = Watch::new();
        let desk = Desk::new();
        let ca = desk.secret("ca.pem", trusted);
        let desk = desk.sms("first", &format!("https://localhost:{port}"), &format!("ca_file = {ca:?}\nattempt_s = 1"));
        let voice = desk.open(&watch);
        voice.send(text("KAL-42.1")).unwrap();
        let report = watch.reported(1).await.remove(0);
        assert!(!report.possible_duplicate, "what failed in the handshake was never sent");
        let posts = heard.lock().unwrap().iter().filter(|heard| heard.starts_with("POST")).count();
        assert_eq!(posts, usize::from(outcome == Report::AcceptedReceiptDue));
        assert_eq!(report.report, outcome);
    }
}

/// The same server, which wants the certificate of `client` before it listens.
fn wanting(ours: &Identity, client: &Identity) -> Arc<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(client.pem.as_bytes()).unwrap()).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = vec![CertificateDer::from_pem_slice(ours.pem.as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(ours.key_pem.as_bytes()).unwrap();
    Arc::new(config.with_client_cert_verifier(verifier).with_single_cert(chain, key).unwrap())
}

#[tokio::test]
async fn a_gateway_that_asks_for_a_certificate_is_shown_ours() {
    let (ours, client, another) = (identity(), identity(), identity());
    for (shown, outcome) in [(&client, Report::Accepted), (&another, Report::Failed(Failure::Unavailable))] {
        let (port, heard) = https(wanting(&ours, &client));
        let (watch, desk) = (Watch::new(), Desk::new());
        let [ca, cert, key] =
            [("ca.pem", &ours.pem), ("client.pem", &shown.pem), ("client.key", &shown.key_pem)].map(|(name, pem)| desk.secret(name, pem));
        let toml = format!(
            "[[sms]]\nname = \"second\"\nkind = \"http\"\nfrom = \"+61400000009\"\nkeep_warm = false\nattempt_s = 1\n\
             url = \"https://localhost:{port}/send\"\nbody = '{{\"to\":\"{{{{ to }}}}\",\"text\":\"{{{{ text }}}}\"}}'\n\
             ca_file = {ca:?}\nclient_cert_file = {cert:?}\nclient_key_file = {key:?}\n\
             [sms.reply]\nid = \"i\"\nfrom = \"f\"\ntext = \"t\"\nsent_at = [\"at\"]\npoll_url = \"https://localhost:{port}/replies\"\n"
        );
        let voice = desk.add(&toml).open(&watch);
        voice.send(text("KAL-42.1")).unwrap();
        let report = watch.reported(1).await.remove(0);
        let posts = heard.lock().unwrap().iter().filter(|heard| heard.starts_with("POST")).count();
        assert_eq!(posts, usize::from(outcome == Report::Accepted));
        assert_eq!(report.report, outcome);
    }
}

#[tokio::test]
async fn a_mail_goes_covered_to_the_relay_we_trust_and_to_no_other() {
    let (ours, another) = (identity(), identity());
    for starttls in [false, true] {
        for (trusted, outcome) in [(&ours.pem, Report::Accepted), (&another.pem, Report::Failed(Failure::Unavailable))] {
            let (port, heard) = smtp(Arc::clone(&ours.config), starttls);
            let watch = Watch::new();
            let desk = Desk::new();
            let ca = desk.secret("ca.pem", trusted);
            let url = if starttls { format!("smtp://localhost:{port}?tls=starttls") } else { format!("smtps://localhost:{port}") };
            let toml = format!("[email]\nurl = \"{url}\"\nfrom = \"duress@example.org\"\nca_file = {ca:?}\nattempt_s = 1\n");
            let voice = desk.add(&toml).open(&watch);
            voice.send(order("KAL-42.1", Address::Email("j.smith@example.org".to_owned()))).unwrap();
            let report = watch.reported(1).await.remove(0);
            assert!(!report.possible_duplicate);
            let mails = heard.lock().unwrap().iter().filter(|heard| *heard == "a mail").count();
            assert_eq!((report.report.clone(), mails), (outcome.clone(), usize::from(outcome == Report::Accepted)), "starttls: {starttls}");
        }
    }
}

#[test]
fn a_file_without_a_certificate_is_refused_with_the_remedy() {
    let desk = Desk::new();
    let ca = desk.secret("ca.pem", "not a certificate");
    let desk = desk.sms("first", "https://localhost:1", &format!("ca_file = {ca:?}"));
    let error = dispatch::check(&desk.settings(), None).unwrap_err().to_string();
    assert!(error.contains("[[sms]] first: ca_file") && error.contains("PEM"), "{error}");
}
