//! A desk with five keys, and a way to knock at it.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use console::hooks::{HookCall, HookReply, Hooks};
use console::keys::{Keys, mint};
use console::roles::Role;
use console::settings::{KeySettings, Settings};
use console::{Parts, Probe, router};
use escalation::id::{CustomerId, SiteId, Slug};
use station::notary::{self, NotaryError, Proofs};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::counter::{Watch, World};

pub(crate) struct House {
    pub(crate) router: Router,
    pub(crate) watch: Watch,
    pub(crate) keys: watch::Sender<Arc<Keys>>,
    pub(crate) calls: Arc<Mutex<Vec<HookCall>>>,
    tokens: Vec<(&'static str, String)>,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap()
    }
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }
}

struct Recorder(Arc<Mutex<Vec<HookCall>>>);

impl Hooks for Recorder {
    fn receive(&self, call: HookCall) -> Pin<Box<dyn Future<Output = HookReply> + Send>> {
        self.0.lock().unwrap().push(call);
        Box::pin(async { HookReply { status: 403, content_type: "text/plain", body: b"wrong signature".to_vec() } })
    }
}

/// A record of three entries that is signed.
pub(crate) struct Paper;

impl Proofs for Paper {
    fn checkpoint(&self) -> Option<String> {
        Some("a/1\n3\nAA==\n\n\u{2014} a/1 AA==\n".to_owned())
    }
    fn entries(&self, from: u64, limit: u32) -> notary::Answer<'_, Vec<Vec<u8>>> {
        let all = [b"{\"v\":1}".to_vec(), Vec::new(), b"{\"v\":3}".to_vec()];
        let some = all.into_iter().skip(usize::try_from(from).unwrap()).take(usize::try_from(limit).unwrap()).collect();
        Box::pin(async { Ok(some) })
    }
    fn proof(&self, index: u64) -> notary::Answer<'_, String> {
        Box::pin(async move { if index < 3 { Ok(format!("index {index}\n")) } else { Err(NotaryError::Unsigned) } })
    }
    fn attest(&self, _: Vec<u64>) -> notary::Answer<'_, notary::Attested> {
        Box::pin(async { Err(NotaryError::Unsigned) })
    }
    fn consistency(&self, older: u64, newer: u64) -> notary::Answer<'_, Vec<String>> {
        Box::pin(async move { if older <= newer { Ok(vec![format!("{older}{newer}")]) } else { Err(NotaryError::Unsigned) } })
    }
    fn notes(&self, _: BTreeSet<u64>) -> notary::Answer<'_, notary::Notes> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

impl House {
    pub(crate) fn new(world: World) -> Self {
        Self::with(world, Settings { station: "Westside Centre".to_owned(), ..Settings::default() })
    }

    pub(crate) fn with(world: World, settings: Settings) -> Self {
        let (desk, watch) = Watch::start(world);
        let mut tokens = Vec::new();
        let mut tables = Vec::new();
        for (id, role, customer, site) in [
            ("centre", Role::Centre, None, None),
            ("kal", Role::Centre, Some("kalamunda"), None),
            ("library", Role::Site, None, Some("kalamunda-library")),
            ("button", Role::Device, None, Some("kalamunda-library")),
            ("auditor", Role::Auditor, None, None),
            ("admin", Role::Admin, None, None),
        ] {
            let slug = Slug::parse(id).unwrap();
            let (token, hash) = mint(&slug).unwrap();
            tokens.push((id, token));
            tables.push(KeySettings {
                id: slug,
                name: format!("the {id}"),
                role,
                sites: site.map(|s| SiteId::parse(s).unwrap()).into_iter().collect(),
                customers: customer.map(|c| CustomerId::parse(c).unwrap()).into_iter().collect(),
                hash,
            });
        }
        let (keys, in_force) = watch::channel(Arc::new(Keys::read(tables).unwrap()));
        let calls = Arc::new(Mutex::new(Vec::new()));
        let router = router(Parts {
            desk,
            keys: in_force,
            settings,
            hooks: Arc::new(Recorder(calls.clone())),
            proofs: Arc::new(Paper),
            look_again: Arc::new(|| ()),
            probes: Arc::new(|| vec![Probe { name: "broker".to_owned(), ok: true, detail: "connected".to_owned() }]),
            extra_metrics: Arc::new(|page| {
                page.push_str("# TYPE cooee_extra gauge\ncooee_extra 1\n");
            }),
        })
        .unwrap();
        Self { router, watch, keys, calls, tokens }
    }

    pub(crate) fn token(&self, id: &str) -> &str {
        &self.tokens.iter().find(|(name, _)| *name == id).unwrap().1
    }

    pub(crate) async fn knock(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer { status: head.status, headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
    }

    /// A request of a key; a body makes it a POST.
    pub(crate) async fn ask(&self, key: &str, path: &str, body: Option<&str>) -> Answer {
        self.ask_with(key, path, body, &[]).await
    }

    pub(crate) async fn ask_with(&self, key: &str, path: &str, body: Option<&str>, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder()
            .uri(path)
            .method(if body.is_some() { "POST" } else { "GET" })
            .header("authorization", format!("Bearer {}", self.token(key)));
        if body.is_some_and(|body| !body.is_empty()) {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = Body::from(body.unwrap_or_default().to_owned());
        self.knock(request.body(body).unwrap()).await
    }

    /// A browser's GET with a cookie.
    pub(crate) async fn browse(&self, path: &str, cookie: &str) -> Answer {
        let request = Request::builder().uri(path).header("cookie", cookie);
        self.knock(request.body(Body::empty()).unwrap()).await
    }

    /// A browser's form with a cookie.
    pub(crate) async fn send(&self, path: &str, cookie: &str, form: &str) -> Answer {
        let request = Request::builder()
            .uri(path)
            .method("POST")
            .header("cookie", cookie)
            .header("sec-fetch-site", "same-origin")
            .header("content-type", "application/x-www-form-urlencoded");
        self.knock(request.body(Body::from(form.to_owned())).unwrap()).await
    }
}

/// The value of the first hidden field with this name.
pub(crate) fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let from = page.find(&mark).unwrap_or_else(|| panic!("no field {name} in {page}")) + mark.len();
    page[from..].split('"').next().unwrap().to_owned()
}
