//! The socket side of the gateway: connections that can be cut before an answer is out.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

/// Accepts connections whose handlers may cut them.
pub(super) struct Exchange {
    socket: std::net::TcpListener,
}

struct Open(TcpListener);

/// One connection.
pub(super) struct Line {
    stream: TcpStream,
    cut: Cut,
}

/// A handler's hold on its connection.
#[derive(Clone, Default)]
pub(super) struct Cut(Arc<AtomicBool>);

impl Cut {
    /// From now on nothing is written: the client sees the connection close.
    pub(super) fn now(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::Relaxed) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Exchange {
    /// Listens before anything else runs, so that nobody can knock too early.
    pub(super) fn bind(port: u16) -> Self {
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("bind the gateway's port");
        socket.set_nonblocking(true).expect("set a socket non-blocking");
        Self { socket }
    }
}

/// Serves until `stopped`; runs on the gateway's own thread.
pub(super) fn serve(exchange: Exchange, router: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("start a runtime");
    runtime.block_on(async {
        let listener = Open(TcpListener::from_std(exchange.socket).expect("adopt a socket"));
        let service = router.into_make_service_with_connect_info::<Cut>();
        tokio::select! {
            ended = axum::serve(listener, service) => ended.expect("serve the gateway"),
            _dropped_or_told = stopped => {}
        }
    });
}

impl Listener for Open {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        let (stream, peer) = Listener::accept(&mut self.0).await;
        // Only a matter of speed; a socket that has just been closed refuses it.
        let _speed = stream.set_nodelay(true);
        (Line { stream, cut: Cut::default() }, peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, Open>> for Cut {
    fn connect_info(stream: IncomingStream<'_, Open>) -> Self {
        stream.io().cut.clone()
    }
}

impl AsyncRead for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bufs: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
