//! The buttons: one plain MQTT connection that publishes for all of them, without a library in the way of the clock.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpStream};
use std::thread::JoinHandle;

use tokio::time::Instant;

use crate::directory;

/// A connection to the broker.
pub(crate) struct Buttons {
    stream: TcpStream,
    packet: u16,
    presses: u32,
    reader: Option<JoinHandle<()>>,
}

impl Buttons {
    /// Connects to the broker on this loopback port.
    pub(crate) fn connect(port: u16) -> Self {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("reach the broker");
        stream.set_nodelay(true).expect("send small packets at once");
        // MQTT 3.1.1, a clean session without keep-alive, client id "buttons".
        stream.write_all(b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07buttons").expect("greet the broker");
        let mut greeting = [0; 4];
        stream.read_exact(&mut greeting).expect("hear the broker");
        assert_eq!(greeting, [0x20, 2, 0, 0], "the broker refused the buttons");
        let acknowledged = stream.try_clone().expect("share a socket");
        let reader = Some(std::thread::spawn(move || swallow(acknowledged)));
        Self { stream, packet: 0, presses: 0, reader }
    }

    /// Presses a button at QoS 1 and says when, just before the bytes leave.
    pub(crate) fn press(&mut self, key: u32) -> Instant {
        let packet = self.packet(key);
        self.send(&packet)
    }

    /// Presses all of these at once.
    pub(crate) fn press_all(&mut self, keys: std::ops::Range<u32>) -> Instant {
        let packets: Vec<u8> = keys.flat_map(|key| self.packet(key)).collect();
        self.send(&packets)
    }

    fn send(&mut self, bytes: &[u8]) -> Instant {
        let at = Instant::now();
        self.stream.write_all(bytes).expect("press");
        at
    }

    /// PUBLISH, QoS 1: topic, packet identifier, payload.
    fn packet(&mut self, key: u32) -> Vec<u8> {
        self.packet = self.packet.checked_add(1).unwrap_or(1);
        self.presses += 1;
        let topic = format!("cooee/v1/{}/{}/press", directory::SITE, directory::button(key));
        let payload = format!(r#"{{"id":"press-{:08}"}}"#, self.presses);
        let length = u8::try_from(2 + topic.len() + 2 + payload.len()).ok().filter(|length| *length < 128).expect("a small packet");
        let topic_length = u16::try_from(topic.len()).expect("a short topic");
        let mut packet = vec![0x32, length];
        packet.extend(topic_length.to_be_bytes());
        packet.extend(topic.as_bytes());
        packet.extend(self.packet.to_be_bytes());
        packet.extend(payload.as_bytes());
        packet
    }
}

impl Drop for Buttons {
    fn drop(&mut self) {
        // It fails only where the broker has gone first.
        let _gone = self.stream.shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no holder panics");
        }
    }
}

/// The broker's own acknowledgements prove nothing that is measured here.
fn swallow(mut stream: TcpStream) {
    let mut bytes = [0; 16_384];
    while stream.read(&mut bytes).is_ok_and(|count| count > 0) {}
}
