//! A DNS server on loopback, UDP and TCP, that answers from a [`Zone`].

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, Query, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, SOA, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::task::JoinSet;

use crate::zone::{DEFAULT_TTL, Data, End, Fault, Kind, NEGATIVE_TTL, Row, Zone};

/// How often a port that is free for TCP is tried for UDP before giving up.
const MAX_PORTS: usize = 20;

/// The largest UDP answer to a client without EDNS, in octets. (RFC 1035 §4.2.1)
const PLAIN_UDP: u16 = 512;

/// What a server sends that does not speak DNS; the id of the question is put in front.
const GARBAGE: &[u8] = b"\xff\xffthis is not DNS";

/// A running server. Dropped, it stops.
#[derive(Debug)]
pub struct DnsServer {
    address: SocketAddr,
    _tasks: JoinSet<()>,
}

impl DnsServer {
    /// Starts a server on 127.0.0.1, at one port for UDP and TCP.
    ///
    /// # Errors
    /// As the sockets'.
    pub async fn start(zone: &Zone) -> io::Result<Self> {
        let (udp, tcp) = bind().await?;
        let address = tcp.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_udp(udp, zone.clone()));
        tasks.spawn(serve_tcp(tcp, zone.clone()));
        Ok(Self {
            address,
            _tasks: tasks,
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn bind() -> io::Result<(UdpSocket, TcpListener)> {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..MAX_PORTS {
        let tcp = TcpListener::bind(any).await?;
        match UdpSocket::bind(tcp.local_addr()?).await {
            Ok(udp) => return Ok((udp, tcp)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn serve_udp(socket: UdpSocket, zone: Zone) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    while let Ok((size, client)) = socket.recv_from(&mut buffer).await {
        let question = buffer.get(..size).unwrap_or_default();
        if let Some(answer) = answer(&zone, question, true) {
            // The client may have gone.
            let _sent: io::Result<usize> = socket.send_to(&answer, client).await;
        }
    }
}

async fn serve_tcp(listener: TcpListener, zone: Zone) {
    let zone = Arc::new(zone);
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let zone = Arc::clone(&zone);
        connections.spawn(async move {
            // The client closes when it has its answers.
            let _ended: io::Result<()> = serve_connection(stream, &zone).await;
        });
    }
}

async fn serve_connection(mut stream: TcpStream, zone: &Zone) -> io::Result<()> {
    loop {
        let size = stream.read_u16().await?;
        let mut question = vec![0; usize::from(size)];
        stream.read_exact(&mut question).await?;
        if let Some(answer) = answer(zone, &question, false) {
            let size = u16::try_from(answer.len()).map_err(io::Error::other)?;
            stream.write_u16(size).await?;
            stream.write_all(&answer).await?;
        }
    }
}

/// The octets to send back; `None` for silence.
fn answer(zone: &Zone, question: &[u8], udp: bool) -> Option<Vec<u8>> {
    let question = Message::from_vec(question).ok()?;
    let query = question.queries.first()?.clone();
    let said = zone.ask(&query.name().to_ascii(), kind(query.query_type()));

    let id = question.metadata.id;
    let mut message = Message::response(id, question.metadata.op_code);
    message.metadata.recursion_desired = question.metadata.recursion_desired;
    message.metadata.recursion_available = true;
    match said.end {
        End::Fault(Fault::Timeout) => return None,
        End::Fault(Fault::Garbage) => return Some([&id.to_be_bytes(), GARBAGE].concat()),
        End::Fault(Fault::ServFail) => message.metadata.response_code = ResponseCode::ServFail,
        End::Fault(Fault::Refused) => message.metadata.response_code = ResponseCode::Refused,
        End::Fault(Fault::Referral) => message.authorities.push(referral()?),
        End::Fault(Fault::Truncated) => message.metadata.truncation = udp,
        End::NoSuchDomain => {
            message.metadata.response_code = ResponseCode::NXDomain;
            message.authorities.push(soa()?);
        }
        End::NoRecords => message.authorities.push(soa()?),
        End::Found => {}
    }
    if !message.metadata.truncation {
        let rows = said.rows.iter();
        message.answers = rows.filter_map(|row| record(row, &query)).collect();
    }
    message.queries.push(query);
    let whole = message.to_vec().ok()?;
    let room = question
        .edns
        .as_ref()
        .map_or(PLAIN_UDP, |edns| edns.max_payload());
    if udp && whole.len() > usize::from(room) {
        return message.truncate().to_vec().ok();
    }
    Some(whole)
}

/// The record, its owner spelled as in the question where they are equal.
fn record(row: &Row, query: &Query) -> Option<Record> {
    let owner = name(row.owner.as_str())?;
    let owner = if owner == *query.name() {
        query.name().clone()
    } else {
        owner
    };
    let data = match &row.data {
        Data::Mx(preference, exchange) => RData::MX(MX::new(*preference, name(exchange)?)),
        Data::A(ip) => RData::A(A(*ip)),
        Data::Aaaa(ip) => RData::AAAA(AAAA(*ip)),
        Data::Txt(text) => RData::TXT(TXT::new(vec![text.clone()])),
        Data::Cname(target) => RData::CNAME(CNAME(name(target.as_str())?)),
    };
    Some(Record::from_rdata(owner, row.ttl, data))
}

/// A name from its text, where `\032` stands for a space inside a label.
pub(crate) fn name(text: &str) -> Option<Name> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() {
        return Some(Name::root());
    }
    let labels = text
        .split('.')
        .map(|label| label.replace("\\032", " ").into_bytes());
    Name::from_labels(labels).ok()
}

fn soa() -> Option<Record> {
    let data = SOA::new(
        name("ns.test")?,
        name("admin.test")?,
        1,
        3600,
        600,
        86_400,
        NEGATIVE_TTL,
    );
    Some(Record::from_rdata(
        Name::root(),
        NEGATIVE_TTL,
        RData::SOA(data),
    ))
}

fn referral() -> Option<Record> {
    let data = RData::NS(NS(name("ns.elsewhere.test")?));
    Some(Record::from_rdata(name("test")?, DEFAULT_TTL, data))
}

const fn kind(kind: RecordType) -> Kind {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "a zone has no other records"
    )]
    match kind {
        RecordType::MX => Kind::Mx,
        RecordType::A => Kind::A,
        RecordType::AAAA => Kind::Aaaa,
        RecordType::TXT => Kind::Txt,
        _ => Kind::Other,
    }
}
