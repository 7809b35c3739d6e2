//! Listening: over TCP for the world, over a Unix socket for users of this machine. What is served is the same router.
//!
//! Whoever is slow, or comes in numbers, takes from others: connections, the time for a head and the time for a body are
//! bounded here, for every path alike.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream, Bytes};
use axum::extract::{ConnectInfo, Request};
use axum::http::StatusCode;
use axum::response::Response;
use axum::serve::Listener;
use axum::{BoxError, Extension, Router};
use futures_util::future::BoxFuture;
use futures_util::{StreamExt, stream};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::{Mutex, Notify, OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, timeout, timeout_at};

use crate::caller::Peer;

/// How long requests in flight may take to end once the desk is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// How much of a body that is too large is read all the same before its sender is told so, in bytes.
const UNWANTED_MAX: usize = 2 * 1024 * 1024;
/// And for how long.
const UNWANTED_PATIENCE: Duration = Duration::from_secs(3);

/// How often it is said that all places are taken.
const TOLD_EVERY: Duration = Duration::from_mins(1);

/// What a peer may take.
#[derive(Clone, Copy)]
struct Limits {
    /// Connections at once. Overflow rule: whoever comes next takes the place of the one that has said nothing for longest;
    /// where every one has asked for something, it and those behind it wait in the system's queue until one has ended.
    connections: usize,
    /// And beside those for this machine alone: a probe or a proxy here must not wait behind the world.
    own: usize,
    /// How long a request's head may take, and how long a connection may say nothing between two requests.
    head: Duration,
    /// How long its body may take, from the head on.
    body: Duration,
}

/// For the world and for the control socket, each by itself.
const LIMITS: Limits = Limits { connections: 1_024, own: 64, head: Duration::from_secs(30), body: Duration::from_secs(30) };

/// Told to streams, which would otherwise never end.
#[derive(Clone)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<bool>);

/// Serves the router until `shutdown`, then lets requests in flight end, for at most 3 s.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    serve_all(Prompt(listener), |_, address| Peer::Net(address.ip()), LIMITS, router, shutdown).await;
    Ok(())
}

/// Serves the router over a Unix socket as admin, attributed to the OS user at the other end, until `shutdown`.
///
/// The socket is made in a private directory and moved into place, so that it is never there with other rights than 0600.
pub async fn serve_control(path: &Path, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let listener = bind_privately(path)?;
    serve_all(listener, |stream, _| of_this_machine(stream), LIMITS, router, shutdown).await;
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

async fn serve_all<L: Listener>(
    mut listener: L,
    peer_of: impl Fn(&L::Io, L::Addr) -> Peer,
    limits: Limits,
    router: Router,
    shutdown: impl Future<Output = ()>,
) {
    let (stop, stopped) = watch::channel(false);
    let router = router.layer(Extension(Stopping(stopped.clone())));
    let places =
        Places { world: Arc::new(Semaphore::new(limits.connections)), own: Arc::new(Semaphore::new(limits.own)), silent: Arc::default() };
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(limits.head);
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let (io, address) = listener.accept().await;
            let peer = peer_of(&io, address);
            let room = places.enter(&peer).await;
            (io, peer, room)
        };
        let (io, peer, room) = tokio::select! {
            biased;
            () = &mut shutdown => break,
            next = next => next,
        };
        let silence = Silence::begin(&places.silent);
        let answerer = answerer(router.clone(), peer, limits.body, Arc::clone(&silence));
        let connection = http.serve_connection(TokioIo::new(io), service_fn(answerer));
        let mut stopped = stopped.clone();
        tokio::spawn(async move {
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = async { drop(stopped.wait_for(|stop| *stop).await) } => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
                () = silence.displaced() => Ok(()),
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(room);
        });
    }
    drop(listener);
    stop.send_replace(true);
    let all = |places: usize| u32::try_from(places).unwrap_or(u32::MAX);
    let ended = async { (places.world.acquire_many(all(limits.connections)).await, places.own.acquire_many(all(limits.own)).await) };
    if timeout(GRACE, ended).await.is_err() {
        tracing::debug!("requests in flight did not end in time");
    }
}

/// The places for connections.
struct Places {
    world: Arc<Semaphore>,
    own: Arc<Semaphore>,
    silent: Arc<Silent>,
}

impl Places {
    /// A place for this peer, as soon as there is one.
    async fn enter(&self, peer: &Peer) -> Option<OwnedSemaphorePermit> {
        if let Ok(room) = Arc::clone(&self.world).try_acquire_owned() {
            return Some(room);
        }
        let is_ours = matches!(peer, Peer::Net(address) if address.is_loopback());
        if is_ours && let Ok(room) = Arc::clone(&self.own).try_acquire_owned() {
            return Some(room);
        }
        self.silent.displace_oldest();
        Arc::clone(&self.world).acquire_owned().await.ok()
    }
}

/// Connections on which nobody has asked for anything yet, the oldest first.
#[derive(Default)]
struct Silent {
    kept: std::sync::Mutex<(u64, BTreeMap<u64, Arc<Notify>>)>,
    /// When it was last said that all places are taken.
    told: std::sync::Mutex<Option<Instant>>,
}

impl Silent {
    fn displace_oldest(&self) {
        let oldest = self.kept.lock().unwrap_or_else(PoisonError::into_inner).1.pop_first();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.is_none_or(|at| at.elapsed() >= TOLD_EVERY) {
            *told = Some(Instant::now());
            tracing::warn!(displaced = oldest.is_some(), "every place for a connection is taken; silent ones give way");
        }
        if let Some((_, place)) = oldest {
            place.notify_one();
        }
    }
}

/// One connection's silence, from its first moment to its first request.
struct Silence {
    silent: Arc<Silent>,
    number: u64,
    displaced: Arc<Notify>,
    /// A request that is under way is not cut, even where it came as the place was being given away.
    is_over: AtomicBool,
}

impl Silence {
    fn begin(silent: &Arc<Silent>) -> Arc<Self> {
        let displaced = Arc::<Notify>::default();
        let mut kept = silent.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.0 += 1;
        let number = kept.0;
        kept.1.insert(number, Arc::clone(&displaced));
        Arc::new(Self { silent: Arc::clone(silent), number, displaced, is_over: AtomicBool::new(false) })
    }

    /// It has asked for something: nobody takes its place any more.
    fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.silent.kept.lock().unwrap_or_else(PoisonError::into_inner).1.remove(&self.number);
    }

    /// Ends when another took its place.
    async fn displaced(&self) {
        self.displaced.notified().await;
        if self.is_over.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        self.end();
    }
}

/// What answers the requests of one connection.
fn answerer(
    router: Router,
    peer: Peer,
    patience: Duration,
    silence: Arc<Silence>,
) -> impl Fn(Request<Incoming>) -> BoxFuture<'static, Result<Response, Infallible>> {
    let router = TowerToHyperService::new(router);
    move |request| {
        silence.end();
        let (head, body) = request.into_parts();
        let (body, parts) = in_time(body, patience);
        let mut request = Request::from_parts(head, body);
        request.extensions_mut().insert(ConnectInfo(peer.clone()));
        let answer = router.call(request);
        Box::pin(async move {
            let answer = answer.await?;
            if answer.status() == StatusCode::PAYLOAD_TOO_LARGE
                && let Some(parts) = parts
                && timeout(UNWANTED_PATIENCE, async { parts.lock().await.discard().await }).await.is_err()
            {
                tracing::debug!("a body that is too large did not end in time");
            }
            Ok(answer)
        })
    }
}

/// The body, or an error in its place once it has taken too long; and what is left of it when it has been answered.
fn in_time(body: Incoming, patience: Duration) -> (Body, Option<Arc<Mutex<Parts>>>) {
    if body.is_end_stream() {
        return (Body::empty(), None);
    }
    let parts = Parts { stream: Body::new(body).into_data_stream(), deadline: Instant::now() + patience, is_over: false };
    let parts = Arc::new(Mutex::new(parts));
    let body = stream::unfold(Arc::clone(&parts), |parts| async move {
        let part = parts.lock().await.next().await?;
        Some((part, parts))
    });
    (Body::from_stream(body), Some(parts))
}

/// A body as it comes in.
struct Parts {
    stream: BodyDataStream,
    deadline: Instant,
    is_over: bool,
}

impl Parts {
    async fn next(&mut self) -> Option<Result<Bytes, BoxError>> {
        if self.is_over {
            return None;
        }
        let failure: BoxError = match timeout_at(self.deadline, self.stream.next()).await {
            Ok(Some(Ok(part))) => return Some(Ok(part)),
            Ok(Some(Err(error))) => error.into(),
            Ok(None) => {
                self.is_over = true;
                return None;
            }
            Err(elapsed) => elapsed.into(),
        };
        self.is_over = true;
        Some(Err(failure))
    }

    /// Reads on, within bounds, what nobody wants: to somebody who still sends, a connection that is closed is a reset, and
    /// the answer is lost.
    async fn discard(&mut self) {
        let mut left = UNWANTED_MAX;
        while let Some(Ok(part)) = self.next().await {
            let Some(less) = left.checked_sub(part.len()) else { return };
            left = less;
        }
    }
}

fn bind_privately(path: &Path) -> io::Result<UnixListener> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    let nowhere = || io::Error::new(io::ErrorKind::InvalidInput, "the control socket needs a path with a directory and a name");
    let place = path.parent().ok_or_else(nowhere)?;
    // Short: the whole path of a Unix socket has to fit 108 bytes.
    let private = place.join(format!(".c{}", std::process::id()));
    let socket = private.join("s");
    if private.exists() {
        std::fs::remove_dir_all(&private)?;
    }
    std::fs::DirBuilder::new().mode(0o700).create(&private)?;
    let bound = UnixListener::bind(&socket).and_then(|listener| {
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
        std::fs::rename(&socket, path)?;
        Ok(listener)
    });
    std::fs::remove_dir_all(&private)?;
    bound
}

/// A listener whose connections send at once what they have.
struct Prompt(TcpListener);

impl Listener for Prompt {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection could not be told not to delay");
        }
        (stream, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

fn of_this_machine(stream: &UnixStream) -> Peer {
    match stream.peer_cred() {
        Ok(credentials) => Peer::Os(user(credentials.uid())),
        Err(_) => Peer::Os("unknown".to_owned()),
    }
}

/// A user's name where the system's own list has it, else the number.
fn user(uid: u32) -> String {
    let list = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = list.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    named.unwrap_or_else(|| uid.to_string())
}

#[cfg(test)]
mod tests {
    use axum::extract::DefaultBodyLimit;
    use axum::routing::post;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::task::JoinHandle;

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(50);
    const WHOLE: &str = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nhelp";

    struct Served {
        address: SocketAddr,
        stop: tokio::sync::oneshot::Sender<()>,
        serving: JoinHandle<()>,
    }

    impl Served {
        async fn start(limits: Limits) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let small = post(|body: Bytes| async move { format!("{} bytes", body.len()) });
            let router = Router::new().route("/", small.clone()).route("/small", small.layer(DefaultBodyLimit::max(9)));
            let (stop, stopped) = tokio::sync::oneshot::channel();
            let peer = |_: &TcpStream, address: SocketAddr| Peer::Net(address.ip());
            let serving = tokio::spawn(serve_all(Prompt(listener), peer, limits, router, async { drop(stopped.await) }));
            Self { address, stop, serving }
        }

        async fn say(&self, text: &str) -> TcpStream {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(text.as_bytes()).await.unwrap();
            stream
        }

        async fn end(self) {
            drop(self.stop);
            timeout(DEADLINE, self.serving).await.expect("the end").unwrap();
        }
    }

    async fn to_the_end(mut stream: TcpStream) -> String {
        let mut answer = Vec::new();
        let read = timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("the connection is closed");
        // A connection that is cut while it sends is as closed as one that ends.
        drop(read);
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test]
    async fn who_never_ends_a_head_is_cut() {
        let served = Served::start(Limits { head: SHORT, ..LIMITS }).await;
        for text in ["", "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
            let answer = to_the_end(served.say(text).await).await;
            assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        served.end().await;
    }

    #[tokio::test]
    async fn who_sends_too_much_is_told_so_and_not_cut_while_sending() {
        let served = Served::start(LIMITS).await;
        let mut stream = served.say("POST /small HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 1000000\r\n\r\n").await;
        stream.write_all(&vec![b'x'; 1_000_000]).await.expect("it is read to its end");
        assert!(to_the_end(stream).await.starts_with("HTTP/1.1 413"));
        served.end().await;
    }

    #[tokio::test]
    async fn who_never_ends_a_body_is_cut() {
        let served = Served::start(Limits { body: SHORT, ..LIMITS }).await;
        let answer = to_the_end(served.say(WHOLE.strip_suffix("lp").unwrap()).await).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        served.end().await;
    }

    #[tokio::test]
    async fn one_connection_too_many_waits_until_another_has_ended() {
        let served = Served::start(Limits { connections: 1, own: 0, ..LIMITS }).await;
        let holding = served.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhelp").await;
        let mut byte = [0];
        holding.readable().await.unwrap();
        let mut waiting = served.say(WHOLE).await;
        assert!(timeout(SHORT, waiting.read(&mut byte)).await.is_err(), "it has to wait");
        drop(holding);
        assert!(to_the_end(waiting).await.ends_with("4 bytes"));
        served.end().await;
    }

    /// Sockets that say nothing, opened again and again, fill every place and are heard by nobody: a call must get through.
    #[tokio::test]
    async fn who_asks_takes_the_place_of_who_is_silent() {
        let served = Served::start(Limits { connections: 2, own: 0, ..LIMITS }).await;
        let mut silent = Vec::new();
        for _ in 0..10 {
            silent.push(served.say("").await);
        }
        assert!(to_the_end(served.say(WHOLE).await).await.ends_with("4 bytes"));
        assert_eq!(to_the_end(silent.remove(0)).await, "", "the oldest gave way");
        served.end().await;
    }

    #[tokio::test]
    async fn this_machine_has_a_share_of_its_own() {
        let served = Served::start(Limits { connections: 1, own: 1, ..LIMITS }).await;
        let holding = served.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nhelp").await;
        holding.readable().await.unwrap();
        assert!(to_the_end(served.say(WHOLE).await).await.ends_with("4 bytes"));
        drop(holding);
        served.end().await;
    }
}
