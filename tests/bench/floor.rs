//! The floor: the least that turns a press into a message without losing it, as a process of its own.
//!
//! Takes a press from the broker with manual acknowledgement, commits it to SQLite (WAL, synchronous=FULL), then acknowledges
//! and posts. Under load it drains what is ready into one transaction. Knows no rules, keeps no audit, finds no duplicate.

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rumqttc::{AckMode, AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, Publish, QoS};
use rusqlite::Connection;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Mutex, mpsc};

use crate::directory;

/// The argument that makes this program the floor.
pub(crate) const NAME: &str = "floor";
/// Presses in one transaction at most.
const DRAIN_MAX: usize = 512;
/// As many as there are packet identifiers: no queue can be full.
const QUEUE: usize = 65_536;
/// Connections kept to the gateway.
const CONNECTIONS: usize = 32;

/// How the floor is told what to do.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    /// The broker's port.
    pub(crate) broker: u16,
    /// The gateway's port.
    pub(crate) gateway: u16,
    /// Bytes that a press writes.
    pub(crate) entry: usize,
    /// Bytes that a message's body has.
    pub(crate) body: usize,
    /// Where the database is; a file `ready` beside it says that presses are heard.
    pub(crate) folder: PathBuf,
}

impl Order {
    /// As arguments.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let numbers = [self.broker.to_string(), self.gateway.to_string(), self.entry.to_string(), self.body.to_string()];
        std::iter::once(NAME.to_owned()).chain(numbers).chain([self.folder.display().to_string()]).collect()
    }

    /// The file that says that presses are heard.
    pub(crate) fn ready(&self) -> PathBuf {
        self.folder.join("ready")
    }

    fn read(arguments: &[String]) -> Self {
        let [broker, gateway, entry, body, folder] = arguments else {
            panic!("the floor is started by the bench alone");
        };
        Self {
            broker: broker.parse().expect("a port"),
            gateway: gateway.parse().expect("a port"),
            entry: entry.parse().expect("a number of bytes"),
            body: body.parse().expect("a number of bytes"),
            folder: PathBuf::from(folder),
        }
    }
}

/// Runs until it is ended from outside.
pub(crate) fn run(arguments: &[String]) {
    let order = Order::read(arguments);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("start a runtime");
    runtime.block_on(async {
        let mut options = MqttOptions::new("floor", (Ipv4Addr::LOCALHOST.to_string(), order.broker));
        options.set_keep_alive(5).set_clean_session(false);
        options.set_ack_mode(AckMode::Manual);
        let (client, mut line) = AsyncClient::builder(options).capacity(QUEUE).build();
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        line.set_network_options(network);
        let posts = post_office(&order).await;
        let (work_in, work) = mpsc::channel(QUEUE);
        let (database, entry, committing) = (order.folder.join("floor.db"), order.entry, client.clone());
        std::thread::spawn(move || commit(&database, entry, work, &committing, &posts));
        listen(line, &client, &work_in, &order.ready()).await;
    });
}

async fn listen(mut line: EventLoop, client: &AsyncClient, work: &mpsc::Sender<Publish>, ready: &Path) {
    loop {
        match line.poll().await.expect("the broker stays") {
            Event::Incoming(Packet::ConnAck(_)) => client.try_subscribe("cooee/v1/+/+/press", QoS::AtLeastOnce).expect("subscribe"),
            Event::Incoming(Packet::SubAck(_)) => std::fs::write(ready, "").expect("say that presses are heard"),
            Event::Incoming(Packet::Publish(press)) => work.try_send(press).expect("room for every packet identifier"),
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
}

/// The commits, on a thread of their own: nothing may block the connection.
fn commit(database: &Path, entry: usize, mut work: mpsc::Receiver<Publish>, client: &AsyncClient, posts: &mpsc::UnboundedSender<u32>) {
    let mut database = open(database);
    let bytes = vec![b'x'; entry];
    let mut presses: Vec<Publish> = Vec::with_capacity(DRAIN_MAX);
    while work.blocking_recv_many(&mut presses, DRAIN_MAX) > 0 {
        let transaction = database.transaction().expect("begin");
        {
            let mut insert = transaction.prepare_cached("INSERT INTO press (bytes) VALUES (?1)").expect("prepare");
            for _press in &presses {
                insert.execute([&bytes]).expect("insert");
            }
        }
        transaction.commit().expect("commit");
        for press in presses.drain(..) {
            client.try_ack(&press).expect("acknowledge");
            let key = directory::button_in(&press.topic).expect("a button of ours");
            posts.send(key).expect("the post office is open");
        }
    }
}

/// The floor's database: one table of bytes, as durable as the record.
pub(crate) fn open(path: &Path) -> Connection {
    let database = Connection::open(path).expect("open the floor's database");
    database.pragma_update(None, "journal_mode", "wal").expect("journal in WAL");
    database.pragma_update(None, "synchronous", "full").expect("synchronous=FULL");
    database.execute("CREATE TABLE press (n INTEGER PRIMARY KEY, bytes BLOB NOT NULL)", []).expect("create the table");
    database
}

/// Opens the connections and says where messages to post are put.
async fn post_office(order: &Order) -> mpsc::UnboundedSender<u32> {
    let (posts_in, posts) = mpsc::unbounded_channel();
    let posts = Arc::new(Mutex::new(posts));
    for _connection in 0..CONNECTIONS {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, order.gateway)).await.expect("reach the gateway");
        stream.set_nodelay(true).expect("send small packets at once");
        tokio::spawn(post(stream, order.gateway, order.body, Arc::clone(&posts)));
    }
    posts_in
}

async fn post(mut stream: TcpStream, port: u16, body: usize, posts: Arc<Mutex<mpsc::UnboundedReceiver<u32>>>) {
    let head = format!(
        "POST /messages HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {body}\r\n\r\n"
    );
    let mut answer = [0; 4_096];
    loop {
        let key = { posts.lock().await.recv().await };
        let Some(key) = key else { return };
        let mut request = head.clone();
        write!(request, "{:x<body$}", format!("Body={}", directory::button(key))).expect("write to a string");
        stream.write_all(request.as_bytes()).await.expect("post");
        let mut read = 0;
        while !answer.get(..read).is_some_and(is_complete) {
            let rest = answer.get_mut(read..).expect("a short answer");
            let count = stream.read(rest).await.expect("hear the gateway");
            assert!(count > 0, "the gateway closed the connection");
            read += count;
        }
    }
}

/// Whether an answer with a `content-length` is there to its last byte.
fn is_complete(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).is_some_and(|length: usize| body.len() >= length)
}
