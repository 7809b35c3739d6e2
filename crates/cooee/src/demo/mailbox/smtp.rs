//! The server's half of an SMTP conversation (RFC 5321), without extensions that need an answer.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::Shelf;

/// Longest mail that is taken, in bytes.
const MAIL_MAX: u64 = 1024 * 1024;

pub(super) async fn serve(listener: TcpListener, shelf: Arc<Shelf>) {
    let mut guests = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let shelf = Arc::clone(&shelf);
                guests.spawn(async move {
                    if let Err(why) = converse(stream, &shelf).await {
                        tracing::debug!("a conversation with the demo's mailbox broke off: {why}");
                    }
                });
            }
            Err(why) => tracing::warn!("the demo's mailbox cannot take a connection: {why}"),
        }
        while guests.try_join_next().is_some() {}
    }
}

async fn converse(stream: TcpStream, shelf: &Shelf) -> std::io::Result<()> {
    let (from_guest, mut to_guest) = stream.into_split();
    let mut lines = BufReader::new(from_guest.take(MAIL_MAX));
    let mut recipients: Vec<String> = Vec::new();
    to_guest.write_all(b"220 demo mailbox\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        lines.get_mut().set_limit(MAIL_MAX);
        if lines.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.trim_end().to_ascii_uppercase();
        let answer = match verb.split([' ', ':']).next().unwrap_or_default() {
            "EHLO" => "250-demo mailbox\r\n250 8BITMIME\r\n",
            "HELO" | "NOOP" => "250 so be it\r\n",
            "MAIL" | "RSET" => {
                recipients.clear();
                "250 so be it\r\n"
            }
            "RCPT" => {
                let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                recipients.push(address.to_owned());
                "250 so be it\r\n"
            }
            "DATA" if recipients.is_empty() => "503 to whom?\r\n",
            "DATA" => {
                to_guest.write_all(b"354 go on, end with a dot\r\n").await?;
                let raw = body(&mut lines).await?;
                shelf.put(std::mem::take(&mut recipients), &raw);
                "250 kept\r\n"
            }
            "QUIT" => {
                return to_guest.write_all(b"221 good-bye\r\n").await;
            }
            _ => "502 not here\r\n",
        };
        to_guest.write_all(answer.as_bytes()).await?;
    }
}

/// The mail up to the line with a dot alone; a dot that was doubled on the way is single again.
async fn body(lines: &mut BufReader<tokio::io::Take<tokio::net::tcp::OwnedReadHalf>>) -> std::io::Result<String> {
    let mut raw = Vec::new();
    let mut line = Vec::new();
    lines.get_mut().set_limit(MAIL_MAX);
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        if line == b".\r\n" {
            return Ok(String::from_utf8_lossy(&raw).into_owned());
        }
        raw.extend_from_slice(line.strip_prefix(b".").unwrap_or(&line));
    }
}
