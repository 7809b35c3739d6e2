//! Who knocks: a key, a session, the demo on loopback, or a user of this machine through the control socket.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use escalation::event::Way;
use station::onlookers::Onlooker;
use station::view::Scope;

use crate::keys::Key;
use crate::problem::Problem;
use crate::roles::{Action, Role};
use crate::room::Room;
use crate::session::COOKIE;

/// The other end of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Peer {
    /// A network peer. Behind a proxy it is the proxy: X-Forwarded-* is never read.
    Net(IpAddr),
    /// A user of this machine, `root` or a number, through the control socket.
    Os(String),
}

impl Peer {
    /// The network address, for counting failures.
    pub(crate) fn ip(extensions: &axum::http::Extensions) -> Option<IpAddr> {
        match extensions.get::<ConnectInfo<Self>>() {
            Some(ConnectInfo(Self::Net(ip))) => Some(*ip),
            Some(ConnectInfo(Self::Os(_))) | None => None,
        }
    }
}

/// Somebody who has proved who they are.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// What the record says: the key's name, `os:root`, `demo`.
    pub(crate) principal: String,
    pub(crate) role: Role,
    pub(crate) scope: Scope,
    /// What forms must bring: only who was served a page can know it. Empty for a bearer key, which no browser sends unasked.
    pub(crate) csrf: String,
    /// There is a session to log out of.
    pub(crate) session: bool,
}

impl Caller {
    /// Fails with 403 where the role may not.
    pub(crate) fn must(&self, action: Action) -> Result<(), Problem> {
        if self.role.may(action) {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "wrong-role",
            "This key may not do that",
            format!(
                "A key with the role {} may not do that; see the page \"Roles\" of the documentation. Use another key, or ring the centre.",
                self.role.as_str()
            ),
        ))
    }

    /// Fails with 403 where the key is restricted or its role does not run or audit stations: the whole station's
    /// numbers tell of everybody's alarms, a silent one's too.
    pub(crate) fn must_oversee(&self) -> Result<(), Problem> {
        let oversees = match self.role {
            Role::Centre | Role::Auditor | Role::Admin => self.scope.is_everything(),
            Role::Site | Role::Device => false,
        };
        if oversees {
            return Ok(());
        }
        Err(Problem::new(
            StatusCode::FORBIDDEN,
            "wrong-role",
            "This key may not see that",
            "The station's numbers tell of every customer's alarms. Use a key with the role admin, auditor or centre without `sites` and `customers`, or ask through control.sock.",
        ))
    }

    /// The same as a reader, for the record.
    pub(crate) fn onlooker(&self, way: Way) -> Onlooker {
        Onlooker { principal: self.principal.clone(), way }
    }

    fn of_key(key: &Key, csrf: String) -> Self {
        Self { principal: key.name.clone(), role: key.role, scope: key.scope.clone(), session: !csrf.is_empty(), csrf }
    }

    fn of_the_house(principal: String, room: &Room) -> Self {
        Self { principal, role: Role::Admin, scope: Scope::everything(), csrf: room.house_csrf.clone(), session: false }
    }
}

impl FromRequestParts<Arc<Room>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Problem> {
        let ip = Peer::ip(&parts.extensions);
        let keys = room.keys.borrow().clone();
        if let Some(claimed) = parts.headers.get(header::AUTHORIZATION) {
            let token = claimed.to_str().ok().and_then(bearer);
            return match token.and_then(|token| keys.prove(token)) {
                Some(key) => Ok(Self::of_key(key, String::new())),
                None => Err(wrong_key(room, ip)),
            };
        }
        if let Some(ConnectInfo(Peer::Os(user))) = parts.extensions.get::<ConnectInfo<Peer>>() {
            return Ok(Self::of_the_house(format!("os:{user}"), room));
        }
        let session = cookie(&parts.headers).and_then(|token| room.sessions.find(token, &keys));
        let caller = match session {
            Some((key, csrf)) => Self::of_key(key, csrf),
            None if room.settings.demo && ip.is_some_and(|ip| ip.is_loopback()) && names_loopback(&parts.headers) => {
                Self::of_the_house("demo".to_owned(), room)
            }
            None => return Err(no_key()),
        };
        // From here on the browser proved it unasked, so another site may have made it knock.
        if crosses_sites(&parts.method, &parts.headers) {
            return Err(Problem::new(
                StatusCode::FORBIDDEN,
                "cross-site",
                "Another site sent this",
                "A page of another site may not act here. Open Cooee itself, or use an API key.",
            ));
        }
        Ok(caller)
    }
}

/// Somebody who opens a page: who has not proved anything is led to the login.
pub(crate) struct Visitor(pub(crate) Caller);

impl FromRequestParts<Arc<Room>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Response> {
        match Caller::from_request_parts(parts, room).await {
            Ok(caller) => Ok(Self(caller)),
            Err(problem) if problem.status == StatusCode::UNAUTHORIZED => Err(Redirect::to("/login").into_response()),
            Err(problem) => Err(problem.into_response()),
        }
    }
}

/// The session cookie's value.
pub(crate) fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(name, value)| (name == COOKIE).then_some(value))
}

/// 401 for a wrong key, 429 once a peer presents too many. A right key is never refused for what others did.
pub(crate) fn wrong_key(room: &Room, ip: Option<IpAddr>) -> Problem {
    room.counters.wrong_keys.inc();
    if room.failures.strike(network(ip)) {
        return too_many();
    }
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "wrong-key",
        "That key is not in force",
        "The key is unknown, was replaced or is incomplete. Paste it again, all of it; or have a new one made with `cooee key new`.",
    )
}

/// What a peer is told that guesses.
pub(crate) fn too_many() -> Problem {
    Problem::new(
        StatusCode::TOO_MANY_REQUESTS,
        "too-many-failures",
        "Too many wrong attempts",
        "Too many wrong keys or links came from this address. Wait a minute. A right one is still taken at once.",
    )
}

/// What failures are counted by: an IPv4 address, or the 64 bits of an IPv6 network that one subscriber has.
pub(crate) fn network(ip: Option<IpAddr>) -> Option<IpAddr> {
    ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
    })
}

fn no_key() -> Problem {
    Problem::new(
        StatusCode::UNAUTHORIZED,
        "no-key",
        "A key is needed",
        "Send an API key as `Authorization: Bearer ck_...`, or log in at /login.",
    )
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// A page of another site that resolves its own name to our loopback address still says its own name here.
fn names_loopback(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|h| h.to_str().ok());
    let Some(host) = host else { return false };
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        Some(_) | None => host,
    };
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Whether a changing request says that another site made the browser send it.
pub(crate) fn crosses_sites(method: &Method, headers: &HeaderMap) -> bool {
    if method.is_safe() {
        return false;
    }
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok());
    match text("sec-fetch-site") {
        Some(site) => site != "same-origin" && site != "none",
        None => match (text("origin"), text("host")) {
            (Some(origin), Some(host)) => origin.split_once("://").is_none_or(|(_, from)| from != host),
            (Some(_), None) => true,
            (None, _) => false,
        },
    }
}
