//! Listening: over TCP for the world, over a Unix socket for users of this machine. What is served is the same router.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use axum::{Extension, Router};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::watch;

use crate::caller::Peer;

/// How long requests in flight may take to end once the desk is told to stop.
const GRACE: Duration = Duration::from_secs(3);

/// Told to streams, which would otherwise never end.
#[derive(Clone)]
pub(crate) struct Stopping(pub(crate) watch::Receiver<bool>);

/// Serves the router until `shutdown`, then lets requests in flight end, for at most 3 s.
pub async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let (stop, stopped, router) = stopping(router, shutdown);
    let serving = axum::serve(Prompt(listener), router.into_make_service_with_connect_info::<Peer>()).with_graceful_shutdown(stop);
    bounded(serving.into_future(), stopped).await
}

/// Serves the router over a Unix socket as admin, attributed to the OS user at the other end, until `shutdown`.
///
/// The socket is made in a private directory and moved into place, so that it is never there with other rights than 0600.
pub async fn serve_control(path: &Path, router: Router, shutdown: impl Future<Output = ()> + Send + 'static) -> io::Result<()> {
    let listener = bind_privately(path)?;
    let (stop, stopped, router) = stopping(router, shutdown);
    let serving = axum::serve(listener, router.into_make_service_with_connect_info::<Peer>()).with_graceful_shutdown(stop);
    let ended = bounded(serving.into_future(), stopped).await;
    match std::fs::remove_file(path) {
        Ok(()) => ended,
        Err(error) if error.kind() == io::ErrorKind::NotFound => ended,
        Err(error) => ended.and(Err(error)),
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

/// Turns one shutdown into three: for the server, for the deadline, and for streams.
fn stopping(
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> (impl Future<Output = ()> + Send + 'static, watch::Receiver<bool>, Router) {
    let (say, said) = watch::channel(false);
    let router = router.layer(Extension(Stopping(said.clone())));
    let stop = async move {
        shutdown.await;
        say.send_replace(true);
    };
    (stop, said, router)
}

async fn bounded(serving: impl Future<Output = io::Result<()>>, mut stopped: watch::Receiver<bool>) -> io::Result<()> {
    let deadline = async move {
        if stopped.wait_for(|stopped| *stopped).await.is_err() {
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        ended = serving => ended,
        () = deadline => Ok(()),
    }
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

impl Connected<IncomingStream<'_, Prompt>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Prompt>) -> Self {
        Self::Net(stream.remote_addr().ip())
    }
}

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        match stream.io().peer_cred() {
            Ok(credentials) => Self::Os(user(credentials.uid())),
            Err(_) => Self::Os("unknown".to_owned()),
        }
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
