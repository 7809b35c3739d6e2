//! Serves the pages over a small invented world, so that they can be looked at: `cargo run -p console --example pages`.
//! Prints where; ends with the process.

#[path = "../tests/room/counter.rs"]
#[expect(clippy::unwrap_used, dead_code, reason = "the tests' scripted watch, of which this uses a part")]
mod counter;

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use console::hooks::{HookCall, HookReply, Hooks};
use console::settings::Settings;
use console::{Parts, router, serve};
use station::notary::{Answer, Attested, NotaryError, Notes, Proofs};

struct Nobody;

impl Hooks for Nobody {
    fn receive(&self, _: HookCall) -> Pin<Box<dyn Future<Output = HookReply> + Send>> {
        Box::pin(async { HookReply { status: 404, content_type: "text/plain", body: Vec::new() } })
    }
}

impl Proofs for Nobody {
    fn checkpoint(&self) -> Option<String> {
        None
    }
    fn entries(&self, _from: u64, _limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
        Box::pin(async { Ok(Vec::new()) })
    }
    fn proof(&self, _index: u64) -> Answer<'_, String> {
        Box::pin(async { Err(NotaryError::Unsigned) })
    }
    fn attest(&self, _: Vec<u64>) -> Answer<'_, Attested> {
        Box::pin(async { Err(NotaryError::Unsigned) })
    }
    fn consistency(&self, _older: u64, _newer: u64) -> Answer<'_, Vec<String>> {
        Box::pin(async { Err(NotaryError::Unsigned) })
    }
    fn notes(&self, _sizes: BTreeSet<u64>) -> Answer<'_, Notes> {
        Box::pin(async { Ok(Vec::new()) })
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (desk, watch) = counter::Watch::start(counter::town());
    let (_keys, keys) = tokio::sync::watch::channel(Arc::default());
    let router = router(Parts {
        desk,
        keys,
        settings: Settings { station: "Westside Centre".to_owned(), phone: "08 9555 0100".to_owned(), demo: true, ..Settings::default() },
        hooks: Arc::new(Nobody),
        proofs: Arc::new(Nobody),
        look_again: Arc::new(|| ()),
        probes: Arc::new(Vec::new),
        extra_metrics: Arc::new(|_| {}),
    })?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    std::fs::write(std::env::args().nth(1).unwrap_or_else(|| "/dev/stdout".to_owned()), format!("http://{}\n", listener.local_addr()?))?;
    tokio::spawn(async move {
        let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            second.tick().await;
            let mut world = watch.world();
            world.now = counter::later(world.now, 1);
        }
    });
    serve(listener, router, std::future::pending()).await?;
    Ok(())
}
