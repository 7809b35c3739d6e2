//! Loopback ports that two tests never share.
//!
//! A part that is stopped and started again needs its port to stay free in between. Ports that the system hands out
//! for outgoing connections do not: a client that knocks on one until the part is back can be given that very port
//! and end up talking to itself. So ports are taken from below that range, each under a lock file held for the life of the part.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// Below the range of Linux (from 32768) and of macOS and Windows (from 49152).
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port on 127.0.0.1, ours until dropped.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Takes a free one.
    #[must_use]
    pub fn take() -> Self {
        let folder = std::env::temp_dir().join("cooee-ports");
        std::fs::create_dir_all(&folder).expect("make the folder of port locks");
        let start = std::process::id().wrapping_mul(7919);
        for step in 0..u32::from(COUNT) {
            let offset = start.wrapping_add(step) % u32::from(COUNT);
            let Some(number) = u16::try_from(offset).ok().and_then(|o| FIRST.checked_add(o)) else {
                continue;
            };
            let lock = File::create(folder.join(number.to_string())).expect("make a port lock file");
            if lock.try_lock().is_ok() && is_free(number) {
                return Self { number, _lock: lock };
            }
        }
        panic!("no free port from {FIRST} on: is something holding thousands of them?");
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }
}

/// Whether nobody listens there. It is bound and not listened on: a child that is being started just then holds a copy of the
/// socket for a moment, and a copy that listens would keep the part from its own port.
fn is_free(number: u16) -> bool {
    let bound = TcpSocket::new_v4().and_then(|socket| {
        socket.set_reuseaddr(true)?;
        socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, number)))
    });
    bound.is_ok()
}
