//! The server over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use facteur_smtp::server as smtp;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};

use super::house::{House, domain};
use crate::{Bound, Config, ListenAddress, ListenerConfig, Server, ServerError};

pub(super) fn listener(address: ListenAddress, role: smtp::Role) -> ListenerConfig {
    let session = smtp::Config::new(domain("mx.example.org"), role);
    ListenerConfig {
        address,
        session: Arc::new(session),
    }
}

pub(super) fn loopback() -> ListenAddress {
    ListenAddress::Tcp(SocketAddr::from(([127, 0, 0, 1], 0)))
}

async fn connect(server: &Server) -> BufReader<TcpStream> {
    let ListenAddress::Tcp(address) = server.addresses()[0] else {
        panic!("not TCP");
    };
    connect_to(address).await
}

pub(super) async fn connect_to(address: SocketAddr) -> BufReader<TcpStream> {
    BufReader::new(TcpStream::connect(address).await.unwrap())
}

pub(super) async fn line(stream: &mut (impl AsyncBufReadExt + Unpin)) -> String {
    let mut line = String::new();
    stream.read_line(&mut line).await.unwrap();
    line.trim_end().to_owned()
}

#[tokio::test]
async fn a_client_over_tcp_is_served_and_told_when_the_server_stops() {
    let house = House::new();
    let mut config = Config::new(domain("mx.example.org"));
    config.listeners = vec![listener(loopback(), smtp::Role::Smtp)];
    let server = Server::start(config, house.parts()).unwrap();
    let mut client = connect(&server).await;
    assert_eq!(line(&mut client).await, "220 mx.example.org ESMTP Facteur");
    client.write_all(b"NOOP\r\n").await.unwrap();
    assert_eq!(line(&mut client).await, "250 2.0.0 NOOP still here");
    let stopped = tokio::spawn(server.shutdown(Duration::from_secs(10)));
    assert!(line(&mut client).await.starts_with("421 4.3.2 "));
    drop(client);
    stopped.await.unwrap();
}

#[tokio::test]
async fn a_connection_too_many_gets_421_at_once() {
    let house = House::new();
    let mut config = Config::new(domain("mx.example.org"));
    config.limits.per_address = 1;
    config.listeners = vec![listener(loopback(), smtp::Role::Smtp)];
    let server = Server::start(config, house.parts()).unwrap();
    let mut first = connect(&server).await;
    assert!(line(&mut first).await.starts_with("220 "));
    let mut second = connect(&server).await;
    assert_eq!(
        line(&mut second).await,
        "421 4.7.0 mx.example.org too many connections from 127.0.0.1, try again later"
    );
    assert_eq!(line(&mut second).await, "");
}

#[tokio::test]
async fn lmtp_is_served_over_a_unix_socket_whose_file_goes_with_the_server() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lmtp");
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let mut config = Config::new(domain("mx.example.org"));
    config.listeners = vec![listener(
        ListenAddress::Unix(path.clone()),
        smtp::Role::Lmtp,
    )];
    let server = Server::start(config.clone(), house.parts()).unwrap();
    let mut client = BufReader::new(UnixStream::connect(&path).await.unwrap());
    assert_eq!(line(&mut client).await, "220 mx.example.org LMTP Facteur");
    let taken = Server::start(config, house.parts()).unwrap_err();
    assert!(matches!(taken, ServerError::Listen { .. }), "{taken}");
    drop(client);
    server.shutdown(Duration::ZERO).await;
    assert!(!path.exists());
}

#[tokio::test]
async fn a_place_that_is_taken_is_named() {
    let house = House::new();
    let mut config = Config::new(domain("mx.example.org"));
    config.listeners = vec![listener(loopback(), smtp::Role::Smtp)];
    let server = Server::start(config.clone(), house.parts()).unwrap();
    config.listeners = vec![listener(server.addresses()[0].clone(), smtp::Role::Smtp)];
    let error = Server::start(config, house.parts()).unwrap_err();
    let address = server.addresses()[0].to_string();
    assert!(
        error
            .to_string()
            .starts_with(&format!("cannot listen on {address}: "))
    );
}

#[tokio::test]
async fn a_file_that_is_no_socket_is_not_replaced_by_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("precious");
    std::fs::write(&path, "mine").unwrap();
    let mut config = Config::new(domain("mx.example.org"));
    config.listeners = vec![listener(
        ListenAddress::Unix(path.clone()),
        smtp::Role::Lmtp,
    )];
    let ServerError::Listen { error, .. } =
        Server::start(config, House::new().parts()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::AddrInUse);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
}

#[tokio::test]
async fn sockets_of_a_service_manager_are_served_and_left_where_they_are() {
    let house = House::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("smtp");
    let unix = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let tcp = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let stray = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let nobodys = stray.local_addr().unwrap();
    let open = vec![
        Bound::adopt_tcp(stray).unwrap(),
        Bound::adopt_unix(unix).unwrap(),
        Bound::adopt_tcp(tcp).unwrap(),
    ];
    let mut config = Config::new(domain("mx.example.org"));
    config.listeners = vec![
        listener(open[2].address().clone(), smtp::Role::Smtp),
        listener(ListenAddress::Unix(path.clone()), smtp::Role::Lmtp),
    ];
    let server = Server::start_on(open, config, house.parts()).unwrap();
    let mut over_tcp = connect(&server).await;
    assert_eq!(
        line(&mut over_tcp).await,
        "220 mx.example.org ESMTP Facteur"
    );
    let mut over_unix = BufReader::new(UnixStream::connect(&path).await.unwrap());
    assert_eq!(
        line(&mut over_unix).await,
        "220 mx.example.org LMTP Facteur"
    );
    assert!(TcpStream::connect(nobodys).await.is_err(), "it is closed");
    drop((over_tcp, over_unix));
    server.shutdown(Duration::ZERO).await;
    assert!(path.exists(), "its file is the service manager’s");
}

#[tokio::test]
async fn who_comes_between_opening_and_serving_is_served_then() {
    let house = House::new();
    let tcp = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let early = std::net::TcpStream::connect(tcp.local_addr().unwrap()).unwrap();
    early.set_nonblocking(true).unwrap();
    let bound = Bound::adopt_tcp(tcp).unwrap();
    let mut config = Config::new(domain("mx.example.org"));
    config.listeners = vec![listener(bound.address().clone(), smtp::Role::Smtp)];
    let server = Server::start_on(vec![bound], config, house.parts()).unwrap();
    let mut client = BufReader::new(TcpStream::from_std(early).unwrap());
    assert_eq!(line(&mut client).await, "220 mx.example.org ESMTP Facteur");
    drop(client);
    server.shutdown(Duration::ZERO).await;
}
